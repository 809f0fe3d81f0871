"""NIST's ``trn``: the words of an utterance, then its id in brackets: ``le chat dort (spk1-utt7)``.

The part of an id before its first ``-``, or else ``_``, is the speaker, as sclite's ``-i spu_id`` has it. Format:
"Sclite input file formats" in the documentation of SCTK, https://github.com/usnistgov/SCTK.
"""

from __future__ import annotations

import re
from pathlib import Path

from parlure.scoring.formats.table import Row, Table, marked_lines

EXAMPLE = "such as le chat dort (spk1-utt7)"

LINE = re.compile(r"(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)\s*")
_SPEAKER = re.compile(r"[^-]+(?=-)|[^-_]+(?=_)")


def read_trn(path: Path) -> dict[str, Row]:
    """Utterances by id.

    Raises:
        ParlureError: the file is unreadable, a line has no id or a choice of wordings, or an id comes twice.
    """
    table = Table(path)
    for number, line in marked_lines(path):
        found = LINE.fullmatch(line)
        if found is None:
            table.refuse(number, "does not end with its id in brackets", EXAMPLE)
        elif not table.refuse_alternatives(number, found["text"]):
            table.add(number, found["id"], {"text": found["text"], "speaker": speaker_of(found["id"])})
    return table.finished()


def speaker_of(key: str) -> str | None:
    """The speaker that an utterance id begins with; None where it has no separator."""
    found = _SPEAKER.match(key)
    return found[0] if found else None
