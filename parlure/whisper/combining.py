"""Several models tuned from one base → one: what each has learnt, its weights minus the base's, added up.

Task arithmetic (Ilharco et al. 2023) takes the weighted sum. TIES (Yadav et al. 2023) keeps the largest changes of each
model, lets the models vote on the sign of every number, and takes the mean of those that agree. DARE (Yu et al. 2024)
drops changes by chance and enlarges the others to make up for it, before they are added up. The two last work on each
weight matrix by itself, as PEFT's do, and on what adapters add rather than on their factors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, cast, get_args

import torch
from peft.utils.merge_utils import dare_linear, task_arithmetic, ties
from transformers import WhisperForConditionalGeneration

Combination = Literal["linear", "ties", "dare"]
COMBINATIONS: Final[tuple[Combination, ...]] = get_args(Combination)


@torch.no_grad()
def combine(
    base: WhisperForConditionalGeneration,
    tuned: Sequence[WhisperForConditionalGeneration],
    weights: Sequence[float],
    how: Combination = "linear",
    density: float = 0.5,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Add to a base what models tuned from it have learnt.

    Args:
        base: changed in place; on the CPU, as all are, for what is dropped to be the same everywhere.
        tuned: in the base's shape.
        weights: of each.
        how: linear, ties or dare.
        density: share of each model's changes that ties and dare keep, above 0 to 1.
        seed: decides what dare drops.
        progress: called with (weights done, weights to do).
    """
    torch.manual_seed(seed)
    factors = torch.tensor(weights)
    others = [dict(model.named_parameters()) for model in tuned]
    of_base = list(base.named_parameters())
    for number, (name, parameter) in enumerate(of_base, 1):
        changes = [other[name] - parameter for other in others]
        if any(change.any() for change in changes):
            parameter += _sum(changes, factors, how, density)
        if progress:
            progress(number, len(of_base))


def _sum(changes: list[torch.Tensor], factors: torch.Tensor, how: Combination, density: float) -> torch.Tensor:
    if how == "linear":
        return cast(torch.Tensor, task_arithmetic(changes, factors))
    keep = {"ties": ties, "dare": dare_linear}[how]
    return cast(torch.Tensor, keep(changes, factors, density))
