"""A small part of a plan that stands for the whole of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

N_DRAWS = 300

T = TypeVar("T")


def representative(
    plan: Sequence[T], n: int, measures: Callable[[Sequence[T]], Sequence[float]], seed: int = 1
) -> list[T]:
    """Of many draws of ``n`` parts, the one most like the whole plan in what ``measures`` says of both.

    Args:
        plan: what is drawn from.
        n: parts to draw, at most all.
        measures: positive numbers that describe some parts together.
        seed: of the draws.
    """
    rng, aim = random.Random(seed), measures(plan)
    draws = [rng.sample(list(plan), min(n, len(plan))) for _ in range(N_DRAWS)]
    return min(draws, key=lambda parts: sum(abs(a / b - 1) for a, b in zip(measures(parts), aim, strict=True)))
