"""A corpus → another tool's files, by the name of the format."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

from parlure.corpus.exporters import EXPORTERS
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.exclusive import is_empty


def export_corpus(folder: str | Path, out: str | Path, *, to: str) -> int:
    """Write a whole corpus in a format.

    Args:
        folder: the corpus.
        out: a folder, new or empty.
        to: one of :data:`parlure.corpus.exporters.EXPORTERS`.

    Returns:
        How many utterances were handed to the exporter.

    Raises:
        ParlureError: no such format, a folder that is not empty, a bad corpus, or what the exporter raises.
    """
    folder, out = Path(folder), Path(out)
    if to not in EXPORTERS:
        close = difflib.get_close_matches(to, EXPORTERS, n=1)
        hint = f"did you mean {close[0]}" if close else f"known are {', '.join(sorted(EXPORTERS))}"
        raise ParlureError(f"there is no format {to} to export to", hint)
    if out.exists() and not out.is_dir():
        raise ParlureError(f"{out} is a file, and an export is a folder", "name a new folder")
    if not is_empty(out):
        raise ParlureError(f"{out} is not empty, and an export would mix with what is there", "name a new folder")
    corpus = Corpus.load(folder)
    out.mkdir(parents=True, exist_ok=True)
    try:
        EXPORTERS[to](corpus, out)
    except BaseException:  # Ctrl-C too: half an export looks like a whole one, and all that is there is ours
        shutil.rmtree(out)
        raise
    return len(corpus.utterances)
