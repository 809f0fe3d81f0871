"""A span of sound → the same without silence at its edges."""

from __future__ import annotations

import numpy as np

from parlure.speech.audio import SAMPLE_RATE, Samples

_FRAME = 320  # samples, 20 ms
_QUIET_DB = 30.0  # dB under the loudest frame of the span
_MARGIN_S = 0.1  # s that stay around what is loud


def trimmed(sound: Samples, start_s: float, end_s: float) -> tuple[float, float]:
    """Start and end in seconds, moved inwards to 0.1 s around the frames within 30 dB of the loudest.

    Args:
        sound: 16 kHz.
        start_s, end_s: within it.
    """
    span = sound[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]
    frames = span[: len(span) // _FRAME * _FRAME].reshape(-1, _FRAME)
    if not len(frames):
        return start_s, max(start_s, end_s)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    loud = np.flatnonzero(power >= power.max() * 10 ** (-_QUIET_DB / 10))
    frame_s = _FRAME / SAMPLE_RATE
    return (
        max(start_s, start_s + loud[0] * frame_s - _MARGIN_S),
        min(end_s, start_s + (loud[-1] + 1) * frame_s + _MARGIN_S),
    )
