"""Corpora of other domains, which tuning must not make worse: ``--guard CORPUS`` or ``--guard NAME=CORPUS``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.training.items import refuse_long

_NAME = re.compile(r"[\w-]+")


def load_guards(guards: Sequence[str], split: str) -> dict[str, tuple[Utterance, ...]]:
    """The transcribed utterances of each guard corpus, by name.

    Args:
        guards: ``NAME=CORPUS``, or a corpus folder, whose own name is then taken.
        split: which of its utterances.

    Raises:
        ParlureError: a name is no word or comes twice, a corpus cannot be used, or has nothing to transcribe there.
    """
    found: dict[str, tuple[Utterance, ...]] = {}
    for guard in guards:
        name, equals, folder = guard.partition("=")
        if not equals:
            name, folder = Path(guard).resolve().name, guard
        if not _NAME.fullmatch(name):
            raise ParlureError(
                f"the guard corpus {guard} has the name {name!r}, which is not one word",
                "give it one of letters, digits, - and _: --guard general=FOLDER",
            )
        if name in found:
            raise ParlureError(f"two guard corpora are called {name}", "name them: --guard general=FOLDER")
        own = tuple(u for u in Corpus.load(folder).select(split) if u.task == "transcribe")
        if not own:
            raise ParlureError(
                f"the guard corpus {folder} has nothing to transcribe in its {split} split",
                "prepare it for testing alone: --ratios 0,0,1",
            )
        refuse_long(own)
        found[name] = own
    return found
