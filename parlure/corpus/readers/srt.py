"""SubRip subtitles (``.srt``) beside recordings → a row a cue.

SubRip was never standardised: what players take is read, as :mod:`parlure.corpus.readers.cues` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from parlure.corpus.readers.before_colon import speakers_before_colons
from parlure.corpus.readers.cues import cues
from parlure.corpus.readers.rolling import unrolled
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.timed import Phrase, Problem, decoded, lines_of, read_transcripts, refuse_columns


def read_srt(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each cue of a file, or of every ``.srt`` in a folder.

    Raises:
        ParlureError: no such source, none in the folder, or a column is named.
    """
    refuse_columns(source, "SubRip", columns)
    yield from read_transcripts(source, ".srt", _phrases)


def _phrases(path: Path) -> list[Phrase | Problem]:
    found = cues(list(enumerate(lines_of(decoded(path)), start=1)))
    return speakers_before_colons(unrolled(list(found)))
