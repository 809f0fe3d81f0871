"""MODEL, as a person names it → a Whisper ready to run: ``nano``, a run folder, a Hugging Face folder or a hub id."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import SafetensorError
from transformers import PretrainedConfig, WhisperForConditionalGeneration, WhisperTokenizer

from parlure.errors import ParlureError
from parlure.whisper.encoder import allow_short_input
from parlure.whisper.languages import fit_vocabulary

NANO = Path(__file__).parent / "nano" / "model"
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"  # of an ONNX folder, see :mod:`.to_onnx`
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_FORMS = "a model is the word nano, a run folder, a Hugging Face folder, or a hub id such as openai/whisper-medium"
# in the order in which transformers and PEFT look for them; an index names the parts of what is in several files
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")


@dataclass(frozen=True)
class LoadedModel:
    """A Whisper and what belongs to it.

    Attributes:
        model: in evaluation mode, adapters merged, its encoder open for short input.
        tokenizer: the model's own.
        name: what the person called it.
        weights: the files it was read from, the base's before the adapter's.
    """

    model: WhisperForConditionalGeneration
    tokenizer: WhisperTokenizer
    name: str
    weights: tuple[Path, ...]

    @cached_property
    def sha256(self) -> str:
        """Hash of the weights on disk, one file's bytes after the other's: seconds for a large model."""
        return hash_files(self.weights)


def locate(name: str) -> tuple[str, Path | None]:
    """Where the base and the adapter of a MODEL are.

    Returns:
        A Hugging Face folder or hub id, and the folder of a PEFT adapter or None.

    Raises:
        ParlureError: there is no such model, or it is a CTranslate2 folder.
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
    if is_ctranslate2(name):
        raise ParlureError(
            f"{name} is a CTranslate2 folder, which torch cannot run",
            "transcribe and evaluate take it with --engine ctranslate2; elsewhere, name the model it was made from",
        )
    if is_onnx(name):
        raise ParlureError(
            f"{name} is an ONNX folder, which torch cannot run",
            "transcribe and evaluate take it with --engine onnx; elsewhere, name the model it was made from",
        )
    if (folder / "config.json").is_file():
        return str(folder), None
    if folder.exists():
        raise ParlureError(f"{name} holds neither a model nor an adapter", _FORMS)
    if not _HUB_ID.fullmatch(name):
        raise ParlureError(f"there is no model called {name}", _FORMS)
    return name, None


def is_ctranslate2(name: str) -> bool:
    """Whether a MODEL is a folder that CTranslate2's converter made, as faster-whisper uses them."""
    folder = Path(name)
    has_words = any((folder / words).is_file() for words in ("vocabulary.json", "vocabulary.txt"))
    return has_words and all((folder / part).is_file() for part in ("model.bin", "config.json"))


def is_onnx(name: str) -> bool:
    """Whether a MODEL is a folder that ``parlure export --to onnx`` made."""
    return all((Path(name) / part).is_file() for part in (ENCODER, DECODER))


def _base_of(settings: Path) -> str:
    """The MODEL that an adapter belongs to."""
    try:
        return str(json.loads(settings.read_text(encoding="utf-8"))["base_model_name_or_path"])
    except (ValueError, KeyError, TypeError) as error:
        raise ParlureError(f"{settings} does not name the adapter's base", "copy the adapter again, whole") from error


def base_of(run: str) -> str:
    """The MODEL that a run was tuned from.

    Raises:
        ParlureError: it is no run folder.
    """
    recipe = Path(run) / "recipe.toml"
    if not recipe.is_file():
        raise ParlureError(
            f"{run} is not a run folder and does not say what its base is",
            "name the base: --against openai/whisper-medium",
        )
    return str(tomllib.loads(recipe.read_text(encoding="utf-8"))["model"]["base"])


