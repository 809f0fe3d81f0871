"""ONNX graphs for onnxruntime, and a script beside them that transcribes with nothing of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

from parlure.shipping.export import onnx_example
from parlure.whisper.load import load
from parlure.whisper.to_onnx import ONNX_NUMBERS, write_onnx

EXAMPLE = "transcribe.py"


def to_onnx(model: str, out: Path, quantize: str) -> None:
    """Write a MODEL, its adapter merged, as an ONNX folder: see :mod:`parlure.whisper.to_onnx`.

    Args:
        model: a MODEL.
        out: the folder, which is not there yet.
        quantize: how numbers are stored, one of :data:`ONNX_NUMBERS`.

    Raises:
        ParlureError: the model cannot be loaded, or a package that writes ONNX is not installed.
    """
    write_onnx(load(model, "cpu"), out, next(one for one in ONNX_NUMBERS if one == quantize))
    shutil.copyfile(onnx_example.__file__, out / EXAMPLE)
