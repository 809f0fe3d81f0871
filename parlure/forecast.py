"""A corpus, the default recipe and a machine → how many steps, operations, gigabytes and hours tuning will take.

Steps follow from durations and the recipe. Operations are counted: matrix products and convolutions of forward and
backward pass with LoRA on all linear layers. Memory is :mod:`parlure.machine`'s estimate. Hours are operations over
what a device could do, times the share of it that training is assumed to reach; no GPU's speed was measured here, and
``basis`` says so beside the figures.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parlure.machine import SIZES, Machine, Size, look
from parlure.sections import AdapterSection, TrainingSection
from parlure.starter import STEP_S, encoder_s, epochs_for

_POSITIONS_PER_S = 50  # of the encoder
_FRAMES_PER_S = 100
_N_MELS = 80
_N_VOCABULARY = 51_865  # of the multilingual checkpoints
_LEAST_BATCH_S = 30.0  # encoder seconds of the smallest forward pass
_GPU_SHARE = 0.3  # of the peak: an assumption, for bf16 on any GPU
_CPU_SHARE = (
    0.42  # of a matrix product's speed: measured with the default recipe on whisper-tiny (benchmarks/RESULTS.md)
)
_PROBE = 1024  # rows and columns of the matrices that are multiplied to see how fast this machine is
_PROBE_S = 0.3


@dataclass(frozen=True)
class Card:
    """A GPU that people rent or own.

    Attributes:
        memory_gb: it has.
        peak_tflops: dense bf16 with fp32 accumulation, from NVIDIA's data sheets and architecture papers; fp32 for
            the T4, which has no bf16.
        bf16: whether it has bf16.
    """

    name: str
    memory_gb: float
    peak_tflops: float
    bf16: bool = True


CARDS = (
    Card("T4", 16, 8.1, bf16=False),
    Card("RTX 3090", 24, 71),
    Card("L4", 24, 121),
    Card("RTX 4090", 24, 165),
    Card("A100 80 GB", 80, 312),
    Card("H100 SXM", 80, 989),
)


def training_flops(size: Size, seconds: float, n_tokens: float) -> float:
    """Operations of one window's forward and backward pass with LoRA on every linear layer.

    A frozen product costs once more in the backward pass, for the gradient of its input; one of two activations, as in
    attention, twice more; the adapters' own, twice more.

    Args:
        size: of the model.
        seconds: of encoder input.
        n_tokens: of its label.
    """
    width, rank = size.width, AdapterSection().r
    positions, frames = _POSITIONS_PER_S * seconds, _FRAMES_PER_S * seconds
    stem = 2 * 3 * width * (_N_MELS * frames + width * positions)  # nothing below it is trained: forward only
    adapters = 18 * width * rank  # in + out of an attention's four layers and a feed-forward's two
    encoder_layer = 2 * 2 * 12 * width**2 * positions + 3 * 4 * positions**2 * width + 3 * 2 * adapters * positions
    decoder_layer = (
        2 * 2 * (14 * width**2 * n_tokens + 2 * width**2 * positions)
        + 3 * 4 * n_tokens * (n_tokens + positions) * width
        + 3 * 2 * adapters * (n_tokens + positions / 4)
    )
    scores = 2 * 2 * width * _N_VOCABULARY * n_tokens
    return stem + size.n_layers * encoder_layer + size.n_decoder_layers * decoder_layer + scores


def forecast(
    durations_s: Sequence[float], label_tokens: tuple[int, int], *, machine: Machine | None = None
) -> dict[str, Any] | None:
    """What the default recipe will take with LoRA, for each public Whisper.

    Args:
        durations_s: of the training utterances.
        label_tokens: of all of them together, at least and at most.
        machine: None looks at this one, and measures its speed.

    Returns:
        A plain dict, or None for a corpus without training utterances.
    """
    if not durations_s:
        return None
    hours = sum(durations_s) / 3600
    epochs, epoch_s = epochs_for(hours), encoder_s(durations_s)
    n_windows = _windows(durations_s)
    machine = machine or look()
    speed = _speed_here(machine)
    models = []
    for size in reversed(SIZES):
        window_s = epoch_s / n_windows
        epoch_flops = n_windows * training_flops(size, window_s, label_tokens[1] / n_windows)
        models.append(_model(size, epochs * epoch_flops, machine, speed))
    share = _GPU_SHARE if machine.gpus else _CPU_SHARE
    return {
        "hours": round(hours, 4),
        "utterances": len(durations_s),
        "encoder_windows_per_epoch": round(n_windows),
        "encoder_hours_per_epoch": round(epoch_s / 3600, 4),
        "label_tokens_per_epoch": {"least": label_tokens[0], "most": label_tokens[1]},
        "epochs": epochs,
        "optimiser_steps": max(1, round(epochs * epoch_s / STEP_S)),
        "encoder_seconds_per_step": STEP_S,
        "models": models,
        "basis": [
            "Windows, steps and label tokens are computed from the manifest and the default recipe; a tenth of the "
            "utterances stands in 30 s windows, drawn anew each epoch, so their number is what is expected.",
            "Operations are counted (matrix products and convolutions), with the most label tokens that there can be.",
            "Memory is estimated, for forward passes of 30 s of input.",
            f"Hours on named GPUs were not measured: they assume {_GPU_SHARE:.0%} of the data sheet's peak. Small "
            "models reach less: launching kernels takes them longer than computing.",
            f"This machine multiplied matrices at {speed / 1e12:.2f} TFLOP/s just now (measured); training is taken to "
            f"reach {share:.0%} of it ({'assumed' if machine.gpus else 'measured for whisper-tiny on one CPU core'}).",
            "Decoding dev for the choice of the checkpoint comes on top.",
        ],
    }


def _windows(durations_s: Sequence[float]) -> float:
    """Encoder windows to be expected in an epoch, as :func:`parlure.starter.encoder_s` counts their seconds."""
    training = TrainingSection()
    mean_s = sum(durations_s) / len(durations_s)
    n_together = min((1 + training.utterances_per_window) / 2, max(1.0, 30.0 / (mean_s + 0.7)))
    share = training.full_window_share
    return len(durations_s) * (share / n_together + 1 - share)


def _model(size: Size, flops: float, machine: Machine, speed: float) -> dict[str, Any]:
    cards = {}
    for card in CARDS:
        need_gb = size.lora_gb(_LEAST_BATCH_S, bf16=card.bf16)
        fits = need_gb <= card.memory_gb
        hours = flops / (card.peak_tflops * 1e12 * _GPU_SHARE) / 3600
        cards[card.name] = {"memory_gb": round(need_gb, 1), "fits": fits, "hours": round(hours, 4) if fits else None}
    share = _GPU_SHARE if machine.gpus else _CPU_SHARE
    has_bf16 = bool(machine.gpus) and machine.gpus[0].has_bf16
    here = {
        "memory_gb": round(size.lora_gb(_LEAST_BATCH_S, bf16=has_bf16), 1),
        "fits": machine.fits(size),
        "hours": round(flops / (speed * share) / 3600, 4),
    }
    return {"model": size.name, "petaflop": round(flops / 1e15, 4), "here": here, "gpus": cards}


def _speed_here(machine: Machine) -> float:
    """Operations a second of a matrix product in the numbers that training would use, measured for a moment."""
    import torch

    on_gpu = bool(machine.gpus) and torch.cuda.is_available()
    n = _PROBE * (8 if on_gpu else 1)
    dtype = torch.bfloat16 if on_gpu and machine.gpus[0].has_bf16 else torch.float32
    matrix = torch.ones(n, n, dtype=dtype, device="cuda" if on_gpu else "cpu")
    matrix @ matrix  # the first one loads what is needed
    fastest_s, begun = float("inf"), time.perf_counter()
    while (at := time.perf_counter()) - begun < _PROBE_S:
        matrix @ matrix
        if on_gpu:
            torch.cuda.synchronize()
        fastest_s = min(fastest_s, time.perf_counter() - at)  # what else runs here now may not run then
    return 2 * n**3 / fastest_s