def tuned_for_short(name: str) -> bool:
    """Whether a MODEL was tuned on windows of the utterances' own lengths: a run that says so.

    No other is fed anything but 30 s: an untuned Whisper goes round in circles there (see :mod:`.encoder`).
    """
    recipe = Path(name) / "recipe.toml"
    if not recipe.is_file():
        return False
    training = tomllib.loads(recipe.read_text(encoding="utf-8")).get("training", {})
    return float(training.get("full_window_share", 1.0)) < 1.0


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
    model, tokenizer = load_base(source, dtype), load_tokenizer(source, adapter)
    fit_vocabulary(model, tokenizer)
    if adapter is not None:
        from parlure.whisper.adapters import merge_saved

        model = merge_saved(model, adapter)
    model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return LoadedModel(model, tokenizer, name, weight_files(source, adapter))


def load_base(source: str, dtype: torch.dtype = torch.float32) -> WhisperForConditionalGeneration:
    """The model of a Hugging Face folder or hub id, without adapters, its encoder open for short input.

    Raises:
        ParlureError: it is no Whisper, or cannot be read.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()  # stderr is for our own progress
    _check_config(source)
    try:
        model = WhisperForConditionalGeneration.from_pretrained(source, dtype=dtype)
    except (OSError, SafetensorError) as error:
        raise ParlureError(
            f"the weights of {source} cannot be loaded: {first_sentence(error)}", "fetch the model again"
        ) from error
    allow_short_input(model)
    return cast(WhisperForConditionalGeneration, model)


def load_tokenizer(source: str, adapter: Path | None = None) -> WhisperTokenizer:
    """The tokenizer of a Hugging Face folder or hub id, or an adapter's own, which a taught language has.

    Raises:
        ParlureError: it is no Whisper, or cannot be read.
    """
    _check_config(source)
    own = adapter is not None and (adapter / "tokenizer_config.json").is_file()
    return read_tokenizer(str(adapter) if own else source)


def read_tokenizer(source: str) -> WhisperTokenizer:
    """The tokenizer of a folder of whatever runtime, or of a hub id.

    Raises:
        ParlureError: it cannot be read.
    """
    try:
        tokenizer = cast(WhisperTokenizer, WhisperTokenizer.from_pretrained(source))
        if not tokenizer.vocab_size:  # where its files are missing, transformers makes one of nothing
            raise ValueError("its files are missing")
    except (OSError, ValueError, KeyError) as error:
        raise ParlureError(
            f"the tokenizer of {source} cannot be loaded: {first_sentence(error)}", "fetch the model again"
        ) from error
    return tokenizer


def _check_config(source: str) -> None:
    """Raise unless the source is there and is a Whisper."""
    if (kind := model_type(source)) != "whisper":
        raise ParlureError(f"{source} is a {kind} model, not a Whisper", _FORMS)


def model_type(source: str) -> str:
    """What the model of a Hugging Face folder or hub id calls itself: whisper, wav2vec2, parakeet_ctc, …

    Raises:
        ParlureError: there is no such model, or its settings cannot be read.
    """
    from transformers import AutoConfig

    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ParlureError(
            f"the model {source} cannot be loaded: {first_sentence(error)}",
            "check the name, and the network if it is a hub id; a model already fetched needs none",
        ) from error
    return str(config.model_type)


def weight_files(source: str, adapter: Path | None) -> tuple[Path, ...]:
    """The files that hold the weights of a base, a folder or a hub id in the cache, and of its adapter."""
    folder = Path(source)
    if not folder.is_dir():
        cached = try_to_load_from_cache(source, "config.json")
        folder = Path(cached).parent if isinstance(cached, str) else folder
    return (*_weights_in(folder, _WEIGHTS), *(_weights_in(adapter, _ADAPTER_WEIGHTS) if adapter else ()))


def _weights_in(folder: Path, names: tuple[str, ...]) -> list[Path]:
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None or found.suffix != ".json":
        return [found] if found else []
    return [folder / name for name in sorted(set(json.loads(found.read_text(encoding="utf-8"))["weight_map"].values()))]


def hash_files(files: Iterable[Path]) -> str:
    """SHA-256 of what stands in files, one file's bytes after the other's."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def first_sentence(error: Exception) -> str:
    """What an error of a library says first, without its full stop."""
    return str(error).strip().split("\n")[0].rstrip(".")
