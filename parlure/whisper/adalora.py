"""AdaLoRA (Zhang et al. 2023): ranks are dealt out to the layers in the course of training.

Every update is ``B diag(E) A`` with A and B held nearly orthogonal by a penalty. It begins with half as many ranks
again as are wanted; between a tenth and seven tenths of the run those that matter least, by a moving average of
|weight × gradient|, are set to zero. What is left is saved as plain LoRA.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.adalora import AdaLoraLayer

from parlure.whisper.plainlora import rewrite

_ORTHOGONALITY = 0.5  # weight of the penalty, as in PEFT; the paper's tasks take 0.1 to 0.5
_AVERAGES = ("ipt", "exp_avg_ipt", "exp_avg_unc")


def schedule(r: int, n_steps: int) -> dict[str, int]:
    """Settings for a run of so many steps that ends with a mean rank of ``r``."""
    return {
        "target_r": r,
        "init_r": max(r, round(1.5 * r)),
        "tinit": n_steps // 10,
        "tfinal": 3 * n_steps // 10,
        "deltaT": max(1, n_steps // 100),
        "total_step": n_steps,
    }


class RankSchedule:
    """What AdaLoRA does beside the gradient steps; all of its state can be saved."""

    def __init__(self, adapted: PeftModel) -> None:
        self._adapted = adapted
        self._n_done = 0

    def penalty(self) -> torch.Tensor:
        """How far the rows of A and the columns of B are from orthonormal, weighted; a scalar with gradient."""
        distances = []
        for module in self._layers().values():
            for products in (module.lora_A["default"] @ module.lora_A["default"].T,
                             module.lora_B["default"].T @ module.lora_B["default"]):  # fmt: skip
                distances.append(torch.linalg.matrix_norm(products - torch.eye(len(products), device=products.device)))
        return _ORTHOGONALITY * torch.stack(distances).mean()

    def stepped(self) -> None:
        """After the optimiser's step, while the gradients are there: weigh the ranks and take away what is due."""
        self._adapted.base_model.update_and_allocate(self._n_done)
        self._n_done += 1

    @staticmethod
    def prunes(name: str) -> bool:
        """Whether it is from a parameter of this name that ranks are taken away."""
        return ".lora_E." in name

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs beside weights and optimiser."""
        allocator = self._adapted.base_model.rankallocator
        pattern = self._adapted.peft_config["default"].rank_pattern
        return {name: dict(getattr(allocator, name)) for name in _AVERAGES} | {
            "rank_pattern": pattern,
            "n_done": self._n_done,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        base = self._adapted.base_model
        devices = {name: parameter.device for name, parameter in base.model.named_parameters()}
        for name in _AVERAGES:
            setattr(base.rankallocator, name, {key: value.to(devices[key]) for key, value in state[name].items()})
        self._adapted.peft_config["default"].rank_pattern = state["rank_pattern"]
        self._n_done = state["n_done"]

    def _layers(self) -> dict[str, AdaLoraLayer]:
        return {n: module for n, module in self._adapted.named_modules() if isinstance(module, AdaLoraLayer)}


def save_as_lora(adapted: PeftModel, folder: Path) -> None:
    """Rewrite what PEFT has saved of it: ranks that were taken away stay as rows of zeros."""
    factors, r = {}, adapted.peft_config["default"].init_r
    for name, module in adapted.named_modules():
        if isinstance(module, AdaLoraLayer):
            a = module.lora_A["default"] * module.lora_E["default"]
            scale = module.scaling["default"] / (module.ranknum["default"] + 1e-5)  # as its forward pass has it
            factors[name] = (a, module.lora_B["default"] * scale)
    rewrite(adapted, folder, factors, r, float(r))
