"""Log-mels with bands and stretches of time taken out while training (SpecAugment, Park et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from parlure.sections import AugmentationSection
from parlure.speech.features import FRAMES_PER_S

N_MASKS = 2  # of either kind, as the paper's policies for Switchboard, which is telephone speech
_MOST_OF_SOUND = 0.2  # that a stretch may cover: its "p" for them


@dataclass(frozen=True)
class Masking:
    """How much is masked.

    Attributes:
        share: of windows.
        n_mels: most mels of a band.
        n_frames: most frames of a stretch.
    """

    share: float
    n_mels: int
    n_frames: int

    @classmethod
    def of(cls, asked: AugmentationSection) -> Masking | None:
        """What a recipe asks for; None where that is nothing."""
        if not asked.spec_augment:
            return None
        return cls(asked.spec_augment, asked.mask_mels, round(asked.mask_s * FRAMES_PER_S))

    def masked(self, features: torch.Tensor, sound_frames: torch.Tensor) -> torch.Tensor:
        """The windows, some of them masked by the mean of their own sound.

        Draws from torch's generator of the CPU, which training seeds for every forward pass.

        Args:
            features: log-mels, ``(n_windows, n_mels, n_frames)``; left as they are.
            sound_frames: ``(n_windows,)``, how many of the frames hold sound and not padding.

        Returns:
            The same shape.
        """
        n_windows, n_mels, n_all = features.shape
        sound = sound_frames.clamp(1, n_all).cpu()
        widest = torch.clamp((_MOST_OF_SOUND * sound).long(), max=self.n_frames)
        hidden = torch.zeros(n_windows, n_mels, n_all, dtype=torch.bool)
        for _ in range(N_MASKS):
            hidden |= _stretch(torch.full((n_windows,), min(self.n_mels, n_mels)), n_mels, n_mels)[:, :, None]
            hidden |= _stretch(widest, sound, n_all)[:, None, :]
        hidden &= (torch.rand(n_windows) < self.share)[:, None, None]
        inside = (torch.arange(n_all) < sound[:, None])[:, None, :].to(features.device)
        means = (features * inside).sum((1, 2)) / (inside.sum((1, 2)) * n_mels)
        return torch.where(hidden.to(features.device), means[:, None, None], features)


def _stretch(most: torch.Tensor, within: torch.Tensor | int, n_all: int) -> torch.Tensor:
    """One stretch for each window, 0 to ``most`` long, anywhere in the first ``within``; ``(n_windows, n_all)``."""
    width = (torch.rand(len(most)) * (most + 1)).long()
    start = (torch.rand(len(most)) * (within - width + 1)).long()
    places = torch.arange(n_all)
    return (places >= start[:, None]) & (places < (start + width)[:, None])
