"""MODEL → a CTranslate2 folder, kept in the user's cache: made once for each model and each kind of numbers."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

from transformers import WhisperFeatureExtractor

from parlure.errors import missing_extra
from parlure.whisper.languages import refuse_inserted
from parlure.whisper.load import LoadedModel, hash_files, load, locate, weight_files
from parlure.whisper.quiet import quiet

Quantization = Literal["float32", "float16", "bfloat16", "int8", "int8_float32", "int8_float16", "int8_bfloat16"]
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
_SETTINGS = ("config.json", "generation_config.json", "tokenizer.json")  # what else decides a conversion


@dataclass(frozen=True)
class Converted:
    """A MODEL as CTranslate2 takes it.

    Attributes:
        folder: CTranslate2's files, and those that faster-whisper needs beside them.
        sha256: of the weights it was made from, as :attr:`LoadedModel.sha256`.
    """

    folder: Path
    sha256: str


def import_ctranslate2() -> ModuleType:
    """The library, without what importing it makes transformers say.

    Raises:
        ParlureError: it is not installed.
    """
    with quiet():
        try:
            import ctranslate2
            import ctranslate2.converters
        except ImportError as error:
            raise missing_extra("ctranslate2", "export", "the engine ctranslate2") from error
    return ctranslate2  # type: ignore[no-any-return]


def cache_folder() -> Path:
    """Where conversions are kept: ``$XDG_CACHE_HOME/parlure/ctranslate2``, else below ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parlure" / "ctranslate2"


def converted(name: str, quantization: Quantization) -> Converted:
    """The conversion of a MODEL out of the cache, made first where it is not there yet.

    Args:
        name: a MODEL, see :func:`parlure.whisper.load.locate`; an adapter is merged.
        quantization: how numbers are stored.

    Raises:
        ParlureError: the model cannot be loaded, or CTranslate2 is not installed.
    """
    source, adapter = locate(name)
    weights = weight_files(source, adapter)
    loaded = None
    if not weights:  # a hub id that is not in the cache
        loaded = load(name, "cpu")
        weights = loaded.weights
    sha256 = hash_files(weights)
    settings = hash_files(path for name in _SETTINGS if (path := weights[0].parent / name).is_file())
    folder = cache_folder() / f"{sha256}-{settings[:8]}-{quantization}"
    if not folder.is_dir():
        convert(loaded or load(name, "cpu"), quantization, folder)
    return Converted(folder, sha256)


def convert(loaded: LoadedModel, quantization: Quantization, out: Path) -> None:
    """Write a model as a CTranslate2 folder that faster-whisper takes too.

    The folder is whole as soon as it is there, whoever else makes the same one meanwhile.

    Args:
        loaded: on the CPU; not to be used afterwards, for CTranslate2 rounds its weights where they are.
        quantization: how numbers are stored.
        out: a folder that is not there yet.

    Raises:
        ParlureError: CTranslate2 is not installed, or cannot tell the model's languages.
    """
    refuse_inserted(loaded.tokenizer, loaded.name, "CTranslate2")
    converter = _converter(loaded)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".converting-") as place:
        whole = Path(place) / "model"
        with quiet():
            converter.convert(str(whole), quantization=quantization)
        loaded.tokenizer.save_pretrained(str(whole))
        loaded.model.generation_config.save_pretrained(str(whole))
        mels = loaded.model.config.num_mel_bins
        WhisperFeatureExtractor(feature_size=mels).save_pretrained(str(whole))
        try:
            whole.rename(out)
        except OSError:
            if not out.is_dir():
                raise


def _converter(loaded: LoadedModel) -> Any:
    """CTranslate2's own converter, at a model that is in memory: a merged adapter is nowhere on disk."""
    base: Any = import_ctranslate2().converters.TransformersConverter

    class FromMemory(base):  # type: ignore[misc]
        def load_model(self, *_: Any, **__: Any) -> Any:
            return loaded.model

        def load_tokenizer(self, *_: Any, **__: Any) -> Any:
            return loaded.tokenizer

    source, _ = locate(loaded.name)
    return FromMemory(source)
