"""LoRA and its kin on Whisper: attach, save, merge. What is trained otherwise (full fine-tuning) is the model itself.

Whatever they are trained as, adapters are saved as plain LoRA, which every runtime loads; DoRA alone stays what it is.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers import WhisperForConditionalGeneration

from parlure.errors import ParlureError
from parlure.whisper import adalora, pissa

AdapterMethod = Literal["lora", "rslora", "dora", "pissa", "adalora"]

# Attention and MLP: all linear layers but the tied output (LoRA without regret, 2025: MLP layers matter most).
TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
# tied to each other, or constant: a trained copy of one would not be what a merged model has
_NOT_TO_SAVE = ("embed_tokens", "proj_out", "embed_positions")


@dataclass(frozen=True)
class Adapters:
    """What is put beside the weights of a Whisper.

    Attributes:
        r: rank.
        alpha: scale; the update is multiplied by ``alpha / r``, by ``alpha / √r`` in rsLoRA (Kalajdzievski 2023).
        dropout: on the adapter's input, 0 to 1.
        method: LoRA (Hu et al. 2021); DoRA (Liu et al. 2024) learns direction and magnitude apart; PiSSA (Meng et al.
            2024) begins with the principal singular vectors; AdaLoRA (Zhang et al. 2023) deals out the ranks.
        targets: names of the linear layers, such as ``q_proj``.
        parts: ``both``, ``encoder`` or ``decoder``.
        last_layers: of each part, so many from its end; 0 is all.
        modules_to_save: names of modules that are trained whole.
        n_steps: optimiser steps of the run, which AdaLoRA's schedule is made for.
        tokens: ids whose embeddings are trained, where they are read and where they are written.
    """

    r: int
    alpha: float
    dropout: float = 0.0
    method: AdapterMethod = "lora"
    targets: Sequence[str] = TARGETS
    parts: str = "both"
    last_layers: int = 0
    modules_to_save: Sequence[str] = ()
    n_steps: int = 1
    tokens: Sequence[int] = ()


def attach(model: WhisperForConditionalGeneration, adapters: Adapters, base_name: str) -> PeftModel:
    """Freeze the model and put adapters beside its linear layers, in fp32.

    Args:
        model: changed in place.
        adapters: which.
        base_name: the MODEL it was loaded from, kept in the adapter's settings.

    Raises:
        ParlureError: a target or a module to save is none of the model's, or there are fewer layers.
    """
    _check_names(model, adapters)
    common = {
        "lora_alpha": adapters.alpha,
        "lora_dropout": adapters.dropout,
        "target_modules": _chosen(model, adapters),
        "modules_to_save": list(adapters.modules_to_save) or None,
        "trainable_token_indices": {"embed_tokens": list(adapters.tokens)} if adapters.tokens else None,
    }
    settings: LoraConfig
    if adapters.method == "adalora":
        settings = AdaLoraConfig(**adalora.schedule(adapters.r, adapters.n_steps), **common)
    else:
        settings = LoraConfig(
            r=adapters.r,
            use_rslora=adapters.method == "rslora",
            use_dora=adapters.method == "dora",
            init_lora_weights="pissa" if adapters.method == "pissa" else True,
            **common,
        )
    # task_type stays unset: PEFT's sequence-to-sequence wrapper hands Whisper an input_ids that it refuses
    with _quiet_peft():
        adapted = cast(PeftModel, get_peft_model(model, settings))
    adapted.peft_config["default"].base_model_name_or_path = base_name
    if adapters.method == "pissa":
        pissa.remember_start(adapted)
    for name, parameter in adapted.named_parameters():
        if ".ranknum." in name:  # how many ranks AdaLoRA has: over a bf16 base PEFT 0.21 would train that too
            parameter.requires_grad_(False)
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # modules to save come as the frozen ones are
    return adapted


def _check_names(model: WhisperForConditionalGeneration, adapters: Adapters) -> None:
    modules = dict(model.named_modules())
    linear = {name.rpartition(".")[2] for name, module in modules.items() if isinstance(module, nn.Linear)}
    linear -= {"proj_out"}  # tied to the embeddings: an adapter there would be on one of the two alone
    for target in adapters.targets:
        if target not in linear:
            raise ParlureError(
                f"adapter.targets names {target}, and the model has no such linear layer",
                f"it has {', '.join(sorted(linear))}",
            )
    wholes = {name.rpartition(".")[2] for name, module in modules.items() if not [*module.children()]}
    wholes = {name for name in wholes - linear - {*_NOT_TO_SAVE} if [*_named(modules, name).parameters()]}
    for name in adapters.modules_to_save:
        if name not in wholes:
            raise ParlureError(
                f"adapter.modules_to_save names {name}, which cannot be trained beside adapters",
                f"these can: {', '.join(sorted(wholes))}",
            )


def layers_of(model: WhisperForConditionalGeneration, parts: str, last_layers: int) -> dict[str, range]:
    """Part → numbers of its layers that are trained.

    Args:
        model: a Whisper.
        parts: ``both``, ``encoder`` or ``decoder``.
        last_layers: of each part, so many from its end; 0 is all.

    Raises:
        ParlureError: a part has fewer.
    """
    found = {}
    for part in ("encoder", "decoder") if parts == "both" else (parts,):
        n_layers = len(getattr(model.model, part).layers)
        if last_layers > n_layers:
            raise ParlureError(f"adapter.last_layers is {last_layers}, and the {part} has {n_layers}", "0 means all")
        found[part] = range(n_layers - (last_layers or n_layers), n_layers)
    return found


def _named(modules: dict[str, nn.Module], last_name: str) -> nn.Module:
    return next(module for name, module in modules.items() if name.rpartition(".")[2] == last_name)


def _chosen(model: WhisperForConditionalGeneration, adapters: Adapters) -> list[str] | str:
    """PEFT takes names, or one expression for whole paths."""
    if adapters.parts == "both" and not adapters.last_layers:
        return list(adapters.targets)
    stacks = [
        rf"{part}\.layers\.({'|'.join(map(str, numbers))})"
        for part, numbers in layers_of(model, adapters.parts, adapters.last_layers).items()
    ]
    names = "|".join(map(re.escape, adapters.targets))
    return rf".*\.({'|'.join(stacks)})\.(.*\.)?({names})"


@contextmanager
def _quiet_peft() -> Iterator[None]:
    """PEFT 0.21 asks transformers for an attribute that 5.23 calls deprecated: nothing a person can mend."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        yield


