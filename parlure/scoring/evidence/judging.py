"""Errors of each system, row by row → one skill of the report: values with intervals, difference and verdict.

Whatever can be counted is a matter of errors among trials, so every skill is judged as word errors are: with the
interval and the verdict of :mod:`parlure.scoring.significance`, over independent blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parlure.scoring.rates import Counts
from parlure.scoring.significance import compare, rate_interval

Interval = tuple[float, float]
_TAIL = 0.025  # of a two-sided 95 % interval


def error_rate(counts: Mapping[str, Sequence[Counts]], blocks: Sequence[int], unit: str) -> dict[str, Any]:
    """A skill whose value is a word error rate, in points of per cent.

    Args:
        counts: system → the errors of each row.
        blocks: of each row; rows of one block are not independent.
        unit: for a person.

    Returns:
        ``{"unit", "better", SYSTEM: {"value", "n", "ci95"}, "verdict"}``, n in rows; with both base and tuned also
        ``"comparison": {"difference", "ci95", "p_value", "n_blocks"}``, difference = tuned − base.
    """
    skill: dict[str, Any] = {"unit": unit, "better": "lower"}
    for system, own in counts.items():
        interval = rate_interval(own, _numbered(blocks))
        skill[system] = {"value": Counts.total(own).rate, "n": len(own), "ci95": interval and list(interval)}
    return skill | _compared(counts, blocks)


def failure_share(counts: Mapping[str, Sequence[Counts]], blocks: Sequence[int], unit: str) -> dict[str, Any]:
    """A skill whose value is the share of trials that failed, in per cent; as :func:`error_rate`, n in trials."""
    skill: dict[str, Any] = {"unit": unit, "better": "lower"}
    for system, own in counts.items():
        total = Counts.total(own)
        interval = _share_interval(own, blocks)
        skill[system] = {"value": total.rate, "n": total.N, "ci95": interval and list(interval)}
    return skill | _compared(counts, blocks)


def success_share(failures: Mapping[str, Sequence[Counts]], blocks: Sequence[int], unit: str) -> dict[str, Any]:
    """A skill whose value is the share of trials that did not fail, in per cent: :func:`failure_share` turned round."""
    skill = failure_share(failures, blocks, unit) | {"better": "higher"}
    for system in failures:
        one = skill[system]
        skill[system] = {
            "value": None if one["value"] is None else 100.0 - one["value"],
            "n": one["n"],
            "ci95": one["ci95"] and [100.0 - bound for bound in reversed(one["ci95"])],
        }
    if comparison := skill.get("comparison"):
        ci95 = comparison["ci95"]
        comparison["difference"] = None if comparison["difference"] is None else -comparison["difference"] or 0.0
        comparison["ci95"] = ci95 and [-bound or 0.0 for bound in reversed(ci95)]
    return skill


def _share_interval(counts: Sequence[Counts], blocks: Sequence[int]) -> Interval | None:
    """The 95 % interval of a share, within 0 and 100.

    Where every trial failed, or none did, turning signs changes no share and the interval would be a point. There the
    exact one (Clopper & Pearson 1934) is taken, with blocks as its independent trials.
    """
    total = Counts.total(counts)
    n_blocks = len(set(blocks))
    if total.N and total.edits in (0, total.N):
        width = 100.0 * (1.0 - _TAIL ** (1.0 / n_blocks))
        return (0.0, width) if total.edits == 0 else (100.0 - width, 100.0)
    interval = rate_interval(counts, _numbered(blocks))
    return interval and (interval[0], min(100.0, interval[1]))


def _compared(counts: Mapping[str, Sequence[Counts]], blocks: Sequence[int]) -> dict[str, Any]:
    """Verdict and comparison where there are base and tuned."""
    if not {"base", "tuned"} <= set(counts):
        return {"verdict": None}
    found = compare(counts["base"], counts["tuned"], [None] * len(blocks), [str(block) for block in blocks])
    comparison = {
        "difference": found.difference,
        "ci95": found.ci95 and list(found.ci95),
        "p_value": found.p_value,
        "n_blocks": found.n_blocks,
    }
    return {"verdict": found.verdict, "comparison": comparison}


def _numbered(blocks: Sequence[int]) -> list[int]:
    """The same blocks as 0, 1, … without gaps."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(block, len(numbers)) for block in blocks]
