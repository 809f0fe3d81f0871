"""Utterances in memory → those that a question asks for, in its order, and what they come to in all.

Made for a hundred thousand utterances: what is chosen by is indexed once, an order is sorted once, and a question
then costs some tens of milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from parlure.corpus.explore.question import CHOICES, Question, folded
from parlure.corpus.manifest import SPLITS, Utterance

Rows = npt.NDArray[np.intp]  # positions in the manifest

# what a column is sorted by; None stands last in both directions
_KEYS: dict[str, Callable[[Utterance], Any]] = {
    "id": lambda one: folded(one.id),
    "split": lambda one: SPLITS.index(one.split),
    "speaker": lambda one: folded(one.speaker) if one.speaker else None,
    "session": lambda one: folded(one.session) if one.session else None,
    "language": lambda one: one.language,
    "duration": lambda one: one.duration_s,
    "pace": lambda one: chars_per_s(one),
    "tags": lambda one: folded(" ".join(one.tags)) if one.tags else None,
}


class Catalogue:
    """The utterances of a corpus, ready to be asked for.

    Args:
        utterances: in the manifest's order, each id once.
    """

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self.utterances = utterances
        self._row_of = {one.id: row for row, one in enumerate(utterances)}
        self._folded = [_searched(one) for one in utterances]
        self._duration_s = np.array([one.duration_s for one in utterances], dtype=np.float64)
        self._holders = {name: _holders(name, utterances) for name in CHOICES}
        self._orders: dict[tuple[str, bool], Rows] = {}

    def named(self, name: str) -> Utterance | None:
        """The utterance with an id, if there is one."""
        row = self._row_of.get(name)
        return None if row is None else self.utterances[row]

    def matching(self, question: Question) -> Rows:
        """Positions of all utterances that a question asks for, in its order; shape ``(n,)``."""
        fits = (self._duration_s >= question.shortest_s) & (self._duration_s <= question.longest_s)
        for name, value in question.choices.items():
            holds = np.zeros(len(fits), dtype=bool)
            holds[self._holders[name].get(value, [])] = True
            fits &= holds
        for word in question.words:
            rows = np.flatnonzero(fits)
            fits[rows] = [word in self._folded[row] for row in rows.tolist()]
        if question.sort is None:
            rows = np.flatnonzero(fits)
            return rows[::-1] if question.down else rows
        order = self._order(question.sort, question.down)
        return order[fits[order]]

    def seconds(self, rows: Rows) -> float:
        """How long the utterances at these positions are together."""
        return float(self._duration_s[rows].sum())

    def totals(self, name: str) -> list[dict[str, Any]]:
        """What each value of one of :data:`CHOICES` comes to, the most speech first.

        Returns:
            ``name`` (empty for none), ``utterances``, ``seconds``, ``speakers`` and ``sessions`` of each.
        """
        totals = [
            {"name": value, **self._total([self.utterances[row] for row in rows])}
            for value, rows in self._holders[name].items()
        ]
        return sorted(totals, key=lambda total: (-total["seconds"], total["name"]))

    def total(self) -> dict[str, Any]:
        """The same of the whole corpus, without a name."""
        return self._total(self.utterances)

    def _total(self, utterances: Sequence[Utterance]) -> dict[str, Any]:
        return {
            "utterances": len(utterances),
            "seconds": round(sum(one.duration_s for one in utterances), 3),
            "speakers": len({one.speaker for one in utterances if one.speaker}),
            "sessions": len({one.session for one in utterances if one.session}),
        }

    def _order(self, column: str, down: bool) -> Rows:
        """All positions, sorted; equal ones stay in the manifest's order, equal texts are sorted by id."""
        if (column, down) not in self._orders:
            keys: list[Any] = (
                self._folded if column == "text" else [_KEYS[column](one) for one in self.utterances]
            )  # what is searched begins with the text
            known = [row for row, key in enumerate(keys) if key is not None]
            unknown = [row for row, key in enumerate(keys) if key is None]
            known.sort(key=lambda row: keys[row], reverse=down)
            self._orders[column, down] = np.array(known + unknown, dtype=np.intp)
        return self._orders[column, down]


def chars_per_s(utterance: Utterance) -> float:
    """Characters of the text, spaces included, for each second: far from the others, text or span may be wrong."""
    return len(utterance.text) / utterance.duration_s


def _searched(utterance: Utterance) -> str:
    """What the search looks through; a line break keeps one field's end from the next one's beginning."""
    return folded("\n".join((utterance.text, utterance.id, utterance.speaker or "", utterance.session or "")))


def _holders(name: str, utterances: Iterable[Utterance]) -> dict[str, Rows]:
    """Each value → the positions that hold it; the empty name for those that hold none."""
    held: dict[str, list[int]] = defaultdict(list)
    for row, one in enumerate(utterances):
        values = (one.tags or ("",)) if name == "tag" else (getattr(one, name) or "",)
        for value in dict.fromkeys(values):
            held[value].append(row)
    return {value: np.array(rows, dtype=np.intp) for value, rows in held.items()}
