"""ggml's quantised blocks, byte for byte those of the library that whisper.cpp itself is built on."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from parlure.shipping.export.ggml_blocks import BLOCKS

pywhispercpp = pytest.importorskip("pywhispercpp")
TYPES = {"q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8}  # ggml_type
N_ROWS, N_COLUMNS = 500, 160


@pytest.fixture(scope="module")
def ggml():
    """The library in pywhispercpp's wheel."""
    beside = Path(pywhispercpp.__file__).parent.parent
    found = sorted([*beside.glob("pywhispercpp.libs/libggml-base*"), *beside.glob("**/libggml-base*.dylib")])
    if not found:
        pytest.skip("this wheel has no ggml library of its own")
    library = ctypes.CDLL(str(found[0]))
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, pointer, pointer, number, number, number, pointer]
    return library


@pytest.fixture(scope="module")
def rows():
    """Numbers of many sizes, blocks of zeros, of one number, and halves, which are rounded away from zero."""
    draw = np.random.default_rng(0)
    numbers = (draw.standard_normal((N_ROWS, N_COLUMNS)) * draw.exponential(1, (N_ROWS, 1))).astype(np.float32)
    numbers[0], numbers[1], numbers[2] = 0, -1.5, np.arange(N_COLUMNS) / 2
    return numbers


@pytest.mark.parametrize("name", BLOCKS)
def test_bytes_are_ggmls(ggml, rows, name):
    ours = BLOCKS[name](rows)
    theirs = ctypes.create_string_buffer(len(ours) + 64)
    size = ggml.ggml_quantize_chunk(TYPES[name], rows.ctypes.data, theirs, 0, N_ROWS, N_COLUMNS, None)
    assert size == len(ours)
    assert theirs.raw[:size] == ours


@pytest.mark.parametrize("name", BLOCKS)
def test_numbers_come_back(ggml, rows, name):
    """Within half a step of their block, a whole one where the level furthest from zero is cut off; q8_0 is nearest."""
    stored = BLOCKS[name](rows)
    back = np.empty_like(rows)
    getattr(ggml, f"dequantize_row_{name}")(
        ctypes.c_char_p(stored), back.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(rows.size)
    )
    blocks = rows.reshape(-1, 32)
    span = blocks.max(1) - blocks.min(1) if name.endswith("_1") else 2 * np.abs(blocks).max(1)
    steps = span / (2 ** int(name[1]) - 1)
    off = np.abs(back.reshape(-1, 32) - blocks).max(1)
    assert (off <= 1.1 * steps + 1e-3 * np.abs(blocks).max(1)).all()
