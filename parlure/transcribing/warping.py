"""Attention weights → which frame each token is spoken in: dynamic time warping, as Whisper's word timestamps do it.

The method is that of openai/whisper ``timing.py``: weights are normalised over the tokens, smoothed by a median over 7
positions, averaged over heads, and the cheapest monotonic path through their negative is taken. Shapes: T tokens, N
positions of 20 ms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

POSITION_S = 0.02  # s of sound that one position of the encoder's output stands for
_MEDIAN_WIDTH = 7  # positions, as in openai/whisper


def token_positions(weights: FloatArray, *, open_end: bool = False) -> IntArray:
    """The position at which each token begins, ascending, shape ``(T,)``.

    Args:
        weights: shape ``(n_heads, T, N)``.
        open_end: the sound may end before the text does; positions of the tokens that are not heard are left out.
    """
    deviation = weights.std(axis=1, keepdims=True)
    normal = (weights - weights.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-9)
    rows, positions = warp(-median_filtered(normal).mean(axis=0), open_end=open_end)
    return positions[np.flatnonzero(np.diff(rows, prepend=-1))]


def median_filtered(values: FloatArray, width: int = _MEDIAN_WIDTH) -> FloatArray:
    """The median of each ``width`` neighbours along the last axis, mirrored at the ends; the shape stays."""
    half = width // 2
    if values.shape[-1] <= half:
        return values
    padded = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(half, half)], mode="reflect")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1), axis=-1).astype(np.float32)


def warp(cost: FloatArray, *, open_end: bool = False) -> tuple[IntArray, IntArray]:
    """The cheapest path from the first corner of a matrix to the last, one step right, down or both at a time.

    Computed one antidiagonal after the other, whose cells do not depend on each other.

    Args:
        cost: shape ``(T, N)``, both at least 1.
        open_end: the path may end in any row of the last column, in the one that makes it cheapest.

    Returns:
        The rows and the columns that the path passes, in order.
    """
    n_rows, n_columns = cost.shape
    total = np.full((n_rows + 1, n_columns + 1), np.inf)
    total[0, 0] = 0.0
    came = np.zeros((n_rows + 1, n_columns + 1), np.int8)  # 0: from both, 1: from above, 2: from the left
    for diagonal in range(2, n_rows + n_columns + 1):
        row = np.arange(max(1, diagonal - n_columns), min(n_rows, diagonal - 1) + 1)
        column = diagonal - row
        before = np.stack([total[row - 1, column - 1], total[row - 1, column], total[row, column - 1]])
        came[row, column] = choice = before.argmin(axis=0)
        total[row, column] = cost[row - 1, column - 1] + before[choice, np.arange(len(row))]
    last_row = 1 + int(total[1:, n_columns].argmin()) if open_end else n_rows
    row_now, column_now, path = last_row, n_columns, []
    while row_now and column_now:
        path.append((row_now - 1, column_now - 1))
        step = came[row_now, column_now]
        row_now, column_now = row_now - (step != 2), column_now - (step != 1)
    rows, columns = np.array(path[::-1], np.int64).T
    return rows, columns
