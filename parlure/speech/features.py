"""Samples → Whisper's log-mel features, for a batch of one length, on whatever device holds the samples.

The features of a short utterance are exactly the first frames of its 30 s features, as long as it is followed
by at least a frame of silence: there is one definition, and the window is only how much of it is looked at.
"""

from __future__ import annotations

import math
from functools import cache

import torch

from parlure.speech.audio import SAMPLE_RATE

N_FFT = 400  # samples, 25 ms
HOP_LENGTH = 160  # samples, 10 ms
WINDOW_S = 30.0  # s, the length Whisper was trained on
N_WINDOW_SAMPLES = int(WINDOW_S * SAMPLE_RATE)
N_WINDOW_FRAMES = N_WINDOW_SAMPLES // HOP_LENGTH  # 3,000 frames, of which the encoder makes 1,500 positions
FRAMES_PER_S = SAMPLE_RATE // HOP_LENGTH

TAIL_S = 0.5  # s of silence that every utterance keeps at its end
_GRID_S = 0.5  # s, so that few lengths occur and batches fill


def short_window_s(duration_s: float) -> float:
    """The window of an utterance by itself: its length and a silent tail, rounded up to half a second, 30 s at most."""
    return min(WINDOW_S, math.ceil((duration_s + TAIL_S) / _GRID_S) * _GRID_S)


@cache
def mel_filters(n_mels: int) -> torch.Tensor:
    """Slaney's triangular filters from 0 to 8 kHz, shape ``(n_fft // 2 + 1, n_mels)``."""
    from transformers.audio_utils import mel_filter_bank

    bank = mel_filter_bank(
        num_frequency_bins=1 + N_FFT // 2,
        num_mel_filters=n_mels,
        min_frequency=0.0,
        max_frequency=8000.0,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(bank).to(torch.float32)


def log_mel(samples: torch.Tensor, n_mels: int = 80) -> torch.Tensor:
    """Log-mel spectrograms as OpenAI's Whisper defines them (``whisper/audio.py``).

    Each row is scaled by its own maximum, so a row never depends on its neighbours.

    Args:
        samples: shape ``(n_utterances, n_samples)``, within ±1, silence included up to the wanted length.
        n_mels: 80, or 128 for large-v3.

    Returns:
        Shape ``(n_utterances, n_mels, n_samples // 160)``.
    """
    window = torch.hann_window(N_FFT, device=samples.device)
    spectrum = torch.stft(samples, N_FFT, HOP_LENGTH, window=window, return_complex=True)
    power = (spectrum[..., :-1].abs() ** 2).contiguous()
    mel = mel_filters(n_mels).to(samples.device).T @ power
    decades = torch.clamp(mel, min=1e-10).log10()
    floor = decades.amax(dim=(1, 2), keepdim=True) - 8.0  # 80 dB under the loudest bin
    return (torch.maximum(decades, floor) + 4.0) / 4.0
