"""Corpus + this machine → a commented recipe to start from: what the command ``parlure init`` does."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.learning_rates import FULL_OF_ANY_SIZE, suited
from parlure.machine import SIZES, Machine, Size, look
from parlure.recipe import parse_recipe
from parlure.scoring.normalize import headline_profile
from parlure.sections import AdapterSection, Recipe, TrainingSection

_BATCH_S, _ACCUMULATION = (TrainingSection.model_fields[name].default for name in ("batch_seconds", "accumulation"))
STEP_S = _BATCH_S * _ACCUMULATION  # seconds of encoder input in an optimiser step
_MOST_DEV = 300  # utterances to decode at each evaluation: enough to choose a checkpoint, minutes at most on a GPU
_DEFAULT = "openai/whisper-medium"
_RATE_UNKNOWN = ("loha", "lokr", "oft", "vera", "ia3")  # they are scaled otherwise than LoRA
_DEFAULT_WITHOUT_GPU = "openai/whisper-base"  # a larger one takes days


def init(
    corpus: Path, out: Path, *, model: str | None = None, method: str | None = None, machine: Machine | None = None
) -> Recipe:
    """Write a recipe fitted to a corpus and a machine, every field with its meaning and the fitted ones with a reason.

    Args:
        corpus: a corpus folder.
        out: the recipe to write; never over an existing file.
        model: the MODEL to start from; None chooses by the machine's memory.
        method: the recipe's ``adapter.method``; None is its default.
        machine: None looks at this one.

    Raises:
        ParlureError: the corpus cannot be used, or ``out`` is there.
    """
    if out.exists():
        raise ParlureError(f"{out} is there already", "name another: --out other.toml")
    loaded = Corpus.load(corpus)
    train, dev = loaded.select("train"), loaded.select("dev")
    if not train or not dev:
        missing = "dev" if train else "train"
        raise ParlureError(f"{corpus} has no {missing} utterances", "prepare it with --ratios 0.8,0.1,0.1")
    fitted = _fitted(train, dev, model, method or AdapterSection().method, machine or look())
    place = os.path.relpath(corpus.resolve(), out.resolve().parent)
    fitted["data.corpus"] = (Path(place).as_posix(), "relative to this file")
    tree: dict[str, dict[str, Any]] = {}
    for key, (value, _) in fitted.items():
        section, _, field = key.partition(".")
        tree.setdefault(section, {})[field] = value
    recipe = parse_recipe(tree, str(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_commented(recipe, {key: reason for key, (_, reason) in fitted.items()}, out), encoding="utf-8")
    return recipe


def _fitted(
    train: tuple[Utterance, ...], dev: tuple[Utterance, ...], model: str | None, method: str, machine: Machine
) -> dict[str, tuple[Any, str]]:
    """What follows from the corpus and the machine: key → (value, why)."""
    size = next((size for size in SIZES if size.name == model), None) if model else _largest(machine, method)
    hours = sum(utterance.duration_s for utterance in train) / 3600
    epochs = epochs_for(hours)
    n_steps = max(1, round(epochs * encoder_s([u.duration_s for u in train]) / STEP_S))
    chosen, batch_s, fits = "without a GPU a larger one takes days", _BATCH_S, "without a GPU longer ones are no faster"
    if machine.gpus:
        gpu = machine.gpus[0]
        chosen = f"for {gpu.name}, {gpu.memory_gb:.0f} GB"
        batch_s, fits = 0.0, f"looked at before the first step; a step has {STEP_S:.0f} s in any case"
    if model:
        chosen = "you named it"
    languages = sorted({utterance.language for utterance in dev})
    return {
        "model.base": (size.name if size else model, chosen),
        "training.epochs": (epochs, f"for {hours:.2f} hours of training speech: about {n_steps} steps in all"),
        "training.warmup_steps": (min(50, max(1, n_steps // 10)), "a tenth of the steps, 50 at most"),
        "training.batch_seconds": (batch_s, fits),
        "evaluation.every_steps": (max(5, round(n_steps / (2 * epochs))), "about twice an epoch"),
        "evaluation.max_utterances": (
            _MOST_DEV if len(dev) > _MOST_DEV else 0,
            f"dev has {len(dev)} utterances",
        ),
        "evaluation.profile": (headline_profile(dev[0].language), f"for {', '.join(languages)}"),
        **_method(method, size),
    }


def _method(method: str, size: Size | None) -> dict[str, tuple[Any, str]]:
    """What follows from the method: key → (value, why)."""
    default = AdapterSection()
    found: dict[str, tuple[Any, str]] = {"adapter.method": (method, "you named it" if method != default.method else "")}
    if method == "rslora":
        same = round(default.alpha / default.r * math.sqrt(default.r), 1)
        found["adapter.alpha"] = same, f"what {default.alpha:g} is to lora"
    elif method == "pissa":
        found["adapter.alpha"] = float(default.r), "as large as r: what it begins with is then not scaled"
    elif method == "vera":
        found["adapter.r"] = 256, "what PEFT takes unless told otherwise; a rank costs little"
    usual = suited(method, size.width, size.n_layers) if size else None
    if usual:
        found["training.learning_rate"] = usual.rate, f"{usual.source}; docs/train.md has the sources"
    elif method == "full":
        found["training.learning_rate"] = (
            FULL_OF_ANY_SIZE,
            "usual for Whisper whatever the size, which is not known here",
        )
    if usual and method in _RATE_UNKNOWN:
        reason = (
            f"LoRA's for this size; nobody has published what suits {method} on Whisper, try three and ten times it"
        )
        found["training.learning_rate"] = usual.rate, reason
    return found


def epochs_for(hours: float) -> float:
    """Passes over so many hours of training speech: the fewer there are, the more."""
    return 3.0 if hours >= 10 else 5.0 if hours >= 2 else 10.0


def encoder_s(durations_s: Sequence[float]) -> float:
    """Seconds of encoder input that an epoch has by the recipe's defaults, roughly."""
    from parlure.speech.features import WINDOW_S, short_window_s

    training = TrainingSection()
    share, mean_s = training.full_window_share, sum(durations_s) / len(durations_s)
    n_together = min((1 + training.utterances_per_window) / 2, max(1.0, WINDOW_S / (mean_s + 0.7)))
    return sum(share * WINDOW_S / n_together + (1 - share) * short_window_s(duration_s) for duration_s in durations_s)


def _largest(machine: Machine, method: str) -> Size:
    """The default, or the largest below it that can be tuned here."""
    default = _DEFAULT if machine.gpus else _DEFAULT_WITHOUT_GPU
    below = SIZES[[size.name for size in SIZES].index(default) :]
    return next((size for size in below if machine.fits(size, method=method)), below[-1])


def _commented(recipe: Recipe, reasons: dict[str, str], out: Path) -> str:
    lines = [
        "# A recipe for parlure, fitted to one corpus and one machine. Check it, then train:",
        f"#   parlure train {out.name} --dry-run",
        f"#   parlure train {out.name} --out run",
    ]
    for section, values in recipe.model_dump().items():
        fields = type(getattr(recipe, section)).model_fields
        lines += ["", f"[{section}]"]
        for key, value in values.items():
            reason = reasons.get(f"{section}.{key}")
            lines.append(f"# {fields[key].description}" + (f" ({reason})" if reason else ""))
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
