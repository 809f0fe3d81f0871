"""WebVTT subtitles (``.vtt``) beside recordings → a row a cue.

As the W3C's WebVTT says: a header, then blocks between blank lines, of which ``NOTE``, ``STYLE`` and ``REGION`` are no
cues. A voice (``<v Marie>``) is the speaker; of several in one cue none is, and the tag ``voices=`` names them. The
header's ``Language:`` (as YouTube writes it) is the language. The first line may lack ``WEBVTT``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from parlure.corpus.readers.before_colon import speakers_before_colons
from parlure.corpus.readers.cues import Line, cues
from parlure.corpus.readers.rolling import unrolled
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.timed import Phrase, Problem, decoded, lines_of, read_transcripts, refuse_columns

_NO_CUE = re.compile(r"NOTE(\s|$)|(STYLE|REGION)\s*$")


def read_vtt(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each cue of a file, or of every ``.vtt`` in a folder.

    Raises:
        ParlureError: no such source, none in the folder, or a column is named.
    """
    refuse_columns(source, "WebVTT", columns)
    yield from read_transcripts(source, ".vtt", _phrases)


def _phrases(path: Path) -> list[Phrase | Problem]:
    return speakers_before_colons(unrolled(list(_cues(path))))


def _cues(path: Path) -> Iterator[Phrase | Problem]:
    lines = list(enumerate(lines_of(decoded(path)), start=1))
    header, rest = _header(lines)
    language = next((line.partition(":")[2].strip() for _, line in header if line.startswith("Language:")), None)
    for written, block in groupby(rest, key=lambda line: line[1] != ""):  # YouTube fills cues with lines of one space
        inside = list(block)
        if written and any(line.strip() for _, line in inside) and not _NO_CUE.match(inside[0][1]):
            yield from cues(inside, language)


def _header(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """The lines from ``WEBVTT`` to the first blank one or the first cue, and the others."""
    if not lines[0][1].startswith("WEBVTT"):
        return [], lines
    ends = (index for index, (_, line) in enumerate(lines) if index and (not line.strip() or "-->" in line))
    end = next(ends, len(lines))
    return lines[:end], lines[end:]
