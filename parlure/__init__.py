"""Fine-tune OpenAI's Whisper on your own recordings, and prove what changed.

Scoring from Python: :func:`wer`, :func:`cer`, :func:`process`, :func:`make_compute_metrics`, and the one exception,
:class:`ParlureError`. They are loaded when they are first asked for, so that importing parlure costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parlure.errors import ParlureError
    from parlure.scoring.texts import Processed, cer, make_compute_metrics, process, wer

__all__ = ["wer", "cer", "process", "Processed", "make_compute_metrics", "ParlureError"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'parlure' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("parlure.errors" if name == "ParlureError" else "parlure.scoring.texts"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
