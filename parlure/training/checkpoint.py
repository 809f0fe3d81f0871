"""The run folder: settings, metrics, checkpoints that say when they are whole, and the best adapter or model."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

from parlure.corpus.manifest import MANIFEST, Corpus
from parlure.errors import ParlureError
from parlure.exclusive import LOCK, is_empty
from parlure.recipe import differences, dump_recipe, load_recipe
from parlure.sections import Recipe
from parlure.whisper.adapters import save_adapter
from parlure.whisper.prompt import language_tokens

_N_KEPT = 2  # checkpoints: the last, and one before it should the disk fill up
_MARKER = "progress.json"  # written last
_RECIPE, _ENVIRONMENT, _CORPUS = "recipe.toml", "environment.json", "corpus.json"  # what a run begins with
_TERMS = "terms.txt"  # a copy of the list that it is trained behind, if there is one
_STATES = "states.pt"  # of what has one beside weights and optimiser
_PART = ".part"  # of a name: is being written


def check_run(out: Path, recipe: Recipe, corpus: Corpus, *, resume: bool) -> None:
    """See to it that the run folder is free, or that it was started with this recipe and corpus. Writes nothing.

    Raises:
        ParlureError: the folder is in use by another run, or what it was started with has changed.
    """
    if not resume and not is_empty(out):
        raise ParlureError(
            f"the run folder {out} is not empty", "give another --out, or --resume to go on with that run"
        )
    if not _is_run(out):
        # what was killed before its first step may have left these; whatever else is there is the person's
        leftovers = {
            LOCK,
            *(name + end for name in (_ENVIRONMENT, _CORPUS, _TERMS) for end in ("", _PART)),
            _RECIPE + _PART,
        }
        if out.exists() and not {path.name for path in out.iterdir()} <= leftovers:
            raise ParlureError(f"{out} holds something else than a run", "give another folder: --out NAME")
        return
    if changed := differences(load_recipe(out / _RECIPE), recipe):
        raise ParlureError(
            f"the recipe differs from the one that {out} was started with: {', '.join(changed)}",
            f"use {out / _RECIPE}, or another --out",
        )
    if json.loads((out / _CORPUS).read_text(encoding="utf-8")) != _corpus_info(corpus):
        raise ParlureError(
            f"the corpus {corpus.folder} has changed since {out} was started with it", "train anew: another --out"
        )
    if (terms := recipe.targets.terms) and _text(Path(terms)) != _text(out / _TERMS):
        raise ParlureError(
            f"the list {terms} has changed since {out} was started with it",
            f"put {out / _TERMS} back in its place, or train anew: another --out",
        )


def begun_with(out: Path) -> Recipe | None:
    """The recipe of the run in a folder, or None where no run is."""
    return load_recipe(out / _RECIPE) if _is_run(out) else None


def open_run(out: Path, recipe: Recipe, corpus: Corpus) -> None:
    """Make the run folder and write what the run is made of, if that is not there yet."""
    if _is_run(out):
        return
    out.mkdir(parents=True, exist_ok=True)
    _write_json(out / _ENVIRONMENT, _environment())
    _write_json(out / _CORPUS, _corpus_info(corpus))
    if recipe.targets.terms:
        _write(out / _TERMS, _text(Path(recipe.targets.terms)))
    _write(out / _RECIPE, dump_recipe(recipe))


class Stateful(Protocol):
    """Something whose state a resumed run needs."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""


def save(
    out: Path,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Mapping[str, Any],
    states: Mapping[str, Stateful] | None = None,
) -> None:
    """Write ``checkpoints/step-NNNNNN`` with all an exact resume needs; delete all but the last two.

    No state of a random generator is among it: order and dropout follow from the recipe's seed and the step.
    """
    folder = out / "checkpoints" / f"step-{step:06d}"
    part = folder.with_name("new" + _PART)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    trainable = {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}
    save_file(trainable, part / "trainable.safetensors")
    _save_state(optimizer.state_dict(), part / "optimizer.pt")
    if states:
        _save_state({name: one.state() for name, one in states.items()}, part / _STATES)
    _write_json(part / _MARKER, dict(progress))
    _remove(folder)  # of the same step, from before its evaluation was done
    part.replace(folder)
    for old in _whole(out)[:-_N_KEPT]:
        _remove(old)


def last(out: Path) -> Path | None:
    """The newest whole checkpoint."""
    whole = _whole(out)
    return whole[-1] if whole else None


