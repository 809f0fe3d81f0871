"""openai-whisper's ``.pt``: OpenAI's names for the weights, and its ``dims``.

Its runtime brings its own vocabulary and derives the special tokens from the number of rows; what was trained on
another vocabulary would be read as other words, so it is refused.
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import WhisperTokenizer

from parlure.errors import ParlureError
from parlure.shipping.export.openai_names import openai_tensors, refuse_other_shapes
from parlure.shipping.export.vocabulary import ENGLISH, MULTILINGUAL, fingerprint, token_bytes
from parlure.transcribing.engines.with_openai import OPENAI_MODEL
from parlure.whisper.load import load, load_tokenizer, locate

OPENAI_NUMBERS = ("float32", "float16")
_VOCABULARIES = {51_864: ENGLISH, 51_865: MULTILINGUAL, 51_866: MULTILINGUAL}


def to_openai(model: str, out: Path, quantize: str) -> None:
    """Write a MODEL, its adapter merged, as ``model.pt``, with its tokenizer beside it for parlure's own engine.

    Args:
        model: a MODEL.
        out: the folder, which is not there yet.
        quantize: dtype of the weights, one of :data:`OPENAI_NUMBERS`.

    Raises:
        ParlureError: the model cannot be loaded, has another vocabulary than OpenAI's, or another shape.
    """
    _refuse_other_words(load_tokenizer(*locate(model)), model)
    loaded = load(model, "cpu")
    config = loaded.model.config
    refuse_other_shapes(loaded.model, model, "openai-whisper")
    if config.vocab_size not in _VOCABULARIES:
        raise ParlureError(
            f"{model} has {config.vocab_size:,} tokens, and openai-whisper knows 51,864 to 51,866",
            "export it with --to hf or ctranslate2",
        )
    dims = {
        "n_mels": config.num_mel_bins, "n_vocab": config.vocab_size,
        "n_audio_ctx": config.max_source_positions, "n_audio_state": config.d_model,
        "n_audio_head": config.encoder_attention_heads, "n_audio_layer": config.encoder_layers,
        "n_text_ctx": config.max_target_positions, "n_text_state": config.d_model,
        "n_text_head": config.decoder_attention_heads, "n_text_layer": config.decoder_layers,
    }  # fmt: skip
    dtype = getattr(torch, quantize)
    weights = {name: tensor.to(dtype).clone() for name, tensor in openai_tensors(loaded.model)}
    out.mkdir(parents=True)
    torch.save({"dims": dims, "model_state_dict": weights}, out / OPENAI_MODEL)
    loaded.tokenizer.save_pretrained(str(out))


def _refuse_other_words(tokenizer: WhisperTokenizer, model: str) -> None:
    entries = token_bytes(tokenizer)
    if fingerprint(entries) not in (ENGLISH, MULTILINGUAL):
        raise ParlureError(
            f"{model} has a vocabulary of its own, and openai-whisper brings OpenAI's",
            "export it with --to hf, ctranslate2 or ggml, which store the vocabulary",
        )
