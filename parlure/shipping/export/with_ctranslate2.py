"""CTranslate2's format, for faster-whisper and for parlure's own engine."""

from __future__ import annotations

from pathlib import Path

from parlure.whisper.conversion import QUANTIZATIONS, convert
from parlure.whisper.load import load


def to_ctranslate2(model: str, out: Path, quantize: str) -> None:
    """Write a MODEL, its adapter merged, as a CTranslate2 folder.

    Args:
        model: a MODEL.
        out: the folder, which is not there yet.
        quantize: how numbers are stored, one of :data:`QUANTIZATIONS`.

    Raises:
        ParlureError: the model cannot be loaded, or CTranslate2 is not installed.
    """
    convert(load(model, "cpu"), next(one for one in QUANTIZATIONS if one == quantize), out)