def save_adapter(adapted: PeftModel, folder: Path) -> None:
    """Write ``adapter_config.json`` and ``adapter_model.safetensors`` as ``PeftModel.from_pretrained`` wants them."""
    settings = adapted.peft_config["default"]
    adapted.save_pretrained(str(folder), save_embedding_layers=False)
    if isinstance(settings, AdaLoraConfig):
        adalora.save_as_lora(adapted, folder)
    elif settings.init_lora_weights == "pissa":
        pissa.save_as_lora(adapted, folder)


def merge_saved(model: WhisperForConditionalGeneration, folder: Path) -> WhisperForConditionalGeneration:
    """The model with a saved adapter folded into its weights."""
    with _quiet_peft():
        adapted = PeftModel.from_pretrained(model, str(folder))
    return cast(WhisperForConditionalGeneration, adapted.merge_and_unload())


def scale_adapter(adapted: PeftModel, factor: float) -> None:
    """Multiply what low-rank adapters add by a factor: 1 is as trained; 0 is the base model, whatever was trained."""
    if not factor:
        adapted.base_model.disable_adapter_layers()
        return
    for module in adapted.modules():
        if isinstance(module, LoraLayer):
            module.scale_layer(factor)


def scaled_saved(
    model: WhisperForConditionalGeneration, folder: Path, factor: float
) -> WhisperForConditionalGeneration:
    """The model with a saved adapter beside its weights, not folded in; see :func:`scale_adapter`."""
    with _quiet_peft():
        adapted = PeftModel.from_pretrained(model, str(folder))
    scale_adapter(adapted, factor)
    return cast(WhisperForConditionalGeneration, adapted.get_base_model())
