"""The run folder: settings, metrics, checkpoints that say when they are whole, and the best adapter or model."""

from __future__ import annotations

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

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.recipe import Recipe, dump_recipe
from parlure.whisper.adapters import save_adapter

_N_KEPT = 2  # checkpoints: the last, and one before it should the disk fill up
_MARKER = "progress.json"  # written last


def open_run(out: Path, recipe: Recipe, corpus: Corpus, *, resume: bool) -> None:
    """Make the run folder and write what the run is made of.

    Raises:
        ParlureError: the folder is in use by another run.
    """
    if not resume and out.exists() and any(out.iterdir()):
        raise ParlureError(
            f"the run folder {out} is not empty", "give another --out, or --resume to go on with that run"
        )
    if resume and (out / "recipe.toml").exists():
        before = (out / "recipe.toml").read_text(encoding="utf-8")
        if before != dump_recipe(recipe):
            raise ParlureError(
                f"the recipe differs from the one that {out} was started with",
                f"use {out / 'recipe.toml'}, or another --out",
            )
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.toml").write_text(dump_recipe(recipe), encoding="utf-8")
    _write_json(out / "environment.json", _environment())
    _write_json(out / "corpus.json", corpus.info)


def save(out: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Mapping[str, Any]) -> None:
    """Write ``checkpoints/step-NNNNNN`` with all an exact resume needs; delete all but the last two."""
    folder = out / "checkpoints" / f"step-{step:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    trainable = {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}
    save_file(trainable, folder / "trainable.safetensors")
    state = {"optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda_rng"] = torch.cuda.get_rng_state_all()
    torch.save(state, folder / "optimizer.pt")
    _write_json(folder / _MARKER, dict(progress))
    for old in _whole(out)[:-_N_KEPT]:
        shutil.rmtree(old)


def last(out: Path) -> Path | None:
    """The newest whole checkpoint."""
    whole = _whole(out)
    return whole[-1] if whole else None


def restore(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Load a checkpoint into model, optimiser and random generators; returns the saved progress."""
    parameters = dict(model.named_parameters())
    for name, value in load_file(folder / "trainable.safetensors").items():
        parameters[name].data.copy_(value)
    state = torch.load(folder / "optimizer.pt", weights_only=True)
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    if "cuda_rng" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda_rng"])
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
            rows = [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
            kept = [row for row in rows if step and row["step"] <= step]
            self._path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")

    def step(self, step: int, n_steps: int, **values: float) -> None:
        """One optimiser step: loss, grad_norm, learning_rate, audio_s, work_s."""
        self._write({"kind": "step", "step": step, "n_steps": n_steps} | values)

    def evaluation(self, step: int, **values: float | str) -> None:
        """One evaluation on dev: wer, best_wer, n_utterances, profile, work_s."""
        self._write({"kind": "evaluation", "step": step} | values)

    def _write(self, row: dict[str, Any]) -> None:
        row = {key: round(value, 8) if isinstance(value, float) else value for key, value in row.items()}
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        if self._on_event:
            self._on_event(row)


def _whole(out: Path) -> list[Path]:
    return sorted(marker.parent for marker in (out / "checkpoints").glob(f"step-*/{_MARKER}"))


def _write_json(path: Path, value: Any) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


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
