"""whisper.cpp's format: one file with the shape, the mel filters, the vocabulary and the weights (ggml, not GGUF).

What its own converter leaves to chance is settled here: the decoder's length is the model's ``max_target_positions``,
not what a configuration calls ``max_length``; the vocabulary is written in the order of its ids; the mel filters are
computed. Numbers are quantised from float32, once. Layout: ``whisper_model_load`` in whisper.cpp's src/whisper.cpp.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from transformers import PretrainedConfig

from parlure.errors import ParlureError
from parlure.shipping.export.ggml_blocks import BLOCKS, N_BLOCK
from parlure.shipping.export.openai_names import openai_tensors, refuse_other_shapes
from parlure.shipping.export.vocabulary import token_bytes
from parlure.speech.features import mel_filters
from parlure.transcribing.engines.with_whispercpp import GGML_MODEL
from parlure.whisper.load import load

GGML_NUMBERS = ("float16", *BLOCKS)

_MAGIC = 0x67676D6C  # "ggml"
_SIZES = (51_864, 51_865, 51_866)  # English; many languages; and Cantonese, since large-v3: ids follow from the size
_FLOAT32, _FLOAT16 = 0, 1  # ggml_type
_TYPES = {"q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8}  # ggml_type
_KINDS = {"float16": 1, "q4_0": 2, "q4_1": 3, "q8_0": 7, "q5_0": 8, "q5_1": 9}  # ggml_ftype
_QUANTIZATION_VERSION = 2_000  # GGML_QNT_VERSION times GGML_QNT_VERSION_FACTOR


def to_ggml(model: str, out: Path, quantize: str) -> None:
    """Write a MODEL, its adapter merged, as ``ggml-model.bin``, with its tokenizer beside it for parlure's own engine.

    Args:
        model: a MODEL.
        out: the folder, which is not there yet.
        quantize: how matrices are stored, one of :data:`GGML_NUMBERS`; convolutions stay in float16, biases, norms and
            positions in float32.

    Raises:
        ParlureError: the model cannot be loaded, whisper.cpp does not know its vocabulary's size or its shape, or its
            rows are no whole blocks.
    """
    loaded = load(model, "cpu")
    config, whisper = loaded.model.config, loaded.model
    refuse_other_shapes(whisper, model, "whisper.cpp")
    if config.vocab_size not in _SIZES:
        raise ParlureError(
            f"{model} has {config.vocab_size:,} tokens, and whisper.cpp derives the special ones from 51,864 to 51,866",
            "export it with --to hf or ctranslate2",
        )
    if quantize in BLOCKS and config.d_model % N_BLOCK:
        raise ParlureError(
            f"{model} is {config.d_model} wide, which is no multiple of {quantize}'s blocks of {N_BLOCK}",
            "take --quantize float16",
        )
    out.mkdir(parents=True)
    with (out / GGML_MODEL).open("wb") as stream:
        _write_header(stream, config, quantize)
        _write_filters(stream, config.num_mel_bins)
        _write_vocabulary(stream, token_bytes(loaded.tokenizer))
        for name, tensor in openai_tensors(whisper):
            _write_tensor(stream, name, tensor, quantize)
    loaded.tokenizer.save_pretrained(str(out))


def _write_header(stream: BinaryIO, config: PretrainedConfig, quantize: str) -> None:
    kind = _KINDS[quantize] + (_QUANTIZATION_VERSION if quantize in BLOCKS else 0)
    numbers = (
        _MAGIC, config.vocab_size,
        config.max_source_positions, config.d_model, config.encoder_attention_heads, config.encoder_layers,
        config.max_target_positions, config.d_model, config.decoder_attention_heads, config.decoder_layers,
        config.num_mel_bins, kind,
    )  # fmt: skip
    stream.write(struct.pack(f"<{len(numbers)}i", *numbers))


def _write_filters(stream: BinaryIO, n_mels: int) -> None:
    filters = mel_filters(n_mels).T.contiguous().numpy()
    stream.write(struct.pack("<2i", *filters.shape) + filters.astype("<f4").tobytes())


def _write_vocabulary(stream: BinaryIO, entries: list[bytes]) -> None:
    """Special tokens are left out: whisper.cpp makes them up behind the last entry."""
    stream.write(struct.pack("<i", len(entries)))
    for entry in entries:
        stream.write(struct.pack("<i", len(entry)) + entry)


def _write_tensor(stream: BinaryIO, name: str, tensor: torch.Tensor, quantize: str) -> None:
    numbers = tensor.float().contiguous().numpy()
    if name.endswith(("conv1.bias", "conv2.bias")):
        numbers = numbers[:, None]  # one for every channel and all times
    is_matrix = numbers.ndim == 2 and not name.endswith((".bias", "positional_embedding"))
    if is_matrix and quantize in BLOCKS:
        kind, stored = _TYPES[quantize], BLOCKS[quantize](numbers)
    elif is_matrix or numbers.ndim == 3:
        kind, stored = _FLOAT16, _half(name, numbers)
    else:
        kind, stored = _FLOAT32, numbers.astype("<f4").tobytes()
    called = name.encode()
    stream.write(struct.pack("<3i", numbers.ndim, len(called), kind))
    stream.write(struct.pack(f"<{numbers.ndim}i", *reversed(numbers.shape)) + called + stored)


def _half(name: str, numbers: npt.NDArray[np.float32]) -> bytes:
    if np.abs(numbers).max() > np.finfo(np.float16).max:
        raise ParlureError(f"{name} has numbers that float16 does not hold", "take --quantize q8_0")
    return numbers.astype("<f2").tobytes()
