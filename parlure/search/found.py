"""What a search has found: its trials, the best of them, and how much that one owes to luck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from parlure.scoring.page.marks import plural
from parlure.search.luck import Flattery
from parlure.search.space import Space
from parlure.search.trial import Outcome

_WIDTH = 12  # of a table's column


@dataclass(frozen=True)
class Found:
    """A search as far as it has come.

    Attributes:
        trials: by number.
        space: what was drawn.
        has_recipe: whether trial 0 is the recipe as it was given.
        flattery: of the best one's dev WER; None where it cannot be estimated.
        n_dev: utterances of dev that were decoded; 0 if no trial is complete.
    """

    trials: tuple[Outcome, ...]
    space: Space
    has_recipe: bool
    flattery: Flattery | None = None
    n_dev: int = 0

    @property
    def best(self) -> Outcome | None:
        """The lowest dev WER of those that can be best, the first if several have it."""
        return min((one for one in self.trials if one.can_be_best), key=lambda one: (one.wer, one.number), default=None)

    def to_json(self) -> dict[str, Any]:
        """The content of ``trials.json``."""
        return {
            "schema_version": 1,
            "space": {key: one.text() for key, one in self.space.items()},
            "best": self.best.number if self.best else None,
            "flattery": None if self.flattery is None else asdict(self.flattery),
            "n_dev_utterances": self.n_dev,
            "trials": [one.facts() for one in self.trials],
        }

    def sentences(self) -> list[str]:
        """The outcome in words."""
        counts = {state: sum(one.state == state for one in self.trials) for state in ("pruned", "failed", "running")}
        harmed = sum(one.harmed for one in self.trials)
        said = [f"{n} {what}" for what, n in (counts | {"harmed a guard": harmed}).items() if n]
        told = plural(len(self.trials), "trial") + (f", of which {', '.join(said)}" if said else "")
        best = self.best
        if best is None or best.wer is None or best.base_wer is None:
            return [f"{told}: none went to its end without harm to a guard, so there is no best one"]
        if best.wer >= best.base_wer:
            return [
                f"{told}: none is better than the base's dev WER of {best.base_wer:.1f} %",
                "search lower learning rates or more epochs; if that does not help either, do not tune on this corpus",
            ]
        first = f"{told}: trial {best.number} has the lowest dev WER, {best.wer:.1f} % (base {best.base_wer:.1f} %"
        own = self.trials[0] if self.has_recipe and self.trials[0].can_be_best else None
        if own is not None and own != best:
            first += f", your recipe {own.wer:.1f} %"
        return [first + ")", *self._luck(best, own if own != best else None)]

    def _luck(self, best: Outcome, own: Outcome | None) -> Iterator[str]:
        assert best.wer is not None
        n = sum(one.can_be_best for one in self.trials)
        if n < 2:
            return
        if self.flattery is None or self.flattery.n_blocks < 2:
            yield "how much of that is luck cannot be estimated: dev needs several speakers or sessions"
        else:
            sentence = (
                f"the lowest of {n} on {self.n_dev} dev utterances is too low by some {self.flattery.low:.1f} to "
                f"{self.flattery.high:.1f} points, because it was chosen on them (bootstrap over "
                f"{self.flattery.n_blocks} blocks of speakers and sessions)"
            )
            if own is not None and own.wer is not None and own.base_wer is not None:
                gain = min(own.wer, own.base_wer) - best.wer  # what is worse than the base is not kept
                sentence += f"; its advantage over your recipe is {gain:.1f}" + (
                    ": it may be nothing but luck" if gain <= self.flattery.high else ""
                )
            yield sentence
        yield "the test split was not used to choose: judge the best one there, once"


def table_lines(found: Found) -> Iterator[str]:
    """The trials for a person, a line each, the best one marked."""
    names = [key.partition(".")[2] for key in found.space]
    widths = [max(_WIDTH, len(name) + 2) for name in names]
    head = "".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
    yield f"{'trial':>6}  {'state':9}{'dev WER':>9}{'step':>7}{'min':>7}{head}"
    for one in found.trials:
        state = "harmed" if one.harmed else one.state
        wer = "–" if one.wer is None else f"{one.wer:.1f} %"
        step = "–" if one.step is None else str(one.step)
        cells = "".join(f"{shown(one.draw.get(key)):>{width}}" for key, width in zip(found.space, widths, strict=True))
        mark = "→" if one == found.best else " "
        yield f"{mark}{one.number:>5}  {state:9}{wer:>9}{step:>7}{one.work_s / 60:>7.1f}{cells}"


def shown(value: Any) -> str:
    """A drawn value for the eye: three digits; a process may have been killed before it was drawn."""
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
