"""CTranslate2's format, for faster-whisper and for parlure's own engine."""

from __future__ import annotations

from pathlib import Path

from parlure.errors import ParlureError
from parlure.whisper.conversion import QUANTIZATIONS, convert
from parlure.whisper.load import load


def to_ctranslate2(model: str, out: Path, quantize: str | None) -> None:
    """Write a MODEL, its adapter merged, as a CTranslate2 folder.

    Args:
        model: a MODEL.
        out: the folder, which is not there yet.
        quantize: how numbers are stored, float32 when None.

    Raises:
        ParlureError: the model cannot be loaded, there are no such numbers, or CTranslate2 is not installed.
    """
    chosen = next((one for one in QUANTIZATIONS if one == (quantize or "float32")), None)
    if chosen is None:
        raise ParlureError(f"CTranslate2 stores no {quantize}", f"choose --quantize {' or '.join(QUANTIZATIONS)}")
    convert(load(model, "cpu"), chosen, out)
