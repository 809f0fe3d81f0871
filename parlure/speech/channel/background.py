"""What is heard beside the speaker: line noise, hum, keys, hold music, somebody on another line.

How loud each is, is said in dB against the active speech (:func:`parlure.speech.telephone.active_level_db`), so that
``noise(-10)`` is a signal-to-noise ratio of 10 dB however loud the recording is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.channel.line import Line, fitted, mixed, rms_db
from parlure.speech.telephone import active_level_db, band_pass
from parlure.speech.tones import hold_music, key_tone

Voice = Callable[[np.random.Generator], Samples]  # somebody else's speech, mono at 16 kHz, of any length

KEY_S: Final = 0.1  # s that a key sounds, and at least as long again until the next (ITU-T Q.24 asks for 40 ms each)

_HARMONICS = range(1, 14, 2)  # of the mains: the odd ones that a rectifier leaves
_PAUSE_S = 0.3  # s between two turns of the voice on the other line


def noise(line: Line, rng: np.random.Generator, *, level: float) -> Line:
    """White noise within 300 to 3400 Hz."""
    hiss = band_pass(rng.standard_normal(len(line.samples)).astype(np.float32), line.rate)
    return mixed(line, hiss, rms_db(hiss), level)


def hum(line: Line, rng: np.random.Generator, *, level: float, mains: float) -> Line:
    """The mains and their odd harmonics, the higher the fainter; what a band limit before it would have taken, too."""
    times_s = np.arange(len(line.samples)) / line.rate
    wave = np.zeros(len(line.samples))
    for harmonic in _HARMONICS:
        wave += np.sin(2.0 * np.pi * (mains * harmonic * times_s + rng.random())) / harmonic
    sound = wave.astype(np.float32)
    return mixed(line, sound, rms_db(sound), level)


def dtmf(line: Line, rng: np.random.Generator, *, level: float, keys: float) -> Line:
    """Keys of the telephone, pressed at any time while somebody speaks."""
    n_samples = round(len(line.samples) * SAMPLE_RATE / line.rate)
    n_tone = round(KEY_S * SAMPLE_RATE)
    n_places = max(1, n_samples // (2 * n_tone))
    wave = np.zeros(max(n_samples, n_tone), np.float32)
    for place in rng.choice(n_places, min(round(keys), n_places), replace=False):
        start = 2 * n_tone * int(place)
        wave[start : start + n_tone] = key_tone(n_tone, rng)
    # two sines of amplitude 1 have together a mean square of 1: 0 dB while a key sounds
    return mixed(line, _at_rate_of(line, wave), 0.0, level)


def music(line: Line, rng: np.random.Generator, *, level: float) -> Line:
    """Hold music that went on when somebody began to speak."""
    n_samples = round(len(line.samples) * SAMPLE_RATE / line.rate)
    sound = _at_rate_of(line, hold_music(n_samples, rng).astype(np.float32))
    return mixed(line, sound, rms_db(sound), level)


def crosstalk(line: Line, rng: np.random.Generator, *, level: float, voice: Voice) -> Line:
    """Somebody else, from any point of what they say on; said again where it is shorter than the line."""
    said = voice(rng)
    turn = Line(np.concatenate([said, np.zeros(round(_PAUSE_S * SAMPLE_RATE), np.float32)]), SAMPLE_RATE).at(line.rate)
    begun = np.roll(turn.samples, -int(rng.integers(len(turn.samples))))
    return mixed(line, np.resize(begun, len(line.samples)), active_level_db(turn.samples, line.rate), level)


def _at_rate_of(line: Line, wave: Samples) -> Samples:
    """A sound made at 16 kHz, at the line's rate and of its length."""
    return fitted(Line(wave, SAMPLE_RATE).at(line.rate).samples, len(line.samples))
