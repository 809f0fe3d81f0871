"""A fixed set of clips in which nobody speaks: what a recogniser must leave empty.

Six kinds that a telephone or a room gives: nothing at all, noise, an open line, tones of the keypad, ringing and hold
music. A clip follows from its kind and number alone, so that every model and every later report is put to the same
test. Keypad and music are :mod:`parlure.speech.tones`, the ringing is North America's (ITU-T E.180 supplement 2), and
what plays over a line goes through :mod:`parlure.speech.telephone`.

These clips have no voice in them at all. A radio, a distant conversation, breathing and laughter are not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.telephone import telephone
from parlure.speech.tones import Wave, hold_music, key_tone, tone

VERSION: Final = "1"  # raised whenever any clip sounds different
CLIPS_PER_KIND: Final = 5
DURATION_S: Final = (1.0, 28.0)  # s, from a pause to nearly the whole of Whisper's window

_RINGING_HZ, _RINGING_S = (440.0, 480.0), (2.0, 4.0)  # Hz; s on, s off


@dataclass(frozen=True)
class NonSpeech:
    """One clip.

    Attributes:
        kind: a key of :data:`KINDS`.
        number: from 0, within its kind.
    """

    kind: str
    number: int

    @property
    def id(self) -> str:
        """Such as ``hold-music-3``; fit to be a file name."""
        return f"{self.kind.replace(' ', '-')}-{self.number}"

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        low, high = DURATION_S
        return round(float(self._random(0).uniform(low, high)), 2)

    def samples(self) -> Samples:
        """Mono at 16 kHz, shape ``(n_samples,)``, within ±1."""
        n_samples = round(self.duration_s * SAMPLE_RATE)
        return KINDS[self.kind](n_samples, self._random(1))[:n_samples].astype(np.float32)

    def _random(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([list(KINDS).index(self.kind), self.number, purpose])


def nonspeech_clips(per_kind: int = CLIPS_PER_KIND) -> list[NonSpeech]:
    """The first so many clips of every kind; the same ones every time."""
    return [NonSpeech(kind, number) for kind in KINDS for number in range(per_kind)]


def _silence(n_samples: int, rng: np.random.Generator) -> Wave:
    return np.zeros(n_samples)


def _noise(n_samples: int, rng: np.random.Generator) -> Wave:
    """Noise between white and brown, 65 to 25 dB below full scale."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** rng.uniform(0.0, 1.0)
    spectrum[0] = 0.0
    return _at_level(np.fft.irfft(spectrum, n_samples), rng.uniform(-65.0, -25.0))


def _open_line(n_samples: int, rng: np.random.Generator) -> Wave:
    """The hiss and hum of a line on which nobody speaks."""
    return _over_the_line(np.zeros(n_samples), rng, noise_db=rng.uniform(-60.0, -40.0))


def _keypad(n_samples: int, rng: np.random.Generator) -> Wave:
    """Digits of the keypad (DTMF), each 80 to 250 ms, with pauses."""
    wave, place = np.zeros(n_samples), 0
    while place < n_samples:
        place += int(rng.uniform(0.08, 1.5) * SAMPLE_RATE)
        length = int(rng.uniform(0.08, 0.25) * SAMPLE_RATE)
        pressed = key_tone(length, rng)
        end = min(n_samples, place + length)
        if place < end:
            wave[place:end] = pressed[: end - place]
        place += length
    return _over_the_line(wave, rng)


def _ringing(n_samples: int, rng: np.random.Generator) -> Wave:
    """Ringing as the caller hears it: two seconds, four of pause."""
    on, off = _RINGING_S
    time_s = np.arange(n_samples) / SAMPLE_RATE + rng.uniform(0.0, on)
    low, high = (tone(hz, n_samples) for hz in _RINGING_HZ)
    return _over_the_line((low + high) * (time_s % (on + off) < on), rng)


def _hold_music(n_samples: int, rng: np.random.Generator) -> Wave:
    return _over_the_line(hold_music(n_samples, rng), rng)


KINDS: Final[Mapping[str, Callable[[int, np.random.Generator], Wave]]] = {
    "silence": _silence,
    "noise": _noise,
    "open line": _open_line,
    "keypad tones": _keypad,
    "ringing": _ringing,
    "hold music": _hold_music,
}


def _at_level(wave: Wave, level_db: float) -> Wave:
    """At a level in dB of full scale, root mean square."""
    rms = float(np.sqrt(np.mean(np.square(wave))))
    return wave * (10.0 ** (level_db / 20.0) / rms) if rms else wave


def _over_the_line(wave: Wave, rng: np.random.Generator, noise_db: float = -55.0) -> Wave:
    level_db = rng.uniform(-32.0, -18.0)
    return telephone(wave.astype(np.float32), rng, level_db=level_db, line_noise_db=noise_db).astype(np.float64)
