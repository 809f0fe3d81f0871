"""MODEL, as a person names it → a Whisper ready to run: ``nano``, a run folder, a Hugging Face folder or a hub id."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.errors import ParlureError
from parlure.whisper.encoder import allow_short_input

NANO = Path(__file__).parent / "nano" / "model"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_FORMS = "a model is the word nano, a run folder, a Hugging Face folder, or a hub id such as openai/whisper-medium"


@dataclass(frozen=True)
class LoadedModel:
    """A Whisper and what belongs to it.

    Attributes:
        model: in evaluation mode, adapters merged, its encoder open for short input.
        tokenizer: the model's own.
        name: what the person called it.
        sha256: hash of the weights on disk, base and adapter; empty for a model from the hub's cache.
    """

    model: WhisperForConditionalGeneration
    tokenizer: WhisperTokenizer
    name: str
    sha256: str


def locate(name: str) -> tuple[str, Path | None]:
    """Where the base and the adapter of a MODEL are.

    Returns:
        A Hugging Face folder or hub id, and the folder of a PEFT adapter or None.

    Raises:
        ParlureError: there is no such model.
    """
    if name == "nano":
        return str(NANO), None
    folder = Path(name)
    if (folder / "adapter" / "adapter_config.json").is_file():
        folder = folder / "adapter"
    if (folder / "adapter_config.json").is_file():
        base, _ = locate(_base_of(folder / "adapter_config.json"))
        return base, folder
    if (folder / "model" / "config.json").is_file():
        return str(folder / "model"), None
    if (folder / "config.json").is_file():
        return str(folder), None
    if folder.exists():
        raise ParlureError(f"{name} holds neither a model nor an adapter", _FORMS)
    if not _HUB_ID.fullmatch(name):
        raise ParlureError(f"there is no model called {name}", _FORMS)
    return name, None


def _base_of(settings: Path) -> str:
    """The MODEL that an adapter belongs to."""
    try:
        return str(json.loads(settings.read_text(encoding="utf-8"))["base_model_name_or_path"])
    except (ValueError, KeyError, TypeError) as error:
        raise ParlureError(f"{settings} does not name the adapter's base", "copy the adapter again, whole") from error


def load(name: str, device: torch.device | str | None = None, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Load a model for decoding: adapters merged, evaluation mode.

    Args:
        name: a MODEL, see :func:`locate`.
        device: where to put it; None is the GPU where there is one.
        dtype: of the weights.

    Raises:
        ParlureError: it does not exist, is no Whisper, or cannot be read.
    """
    source, adapter = locate(name)
    model = load_base(source, dtype)
    if adapter is not None:
        from parlure.whisper.adapters import merge_saved

        model = merge_saved(model, adapter)
    model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return LoadedModel(model, load_tokenizer(source), name, weights_hash(source, adapter))


def load_base(source: str, dtype: torch.dtype = torch.float32) -> WhisperForConditionalGeneration:
    """The model of a Hugging Face folder or hub id, without adapters, its encoder open for short input.

    Raises:
        ParlureError: it is no Whisper, or cannot be read.
    """
    from transformers import AutoConfig
    from transformers.utils import logging

    logging.disable_progress_bar()  # stderr is for our own progress
    try:
        config = AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ParlureError(
            f"the model {source} cannot be loaded: {_first_sentence(error)}",
            "check the name, and the network if it is a hub id; a model already fetched needs none",
        ) from error
    if config.model_type != "whisper":
        raise ParlureError(f"{source} is a {config.model_type} model, not a Whisper", _FORMS)
    try:
        model = WhisperForConditionalGeneration.from_pretrained(source, dtype=dtype)
    except OSError as error:
        raise ParlureError(
            f"the weights of {source} cannot be loaded: {_first_sentence(error)}", "fetch the model again"
        ) from error
    allow_short_input(model)
    return cast(WhisperForConditionalGeneration, model)


def load_tokenizer(source: str) -> WhisperTokenizer:
    """The tokenizer of a Hugging Face folder or hub id."""
    return cast(WhisperTokenizer, WhisperTokenizer.from_pretrained(source))


def weights_hash(source: str, adapter: Path | None) -> str:
    """sha256 over the weight files of a folder and its adapter, in the order of their names."""
    digest = hashlib.sha256()
    folders = [Path(source), *([adapter] if adapter else [])]
    files = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.safetensors"))]
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest() if files else ""


def _first_sentence(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
