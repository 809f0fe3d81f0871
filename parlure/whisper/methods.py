"""Every method that PEFT has and parlure knows by name → PEFT's settings for it: one row a method.

What is in the table has passed tests/test_methods.py: it begins as the base, learns, is saved, reloads and merges to
the same logits, and resumes exactly. Some of PEFT's are left out on purpose: RandLoRA saves its random basis with every
adapter (80 MB for nano), BOFT with one butterfly factor is OFT and compiles a CUDA extension when it is first used,
and the oldest PEFT that parlure runs with has no HiRA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from peft import AdaLoraConfig, IA3Config, LoHaConfig, LoKrConfig, LoraConfig, OFTConfig, PeftConfig, VeraConfig

from parlure.whisper import adalora

AdapterMethod = Literal["lora", "rslora", "dora", "pissa", "adalora", "loha", "lokr", "oft", "vera", "ia3"]

# Attention and MLP: all linear layers but the tied output (LoRA without regret, 2025: MLP layers matter most).
TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
_SCALED_BEFORE = "fc2"  # (IA)³ scales what a feed-forward's second layer gets, and what all others give


@dataclass(frozen=True)
class Adapters:
    """What is put beside the weights of a Whisper.

    Attributes:
        r: rank; of OFT the size of a block; (IA)³ has none.
        alpha: scale; the update is multiplied by ``alpha / r``, by ``alpha / √r`` in rsLoRA (Kalajdzievski 2023). OFT,
            VeRA and (IA)³ have none.
        dropout: on the adapter's input, 0 to 1; LoHa, LoKr, OFT and (IA)³ have none.
        method: LoRA (Hu et al. 2021); DoRA (Liu et al. 2024) learns direction and magnitude apart; PiSSA (Meng et al.
            2024) begins with the principal singular vectors; AdaLoRA (Zhang et al. 2023) deals out the ranks; LoHa
            (Hyeon-Woo et al. 2022) multiplies two low ranks number by number; LoKr (Yeh et al. 2024) is a Kronecker
            product; OFT (Qiu et al. 2023) rotates; VeRA (Kopiczko et al. 2024) scales random matrices that all layers
            share; (IA)³ (Liu et al. 2022) scales what layers give.
        targets: names of the linear layers, such as ``q_proj``.
        parts: ``both``, ``encoder`` or ``decoder``.
        last_layers: of each part, so many from its end; 0 is all.
        modules_to_save: names of modules that are trained whole.
        n_steps: optimiser steps of the run, which AdaLoRA's schedule is made for.
        tokens: ids whose embeddings are trained, where they are read and where they are written; LoRA and its kin only.
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


def _lora(adapters: Adapters, **more: Any) -> PeftConfig:
    return LoraConfig(r=adapters.r, lora_alpha=adapters.alpha, lora_dropout=adapters.dropout, **more)


def _adalora(adapters: Adapters, **more: Any) -> PeftConfig:
    ranks = adalora.schedule(adapters.r, adapters.n_steps)
    return AdaLoraConfig(**ranks, lora_alpha=adapters.alpha, lora_dropout=adapters.dropout, **more)


def _ia3(adapters: Adapters, **more: Any) -> PeftConfig:
    return IA3Config(feedforward_modules=[name for name in adapters.targets if name == _SCALED_BEFORE], **more)


SETTINGS: Mapping[AdapterMethod, Callable[..., PeftConfig]] = {
    "lora": _lora,
    "rslora": lambda adapters, **more: _lora(adapters, use_rslora=True, **more),
    "dora": lambda adapters, **more: _lora(adapters, use_dora=True, **more),
    "pissa": lambda adapters, **more: _lora(adapters, init_lora_weights="pissa", **more),
    "adalora": _adalora,
    "loha": lambda adapters, **more: LoHaConfig(r=adapters.r, alpha=adapters.alpha, **more),
    "lokr": lambda adapters, **more: LoKrConfig(r=adapters.r, alpha=adapters.alpha, **more),
    "oft": lambda adapters, **more: OFTConfig(r=0, oft_block_size=adapters.r, **more),
    "vera": lambda adapters, **more: VeraConfig(r=adapters.r, vera_dropout=adapters.dropout, **more),
    "ia3": _ia3,
}
