"""An export folder → an engine over what its format is for, to be held against the original: one row a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from parlure.errors import ParlureError
from parlure.shipping.export.written import read_written
from parlure.transcribing.engines.interface import Engine


def _in_torch(folder: Path) -> Engine:
    from parlure.transcribing.engines.with_torch import TorchEngine
    from parlure.whisper.load import load

    return TorchEngine(load(str(folder)))


def _in_ctranslate2(folder: Path) -> Engine:
    from parlure.transcribing.engines.with_ctranslate2 import CTranslate2Engine

    return CTranslate2Engine(str(folder))


def _in_whispercpp(folder: Path) -> Engine:
    from parlure.transcribing.engines.with_whispercpp import WhisperCppEngine

    return WhisperCppEngine(folder, read_written(folder).quantize)


def _in_openai(folder: Path) -> Engine:
    from parlure.transcribing.engines.with_openai import OpenAIEngine

    return OpenAIEngine(folder, read_written(folder).quantize)


RUNTIMES: Mapping[str, Callable[[Path], Engine]] = {
    "hf": _in_torch,
    "adapter": _in_torch,
    "ctranslate2": _in_ctranslate2,
    "ggml": _in_whispercpp,
    "openai": _in_openai,
}


def open_runtime(folder: Path) -> Engine:
    """The runtime of an export folder, ready to decode.

    Args:
        folder: one that ``parlure export`` made.

    Raises:
        ParlureError: it is none, parlure runs nothing of this format, or the runtime is not installed.
    """
    written = read_written(folder)
    if written.format not in RUNTIMES:
        raise ParlureError(
            f"{folder} is an export to {written.format}, which parlure cannot run", f"it runs {', '.join(RUNTIMES)}"
        )
    return RUNTIMES[written.format](folder)
