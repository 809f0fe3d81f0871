"""Counts of two systems on the same utterances → whether one is better, as far as these speakers can tell.

One construction for everything: errors are summed by block (:mod:`parlure.scoring.blocks`), a sign-flip permutation
test asks whether the difference is zero, and inverting that test gives the interval (:mod:`parlure.scoring.signflips`).
A difference of error *counts* changes its sign when the two systems are exchanged, the reference words do not move; so
the sum over blocks is the corpus difference times N, and interval, test and verdict speak of the same thing.

``benchmarks/significance.py`` measures it against its rivals (figures in docs/scoring.md). Where some speakers talk
much longer than others, the jackknife with Student's t, the block bootstrap and utterances taken as independent give
more false alarms than they own to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from parlure.scoring.blocks import block_numbers, block_sums
from parlure.scoring.bootstrap import bootstrap_interval
from parlure.scoring.rates import Counts
from parlure.scoring.signflips import sign_flip_test
from parlure.scoring.student import t_quantile

__all__ = ["FEW_BLOCKS", "MIN_BLOCKS", "RULE", "Comparison", "block_numbers", "compare", "rate_interval", "t_quantile"]

Verdict = Literal["better", "worse", "no evidence", "too few speakers"]

MIN_BLOCKS = (
    8  # below, a difference must nearly always have one sign to be told: p is at least 2/2^7 = 0.016 with seven
)
FEW_BLOCKS = 20  # below, intervals are wide and lean on errors being as often above as below: reports say so
RULE = (
    "better or worse where the 95 % interval of the difference excludes zero, which is p < 0.05 of the same sign-flip "
    f"permutation test over independent blocks of speakers and sessions; too few speakers below {MIN_BLOCKS} blocks; "
    "no evidence otherwise"
)


@dataclass(frozen=True)
class Comparison:
    """What a paired comparison found; differences are tuned − base, so below zero is better.

    Attributes:
        difference: of the corpus rates, in points of per cent; None without a reference token.
        ci95: the differences that the test does not reject at 5 %, in points of per cent; None below six blocks.
        p_value: two-sided, of the hypothesis that there is no difference.
        verdict: ``better``, ``worse``, ``no evidence`` or ``too few speakers``, by the rule.
        n_speakers: distinct speakers that are named.
        n_blocks: independent blocks with reference tokens.
        rule: how the verdict follows, in a sentence.
        bootstrap95: the percentile bootstrap interval over the same blocks, in points of per cent, to set beside
            papers'; too narrow, and no part of the verdict. None where ``ci95`` is.
    """

    difference: float | None
    ci95: tuple[float, float] | None
    p_value: float
    verdict: Verdict
    n_speakers: int
    n_blocks: int
    rule: str
    bootstrap95: tuple[float, float] | None


def _points(low: float, high: float) -> tuple[float, float] | None:
    """Errors a word → points of per cent; None unless both ends are numbers."""
    return (100.0 * float(low), 100.0 * float(high)) if np.isfinite(low) and np.isfinite(high) else None


def rate_interval(counts: Sequence[Counts], blocks: Sequence[int]) -> tuple[float, float] | None:
    """The 95 % interval of one system's rate, in points of per cent: the rates that sign flips do not reject.

    Args:
        counts: one per utterance.
        blocks: :func:`block_numbers` of the same utterances.

    Returns:
        Lower and upper bound, never below zero; None where fewer than six blocks have reference tokens.
    """
    if not counts:
        return None
    errors = block_sums([count.edits for count in counts], blocks)
    _, low, high = sign_flip_test(errors, block_sums([count.N for count in counts], blocks))
    return _points(float(low), float(high))


def _verdict(interval: tuple[float, float] | None, n_blocks: int) -> Verdict:
    if n_blocks < MIN_BLOCKS or interval is None:
        return "too few speakers"
    if interval[1] < 0:
        return "better"
    return "worse" if interval[0] > 0 else "no evidence"


def compare(
    base: Sequence[Counts],
    tuned: Sequence[Counts],
    speakers: Sequence[str | None],
    sessions: Sequence[str | None],
    *,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same utterances, all four sequences in the same order.

    Args:
        base: the counts of the system compared against.
        tuned: the counts of the system in question.
        speakers: who speaks; None where unknown.
        sessions: which conversation; None where unknown.
        seed: of the sign patterns (16 blocks and more) and of the bootstrap.

    Raises:
        ValueError: the sequences differ in length, or the two systems have different reference tokens.
    """
    if any(one.N != other.N for one, other in zip(base, tuned, strict=True)):
        raise ValueError("the two systems were counted against different references")
    blocks = block_numbers(speakers, sessions)
    if len(blocks) != len(base):
        raise ValueError(f"{len(base)} counts, but {len(blocks)} speakers")
    n_speakers = len({speaker for speaker in speakers if speaker is not None})
    if not blocks:
        return Comparison(None, None, 1.0, "too few speakers", 0, 0, RULE, None)
    changes = block_sums([new.edits - old.edits for old, new in zip(base, tuned, strict=True)], blocks)
    words = block_sums([count.N for count in base], blocks)
    n_blocks = int(np.count_nonzero(words))
    difference = 100.0 * int(changes.sum()) / int(words.sum()) if n_blocks else None
    p_value, low, high = sign_flip_test(changes, words, seed)
    interval = _points(float(low), float(high))
    bootstrap = None
    if interval is not None:
        ends = bootstrap_interval(changes, words, seed)
        bootstrap = _points(float(ends[0]), float(ends[1]))
    verdict = _verdict(interval, n_blocks)
    return Comparison(difference, interval, float(p_value), verdict, n_speakers, n_blocks, RULE, bootstrap)
