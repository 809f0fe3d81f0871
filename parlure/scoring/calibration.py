"""Confidences → whether they can be believed: how often an utterance of which a model is so sure is right.

The confidence is exp(mean log-probability of the tokens), the one number that a decoder gives for nothing; right is an
utterance without a word error. A mean over tokens promises a right *token*, not a right utterance, so it is too high
by nature; how well it tells right from wrong (AUC) does not suffer from that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from parlure.scoring.utterances import ScoredUtterance

BINS = 10  # of equal width from 0 to 1, as in Guo et al. 2017 (arXiv 1706.04599); 1 belongs to the last


def auc(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """The chance that a right utterance has the higher confidence of two, a right and a wrong one; ties count half.

    The area under the ROC curve by ranks (Mann-Whitney), 0.5 for a guess; None where all are right or all wrong.
    """
    n_right = sum(right)
    n_wrong = len(right) - n_right
    if not n_right or not n_wrong:
        return None
    wins = wrong_below = 0.0
    by_value: dict[float, list[bool]] = {}
    for confidence, one in zip(confidences, right, strict=True):
        by_value.setdefault(confidence, []).append(one)
    for confidence in sorted(by_value):
        good = sum(by_value[confidence])
        bad = len(by_value[confidence]) - good
        wins += good * (wrong_below + bad / 2)
        wrong_below += bad
    return wins / (n_right * n_wrong)


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[dict[str, Any]]:
    """The bins that are not empty: ``{"low", "high", "n", "mean_confidence", "accuracy"}``, all from 0 to 1."""
    members: dict[int, list[tuple[float, bool]]] = {}
    for confidence, one in zip(confidences, right, strict=True):
        members.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, one))
    return [
        {
            "low": number / BINS,
            "high": (number + 1) / BINS,
            "n": len(those),
            "mean_confidence": math.fsum(confidence for confidence, _ in those) / len(those),
            "accuracy": sum(one for _, one in those) / len(those),
        }
        for number, those in sorted(members.items())
    ]


def _of_system(utterances: Sequence[ScoredUtterance], profile: str, system: str) -> dict[str, Any] | None:
    confidences, right = [], []
    for one in utterances:
        by_system = one.extra.get("avg_logprob")
        logprob = by_system.get(system) if isinstance(by_system, Mapping) else None
        if isinstance(logprob, (int, float)) and not math.isnan(logprob):
            confidences.append(min(1.0, math.exp(logprob)))
            right.append(one.counts[profile][system].words.edits == 0)
    if not confidences:
        return None
    bins = reliability(confidences, right)
    return {
        "n": len(right),
        "accuracy": sum(right) / len(right),
        "mean_confidence": math.fsum(confidences) / len(right),
        "ece": math.fsum(one["n"] * abs(one["mean_confidence"] - one["accuracy"]) for one in bins) / len(right),
        "auc": auc(confidences, right),
        "bins": bins,
    }


def calibration(utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str]) -> dict[str, Any] | None:
    """The report's ``calibration``.

    Returns:
        ``{"systems": {SYSTEM: {"n", "accuracy", "mean_confidence", "ece", "auc", "bins"}}}``, all from 0 to 1: ``ece``
        is the mean distance of confidence and accuracy over ten bins, weighted by their utterances. Systems without
        confidences (``avg_logprob`` in the utterances' lines) are left out; None where no system has them.
    """
    found = {system: _of_system(utterances, profile, system) for system in systems}
    present = {system: block for system, block in found.items() if block is not None}
    return {"systems": present} if present else None
