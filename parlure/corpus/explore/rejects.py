"""``rejected.jsonl`` → the rows that were not taken, as the page shows them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from parlure.corpus.explore.question import Question, folded
from parlure.corpus.manifest import REJECTED
from parlure.errors import ParlureError


class Rejects:
    """The rejected rows of a corpus, ready to be asked for.

    Args:
        rows: ``source``, ``line``, ``reason``, ``sentence`` and ``row`` of each.
    """

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = rows
        self._folded = [folded("\n".join(_texts(row))) for row in rows]

    def __len__(self) -> int:
        return len(self._rows)

    def reasons(self) -> list[dict[str, Any]]:
        """``name`` and ``rows`` of each reason code, most frequent first."""
        counts = Counter(str(row.get("reason")) for row in self._rows)
        return [{"name": name, "rows": number} for name, number in counts.most_common()]

    def matching(self, question: Question) -> list[dict[str, Any]]:
        """All rows that hold every word of a question, and its reason if it names one; in the file's order."""
        return [
            row
            for row, text in zip(self._rows, self._folded, strict=True)
            if question.reason in (None, str(row.get("reason"))) and all(word in text for word in question.words)
        ]


def _texts(value: Any) -> Iterator[str]:
    """Every value in a row, however deep, as text."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)


def load_rejects(folder: Path) -> Rejects:
    """The rejected rows of a corpus folder; a corpus without the file has none.

    Raises:
        ParlureError: a line that is not a JSON object.
    """
    path = folder / REJECTED
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n") if path.is_file() else (), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise ParlureError(
                f"{path} line {number} is not a JSON object",
                "prepare the corpus again, or move the file away: the utterances can be explored without it",
            )
        rows.append(row)
    return Rejects(rows)
