"""What the command ``parlure export`` does: write, and prove that the export still says what the model says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.exclusive import is_empty
from parlure.scoring.parity.tolerance import tolerance_for
from parlure.shipping.export.parity import Hearing, utterances_for_parity
from parlure.shipping.export.parity import parity as hold_against
from parlure.shipping.export.target import Target
from parlure.shipping.export.with_adapter import to_adapter
from parlure.shipping.export.with_ctranslate2 import to_ctranslate2
from parlure.shipping.export.with_ggml import GGML_NUMBERS, to_ggml
from parlure.shipping.export.with_hf import HF_NUMBERS, to_hf
from parlure.shipping.export.with_onnx import to_onnx
from parlure.shipping.export.with_openai import OPENAI_NUMBERS, to_openai
from parlure.shipping.export.written import write_written
from parlure.whisper.conversion import QUANTIZATIONS
from parlure.whisper.languages import refuse_inserted
from parlure.whisper.load import load_tokenizer, locate
from parlure.whisper.to_onnx import ONNX_NUMBERS

EXPORTERS: Mapping[str, Target] = {
    "hf": Target("Hugging Face", to_hf, HF_NUMBERS, any_vocabulary=True),
    "adapter": Target("PEFT", to_adapter, HF_NUMBERS, any_vocabulary=True),
    "ctranslate2": Target("CTranslate2", to_ctranslate2, QUANTIZATIONS),
    "ggml": Target("whisper.cpp", to_ggml, GGML_NUMBERS),
    "onnx": Target("ONNX", to_onnx, ONNX_NUMBERS, any_vocabulary=True),
    "openai": Target("openai-whisper", to_openai, OPENAI_NUMBERS),
}


def export(
    model: str,
    out: Path,
    *,
    to: str = "ctranslate2",
    quantize: str | None = None,
    parity: Path | None = None,
    split: str = "test",
    features: Hearing = "both",
    min_same: float | None = None,
    max_loss: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any] | None:
    """Write a MODEL for another runtime, and hold it against the original.

    Args:
        model: a MODEL.
        out: the folder to make, which is there as soon as it is whole.
        to: of :data:`EXPORTERS`.
        quantize: how numbers are stored; None is the target's own.
        parity: a corpus to decode with both, see :func:`parlure.shipping.export.parity.parity`; where that is
            stopped, call it by itself to go on.
        split: of the corpus.
        features: ``same``, ``own`` or both.
        min_same: share of texts that are to be the same, in per cent; None is the precision's.
        max_loss: points of WER that may be lost; None is the precision's.
        progress: called with (utterances done, to do).

    Returns:
        The content of ``parity.json``; None without a corpus.

    Raises:
        ParlureError: the folder is not empty, there is no such target or it stores no such numbers, model or corpus
            cannot be used, or a language of the model has a token of its own, of which the target knows nothing.
    """
    if to not in EXPORTERS:
        raise ParlureError(f"there is no export to {to}", f"choose --to {' or '.join(EXPORTERS)}")
    if not is_empty(out):
        raise ParlureError(f"{out} is not empty", "give another folder: --out NAME")
    if parity is not None:  # before anything is written
        utterances_for_parity(parity, split)
        tolerance_for("float32", min_same=min_same, max_loss=max_loss)
    target = EXPORTERS[to]
    chosen = target.choose(quantize)
    if not target.any_vocabulary:
        refuse_inserted(load_tokenizer(*locate(model)), model, to)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".exporting-") as place:
        whole = Path(place) / "export"
        notes = target.write(model, whole, chosen)
        write_written(whole, to, chosen, model, notes or ())
        if out.exists():
            out.rmdir()
        whole.rename(out)
    if parity is None:
        return None
    return hold_against(
        model, out, parity, split=split, features=features, min_same=min_same, max_loss=max_loss, progress=progress
    )
