"""Fine-tune OpenAI's Whisper on your own recordings, and prove what changed.

The road from Python: :func:`prepare`, :func:`load_recipe`, :func:`parse_recipe`, :func:`train`, :func:`evaluate`,
:func:`transcribe`; before it :func:`baseline`, after it :func:`curve`, :func:`tune`, :func:`correct`, :func:`label`.
Tuned models: :func:`merge`, :func:`parity` (of an export), :func:`publish`, :class:`SharedBase` (several adapters in
one process), :func:`serve`; :func:`transcribe_into` a folder. Scoring: :func:`wer`, :func:`cer`, :func:`process`,
:func:`make_compute_metrics`. What can go wrong: :class:`ParlureError`; what a callback may raise to stop a run:
:class:`StopTrainingError`. All are loaded when they are first asked for: importing parlure costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parlure.corpus.prepare import prepare
    from parlure.errors import ParlureError
    from parlure.recipe import load_recipe, parse_recipe
    from parlure.scoring.skills.baseline import baseline
    from parlure.scoring.skills.curve import curve
    from parlure.scoring.skills.evaluation import evaluate
    from parlure.scoring.texts import Processed, cer, make_compute_metrics, process, wer
    from parlure.search.tune import tune
    from parlure.shipping.export.parity import parity
    from parlure.shipping.publish import publish
    from parlure.shipping.server.serving import serve
    from parlure.training.interrupt import StopTrainingError
    from parlure.training.loop import train
    from parlure.training.merging import merge
    from parlure.transcribing.correct import correct
    from parlure.transcribing.engines.shared import SharedBase
    from parlure.transcribing.into import transcribe_into
    from parlure.transcribing.label import label
    from parlure.transcribing.transcribe import transcribe

_ROOMS = {
    "parlure.corpus.prepare": ("prepare",),
    "parlure.recipe": ("load_recipe", "parse_recipe"),
    "parlure.training.loop": ("train",),
    "parlure.training.merging": ("merge",),
    "parlure.transcribing.engines.shared": ("SharedBase",),
    "parlure.scoring.skills.baseline": ("baseline",),
    "parlure.scoring.skills.curve": ("curve",),
    "parlure.search.tune": ("tune",),
    "parlure.shipping.export.parity": ("parity",),
    "parlure.shipping.server.serving": ("serve",),
    "parlure.training.interrupt": ("StopTrainingError",),
    "parlure.scoring.skills.evaluation": ("evaluate",),
    "parlure.transcribing.transcribe": ("transcribe",),
    "parlure.transcribing.into": ("transcribe_into",),
    "parlure.shipping.publish": ("publish",),
    "parlure.transcribing.correct": ("correct",),
    "parlure.transcribing.label": ("label",),
    "parlure.scoring.texts": ("wer", "cer", "process", "Processed", "make_compute_metrics"),
    "parlure.errors": ("ParlureError",),
}
__all__ = [
    "prepare", "load_recipe", "parse_recipe", "train", "evaluate", "transcribe", "baseline", "curve", "tune", "merge",
    "correct", "label", "transcribe_into", "SharedBase", "parity", "serve", "publish",
    "wer", "cer", "process", "Processed", "make_compute_metrics", "ParlureError", "StopTrainingError",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(room), name)
    raise AttributeError(f"module 'parlure' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
