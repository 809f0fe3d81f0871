"""Utterances → the batches of every optimiser step, as a plan that the seed alone decides.

An utterance is fed at its own length, rounded up to half a second, or in the full 30 s window; which of the two, and
the order, follow from seed, epoch and id. A forward pass holds utterances of one length only, so that nothing an
utterance gives depends on its neighbours, and as many as fit a budget of seconds.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import WINDOW_S, short_window_s
from parlure.whisper.prompt import IGNORED, Labels


@dataclass(frozen=True)
class Item:
    """One training utterance: its labels, and its audio when asked for."""

    id: str
    duration_s: float
    labels: Labels
    read: Callable[[], Samples]


@dataclass(frozen=True)
class MicroBatch:
    """Utterances of one forward pass, all in a window of ``window_s`` seconds."""

    items: tuple[Item, ...]
    window_s: float

    @property
    def n_scored(self) -> int:
        """Label tokens that bear loss."""
        return sum(item.labels.n_scored for item in self.items)

    @property
    def audio_s(self) -> float:
        """Seconds of recording, without padding."""
        return sum(item.duration_s for item in self.items)


@dataclass(frozen=True)
class Tensors:
    """``waves``: ``(n_utterances, n_samples)``; ``inputs`` and ``targets``: ``(n_utterances, n_tokens)``."""

    waves: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor


def plan_epoch(
    items: Sequence[Item], *, epoch: int, seed: int, batch_seconds: float, accumulation: int, full_window_share: float
) -> list[tuple[MicroBatch, ...]]:
    """The steps of one epoch; every utterance is in exactly one of them.

    Args:
        items: in any order; the plan does not depend on it.
        epoch: 0-based; the plan differs from epoch to epoch.
        seed: the recipe's.
        batch_seconds: encoder seconds of one forward pass; a single utterance may exceed it.
        accumulation: forward passes per step.
        full_window_share: share of utterances in the 30 s window.
    """
    rng = random.Random(f"{seed} {epoch}")
    by_window: dict[float, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.id):
        draw = int.from_bytes(hashlib.sha256(f"{seed} {epoch} {item.id}".encode()).digest()[:4], "big") / 2**32
        by_window[WINDOW_S if draw < full_window_share else short_window_s(item.duration_s)].append(item)
    batches = []
    for window_s, group in sorted(by_window.items()):
        rng.shuffle(group)
        size = max(1, int(batch_seconds // window_s))
        batches += [MicroBatch(tuple(group[i : i + size]), window_s) for i in range(0, len(group), size)]
    rng.shuffle(batches)
    return [tuple(batches[i : i + accumulation]) for i in range(0, len(batches), accumulation)]


def collate(batch: MicroBatch, end_id: int) -> Tensors:
    """Read the audio and pad: waves with silence to the window, labels with what bears no loss.

    Args:
        batch: utterances of one window.
        end_id: fills the decoder's input after an utterance's end; causal attention never lets it matter.
    """
    n_samples = round(batch.window_s * SAMPLE_RATE)
    n_tokens = max(len(item.labels.inputs) for item in batch.items)
    waves = np.zeros((len(batch.items), n_samples), np.float32)
    inputs = torch.full((len(batch.items), n_tokens), end_id)
    targets = torch.full((len(batch.items), n_tokens), IGNORED)
    for row, item in enumerate(batch.items):
        sound = item.read()
        waves[row, : len(sound)] = sound
        inputs[row, : len(item.labels.inputs)] = torch.tensor(item.labels.inputs)
        targets[row, : len(item.labels.targets)] = torch.tensor(item.labels.targets)
    return Tensors(torch.from_numpy(waves), inputs, targets)
