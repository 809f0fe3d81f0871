"""Loudness: a gain, an automatic one, and a signal that is too large for the line."""

from __future__ import annotations

from typing import Final

import numpy as np

from parlure.speech.channel.line import Line

AGC_FRAME_S: Final = 0.01  # s; a frame of level and gain
_ATTACK_S, _RELEASE_S = 0.02, 0.5  # s in which the level followed comes near a louder sound, and a quieter one
_FLOOR_DB = -70.0  # dBov; below lies nothing to be made louder


def gain(line: Line, rng: np.random.Generator, *, db: float) -> Line:
    """Louder or quieter; what would exceed full scale is clipped, as on a real line."""
    return line.of(np.clip(line.samples * np.float32(10.0 ** (db / 20.0)), -1.0, 1.0))


def clip(line: Line, rng: np.random.Generator, *, db: float) -> Line:
    """Cut off so many dB under the largest sample, as an overdriven handset does; the rest stays as loud as it was."""
    limit = np.abs(line.samples).max(initial=0.0) * 10.0 ** (-db / 20.0)
    return line.of(np.clip(line.samples, -limit, limit))


def agc(line: Line, rng: np.random.Generator, *, target: float, most: float) -> Line:
    """Automatic gain: towards a level, fast when it gets louder, slowly when it gets quieter, so that pauses swell.

    One pole each way over frames of 10 ms; no look-ahead, so the first syllable after a pause is too loud and clipped.
    """
    size = round(AGC_FRAME_S * line.rate)
    n_frames = -(-len(line.samples) // size)
    if not n_frames:
        return line
    power = np.square(np.pad(line.samples, (0, n_frames * size - len(line.samples))), dtype=np.float64)
    levels = 10.0 * np.log10(power.reshape(n_frames, size).mean(axis=1) + 1e-12)
    level, gains = target, np.zeros(n_frames)
    attack, release = (1.0 - np.exp(-AGC_FRAME_S / s) for s in (_ATTACK_S, _RELEASE_S))
    for frame, now in enumerate(np.maximum(levels, _FLOOR_DB)):
        level += (attack if now > level else release) * (now - level)
        gains[frame] = np.clip(target - level, -most, most)
    curve = np.interp(np.arange(len(line.samples)), (np.arange(n_frames) + 0.5) * size, gains)
    return line.of(np.clip(line.samples * 10.0 ** (curve / 20.0), -1.0, 1.0))
