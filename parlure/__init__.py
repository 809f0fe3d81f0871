"""Fine-tune OpenAI's Whisper on your own recordings, and prove what changed.

The road from Python: :func:`prepare`, :func:`load_recipe`, :func:`parse_recipe`, :func:`train`, :func:`evaluate`,
:func:`transcribe`, :func:`correct`, :func:`label`. Scoring: :func:`wer`, :func:`cer`, :func:`process`,
:func:`make_compute_metrics`. And the one exception, :class:`ParlureError`. All are loaded when they are first asked
for: importing parlure costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parlure.corpus.prepare import prepare
    from parlure.errors import ParlureError
    from parlure.recipe import load_recipe, parse_recipe
    from parlure.scoring.skills.evaluation import evaluate
    from parlure.scoring.texts import Processed, cer, make_compute_metrics, process, wer
    from parlure.training.loop import train
    from parlure.transcribing.correct import correct
    from parlure.transcribing.label import label
    from parlure.transcribing.transcribe import transcribe

_ROOMS = {
    "parlure.corpus.prepare": ("prepare",),
    "parlure.recipe": ("load_recipe", "parse_recipe"),
    "parlure.training.loop": ("train",),
    "parlure.scoring.skills.evaluation": ("evaluate",),
    "parlure.transcribing.transcribe": ("transcribe",),
    "parlure.transcribing.correct": ("correct",),
    "parlure.transcribing.label": ("label",),
    "parlure.scoring.texts": ("wer", "cer", "process", "Processed", "make_compute_metrics"),
    "parlure.errors": ("ParlureError",),
}
__all__ = [
    "prepare", "load_recipe", "parse_recipe", "train", "evaluate", "transcribe", "correct", "label",
    "wer", "cer", "process", "Processed", "make_compute_metrics", "ParlureError",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(room), name)
    raise AttributeError(f"module 'parlure' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
