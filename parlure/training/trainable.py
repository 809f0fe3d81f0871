"""What of a Whisper is trained: adapters attached or weights freed, the rest frozen."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration

from parlure.recipe import AdapterSection
from parlure.whisper.adapters import attach_lora


def made_trainable(
    whisper: WhisperForConditionalGeneration, adapter: AdapterSection, *, base_name: str = "", bf16: bool = False
) -> tuple[WhisperForConditionalGeneration, nn.Module]:
    """Prepare a base model, which is changed in place, on whatever device it is.

    Args:
        whisper: the base.
        adapter: of the recipe.
        base_name: the MODEL it was loaded from, which an adapter names.
        bf16: whether it is computed in bf16: frozen weights are then held in it, what is trained stays in fp32.

    Returns:
        The Whisper, adapters inside if there are any, and what is to be saved: the PEFT model, or the Whisper itself.
    """
    if adapter.method == "full":
        whisper.requires_grad_(True)
        whisper.model.encoder.requires_grad_(adapter.parts == "both")
        whisper.model.encoder.embed_positions.requires_grad_(False)  # sinusoids
        return whisper, whisper
    if bf16:
        _hold_in_bf16(whisper)
    adapted = attach_lora(
        whisper, base_name=base_name, r=adapter.r, alpha=adapter.alpha, dropout=adapter.dropout,
        targets=adapter.targets, parts=adapter.parts,
    )  # fmt: skip
    return cast(WhisperForConditionalGeneration, adapted.get_base_model()), adapted


def _hold_in_bf16(whisper: WhisperForConditionalGeneration) -> None:
    """What autocast would turn into bf16 at every step anyway; norms and the encoder's positions stay as they are."""
    for module in whisper.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):  # the output layer takes the token embeddings along
            for weight in module.parameters(recurse=False):
                weight.data = weight.data.to(torch.bfloat16)  # not Module.to, which fake tensors cannot stand
