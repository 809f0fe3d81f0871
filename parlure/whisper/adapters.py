"""LoRA and its kin on Whisper: attach, save, merge. What is trained otherwise (full fine-tuning) is the model itself.

What adds a product of two thin matrices is saved as plain LoRA, whatever it was trained as: every runtime loads that.
DoRA, LoHa, LoKr, OFT, VeRA and (IA)³ stay what they are, which PEFT loads and merges.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from peft import AdaLoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers import WhisperForConditionalGeneration

from parlure.errors import ParlureError
from parlure.whisper import adalora, pissa
from parlure.whisper.methods import SETTINGS, Adapters

# tied to each other, or constant: a trained copy of one would not be what a merged model has
_NOT_TO_SAVE = ("embed_tokens", "proj_out", "embed_positions")


def attach(model: WhisperForConditionalGeneration, adapters: Adapters, base_name: str) -> PeftModel:
    """Freeze the model and put adapters beside its linear layers, in fp32.

    Args:
        model: changed in place.
        adapters: which.
        base_name: the MODEL it was loaded from, kept in the adapter's settings.

    Raises:
        ParlureError: a target or a module to save is none of the model's, there are fewer layers, or OFT's blocks do
            not fit into one.
    """
    _check_names(model, adapters)
    if adapters.method == "oft":
        _check_blocks(model, adapters)
    more = {"trainable_token_indices": {"embed_tokens": list(adapters.tokens)}} if adapters.tokens else {}
    settings = SETTINGS[adapters.method](
        adapters,
        target_modules=_chosen(model, adapters),
        modules_to_save=list(adapters.modules_to_save) or None,
        **more,
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


def _check_blocks(model: WhisperForConditionalGeneration, adapters: Adapters) -> None:
    """PEFT would take blocks of another size, and go on."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in adapters.targets and (adapters.r < 2 or module.in_features % adapters.r):
            raise ParlureError(
                f"adapter.r is {adapters.r}, the size of oft's blocks, and {name} has {module.in_features} inputs",
                "take a size above 1 that divides it, such as adapter.r = 32",
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
    with warnings.catch_warnings():
        # where AdaLoRA has taken all ranks of a layer away, PEFT suspects a half-gathered model
        warnings.filterwarnings("ignore", message=".*LoRA tensor.* have invalid shape", category=UserWarning)
        adapted.save_pretrained(str(folder), save_embedding_layers=False)
    if isinstance(settings, AdaLoraConfig):
        adalora.save_as_lora(adapted, folder)
    elif getattr(settings, "init_lora_weights", None) == "pissa":
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


class Beside:
    """Saved adapters beside the weights of one model, of which one or none takes part."""

    def __init__(self, model: WhisperForConditionalGeneration) -> None:
        self._model = model
        self._adapted: PeftModel | None = None
        self._keys: dict[str, str] = {}  # a person's name → one that PEFT takes, which may hold no dot

    def add(self, name: str, folder: Path) -> None:
        """Load the adapter of a folder; it takes no part yet."""
        key = f"adapter{len(self._keys):04d}"  # none the beginning of another
        with _quiet_peft():
            if self._adapted is None:
                self._adapted = PeftModel.from_pretrained(self._model, str(folder), adapter_name=key)
            else:
                self._adapted.load_adapter(str(folder), adapter_name=key)
        self._adapted.to(self._model.device)
        self._keys[name] = key
        self._model.eval()  # and with it what was put inside
        self.choose(None)

    def choose(self, name: str | None) -> None:
        """Let the adapter of this name take part, or none."""
        if self._adapted is None:
            return
        if name is None:
            self._adapted.base_model.disable_adapter_layers()
            return
        self._adapted.base_model.enable_adapter_layers()
        self._adapted.set_adapter(self._keys[name], inference_mode=True)
