"""MODEL and the engine's name → an engine that is ready: what is no Whisper is run by transformers' own pipeline."""

from __future__ import annotations

from collections.abc import Iterable

from parlure.errors import ParlureError
from parlure.transcribing.engines.interface import Engine, EngineName
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import is_ctranslate2, load


def engine_for(models: Iterable[str], engine: EngineName | None = None) -> EngineName:
    """The engine asked for, or the one that can run all of the MODELs: torch, unless one is a CTranslate2 folder."""
    return engine or ("ctranslate2" if any(is_ctranslate2(model) for model in models) else "torch")


def open_engine(model: str, engine: EngineName | None = None, quantize: Quantization | None = None) -> Engine:
    """Load a MODEL for decoding.

    Args:
        model: a MODEL, or a speech-recognition model of another kind (:mod:`.with_pipeline`), which torch alone
            runs; what is no CTranslate2 folder is converted for CTranslate2, once.
        engine: by which library; None is :func:`engine_for` this model.
        quantize: the numbers CTranslate2 multiplies; None is float32, or what a CTranslate2 folder holds.

    Raises:
        ParlureError: the model cannot be loaded by that engine, numbers are chosen for torch, or CTranslate2 is not
            installed.
    """
    if engine_for([model], engine) == "torch":
        if quantize is not None:
            raise ParlureError(
                f"--quantize {quantize} is for the engine ctranslate2, and this is torch", "add --engine ctranslate2"
            )
        from parlure.transcribing.engines.with_pipeline import PipelineEngine, is_for_pipeline
        from parlure.transcribing.engines.with_torch import TorchEngine

        return PipelineEngine(model) if is_for_pipeline(model) else TorchEngine(load(model))
    from parlure.transcribing.engines.with_ctranslate2 import CTranslate2Engine

    return CTranslate2Engine(model, quantize)
