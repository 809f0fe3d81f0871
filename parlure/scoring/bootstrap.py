"""The block bootstrap interval, as papers report it: blocks are drawn with replacement, the rate is taken again.

It is information, no ground for a verdict: with few or unequal blocks the percentile interval is too narrow
(docs/scoring.md has the figures).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_DRAWS = 2_000
_MOST_BLOCKS = 1_000  # more are pooled, every thousandth into one: independent still, and the work stays bounded

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def _pooled(values: Integers) -> Integers:
    if values.shape[-1] <= _MOST_BLOCKS:
        return values
    rest = [(0, 0)] * (values.ndim - 1) + [(0, -values.shape[-1] % _MOST_BLOCKS)]
    pooled: Integers = np.pad(values, rest).reshape(*values.shape[:-1], -1, _MOST_BLOCKS).sum(axis=-2)
    return pooled


def bootstrap_interval(errors: Integers, words: Integers, seed: int = 0) -> tuple[Floats, Floats]:
    """The 95 % percentile bootstrap interval over blocks (Bisani & Ney 2004; Liu & Peng 2020, arXiv 1912.09508).

    Args:
        errors: of each block, or differences of errors, shape (…, n_blocks); leading axes hold separate data sets.
        words: reference words of the same blocks, the same shape.
        seed: of the draws.

    Returns:
        The lower and the upper end as errors a word, shape (…) each; NaN where some draw has no word.
    """
    errors, words = _pooled(errors), _pooled(words)
    n_blocks = errors.shape[-1]
    times = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), _DRAWS)
    drawn = times.T.astype(np.float64)  # as floats the products are BLAS's, and exact: they are whole numbers
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = (errors @ drawn) / (words @ drawn)
    rates[np.isinf(rates)] = np.nan
    lower, upper = np.quantile(rates, [0.025, 0.975], axis=-1)
    return lower, upper
