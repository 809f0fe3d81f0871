"""Adapters of any kind that add a product of two thin matrices → plain LoRA on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel
from safetensors.torch import load_file, save_file

_WEIGHTS = "adapter_model.safetensors"


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
