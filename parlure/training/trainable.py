"""What of a Whisper is trained: adapters attached or weights freed, the rest frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration

from parlure.errors import ParlureError
from parlure.sections import AdapterSection
from parlure.whisper.adapters import attach, layers_of
from parlure.whisper.methods import Adapters
from parlure.whisper.quantizing import quantize_linears

# of PEFT's layers over bitsandbytes', those that trained, saved and reloaded here; DoRA's over 8 bits break
_OVER_BITS: Final[Mapping[int, tuple[str, ...]]] = {
    4: ("lora", "rslora", "dora", "adalora"), 8: ("lora", "rslora", "adalora")
}  # fmt: skip


def made_trainable(
    whisper: WhisperForConditionalGeneration,
    adapter: AdapterSection,
    *,
    base_name: str = "",
    bf16: bool = False,
    n_steps: int = 1,
    tokens: Sequence[int] = (),
) -> tuple[WhisperForConditionalGeneration, nn.Module]:
    """Prepare a base model, which is changed in place, on whatever device it is; that is where it is quantised.

    Args:
        whisper: the base.
        adapter: of the recipe.
        base_name: the MODEL it was loaded from, which an adapter names.
        bf16: whether it is computed in bf16: frozen weights are then held in it, what is trained stays in fp32.
        n_steps: optimiser steps of the run.
        tokens: ids whose embeddings are trained whatever else is.

    Returns:
        The Whisper, adapters inside if there are any, and what is to be saved: the PEFT model, or the Whisper itself.

    Raises:
        ParlureError: the recipe names something that this model has not, or bits that its method is not trained over.
    """
    if adapter.bits and adapter.method not in _OVER_BITS[adapter.bits]:
        raise ParlureError(
            f"adapter.method {adapter.method} cannot be trained over weights in {adapter.bits} bits",
            f"these can: {', '.join(_OVER_BITS[adapter.bits])}; or set adapter.bits to 0",
        )
    if adapter.method == "full":
        _free(whisper, adapter)
        if tokens and not whisper.get_input_embeddings().weight.requires_grad:
            raise ParlureError(
                "a new language's token is in the decoder's embeddings, which this recipe leaves as they are",
                "--set adapter.parts=both --set adapter.last_layers=0, or --set adapter.method=lora",
            )
        return whisper, whisper
    if bf16:
        _hold_in_bf16(whisper)
    if adapter.bits:
        quantize_linears(whisper, adapter.bits, torch.bfloat16 if bf16 else torch.float32)
    adapters = Adapters(
        adapter.r, adapter.alpha, adapter.dropout, adapter.method, adapter.targets,
        adapter.parts, adapter.last_layers, adapter.modules_to_save, n_steps, tokens,
    )  # fmt: skip
    adapted = attach(whisper, adapters, base_name)
    return cast(WhisperForConditionalGeneration, adapted.get_base_model()), adapted


def set_dropout(whisper: WhisperForConditionalGeneration, share: float) -> None:
    """Dropout where Whisper's own layers have it: after embeddings, attention and the feed-forward part."""
    for stack in (whisper.model.encoder, whisper.model.decoder):
        for module in (stack, *stack.layers):
            module.dropout = share


def _free(whisper: WhisperForConditionalGeneration, adapter: AdapterSection) -> None:
    """Set the weights free that full fine-tuning trains."""
    if adapter.modules_to_save:
        raise ParlureError(
            "adapter.modules_to_save goes with adapters, and adapter.method is full",
            "leave it empty: full trains every module of the chosen parts",
        )
    whisper.requires_grad_(False)
    for part, numbers in layers_of(whisper, adapter.parts, adapter.last_layers).items():
        stack = getattr(whisper.model, part)
        if not adapter.last_layers:
            stack.requires_grad_(True)
            continue
        stack.layer_norm.requires_grad_(True)
        for number in numbers:
            stack.layers[number].requires_grad_(True)
    whisper.model.encoder.embed_positions.requires_grad_(False)  # sinusoids


def _hold_in_bf16(whisper: WhisperForConditionalGeneration) -> None:
    """What autocast would turn into bf16 at every step anyway; norms and the encoder's positions stay as they are."""
    for module in whisper.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):  # the output layer takes the token embeddings along
            for weight in module.parameters(recurse=False):
                weight.data = weight.data.to(torch.bfloat16)  # not Module.to, which fake tensors cannot stand