def restore(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, states: Mapping[str, Stateful] | None = None
) -> dict[str, Any]:
    """Load a checkpoint into model, optimiser and what else has a state; returns the saved progress."""
    parameters = dict(model.named_parameters())
    for name, value in load_file(folder / "trainable.safetensors").items():
        parameters[name].data.copy_(value)
    optimizer.load_state_dict(torch.load(folder / "optimizer.pt", weights_only=True))
    if states:
        saved = torch.load(folder / _STATES, weights_only=True)
        for name, one in states.items():
            one.restore(saved[name])
    progress: dict[str, Any] = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    return progress


def keep_best(out: Path, model: nn.Module, tokenizer: WhisperTokenizer) -> None:
    """Write ``adapter/`` or ``model/``, replacing the former best only when the new one is whole."""
    name = "adapter" if isinstance(model, PeftModel) else "model"
    part = out / (name + _PART)
    shutil.rmtree(part, ignore_errors=True)
    if isinstance(model, PeftModel):
        save_adapter(model, part)
        if language_tokens(tokenizer):
            tokenizer.save_pretrained(str(part))
    else:
        assert isinstance(model, WhisperForConditionalGeneration)
        save_model(model, tokenizer, part)
    shutil.rmtree(out / name, ignore_errors=True)
    part.replace(out / name)


def save_model(model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, folder: Path) -> None:
    """A whole model in Hugging Face layout, with the ``preprocessor_config.json`` that runtimes read."""
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    WhisperFeatureExtractor(feature_size=model.config.num_mel_bins).save_pretrained(str(folder))


class MetricsLog:
    """``metrics.jsonl``: one line a step and one an evaluation; lines after the resumed step are dropped."""

    def __init__(self, out: Path, step: int, on_event: Callable[[Mapping[str, Any]], None] | None) -> None:
        self._path = out / "metrics.jsonl"
        self._on_event = on_event
        if self._path.exists():
            # a line that was being written when the process was killed has no end
            lines = [line for line in self._path.read_text(encoding="utf-8").splitlines(True) if line.endswith("\n")]
            kept = [line for line in lines if step and json.loads(line)["step"] <= step]
            _write(self._path, "".join(kept))

    def step(self, step: int, n_steps: int, **values: float) -> None:
        """One optimiser step: loss, grad_norm, learning_rate, audio_s, work_s."""
        self._append({"kind": "step", "step": step, "n_steps": n_steps} | values)

    def evaluation(self, step: int, **values: Any) -> None:
        """One evaluation: wer, best_wer and best_step on dev, n_utterances, profile, guards, harmed, work_s."""
        self._append({"kind": "evaluation", "step": step} | values)

    def notice(self, text: str) -> None:
        """Something that a person should read, now; it is not kept."""
        if self._on_event:
            self._on_event({"kind": "notice", "text": text})

    def _append(self, row: dict[str, Any]) -> None:
        row = {key: round(value, 8) if isinstance(value, float) else value for key, value in row.items()}
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        if self._on_event:
            self._on_event(row)


class NoLog(MetricsLog):
    """For the processes that are not the first: what they would say, it says."""

    def __init__(self) -> None:
        self._on_event = None

    def _append(self, row: dict[str, Any]) -> None:
        pass


def _save_state(state: dict[str, Any], path: Path) -> None:
    """Write with ``torch.save``, which hides what a full disk says."""
    try:
        with path.open("wb") as stream:
            torch.save(state, stream)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def _is_run(out: Path) -> bool:
    """Whether all three are there that a run begins with."""
    return all((out / name).is_file() for name in (_RECIPE, _ENVIRONMENT, _CORPUS))


def _remove(folder: Path) -> None:
    """Delete a checkpoint, which is never taken for a whole one while it goes."""
    (folder / _MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _whole(out: Path) -> list[Path]:
    return sorted(marker.parent for marker in (out / "checkpoints").glob(f"step-*/{_MARKER}"))


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    part = path.with_name(path.name + _PART)
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _write_json(path: Path, value: Any) -> None:
    _write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _corpus_info(corpus: Corpus) -> dict[str, Any]:
    """What the corpus says of itself, and its manifest's hash."""
    digest = hashlib.sha256((corpus.folder / MANIFEST).read_bytes()).hexdigest()
    return {**corpus.info, "manifest_sha256": digest}


def _environment() -> dict[str, Any]:
    from importlib.metadata import version

    packages = ("parlure", "torch", "transformers", "peft", "accelerate", "numpy", "soundfile", "soxr")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "cpus": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "packages": {name: version(name) for name in packages},
    }
