"""Lines of one file → its utterances by id, or one error that names every line that is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.utterances import read_lines

Row = dict[str, Any]
"""One utterance as a file has it: ``text``, or ``hypothesis`` where a file holds both sides; and what else it says of
``speaker, session, language, task, tags, split, start, end, duration_s, channel`` (times in seconds)."""

SEVERAL_REFERENCES = "one reference an utterance: choose one wording; NIST's sclite scores alternatives"

_SHOWN_LINES = 20
_ALTERNATIVES = re.compile(r"\{[^{}]*/[^{}]*\}")  # the innermost of { a / { b / c } }


class Table:
    """What has been read of one file so far: good utterances, and bad lines with what is wrong with them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        self._bad: list[tuple[int, str, str]] = []

    def add(self, number: int, key: str, row: Row) -> None:
        """Take an utterance from a line, unless there is one of that id already."""
        if key in self.rows:
            self.refuse(number, f"the id {key} comes twice", "ids must be unique")
        else:
            self.rows[key] = row

    def refuse(self, number: int, reason: str, hint: str) -> None:
        """Note that a line cannot be read, and what would be right instead."""
        self._bad.append((number, reason, hint))

    def refuse_alternatives(self, number: int, text: str) -> bool:
        """Note a line that leaves a choice of wordings, NIST's ``{ a / b }``; returns whether it does."""
        found = _ALTERNATIVES.search(text)
        if found:
            self.refuse(number, f"leaves a choice of wordings: {found[0]}", SEVERAL_REFERENCES)
        return found is not None

    def finished(self) -> dict[str, Row]:
        """The utterances by id, in the file's order.

        Raises:
            ParlureError: a line could not be read; the message names each (of more than 20, how many more).
        """
        if not self._bad:
            return self.rows
        hint = "; ".join(dict.fromkeys(hint for _, _, hint in self._bad))
        if len(self._bad) == 1:
            number, reason, _ = self._bad[0]
            raise ParlureError(f"{self.path}, line {number}: {reason}", hint)
        said = "; ".join(f"line {number}: {reason}" for number, reason, _ in self._bad[:_SHOWN_LINES])
        more = len(self._bad) - _SHOWN_LINES
        beyond = f"; and {more} more" if more > 0 else ""
        raise ParlureError(f"{self.path} has {len(self._bad)} lines that cannot be read: {said}{beyond}", hint)


def json_objects(table: Table, example: str) -> Iterator[tuple[int, Row]]:
    """The JSON objects of a file, one a line, with their line numbers; what is none is refused.

    Args:
        table: of the file.
        example: a right line, for the hint.
    """
    for number, line in enumerate(read_lines(table.path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:  # a number of 5,000 digits is a plain ValueError
            table.refuse(number, f"not JSON ({getattr(error, 'msg', error)})", "one JSON object a line")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            table.refuse(number, "not a JSON object", example)


def marked_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a NIST file with their numbers, without blank ones and ``;;`` comments."""
    for number, line in enumerate(read_lines(path), 1):
        if line.strip() and not line.startswith(";;"):
            yield number, line.strip()


def seconds(text: str) -> float | None:
    """A time in seconds, not negative; None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value < float("inf") else None
