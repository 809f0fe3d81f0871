"""LoRA on Whisper: attach, save, merge. What is trained otherwise (full fine-tuning) is the whole model."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers import WhisperForConditionalGeneration

from parlure.errors import ParlureError

# Attention and MLP: all linear layers but the tied output (LoRA without regret, 2025: MLP layers matter most).
TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")


def attach_lora(
    model: WhisperForConditionalGeneration,
    *,
    base_name: str,
    r: int,
    alpha: float,
    dropout: float,
    targets: Sequence[str] = TARGETS,
    parts: str = "both",
) -> PeftModel:
    """Freeze the model and put low-rank adapters (Hu et al. 2021) beside its linear layers, in fp32.

    Args:
        model: changed in place.
        base_name: the MODEL it was loaded from, kept in the adapter's settings.
        r: rank.
        alpha: scale; the update is multiplied by ``alpha / r``.
        dropout: on the adapter's input, 0 to 1.
        targets: names of the linear layers, such as ``q_proj``.
        parts: ``both`` encoder and decoder, or ``decoder`` alone.

    Raises:
        ParlureError: a target names no linear layer.
    """
    linear = sorted(
        {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, nn.Linear)}
        - {"proj_out"}  # tied to the embeddings: an adapter there would be on one of the two alone
    )
    for target in targets:
        if target not in linear:
            raise ParlureError(
                f"adapter.targets names {target}, and the model has no such linear layer",
                f"it has {', '.join(linear)}",
            )
    # task_type stays unset: PEFT's sequence-to-sequence wrapper hands Whisper an input_ids that it refuses
    # PEFT takes names, or one expression for whole paths
    chosen = list(targets) if parts == "both" else rf".*\.{parts}\..*\.({'|'.join(map(re.escape, targets))})"
    settings = LoraConfig(r=r, lora_alpha=alpha, lora_dropout=dropout, target_modules=chosen)
    with _quiet_peft():
        adapted = cast(PeftModel, get_peft_model(model, settings))
    adapted.peft_config["default"].base_model_name_or_path = base_name
    return adapted


@contextmanager
def _quiet_peft() -> Iterator[None]:
    """PEFT 0.21 asks transformers for an attribute that 5.23 calls deprecated: nothing a person can mend."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        yield


def save_adapter(adapted: PeftModel, folder: Path) -> None:
    """Write ``adapter_config.json`` and ``adapter_model.safetensors`` as ``PeftModel.from_pretrained`` wants them."""
    adapted.save_pretrained(str(folder), save_embedding_layers=False)


def merge_saved(model: WhisperForConditionalGeneration, folder: Path) -> WhisperForConditionalGeneration:
    """The model with a saved adapter folded into its weights."""
    with _quiet_peft():
        adapted = PeftModel.from_pretrained(model, str(folder))
    return cast(WhisperForConditionalGeneration, adapted.merge_and_unload())


def scale_adapter(adapted: nn.Module, factor: float) -> None:
    """Multiply what the adapters add by a factor: 0 is the base model, 1 is as trained."""
    for module in adapted.modules():
        if isinstance(module, LoraLayer):
            module.scale_layer(factor) if factor else module.set_scale("default", 0.0)


def scaled_saved(
    model: WhisperForConditionalGeneration, folder: Path, factor: float
) -> WhisperForConditionalGeneration:
    """The model with a saved adapter beside its weights, not folded in; see :func:`scale_adapter`."""
    with _quiet_peft():
        adapted = PeftModel.from_pretrained(model, str(folder))
    scale_adapter(adapted, factor)
    return cast(WhisperForConditionalGeneration, adapted.get_base_model())
