"""What was found: utterances and their reasons, collected rule by rule → counts, hours and examples."""

from __future__ import annotations

import heapq
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parlure.corpus.check.rules import SEVERITIES, Rule, Severity
from parlure.corpus.manifest import Utterance

MAX_EXAMPLES = 10  # of each finding
_NOWHERE = -1  # place of what is true of the whole corpus


def duration(hours: float) -> str:
    """Hours for the eye, in a unit that shows something of them: ``13 s``, ``4.2 min``, ``1.25 h``."""
    if hours >= 1:
        return f"{hours:.2f} h"
    return f"{hours * 60:.1f} min" if hours * 60 >= 1 else f"{hours * 3600:.0f} s"


class Hit(NamedTuple):
    """One thing that was found.

    Attributes:
        place: of the utterance; None for what is true of the whole corpus.
        value: what was found or measured, for a person.
        rank: the worst first.
    """

    place: int | None
    value: str
    rank: float


class _Hits(Sequence[Hit]):
    """What one rule found, in columns: a corpus of a million rows may have something in every one of them."""

    def __init__(self) -> None:
        self._places, self._ranks = array("q"), array("d")
        self._ends, self._values = array("q"), bytearray()

    def append(self, hit: Hit) -> None:
        """Add one."""
        self._places.append(_NOWHERE if hit.place is None else hit.place)
        self._ranks.append(hit.rank)
        self._values += hit.value.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._values))

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        start, place = self._ends[index - 1] if index else 0, self._places[index]
        value = self._values[start : self._ends[index]].decode("utf-8", "surrogatepass")
        return Hit(None if place == _NOWHERE else place, value, self._ranks[index])

    def concerned(self) -> set[int]:
        """Places of utterances, each once."""
        return {*self._places} - {_NOWHERE}

    def worst(self, n: int) -> Iterator[Hit]:
        """Those of the highest rank, of equal ones the first."""
        for index in heapq.nlargest(n, range(len(self)), key=lambda index: (self._ranks[index], -index)):
            yield self[index]

    def in_order(self) -> Iterator[Hit]:
        """Those of utterances, in the manifest's order."""
        for index in np.argsort(np.frombuffer(self._places, np.int64), kind="stable") if self._places else ():
            if self._places[index] != _NOWHERE:
                yield self[int(index)]


@dataclass(frozen=True)
class Example:
    """An utterance with what was found in it; ``id`` is empty for what is true of the whole corpus."""

    id: str
    where: str
    value: str


@dataclass(frozen=True)
class Finding:
    """Everything that one rule found.

    Attributes:
        rule: the rule, with the severity and threshold that it ran with.
        n: how many.
        hours: of the utterances concerned.
        hours_left: of the corpus without them.
        examples: the worst.
    """

    rule: Rule
    n: int
    hours: float
    hours_left: float
    examples: tuple[Example, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain dict."""
        return {
            "code": self.rule.code,
            "severity": self.rule.severity,
            "threshold": self.rule.threshold,
            "unit": self.rule.unit,
            "n": self.n,
            "hours": round(self.hours, 6),
            "hours_left": round(self.hours_left, 6),
            "explanation": self.rule.explanation,
            "advice": self.rule.advice,
            "examples": [{"id": one.id, "where": one.where, "value": one.value} for one in self.examples],
        }


class Ledger:
    """Where rules write down what they find.

    Args:
        utterances: of the corpus; hits name them by their index.
        rules: those that run, by code.
        folder: the corpus, to which the paths of recordings are relative where they are shown.
    """

    def __init__(self, utterances: Sequence[Utterance], rules: Mapping[str, Rule], folder: Path) -> None:
        self.utterances = utterances
        self.rules = dict(rules)
        self._home = os.path.join(folder.resolve(), "")  # noqa: PTH118 - a prefix to compare with, a million times
        self._hits = {code: _Hits() for code in rules}

    def runs(self, *codes: str) -> bool:
        """Whether any of these rules runs."""
        return any(code in self.rules for code in codes)

    def threshold(self, code: str) -> float:
        """The threshold of a rule; never passed where it does not run."""
        rule = self.rules.get(code)
        return float("nan") if rule is None or rule.threshold is None else rule.threshold

    def add(self, code: str, index: int | None, value: str, rank: float = 0.0) -> None:
        """Write something down, unless the rule does not run."""
        if code in self._hits:
            self._hits[code].append(Hit(index, value, rank))

    def soften(self, code: str, severity: Severity) -> None:
        """Give a rule another severity in this corpus."""
        if code in self.rules:
            self.rules[code] = replace(self.rules[code], severity=severity)

    def hits(self, code: str) -> Sequence[Hit]:
        """What one rule has found so far."""
        return self._hits.get(code, ())

    def where(self, index: int) -> str:
        """Recording, span and channel of an utterance: ``audio/0012.wav 1.90-4.40 s, channel 1``."""
        one = self.utterances[index]
        channel = "" if one.channel is None else f", channel {one.channel}"
        return f"{one.recording.removeprefix(self._home)} {one.start:.2f}-{one.end:.2f} s{channel}"

    def findings(self) -> list[Finding]:
        """One for each rule that found something, errors first, then by the table's order."""
        total_s = sum(utterance.duration_s for utterance in self.utterances)
        found = [self._finding(code, total_s) for code, hits in self._hits.items() if hits]
        return sorted(found, key=lambda one: SEVERITIES.index(one.rule.severity))

    def reasons(self) -> Iterator[tuple[Utterance, Rule, str]]:
        """Every utterance with every reason, in the manifest's order."""
        columns = [zip(repeat(code), hits.in_order()) for code, hits in self._hits.items()]
        for code, hit in heapq.merge(*columns, key=lambda row: row[1].place or 0):
            yield self.utterances[hit.place or 0], self.rules[code], hit.value

    def _finding(self, code: str, total_s: float) -> Finding:
        hits = self._hits[code]
        seconds = sum(self.utterances[index].duration_s for index in hits.concerned())
        examples = tuple(
            Example("", "", hit.value)
            if hit.place is None
            else Example(self.utterances[hit.place].id, self.where(hit.place), hit.value)
            for hit in hits.worst(MAX_EXAMPLES)
        )
        return Finding(self.rules[code], len(hits), seconds / 3600, (total_s - seconds) / 3600, examples)
