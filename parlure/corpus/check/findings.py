"""What was found: utterances and their reasons, collected rule by rule → counts, hours and examples."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from parlure.corpus.check.rules import SEVERITIES, Rule, Severity
from parlure.corpus.manifest import Utterance

MAX_EXAMPLES = 10  # of each finding


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
        self._hits: dict[str, list[Hit]] = {code: [] for code in rules}

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

    def hits(self, code: str) -> list[Hit]:
        """What one rule has found so far."""
        return self._hits.get(code, [])

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
        order = heapq.merge(
            *(
                sorted(((hit.place, code, hit.value) for hit in hits if hit.place is not None), key=lambda row: row[0])
                for code, hits in self._hits.items()
            ),
            key=lambda row: row[0],
        )
        for index, code, value in order:
            yield self.utterances[index], self.rules[code], value

    def _finding(self, code: str, total_s: float) -> Finding:
        hits = self._hits[code]
        concerned = {hit.place for hit in hits} - {None}
        seconds = sum(self.utterances[index].duration_s for index in concerned if index is not None)
        worst = heapq.nlargest(MAX_EXAMPLES, hits, key=lambda hit: hit.rank)
        examples = tuple(
            Example("", "", hit.value)
            if hit.place is None
            else Example(self.utterances[hit.place].id, self.where(hit.place), hit.value)
            for hit in worst
        )
        return Finding(self.rules[code], len(hits), seconds / 3600, (total_s - seconds) / 3600, examples)
