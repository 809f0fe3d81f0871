"""Frozen weights in 8 or 4 bits, by bitsandbytes: QLoRA (Dettmers et al. 2023) and LLM.int8() (Dettmers et al. 2022).

4 bits are NormalFloat in blocks of numbers, their scales quantised once more (double quantisation). What else QLoRA
does to prepare a model is so here anyway: norms stay in fp32, the base is frozen, adapters are in fp32, and layers that
are checkpointed get their gradient through the adapters.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Literal

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration

from parlure.errors import ParlureError, missing_extra

Bits = Literal[0, 4, 8]

# Numbers with a scale of their own: 64 as in QLoRA, where rows are made of whole blocks, as all of OpenAI's are. On a
# CPU bitsandbytes 0.50 unpacks others to wrong numbers without a word (160 inputs: a quarter off, a tenth is usual)
_BLOCKS = (64, 32)
_SCALES_TOGETHER = 256  # those with a scale of theirs


def quantize_linears(model: WhisperForConditionalGeneration, bits: Bits, dtype: torch.dtype) -> None:
    """Hold the linear layers of encoder and decoder in so many bits; not the output layer, which is the embeddings.

    Args:
        model: changed in place, on its device.
        bits: 4 or 8.
        dtype: in which 4 bits are multiplied.

    Raises:
        ParlureError: bitsandbytes is not installed, or a layer cannot be divided into blocks.
    """
    bnb = _import_bitsandbytes()
    for place, name, linear in list(_linears(model)):
        layer = _in_4_bits(bnb, linear, dtype) if bits == 4 else _in_8_bits(bnb, linear)
        layer.bias = linear.bias
        setattr(place, name, layer.to(linear.weight.device))  # is quantised on the way
    model.is_loaded_in_4bit, model.is_loaded_in_8bit = bits == 4, bits == 8  # by which PEFT knows its layers


def quantized_bytes(n_out: int, n_in: int, bits: Bits) -> float:
    """Bytes that a weight of this shape takes, with its scales."""
    if bits == 8:
        return n_out * n_in + 4 * n_out
    n_blocks = n_out * n_in / _block(n_in)
    return n_out * n_in / 2 + n_blocks + 4 * n_blocks / _SCALES_TOGETHER


def _block(n_in: int) -> int:
    """The larger of the blocks that divide a layer's inputs."""
    found = next((block for block in _BLOCKS if n_in % block == 0), None)
    if found is None:
        raise ParlureError(
            f"a layer of {n_in} inputs cannot be held in 4 bits, in blocks of {_BLOCKS[-1]}",
            "set adapter.bits to 8 or 0",
        )
    return found


def _import_bitsandbytes() -> ModuleType:
    try:
        import bitsandbytes
    except ImportError as error:
        raise missing_extra("bitsandbytes", "quantize", "adapter.bits") from error
    return bitsandbytes  # type: ignore[no-any-return]


def _linears(model: WhisperForConditionalGeneration) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    """The module that a layer is in, its name there, and the layer."""
    for module in model.model.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                yield module, name, child


def _in_4_bits(bnb: ModuleType, linear: nn.Linear, dtype: torch.dtype) -> nn.Linear:
    with torch.device("meta"):
        layer = bnb.nn.Linear4bit(linear.in_features, linear.out_features, compute_dtype=dtype, quant_type="nf4")
    # bitsandbytes 0.50 would pack weights anew at the first evaluation on a CPU with AVX-512's bf16, and round them
    # otherwise: a run would depend on when it was evaluated and resumed
    layer.support_avx512bf16_for_cpu = False
    layer.weight = bnb.nn.Params4bit(
        linear.weight.data,
        blocksize=_block(linear.in_features),
        compress_statistics=True,
        quant_type="nf4",
        module=layer,
    )
    return layer  # type: ignore[no-any-return]


def _in_8_bits(bnb: ModuleType, linear: nn.Linear) -> nn.Linear:
    with torch.device("meta"):
        layer = bnb.nn.Linear8bitLt(linear.in_features, linear.out_features, has_fp16_weights=False)
    layer.weight = bnb.nn.Int8Params(linear.weight.data, requires_grad=False, has_fp16_weights=False)
    return layer  # type: ignore[no-any-return]
