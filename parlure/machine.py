"""What this machine has, and which Whisper it can tune with LoRA.

Memory is estimated, not measured: weights in fp32, and activations that grow with the encoder's width and depth. The
one figure they are scaled from is a computation for whisper-medium (batches of 16 windows of 30 s in bf16: 24 GB).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

MARGIN_GB = 1.5  # the driver, the CUDA context, fragmentation
_MEDIUM_GB_PER_S = (24.0 - 3.1) / (16 * 30)  # GB of activations per second of encoder input
_MEDIUM_SHAPE = 1024 * 24  # width times encoder layers


@dataclass(frozen=True)
class Size:
    """A public Whisper checkpoint; ``n_million`` is its parameters, ``width`` and ``n_layers`` its encoder's."""

    name: str
    n_million: int
    width: int
    n_layers: int

    def lora_gb(self, batch_s: float) -> float:
        """GB to tune it with LoRA in batches of so many seconds of encoder input, estimated."""
        activations = _MEDIUM_GB_PER_S * self.width * self.n_layers / _MEDIUM_SHAPE
        return MARGIN_GB + 4e-3 * self.n_million + activations * batch_s


SIZES = (
    Size("openai/whisper-large-v3", 1550, 1280, 32),
    Size("openai/whisper-large-v3-turbo", 809, 1280, 32),
    Size("openai/whisper-medium", 769, 1024, 24),
    Size("openai/whisper-small", 244, 768, 12),
    Size("openai/whisper-base", 74, 512, 6),
    Size("openai/whisper-tiny", 39, 384, 4),
)  # (Radford et al. 2022, table 1)


@dataclass(frozen=True)
class Gpu:
    """One CUDA device."""

    name: str
    memory_gb: float
    has_bf16: bool


@dataclass(frozen=True)
class Machine:
    """Cores that this process may use, main memory in GB, and GPUs."""

    n_cpus: int
    memory_gb: float
    gpus: tuple[Gpu, ...]

    @property
    def training_gb(self) -> float:
        """Memory that one training process can have: a GPU's, or half of the main memory."""
        return self.gpus[0].memory_gb if self.gpus else self.memory_gb / 2

    def fits(self, size: Size, batch_s: float = 30.0) -> bool:
        """Whether a model can probably be tuned here; one 30 s window is the least that a batch holds."""
        return size.lora_gb(batch_s) <= self.training_gb


def look() -> Machine:
    """This machine."""
    import psutil
    import torch

    gpus = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        gpus.append(Gpu(properties.name, properties.total_memory / 1e9, properties.major >= 8))  # Ampere and later
    n_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(n_cpus, psutil.virtual_memory().total / 1e9, tuple(gpus))
