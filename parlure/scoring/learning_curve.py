"""Error rates at several amounts of training data → what twice and four times as much may bring.

Three amounts do not determine a power law with a floor, a + b·hours^(−c), as learning curves follow it (Hestness et al.
2017, arXiv 1712.00409). What can be defended are two lines, each of two parameters: the logarithm of the rate falls by
as much with every doubling (a power law that ends at zero), or the rate itself does (until it is zero). Their mean is
the estimate. Its interval holds both lines under a bootstrap over the test's speakers, and is widened by how far the
same estimate, made from the smaller amounts alone, missed the largest one; at four times by twice as much.

Not in it: another draw of training data, another seed, and other recordings than these. Where the slope cannot be told
from none, nothing is extrapolated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from parlure.scoring.blocks import block_sums
from parlure.scoring.page.marks import interval_text, percent, points
from parlure.scoring.rates import Counts
from parlure.scoring.significance import MIN_BLOCKS

FACTORS: Final = (2, 4)
_DRAWS: Final = 2_000
_MIN_POINTS: Final = 3

Floats = npt.NDArray[np.float64]


def extrapolate(
    hours: Sequence[float], counts: Sequence[Sequence[Counts]], blocks: Sequence[int], seed: int = 0
) -> dict[str, Any]:
    """What more hours may bring.

    Args:
        hours: of training data at each point, rising, none zero.
        counts: for each point one per test utterance, all in one order.
        blocks: of the same utterances: the independent unit that each belongs to.
        seed: of the bootstrap.

    Returns:
        ``{"why_not": sentence}``, or ``{"why_not": None, "missed", "slope", "predictions": {"2": {"hours", "rate",
        "ci95", "gain", "gain95"}, "4": …}}``; rates and gains in points of per cent, a gain below zero is one;
        ``missed`` is by how many points the last amount was missed, ``slope`` the points a doubling has brought.
    """
    errors = np.stack([block_sums([one.edits for one in own], blocks) for own in counts]).astype(float)
    words = block_sums([one.N for one in counts[0]], blocks).astype(float)
    n_blocks = int(np.count_nonzero(words))
    if why := _too_little(hours, errors, n_blocks):
        return {"why_not": why}
    drawn = np.random.default_rng(seed).multinomial(len(words), np.full(len(words), 1 / len(words)), _DRAWS).T
    rates = 100 * errors.sum(-1) / words.sum()
    # a draw without an error, or without a word, would have no logarithm
    drawn_rates = 100 * np.maximum(errors @ drawn, 0.5) / np.maximum(words @ drawn, 1.0)
    doublings = np.log2(np.asarray(hours))
    slopes = np.polyfit(doublings, drawn_rates, 1)[0]
    slope, slope95 = float(np.polyfit(doublings, rates, 1)[0]), np.quantile(slopes, [0.025, 0.975])
    if slope95[1] >= 0:
        return {
            "why_not": f"a doubling has brought {points(slope, sign=True)} points {interval_text(slope95, sign=True)} "
            "so far, which cannot be told from nothing: about more hours nothing can be said"
        }
    before = _mean_line(doublings[:-1], rates[:-1, None], doublings[-1])[0]
    missed = float(abs(before - rates[-1]))
    predictions = {}
    for factor in FACTORS:
        at, n_further = doublings[-1] + np.log2(factor), float(np.log2(factor))
        rate = float(_mean_line(doublings, rates[:, None], at)[0])
        lines = np.stack([line(doublings, drawn_rates, at) for line in (_straight, _power)])
        margin = missed * n_further
        ends = [float(np.quantile(lines, 0.025)) - margin, float(np.quantile(lines, 0.975)) + margin]
        gains = lines - drawn_rates[-1]
        gain95 = [float(np.quantile(gains, 0.025)) - margin, float(np.quantile(gains, 0.975)) + margin]
        predictions[str(factor)] = {
            "hours": factor * hours[-1],
            "rate": rate,
            "ci95": [max(0.0, ends[0]), ends[1]],
            "gain": rate - float(rates[-1]),
            "gain95": [max(-float(rates[-1]), gain95[0]), gain95[1]],
        }
    return {"why_not": None, "missed": missed, "slope": slope, "predictions": predictions}


def _too_little(hours: Sequence[float], errors: Floats, n_blocks: int) -> str | None:
    if len(hours) < _MIN_POINTS:
        return f"{len(hours)} amounts are no curve, it takes {_MIN_POINTS}: about more hours nothing can be said"
    if n_blocks < MIN_BLOCKS:
        return f"{n_blocks} independent groups of speakers are too few, it takes {MIN_BLOCKS}: nothing can be said"
    if not errors.sum(-1).all():
        return "there are amounts without an error left: about more hours nothing can be said"
    return None


def _straight(doublings: Floats, rates: Floats, at: float) -> Floats:
    """The rate on a straight line, never below zero; rates of shape (n_points, n_draws)."""
    slope, start = np.polyfit(doublings, rates, 1)
    found: Floats = np.maximum(slope * at + start, 0.0)
    return found


def _power(doublings: Floats, rates: Floats, at: float) -> Floats:
    """The rate on a straight line of its logarithm."""
    slope, start = np.polyfit(doublings, np.log(rates), 1)
    found: Floats = np.exp(slope * at + start)
    return found


def _mean_line(doublings: Floats, rates: Floats, at: float) -> Floats:
    found: Floats = (_straight(doublings, rates, at) + _power(doublings, rates, at)) / 2
    return found


def plain_words(hours: float, rate: float, found: Mapping[str, Any]) -> str:
    """What :func:`extrapolate` found, in a sentence for whoever pays for the hours.

    Args:
        hours: the most that was trained on.
        rate: in per cent, with them.
        found: what was extrapolated.
    """
    if found["why_not"]:
        return f"With {hours:.2f} hours the WER is {percent(rate)}; {found['why_not']}."
    twice, four = (found["predictions"][str(factor)] for factor in FACTORS)
    may = ", so it may bring nothing" if twice["gain95"][1] >= 0 else ""
    return (
        f"Doubling the {hours:.2f} hours would bring the WER from {percent(rate)} to about {percent(twice['rate'])} "
        f"{interval_text(twice['ci95'])}, {points(twice['gain'], sign=True)} points "
        f"{interval_text(twice['gain95'], sign=True)}{may}; four times as many, to about {percent(four['rate'])} "
        f"{interval_text(four['ci95'])}. From the smaller amounts alone the last one would have been missed by "
        f"{points(found['missed'])} points; other training data and another seed are not in these intervals."
    )
