"""MODEL and the engine's name → an engine that is ready: what is no Whisper is run by transformers' own pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from parlure.errors import ParlureError
from parlure.transcribing.engines.interface import Engine, EngineName
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import is_ctranslate2, is_onnx, load

Device = Literal["auto", "cpu", "cuda"]


def engine_for(models: Iterable[str], engine: EngineName | None = None) -> EngineName:
    """The engine asked for, or the one that a MODEL needs: torch, unless one is a CTranslate2 or an ONNX folder."""
    own = list(models)
    if engine is None and any(map(is_onnx, own)):
        return "onnx"
    return engine or ("ctranslate2" if any(map(is_ctranslate2, own)) else "torch")


def open_engine(
    model: str, engine: EngineName | None = None, quantize: Quantization | None = None, device: Device = "auto"
) -> Engine:
    """Load a MODEL for decoding.

    Args:
        model: a MODEL, or a speech-recognition model of another kind (:mod:`.with_pipeline`), which torch alone
            runs; what is no CTranslate2 folder is converted for CTranslate2, once; an ONNX folder is exported before.
        engine: by which library; None is :func:`engine_for` this model.
        quantize: the numbers CTranslate2 multiplies; None is float32, or what a CTranslate2 folder holds.
        device: where; ``auto`` is the GPU where there is one.

    Raises:
        ParlureError: the model cannot be loaded by that engine, numbers are chosen for another than CTranslate2, the
            library is not installed, or there is no such device.
    """
    chosen, place = engine_for([model], engine), _place(device)
    if chosen != "ctranslate2" and quantize is not None:
        raise ParlureError(
            f"--quantize {quantize} is for the engine ctranslate2, and this is {chosen}", "add --engine ctranslate2"
        )
    if chosen == "onnx":
        from parlure.transcribing.engines.with_onnx import OnnxEngine

        return OnnxEngine(model, None if device == "auto" else place)
    if chosen == "torch":
        from parlure.transcribing.engines.with_pipeline import PipelineEngine, is_for_pipeline
        from parlure.transcribing.engines.with_torch import TorchEngine

        return PipelineEngine(model, place) if is_for_pipeline(model) else TorchEngine(load(model, place))
    from parlure.transcribing.engines.with_ctranslate2 import CTranslate2Engine

    return CTranslate2Engine(model, quantize, place)


def _place(device: Device) -> str:
    """The device's name in torch and CTranslate2."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ParlureError("there is no NVIDIA GPU that torch can use", "--device cpu; parlure doctor says more")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
