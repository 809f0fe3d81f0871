"""Processes that train one model together: each takes its share of a step, and what they found is added up.

Gradients are summed here and not averaged by a wrapper around the model, since the loss of a step is a sum over the
tokens of all processes divided by their number: shares may be unequal, and one may be empty.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from accelerate import Accelerator

_BUCKET = 16_000_000  # numbers sent at once: enough to make latency vanish, 64 MB in fp32

T = TypeVar("T")


class Team:
    """The processes that torchrun or accelerate started, or the only one."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.size = int(accelerator.num_processes)
        self.is_main = bool(accelerator.is_main_process)
        self.is_bf16 = accelerator.mixed_precision == "bf16"

    @classmethod
    def assemble(cls, precision: str) -> Team:
        """Join the processes that torchrun started, if it did; ``precision`` as accelerate calls it."""
        # accelerate joins processes without a GPU only when it is told that there is none
        on_cpus = int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.cuda.is_available()
        return cls(Accelerator(mixed_precision=precision, cpu=on_cpus))

    def share(self, parts: Sequence[T], costs: Sequence[float] | None = None) -> Sequence[T]:
        """This process's parts: every so many-th, or as many as cost about what those of every other process do."""
        if costs is None:
            return parts[self.accelerator.process_index :: self.size]
        return [parts[index] for index in dealt(costs, self.size)[self.accelerator.process_index]]

    def add(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes."""
        if self.size == 1:
            return list(values)
        # a float64 holds counts exactly; the GPU's backend adds only what lies on the GPU
        total = torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)
        dist.all_reduce(total)
        return [float(value) for value in total]

    def add_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Put the sum of all processes' gradients into each; one without any counts as zeros."""
        if self.size == 1:
            return
        bucket: list[torch.Tensor] = []
        for parameter in parameters:
            if not parameter.requires_grad:
                continue
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            bucket.append(parameter.grad)
            if sum(gradient.numel() for gradient in bucket) >= _BUCKET:
                _sum_in_place(bucket)
                bucket = []
        if bucket:
            _sum_in_place(bucket)

    def anybody(self, flag: bool) -> bool:
        """Whether it holds in any process: a signal reaches them at different moments."""
        return self.add([float(flag)])[0] > 0

    def wait(self) -> None:
        """Until all are here."""
        self.accelerator.wait_for_everyone()


def dealt(costs: Sequence[float], n_hands: int) -> list[list[int]]:
    """Indices of what each hand gets, in their order: the dearest first, each to the hand that has least.

    No hand is dealt more than 4/3 of the best possible (Graham 1969, "Bounds on multiprocessing timing anomalies").
    """
    hands: list[list[int]] = [[] for _ in range(n_hands)]
    loads = [0.0] * n_hands
    for index in sorted(range(len(costs)), key=lambda index: (-costs[index], index)):
        least = loads.index(min(loads))
        hands[least].append(index)
        loads[least] += costs[index]
    return [sorted(hand) for hand in hands]


def _sum_in_place(gradients: list[torch.Tensor]) -> None:
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
