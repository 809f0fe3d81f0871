"""What a line sounds like while nobody speaks: nothing at all, noise, hum, tones, clicks."""

from __future__ import annotations

import numpy as np

from parlure.speech.audio import SAMPLE_RATE, Samples

SILENCES = ("digital zero", "white noise", "coloured noise", "mains hum", "tone", "clicks")


def noise(n_samples: int, rng: np.random.Generator, slope: float = 0.0) -> Samples:
    """Noise of unit power: white at slope 0, brownish towards 1."""
    white = rng.standard_normal(n_samples).astype(np.float32)
    coloured = np.convolve(white, slope ** np.arange(24), mode="same") if slope else white
    return (coloured / (np.sqrt(np.mean(coloured**2)) + 1e-9)).astype(np.float32)


def hush(duration_s: float, kind: str, rng: np.random.Generator) -> Samples:
    """A stretch without speech, of one of ``SILENCES``, 15 to 75 dB under full scale."""
    n = int(duration_s * SAMPLE_RATE)
    time_s = np.arange(n) / SAMPLE_RATE
    if kind == "digital zero":
        return np.zeros(n, np.float32)
    if kind == "white noise":
        sound = noise(n, rng)
    elif kind == "coloured noise":
        sound = noise(n, rng, rng.uniform(0.3, 0.95))
    elif kind == "mains hum":
        base_hz = rng.choice([50.0, 60.0])
        parts = [rng.uniform(0, 1) * np.sin(2 * np.pi * base_hz * k * time_s + rng.uniform(0, 6)) for k in (1, 2, 3, 5)]
        sound = np.sum(parts, axis=0) + 0.05 * noise(n, rng)
    elif kind == "tone":  # dial and ringing tones: one or two frequencies, steady or in bursts
        sound = np.sin(2 * np.pi * rng.uniform(300, 1000) * time_s) + np.sin(
            2 * np.pi * rng.uniform(300, 1700) * time_s
        )
        if rng.random() < 0.6:
            sound = sound * (time_s % rng.uniform(0.3, 4.0) < rng.uniform(0.15, 1.5))
        sound = sound + 0.02 * noise(n, rng)
    else:
        sound = 0.05 * noise(n, rng)
        for place in rng.integers(0, max(1, n - 200), size=int(2 * duration_s) + 1):
            sound[place : place + 200] += rng.uniform(0.2, 1) * noise(200, rng) * np.exp(-np.arange(200) / 40)
    level = 10 ** (-rng.uniform(15, 75) / 20)
    return (level * sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)
