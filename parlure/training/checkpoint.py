"""The run folder: settings, metrics, checkpoints that say when they are whole, and the best adapter or model."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

from parlure.corpus.manifest import MANIFEST, Corpus
from parlure.errors import ParlureError
from parlure.exclusive import is_empty
from parlure.recipe import Recipe, dump_recipe
from parlure.whisper.adapters import save_adapter

_N_KEPT = 2  # checkpoints: the last, and one before it should the disk fill up
_MARKER = "progress.json"  # written last


def check_run(out: Path, recipe: Recipe, corpus: Corpus, *, resume: bool) -> None:
    """See to it that the run folder is free, or that it was started with this recipe and corpus. Writes nothing.

    Raises:
        ParlureError: the folder is in use by another run, or what it was started with has changed.
    """
    if not resume and not is_empty(out):
        raise ParlureError(
            f"the run folder {out} is not empty", "give another --out, or --resume to go on with that run"
        )
    if not resume or not (out / "recipe.toml").exists():
        return
    if (out / "recipe.toml").read_text(encoding="utf-8") != dump_recipe(recipe):
        raise ParlureError(
            f"the recipe differs from the one that {out} was started with",
            f"use {out / 'recipe.toml'}, or another --out",
        )
    if json.loads((out / "corpus.json").read_text(encoding="utf-8")) != _corpus_info(corpus):
        raise ParlureError(
            f"the corpus {corpus.folder} has changed since {out} was started with it", "train anew: another --out"
        )


def open_run(out: Path, recipe: Recipe, corpus: Corpus) -> None:
    """Make the run folder and write what the run is made of, if that is not there yet."""
    if (out / "recipe.toml").exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    _write_json(out / "environment.json", _environment())
    _write_json(out / "corpus.json", _corpus_info(corpus))
    _write(out / "recipe.toml", dump_recipe(recipe))  # last: where it is, the three are whole


def save(out: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Mapping[str, Any]) -> None:
    """Write ``checkpoints/step-NNNNNN`` with all an exact resume needs; delete all but the last two.

    No state of a random generator is among it: order and dropout follow from the recipe's seed and the step.
    """
    folder = out / "checkpoints" / f"step-{step:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    trainable = {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}
    save_file(trainable, folder / "trainable.safetensors")
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    _write_json(folder / _MARKER, dict(progress))
    for old in _whole(out)[:-_N_KEPT]:
        shutil.rmtree(old)


def last(out: Path) -> Path | None:
    """The newest whole checkpoint."""
    whole = _whole(out)
    return whole[-1] if whole else None


def restore(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Load a checkpoint into model and optimiser; returns the saved progress."""
    parameters = dict(model.named_parameters())
    for name, value in load_file(folder / "trainable.safetensors").items():
        parameters[name].data.copy_(value)
    optimizer.load_state_dict(torch.load(folder / "optimizer.pt", weights_only=True))
    progress: dict[str, Any] = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    return progress


def keep_best(out: Path, model: nn.Module, tokenizer: WhisperTokenizer) -> None:
    """Write ``adapter/`` or ``model/``, replacing the former best only when the new one is whole."""
    name = "adapter" if isinstance(model, PeftModel) else "model"
    part = out / f"{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    if isinstance(model, PeftModel):
        save_adapter(model, part)
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

    def evaluation(self, step: int, **values: float | str) -> None:
        """One evaluation on dev: wer, best_wer, n_utterances, profile, work_s."""
        self._append({"kind": "evaluation", "step": step} | values)

    def _append(self, row: dict[str, Any]) -> None:
        row = {key: round(value, 8) if isinstance(value, float) else value for key, value in row.items()}
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        if self._on_event:
            self._on_event(row)


class NoLog(MetricsLog):
    """For the processes that are not the first: what they would say, it says."""

    def __init__(self) -> None:
        pass

    def _append(self, row: dict[str, Any]) -> None:
        pass


def _whole(out: Path) -> list[Path]:
    return sorted(marker.parent for marker in (out / "checkpoints").glob(f"step-*/{_MARKER}"))


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


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
