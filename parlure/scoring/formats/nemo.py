"""NeMo's manifests, JSON lines with ``audio_filepath`` and ``duration``; ``text`` is the reference, ``pred_text`` the
hypothesis, so that one file can hold both sides.

The id is the ``audio_filepath``, with ``@offset`` where a line has an ``offset`` (seconds into a longer recording).
``speaker`` and ``lang`` or ``source_lang`` are taken along.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parlure.scoring.formats.table import SEVERAL_REFERENCES, Row, Table, json_objects

EXAMPLE = 'such as {"audio_filepath": "a.wav", "duration": 1.5, "text": "bonjour", "pred_text": "bonsoir"}'


def read_nemo(path: Path) -> dict[str, Row]:
    """Utterances by id, with ``text`` and ``hypothesis`` as the file has them.

    Raises:
        ParlureError: the file is unreadable, an id comes twice, or a line lacks ``audio_filepath``, or one of
            ``text`` and ``pred_text`` that other lines have.
    """
    table = Table(path)
    add_manifest_rows(table, list(json_objects(table, EXAMPLE)))
    return table.finished()


def add_manifest_rows(table: Table, lines: Sequence[tuple[int, Row]]) -> None:
    """Add the utterances of a manifest's objects to a table."""
    sides = [key for key in ("text", "pred_text") if any(key in row for _, row in lines)] or ["text"]
    for number, row in lines:
        wrong = [key for key in ("audio_filepath", *sides) if not isinstance(row.get(key), str)]
        if isinstance(row.get("text"), list):
            table.refuse(number, "text is a list: several references of one utterance", SEVERAL_REFERENCES)
        elif wrong:
            table.refuse(number, f"{' and '.join(wrong)} is missing or is no string", EXAMPLE)
        else:
            offset = row.get("offset")
            key = row["audio_filepath"] + (f"@{offset:g}" if _is_number(offset) else "")
            table.add(number, key, _utterance(row, sides))


def _utterance(row: Row, sides: Sequence[str]) -> Row:
    speaker = row.get("speaker")  # a name, or the number that a text-to-speech corpus gives it
    language = row.get("lang") or row.get("source_lang")
    utterance: Row = {
        "speaker": str(speaker) if isinstance(speaker, (str, int)) and str(speaker) else None,
        "language": language if isinstance(language, str) else None,
        "duration_s": row["duration"] if _is_number(row.get("duration")) else None,
    }
    own_names = {"text": "text", "pred_text": "hypothesis"}
    return utterance | {own_names[side]: row[side] for side in sides}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
