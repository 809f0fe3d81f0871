"""An export folder → an engine over what its format is for, to be held against the original: one row a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from parlure.errors import ParlureError
from parlure.scoring.skills.listening import Window
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


def _in_onnx(folder: Path) -> Engine:
    from parlure.transcribing.engines.with_onnx import OnnxEngine

    return OnnxEngine(str(folder))


def _in_faster_whisper(folder: Path) -> Engine:
    from parlure.transcribing.engines.with_faster_whisper import FasterWhisperEngine

    return FasterWhisperEngine(str(folder))


RUNTIMES: Mapping[str, Callable[[Path], Engine]] = {
    "hf": _in_torch,
    "adapter": _in_torch,
    "ctranslate2": _in_ctranslate2,
    "ggml": _in_whispercpp,
    "openai": _in_openai,
    "onnx": _in_onnx,
}
# what their users run, where that is not the engine above: it makes features of its own
_AS_ITS_USERS: Mapping[str, Callable[[Path], Engine]] = {"ctranslate2": _in_faster_whisper}
# those that make features of their own, and in which windows; but for faster-whisper they take no others
_OWN_WINDOWS: Mapping[str, tuple[Window, ...]] = {
    "ctranslate2": ("full",), "ggml": ("full", "short"), "openai": ("full",),
}  # fmt: skip


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


def takes_features(folder: Path) -> bool:
    """Whether the engine of an export is given torch's features.

    Raises:
        ParlureError: it is no export.
    """
    name = read_written(folder).format
    return name not in _OWN_WINDOWS or name in _AS_ITS_USERS


def own_windows(folder: Path) -> tuple[Window, ...]:
    """The windows in which the runtime of an export hears sound with features of its own; none where it has none.

    Raises:
        ParlureError: it is no export.
    """
    return _OWN_WINDOWS.get(read_written(folder).format, ())


def open_as_its_users(folder: Path) -> Engine:
    """The runtime as its users call it, features of its own included.

    Raises:
        ParlureError: it is no export, or the runtime is not installed.
    """
    return _AS_ITS_USERS.get(read_written(folder).format, open_runtime)(folder)
