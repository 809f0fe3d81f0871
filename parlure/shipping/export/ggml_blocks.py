"""Rows of numbers → ggml's quantised blocks of 32: one scale a block, and for each number a few bits.

The layouts and the roundings are those of ggml's reference (``quantize_row_*_ref`` in ggml/src/ggml-quants.c), byte for
byte: tests hold them against the library itself. With ``_0`` zero is one of the levels; with ``_1`` a block has its
smallest number beside its scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

N_BLOCK = 32  # numbers
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


def to_q8_0(rows: Floats) -> bytes:
    """A scale in float16, then 32 signed bytes."""
    blocks = rows.reshape(-1, N_BLOCK)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    scaled = blocks * _inverse(scales)
    whole = np.trunc(scaled)
    rounded = whole + np.copysign(np.abs(scaled - whole) >= np.float32(0.5), scaled)  # halves go away from zero
    return _together(_half(scales), rounded.astype(np.int8).view(np.uint8))


def to_q4_0(rows: Floats) -> bytes:
    """A scale in float16, then 32 times 4 bits: of the numbers i and i + 16 in one byte."""
    scales, levels = _around_zero(rows, 8)
    return _together(_half(scales), _nibbles(levels))


def to_q5_0(rows: Floats) -> bytes:
    """A scale in float16, the fifth bits of all, then the lower four of each."""
    scales, levels = _around_zero(rows, 16)
    return _together(_half(scales), _fifth_bits(levels), _nibbles(levels))


def to_q4_1(rows: Floats) -> bytes:
    """Scale and smallest number in float16, then 32 times 4 bits."""
    scales, smallest, levels = _from_smallest(rows, 15)
    return _together(_half(scales), _half(smallest), _nibbles(levels))


def to_q5_1(rows: Floats) -> bytes:
    """Scale and smallest number in float16, the fifth bits of all, then the lower four of each."""
    scales, smallest, levels = _from_smallest(rows, 31)
    return _together(_half(scales), _half(smallest), _fifth_bits(levels), _nibbles(levels))


BLOCKS: Mapping[str, Callable[[Floats], bytes]] = {
    "q8_0": to_q8_0, "q5_1": to_q5_1, "q5_0": to_q5_0, "q4_1": to_q4_1, "q4_0": to_q4_0,
}  # fmt: skip


def _around_zero(rows: Floats, n_below: int) -> tuple[Floats, Bytes]:
    """Scales and levels 0 to 2 n_below − 1, where n_below is zero and 0 is the number furthest from it."""
    blocks = rows.reshape(-1, N_BLOCK)
    furthest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1, keepdims=True), axis=1)
    scales = furthest / np.float32(-n_below)
    levels = blocks * _inverse(scales) + np.float32(n_below + 0.5)
    return scales, np.minimum(levels.astype(np.uint8), 2 * n_below - 1)


def _from_smallest(rows: Floats, n_steps: int) -> tuple[Floats, Floats, Bytes]:
    """Scales, smallest numbers, and levels 0 to n_steps above them."""
    blocks = rows.reshape(-1, N_BLOCK)
    smallest = blocks.min(axis=1, keepdims=True)
    scales = (blocks.max(axis=1, keepdims=True) - smallest) / np.float32(n_steps)
    levels = (blocks - smallest) * _inverse(scales) + np.float32(0.5)
    return scales, smallest, np.minimum(levels.astype(np.uint8), n_steps)


def _inverse(scales: Floats) -> Floats:
    """1 / scale, and 0 of a block whose numbers are all the same."""
    return np.divide(np.float32(1), scales, out=np.zeros_like(scales), where=scales != 0)


def _half(numbers: Floats) -> Bytes:
    """Shape ``(n_blocks, 1)`` → the two bytes of each as float16."""
    return numbers.astype("<f2").view(np.uint8)


def _nibbles(levels: Bytes) -> Bytes:
    """The lower four bits, two numbers in a byte: the first half of the block below, the second above."""
    low, high = levels[:, : N_BLOCK // 2] & np.uint8(15), levels[:, N_BLOCK // 2 :] & np.uint8(15)
    return low | (high << np.uint8(4))


def _fifth_bits(levels: Bytes) -> Bytes:
    """The fifth bit of each number, number i in bit i of four bytes."""
    return np.packbits(levels >> np.uint8(4), axis=1, bitorder="little")


def _together(*parts: Bytes) -> bytes:
    """Block by block, one part after the other."""
    return np.concatenate(parts, axis=1).tobytes()
