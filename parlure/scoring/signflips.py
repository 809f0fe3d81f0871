"""The sign-flip permutation test over blocks, and the interval that it leaves when it is inverted.

Under "the rate is θ" the remainder of each block, its errors − θ · its words, might as well have had the other sign
(Fisher's randomisation test for pairs). Let a pattern of signs cut the blocks into those that keep their sign and those
that turn it. The turned sum is as far from zero as the observed one exactly when θ lies between the rates of the two
parts, both ends included: |a − b| ≥ |a + b| means a · b ≤ 0. The rate of all blocks together, a mediant, lies between
the two as well. So every pattern speaks for a stretch of θ around the estimate; the p-value of θ is the share of the
stretches that hold it, it falls to either side of the estimate, and what is not rejected at 5 % is one interval between
order statistics. Interval and test cannot disagree, and nothing is searched for.

All patterns are taken to 15 blocks. With more, a subgroup of 2¹⁴ of them: over a subgroup the test keeps its level
exactly (Hemerik & Goeman 2018, TEST 27), which holds for independent draws only on average. The signed sums over a
subgroup are a Walsh-Hadamard transform, so that a million blocks cost little more than a hundred.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

_RANK = 14  # 2^14 patterns: p-values to 0.00006
_ONE_IN = 20  # a 5 % level: rejected where fewer than one pattern in twenty is as extreme

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@cache
def _columns(seed: int) -> Integers:
    """Which patterns turn the sign of the first block, the second, …, shape (2^14,).

    Pattern c turns a block if c & column has an odd number of ones: the first block never turns (turning all is turning
    none), the next 14 turn independently of each other, the others in combinations of these. More than 2^14 blocks have
    the same columns again.
    """
    units = 2 ** np.arange(_RANK, dtype=np.int64)
    combinations = np.setdiff1d(np.arange(1, 2**_RANK, dtype=np.int64), units)
    return np.concatenate([[0], units, np.random.default_rng(seed).permutation(combinations)])


@cache
def _hadamard(rank: int) -> Floats:
    """The signs of 2^rank values under 2^rank patterns: −1 where pattern & value has an odd number of ones."""
    signs = np.ones((1, 1))
    for _ in range(rank):
        signs = np.block([[signs, signs], [signs, -signs]])
    return signs


def _signed_sums(values: Integers, columns: Integers, rank: int) -> Floats:
    """The sum of the values (…, n_blocks) under each of the 2^rank patterns, shape (…, 2^rank); whole numbers."""
    n_values, size, leading = values.shape[-1], 2**rank, values.shape[:-1]
    if n_values > size:  # columns repeat: blocks with one column turn together
        rest = [(0, 0)] * len(leading) + [(0, -n_values % size)]
        values = np.pad(values, rest).reshape(*leading, -1, size).sum(axis=-2)
    by_column = np.zeros((*leading, size))
    by_column[..., columns[: values.shape[-1]]] = values
    upper, lower = _hadamard(rank - rank // 2), _hadamard(rank // 2)  # the transform by halves of the columns' bits
    sums: Floats = upper @ by_column.reshape(*leading, len(upper), len(lower)) @ lower
    return sums.reshape(*leading, size)


def sign_flip_test(errors: Integers, words: Integers, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Test Σ errors / Σ words = 0 by turning the signs of blocks, and invert the test into a 95 % interval.

    Args:
        errors: of each block, or differences of errors, shape (…, n_blocks) with at least one block; leading axes hold
            separate data sets.
        words: reference words of the same blocks, the same shape; a block may have none.
        seed: chooses the subgroup where there are more than 15 blocks.

    Returns:
        The two-sided p-value and the lower and the upper end of the interval as errors a word, shape (…) each. The
        interval holds zero exactly where p ≥ 0.05. With fewer than six blocks no pattern is rare enough, and the ends
        are infinite.
    """
    n_blocks = errors.shape[-1]
    rank = min(n_blocks - 1, _RANK)
    largest_first = np.argsort(-words, axis=-1, kind="stable")  # they decide most: let them turn independently
    errors, words = (np.take_along_axis(values, largest_first, -1) for values in (errors, words))
    turned = [_signed_sums(values, _columns(seed), rank) for values in (errors, words)]
    totals = [values.sum(axis=-1)[..., None] for values in (errors, words)]
    with np.errstate(divide="ignore", invalid="ignore"):  # one part may be without words
        kept_rate = (totals[0] + turned[0]) / (totals[1] + turned[1])
        turned_rate = (totals[0] - turned[0]) / (totals[1] - turned[1])
    low, high = np.minimum(kept_rate, turned_rate), np.maximum(kept_rate, turned_rate)
    # 0/0: the part has nothing at all, turning it changes nothing, and the pattern speaks for every θ
    low[np.isnan(low)], high[np.isnan(high)] = -np.inf, np.inf
    p_value = np.mean((low <= 0) & (high >= 0), axis=-1)
    n_patterns = 2**rank
    enough = -(-n_patterns // _ONE_IN)  # as many stretches as hold a θ that is not rejected
    lower = np.partition(low, enough - 1, axis=-1)[..., enough - 1]
    upper = np.partition(high, n_patterns - enough, axis=-1)[..., n_patterns - enough]
    return p_value, lower, upper
