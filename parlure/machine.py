"""What this machine has, and which Whisper it can tune with LoRA, or whole.

Memory is estimated, not measured: weights in fp32, adapters with their gradients and AdamW's two moments, and
activations that grow with the encoder's width and depth. The one figure these are scaled from is a computation for
whisper-medium (batches of 16 windows of 30 s in bf16: 24 GB); in fp32 they take twice as much.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from parlure.sections import AdapterSection

MARGIN_GB = 1.5  # the driver, the CUDA context, fragmentation
_MEDIUM_GB_PER_S = (24.0 - 3.1) / (16 * 30)  # GB of activations per second of encoder input
_MEDIUM_SHAPE = 1024 * 24  # width times encoder layers


@dataclass(frozen=True)
class Size:
    """A public Whisper checkpoint.

    Attributes:
        n_million: its parameters.
        width: of its layers.
        n_layers: of its encoder.
        n_decoder_layers: of its decoder.
    """

    name: str
    n_million: int
    width: int
    n_layers: int
    n_decoder_layers: int

    def n_adapter(self, r: int) -> int:
        """Parameters of LoRA's adapters of rank r on every linear layer of the blocks."""
        # in + out: 2 widths for each of an attention's four layers, 5 for each of a feed-forward's two
        encoder_layer, decoder_layer = 4 * 2 + 2 * 5, 2 * 4 * 2 + 2 * 5
        return r * self.width * (encoder_layer * self.n_layers + decoder_layer * self.n_decoder_layers)

    def lora_gb(self, batch_s: float, *, bf16: bool) -> float:
        """GB to tune it with LoRA in batches of so many seconds of encoder input, estimated."""
        adapters = 4 * 4e-9 * self.n_adapter(AdapterSection().r)  # value, gradient, two moments
        return MARGIN_GB + 4e-3 * self.n_million + adapters + self._activations_gb(batch_s, bf16)

    def full_gb(self, batch_s: float, *, bf16: bool) -> float:
        """GB to tune all of its weights, likewise: each with its gradient and two moments."""
        return MARGIN_GB + 4 * 4e-3 * self.n_million + self._activations_gb(batch_s, bf16)

    def _activations_gb(self, batch_s: float, bf16: bool) -> float:
        return _MEDIUM_GB_PER_S * self.width * self.n_layers / _MEDIUM_SHAPE * (1 if bf16 else 2) * batch_s


SIZES = (
    Size("openai/whisper-large-v3", 1550, 1280, 32, 32),
    Size("openai/whisper-large-v3-turbo", 809, 1280, 32, 4),
    Size("openai/whisper-medium", 769, 1024, 24, 24),
    Size("openai/whisper-small", 244, 768, 12, 12),
    Size("openai/whisper-base", 74, 512, 6, 6),
    Size("openai/whisper-tiny", 39, 384, 4, 4),
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

    def fits(self, size: Size, batch_s: float = 30.0, method: str = "lora") -> bool:
        """Whether a model can probably be tuned here; one 30 s window is the least that a batch holds."""
        has_bf16 = bool(self.gpus) and self.gpus[0].has_bf16
        need_gb = size.full_gb if method == "full" else size.lora_gb
        return need_gb(batch_s, bf16=has_bf16) <= self.training_gb


def has_bf16() -> bool:
    """Whether the current GPU computes in bf16 itself; PyTorch emulates it on older ones, slowly."""
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)


def look() -> Machine:
    """This machine."""
    import psutil
    import torch

    gpus = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        with torch.cuda.device(index):
            gpus.append(Gpu(properties.name, properties.total_memory / 1e9, has_bf16()))
    n_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(n_cpus, psutil.virtual_memory().total / 1e9, tuple(gpus))
