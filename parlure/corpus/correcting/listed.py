"""A file of corrections → a corpus that holds them: what ``parlure correct --apply`` does."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.corpus.correcting.desk import Desk
from parlure.errors import ParlureError

_COLUMNS = ("id", "action", "text", "reason")
_FORMS = (
    'a line is {"id": …, "text": …}, or {"id": …, "action": "confirmed"}; '
    "actions are corrected, silent, confirmed, rejected"
)


@dataclass(frozen=True)
class Applied:
    """What a file of corrections did.

    Attributes:
        by_action: how many lines were kept.
        unchanged: lines that say of an utterance what stands there already.
        sentences: what a person should know, each with the number of utterances that it holds for.
    """

    by_action: dict[str, int]
    unchanged: int
    sentences: dict[str, int]

    def lines(self) -> list[str]:
        """What a person reads when it is done."""
        counted = ", ".join(f"{n} {action}" for action, n in self.by_action.items()) or "nothing changed"
        same = f"; {self.unchanged} were so already" if self.unchanged else ""
        return [counted + same, *(f"{n} times: {sentence}" for sentence, n in self.sentences.items())]


def apply_corrections(desk: Desk, path: Path) -> Applied:
    """Keep every correction of a file, or none if a line cannot be one.

    Args:
        desk: the corpus, held.
        path: JSONL, or CSV with a heading; ``id``, ``text``, ``action`` and ``reason``. Without an action a line with
            a text corrects.

    Raises:
        ParlureError: the file, or a line of it, by its number.
    """
    wanted = []
    for number, row in _rows(path):
        action = row.get("action") or "corrected"
        try:
            desk.check(row.get("id") or "", action, row.get("text") or "")
        except ParlureError as error:
            raise ParlureError(f"{path} line {number}: {error.message}", error.hint) from error
        wanted.append((row["id"], action, row.get("text") or "", row.get("reason") or f"applied from {path.name}"))
    by_action: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    unchanged = 0
    with desk.together():
        for name, action, text, reason in wanted:
            if desk.says_already(name, action, text):
                unchanged += 1
                continue
            saved = desk.save(name, action, text, reason)
            by_action[action] += 1
            sentences.update(saved.sentences())
    return Applied(dict(by_action), unchanged, dict(sentences))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of the file, with their numbers from 1."""
    if not path.is_file():
        raise ParlureError(f"there is no file {path} of corrections", _FORMS)
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".csv":
        rows: list[tuple[int, Any]] = list(enumerate(csv.DictReader(text.splitlines()), start=2))
    else:
        rows = [(number, _parsed(line)) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    for number, row in rows:
        good = isinstance(row, dict) and set(row) <= {*_COLUMNS} and all(isinstance(v, str) for v in row.values())
        if not good:
            raise ParlureError(f"{path} line {number} is no correction: {row!r:.80}", _FORMS)
        yield number, row


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line
