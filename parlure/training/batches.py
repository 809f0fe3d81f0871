"""Windows → the forward passes of every optimiser step, as a plan that the seed alone decides, and their tensors.

A forward pass holds windows of about one length, as many as fit a budget of seconds: nothing is computed for padding,
and few shapes occur. Which windows there are is :mod:`parlure.training.windows`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.features import HOP_LENGTH
from parlure.training.windows import Item, Window, WindowPolicy, draw_windows
from parlure.whisper.prompt import IGNORED, SpecialTokens

# FLOPs of a label token over those of an encoder's second, widths alone: 0.08 in whisper-tiny, 0.03 in medium
_TOKEN_S = 0.05
_SLACK_S = 2.0  # s that a window may be lengthened by, silence at its end, to fill a forward pass


@dataclass(frozen=True)
class MicroBatch:
    """Windows of one forward pass, all fed as ``length_s`` seconds."""

    windows: tuple[Window, ...]
    length_s: float

    @property
    def n_scored(self) -> int:
        """Label tokens that bear loss."""
        return sum(window.labels.n_scored for window in self.windows)

    @property
    def cost(self) -> float:
        """What its forward and backward pass costs, in encoder seconds; rough, and the same whoever asks."""
        n_tokens = max(len(window.labels.inputs) for window in self.windows)
        return len(self.windows) * (self.length_s + _TOKEN_S * n_tokens)

    @property
    def audio_s(self) -> float:
        """Seconds of recording, without padding."""
        return sum(item.duration_s for window in self.windows for item in window.items)


@dataclass(frozen=True)
class Tensors:
    """What a forward pass takes.

    Attributes:
        waves: ``(n_windows, n_samples)``.
        inputs: ``(n_windows, n_tokens)``, what the decoder reads.
        targets: ``(n_windows, n_tokens)``, what it is asked for.
        sound_frames: ``(n_windows,)``, log-mel frames up to the end of the last utterance.
        n_frames: ``(n_windows,)``, log-mel frames behind which zeros stand; None where all is computed from the waves.
    """

    waves: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    sound_frames: torch.Tensor
    n_frames: torch.Tensor | None = None


def plan_epoch(
    items: Sequence[Item],
    policy: WindowPolicy,
    special: SpecialTokens,
    *,
    epoch: int,
    seed: int,
    batch_seconds: float,
    accumulation: int,
    prompted: Callable[[Window], Window] | None = None,
) -> list[tuple[MicroBatch, ...]]:
    """The steps of one epoch; every utterance is in exactly one of them.

    Args:
        items: in any order; the plan does not depend on it.
        policy: how they are fed.
        special: ids of the model's vocabulary.
        epoch: 0-based; the plan differs from epoch to epoch.
        seed: the recipe's.
        batch_seconds: encoder seconds of one forward pass; a single window may exceed it.
        accumulation: forward passes per step.
        prompted: what puts a prompt before a window, if anything does.
    """
    rng = random.Random(f"{seed} {epoch}")
    windows = draw_windows(items, policy, special, seed=seed, epoch=epoch)
    if prompted is not None:
        windows = [*map(prompted, windows)]
    rng.shuffle(windows)  # which windows of one length meet
    windows.sort(key=lambda window: -window.length_s)
    batches = _filled(windows, batch_seconds, 0.0 if policy.fixed else _SLACK_S)
    rng.shuffle(batches)
    return [tuple(batches[i : i + accumulation]) for i in range(0, len(batches), accumulation)]


def _filled(windows: Sequence[Window], batch_seconds: float, slack_s: float) -> list[MicroBatch]:
    """Windows from long to short, cut where the budget is used up or the next one is too much shorter."""
    batches: list[MicroBatch] = []
    start = 0
    while start < len(windows):
        length_s = windows[start].length_s
        end = start + max(1, int(batch_seconds // length_s))
        own = [window for window in windows[start:end] if window.length_s >= length_s - slack_s]
        batches.append(MicroBatch(tuple(own), length_s))
        start += len(own)
    return batches


def collate(batch: MicroBatch, end_id: int) -> Tensors:
    """Read the audio and pad: waves with silence to the batch's length, labels with what bears no loss.

    Args:
        batch: windows of one forward pass.
        end_id: fills the decoder's input after a window's end; causal attention never lets it matter.
    """
    inputs, targets = collate_labels(batch, end_id)
    waves = torch.from_numpy(np.stack([_wave(window, batch.length_s) for window in batch.windows]))
    n_all = waves.shape[1] // HOP_LENGTH
    # faster-whisper 1.2.1 computes the log-mels of the sound and one more frame
    sound = [min(n_all, round(window.sound_s * SAMPLE_RATE) // HOP_LENGTH + 1) for window in batch.windows]
    if all(window.padding == "silence" for window in batch.windows):
        return Tensors(waves, inputs, targets, torch.tensor(sound))
    n_frames = [
        n_all if window.padding == "silence" else n_sound for window, n_sound in zip(batch.windows, sound, strict=True)
    ]
    return Tensors(waves, inputs, targets, torch.tensor(sound), torch.tensor(n_frames))


def collate_labels(batch: MicroBatch, end_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The decoder's inputs and targets alone."""
    labels = [window.labels for window in batch.windows]
    shape = (len(labels), max(len(one.inputs) for one in labels))
    inputs, targets = np.full(shape, end_id), np.full(shape, IGNORED)
    for row, one in enumerate(labels):
        inputs[row, : len(one.inputs)] = one.inputs
        targets[row, : len(one.targets)] = one.targets
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def _wave(window: Window, length_s: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    wave = np.zeros(round(length_s * SAMPLE_RATE), np.float32)
    for item, start_s in zip(window.items, window.starts_s, strict=True):
        sound, start = item.read(), round(start_s * SAMPLE_RATE)
        wave[start : start + len(sound)] = sound
    return wave
