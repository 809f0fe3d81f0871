"""A Hugging Face folder, its adapter merged: for transformers of today and before, and for what reads such folders.

transformers 5 writes a tokenizer as one file. What it wrote until 4 stands beside it, for vLLM's, whisper.cpp's and
Optimum's older tools: vocabulary, merges, special tokens, the settings of the log-mels, OpenAI's English spellings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import WhisperFeatureExtractor, WhisperProcessor, WhisperTokenizer
from whisper_normalization.english import EnglishSpellingNormalizer

from parlure.whisper.load import load

HF_NUMBERS = ("float32", "float16", "bfloat16")
_ONE_FILE = "50GB"
_SETTINGS, _EXTRA = "tokenizer_config.json", "extra_special_tokens"
_SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")


def to_hf(model: str, out: Path, quantize: str) -> None:
    """Write a MODEL as ``from_pretrained`` takes it.

    Args:
        model: a MODEL; an adapter is merged in float32.
        out: the folder, which is not there yet.
        quantize: the weights' dtype, one of :data:`HF_NUMBERS`.

    Raises:
        ParlureError: the model cannot be loaded.
    """
    loaded = load(model, "cpu")
    whisper = loaded.model.to(getattr(torch, quantize))
    features = WhisperFeatureExtractor(feature_size=whisper.config.num_mel_bins)
    whisper.save_pretrained(str(out), max_shard_size=_ONE_FILE)
    WhisperProcessor(features, loaded.tokenizer).save_pretrained(str(out))
    features.save_pretrained(str(out))
    _write_for_older(out, loaded.tokenizer)


def _write_for_older(out: Path, tokenizer: WhisperTokenizer) -> None:
    """What transformers 4 wrote of a tokenizer."""
    whole = json.loads(tokenizer.backend_tokenizer.to_str())
    rows = whole["model"]["merges"]
    merges = [row if isinstance(row, str) else " ".join(row) for row in rows]
    _write(out / "vocab.json", whole["model"]["vocab"])
    (out / "merges.txt").write_text("#version: 0.2\n" + "".join(row + "\n" for row in merges), encoding="utf-8")
    added = {one["content"]: one["id"] for one in whole["added_tokens"]}
    _write(out / "added_tokens.json", added)
    special: dict[str, Any] = {name: str(getattr(tokenizer, name)) for name in _SPECIAL if getattr(tokenizer, name)}
    others = [one["content"] for one in whole["added_tokens"] if one["special"]]
    _write(out / "special_tokens_map.json", special | {"additional_special_tokens": others})
    _write(out / "normalizer.json", EnglishSpellingNormalizer().mapping)
    settings = json.loads((out / _SETTINGS).read_text(encoding="utf-8"))
    # transformers 4 takes a list under this name for an error; 5 reads the older name too
    settings["additional_special_tokens"] = settings.pop(_EXTRA, [])
    _write(out / _SETTINGS, settings)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
