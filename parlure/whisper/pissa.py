"""PiSSA (Meng et al. 2024): LoRA that begins with a weight's principal singular vectors, and trains them.

What it begins with is taken out of the base, so an adapter saved as it is would want a base that nobody has. It is
saved as what it has changed, ``B A - B₀ A₀``: a LoRA of twice the rank over the base as it was.
"""

from __future__ import annotations

from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer

from parlure.whisper.plainlora import rewrite


def remember_start(adapted: PeftModel) -> None:
    """Keep A and B as they are before the first step, as buffers, which move with the model and are not saved."""
    for module in adapted.modules():
        if isinstance(module, LoraLayer):
            for name, of in (("start_a", module.lora_A), ("start_b", module.lora_B)):
                module.register_buffer(name, of["default"].weight.detach().clone(), persistent=False)


def save_as_lora(adapted: PeftModel, folder: Path) -> None:
    """Rewrite what PEFT has saved of it."""
    settings, factors = adapted.peft_config["default"], {}
    for name, module in adapted.named_modules():
        if isinstance(module, LoraLayer):
            a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
            factors[name] = (torch.cat([a, module.start_a]), torch.cat([b, -module.start_b], dim=1))
    rewrite(adapted, folder, factors, 2 * settings.r, 2 * settings.lora_alpha)
