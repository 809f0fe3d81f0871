"""A moving average of what is trained, which is judged and kept in its place: steadier than the last step's weights.

An exponential form of averaged SGD (Polyak and Juditsky 1992) whose decay grows with the number of steps, so that the
start does not linger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


class WeightAverage:
    """The average of some parameters.

    Args:
        parameters: by name; they are changed only within :meth:`in_place`.
        decay: share of the average that a step leaves, at most ``(1 + n) / (10 + n)`` after n steps.
        pruned: names of those of which training takes numbers away, by setting them to zero, as AdaLoRA does with
            ranks: zero in them is zero in the average, and what comes back begins its average anew.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float, pruned: Collection[str] = ()) -> None:
        self._parameters = dict(parameters)
        self._pruned = frozenset(pruned)
        self._decay, self._n_done = decay, 0
        self._mean = {name: one.detach().clone() for name, one in parameters.items()}

    @torch.no_grad()
    def stepped(self) -> None:
        """After a step: move towards the parameters."""
        self._n_done += 1
        decay = min(self._decay, (1 + self._n_done) / (10 + self._n_done))
        for name, mean in self._mean.items():
            mean.lerp_(self._parameters[name], 1 - decay)
            if name in self._pruned:
                mean.mul_(self._parameters[name] != 0)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The parameters are the average within, and themselves again after."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, mean in self._mean.items():
            parameter = self._parameters[name]
            mine = parameter.detach().clone()
            parameter.copy_(mean)
            mean.copy_(mine)

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        return {"mean": dict(self._mean), "n_done": self._n_done}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        for name, mean in self._mean.items():
            mean.copy_(state["mean"][name])
        self._n_done = state["n_done"]
