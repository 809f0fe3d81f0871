"""Adapters of any kind that add a product of two thin matrices → plain LoRA on disk; and several of them → one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from safetensors.torch import load_file, save_file

_SETTINGS, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def rewrite(
    adapted: PeftModel, folder: Path, factors: Mapping[str, tuple[torch.Tensor, torch.Tensor]], r: int, alpha: float
) -> None:
    """Replace what PEFT saved of an adapter by a LoRA that does the same, modules saved whole as they are.

    Args:
        adapted: what was saved.
        folder: where to.
        factors: module → A ``(r, n_in)`` and B ``(n_out, r)``, of which ``alpha / r`` times ``B A`` is added.
        r: rank, the same in all modules.
        alpha: the scale, before it is divided by r.
    """
    old = adapted.peft_config["default"]
    saved = {name: value for name, value in load_file(folder / _WEIGHTS).items() if ".lora_" not in name}
    for module, (a, b) in factors.items():
        saved[f"{module}.lora_A.weight"] = a.detach().cpu().contiguous()
        saved[f"{module}.lora_B.weight"] = b.detach().cpu().contiguous()
    save_file(saved, folder / _WEIGHTS, metadata={"format": "pt"})
    settings = LoraConfig(
        r=r, lora_alpha=alpha, lora_dropout=old.lora_dropout, target_modules=old.target_modules,
        modules_to_save=old.modules_to_save,
        trainable_token_indices=old.trainable_token_indices, inference_mode=True,
        base_model_name_or_path=old.base_model_name_or_path,
    )  # fmt: skip
    settings.save_pretrained(str(folder))


def is_plain(folder: Path) -> bool:
    """Whether a saved adapter adds products of two matrices and nothing else, all scaled alike.

    It does more where norms were tuned with it (DoRA), biases, or modules whole.
    """
    if not (folder / _SETTINGS).is_file():
        return False
    settings: dict[str, Any] = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
    others = ("use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "trainable_token_indices", "lora_bias")
    is_lora = settings["peft_type"] == "LORA" and settings.get("bias", "none") == "none"
    return is_lora and not any(settings.get(name) for name in others) and (folder / _WEIGHTS).is_file()


def scaled(kept: Path, factor: float, folder: Path) -> None:
    """Write a plain adapter with what it adds multiplied by a factor."""
    folder.mkdir(parents=True)
    weights = load_file(kept / _WEIGHTS)
    weights = {name: value * factor if name.endswith(_B) else value for name, value in weights.items()}
    save_file(weights, folder / _WEIGHTS, metadata={"format": "pt"})
    (folder / _SETTINGS).write_bytes((kept / _SETTINGS).read_bytes())


def summed(adapters: Sequence[Path], weights: Sequence[float], folder: Path) -> None:
    """Write the plain adapter that adds the weighted sum of what others add, exactly: one of all their ranks.

    Args:
        adapters: folders of plain adapters of one base.
        weights: of each.
        folder: where to.
    """
    read = [(json.loads((one / _SETTINGS).read_text(encoding="utf-8")), load_file(one / _WEIGHTS)) for one in adapters]
    modules = sorted({name.removesuffix(_A) for _, tensors in read for name in tensors if name.endswith(_A)})
    made: dict[str, torch.Tensor] = {}
    for module in modules:
        like = next(tensors for _, tensors in read if module + _A in tensors)
        n_in, n_out = like[module + _A].shape[1], like[module + _B].shape[0]
        rows, columns = [], []
        for (settings, tensors), weight in zip(read, weights, strict=True):
            r = settings["r"]
            scale = settings["lora_alpha"] / (math.sqrt(r) if settings.get("use_rslora") else r)
            rows.append(tensors.get(module + _A, torch.zeros(r, n_in)))
            columns.append(weight * scale * tensors.get(module + _B, torch.zeros(n_out, r)))
        made[module + _A] = torch.cat(rows).contiguous()
        made[module + _B] = torch.cat(columns, dim=1).contiguous()
    folder.mkdir(parents=True)
    save_file(made, folder / _WEIGHTS, metadata={"format": "pt"})
    r = sum(settings["r"] for settings, _ in read)
    same = all(settings["target_modules"] == read[0][0]["target_modules"] for settings, _ in read)
    targets = read[0][0]["target_modules"] if same else [module.removeprefix(_PREFIX) for module in modules]
    LoraConfig(
        r=r, lora_alpha=r, target_modules=targets, inference_mode=True,
        base_model_name_or_path=read[0][0]["base_model_name_or_path"],
    ).save_pretrained(str(folder))  # fmt: skip
