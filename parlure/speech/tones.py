"""Sounds of a telephone network that no voice makes: keypad tones, hold music.

Tones are those of ITU-T Q.23; the music is broken chords on an invented instrument. Everything follows from the
generator it is given.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from parlure.speech.audio import SAMPLE_RATE

KEYPAD_HZ: Final = (
    (697, 770, 852, 941),
    (1209, 1336, 1477),
)  # ITU-T Q.23: rows and columns of a telephone's twelve keys

_CHORDS_HZ = ((262, 330, 392), (220, 262, 330), (294, 349, 440))
_BEAT_S = 0.5

Wave = npt.NDArray[np.float64]


def tone(frequency_hz: float, n_samples: int) -> Wave:
    """A sine of amplitude 1 at 16 kHz, shape ``(n_samples,)``."""
    return np.sin(2.0 * np.pi * float(frequency_hz) * np.arange(n_samples) / SAMPLE_RATE)


def key_tone(n_samples: int, rng: np.random.Generator) -> Wave:
    """One of the twelve keys: two tones (DTMF), shape ``(n_samples,)`` at 16 kHz."""
    rows, columns = KEYPAD_HZ
    return tone(rng.choice(rows), n_samples) + tone(rng.choice(columns), n_samples)


def hold_music(n_samples: int, rng: np.random.Generator) -> Wave:
    """Broken chords of plucked notes, four to a chord, shape ``(n_samples,)`` at 16 kHz."""
    wave = np.zeros(n_samples)
    length = int(2 * _BEAT_S * SAMPLE_RATE)
    decay = np.exp(-3.0 * np.arange(length) / length)
    transposed = 2.0 ** (rng.integers(-5, 6) / 12)
    for beat, start in enumerate(range(0, n_samples, int(_BEAT_S * SAMPLE_RATE))):
        chord = _CHORDS_HZ[beat // 4 % len(_CHORDS_HZ)]
        note_hz = transposed * rng.choice(chord)
        note = sum(tone(note_hz * harmonic, length) / harmonic for harmonic in (1, 2, 3)) * decay
        end = min(n_samples, start + length)
        wave[start:end] += note[: end - start]
    return wave
