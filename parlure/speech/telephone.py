"""16 kHz speech → what a telephone network leaves of it: 300–3400 Hz, 8 kHz, line noise, G.711.

Models one clean landline leg: the band of the network's codec filter (ITU-T G.712), the level on the line, white
noise with mains hum under it, and the codec (ITU-T G.711). It does not model echo; packet loss, mobile codecs,
crosstalk and clipping by a bad handset are in :mod:`parlure.speech.channel`. The same samples and generator state give
the same signal.

Legend: dBov is decibels relative to digital full scale, root mean square (a full-scale square wave is 0 dBov).
"""

from __future__ import annotations

import io
import math
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, Samples

TELEPHONE_RATE: Final = 8_000  # Hz, ITU-T G.711 §2
BAND_HZ: Final = (300.0, 3_400.0)  # passband of a voice-frequency channel, ITU-T G.712
LEVEL_DB: Final = -26.0  # dBov of active speech: the nominal level of ITU-T P.56 test material
LINE_NOISE_DB: Final = -55.0  # dBov: an audible analogue line; an idle digital one is near -68 (G.712, -65 dBm0p)
MAINS_HZ: Final = 60.0  # North American mains
HUM_BELOW_NOISE_DB: Final = 6.0  # dB, the hum's harmonics inside the band against the white noise
CODECS: Final = {"mulaw": "ULAW", "alaw": "ALAW"}  # name → libsndfile subtype, ITU-T G.711

_EDGE_HZ = 100.0  # Hz, width of the filter's raised-cosine edges, outside the passband
_PADDING_S = 0.1  # s of zeros against the circular wrap of the FFT; the filter rings for about 2 / _EDGE_HZ
_FRAME_S = 0.02  # s, length of the frames among which active speech is looked for
_ACTIVE_BELOW_PEAK_DB = 30.0  # dB: frames quieter than this against the loudest one are pauses


def telephone(
    samples: Samples,
    rng: np.random.Generator,
    *,
    codec: str = "mulaw",
    line_noise_db: float = LINE_NOISE_DB,
    level_db: float = LEVEL_DB,
) -> Samples:
    """Send speech through a telephone and bring it back to 16 kHz, as a recogniser would be given it.

    Args:
        samples: mono at 16 kHz, shape ``(n_samples,)``.
        rng: where the line noise comes from.
        codec: ``mulaw`` or ``alaw``.
        line_noise_db: dBov of white noise and hum together; ``-inf`` for none.
        level_db: dBov of the active speech.

    Returns:
        Mono at 16 kHz, shape ``(n_samples,)``, within ±1.

    Raises:
        ParlureError: the codec is unknown.
    """
    narrow = telephone_8khz(samples, rng, codec=codec, line_noise_db=line_noise_db, level_db=level_db)
    wide = soxr.resample(narrow, TELEPHONE_RATE, SAMPLE_RATE)
    fitted = np.zeros(len(samples), np.float32)  # an odd length cannot survive 8 kHz: cut or pad the last sample
    n = min(len(samples), len(wide))
    fitted[:n] = np.clip(wide[:n], -1.0, 1.0)
    return fitted


def telephone_8khz(
    samples: Samples,
    rng: np.random.Generator,
    *,
    codec: str = "mulaw",
    line_noise_db: float = LINE_NOISE_DB,
    level_db: float = LEVEL_DB,
) -> Samples:
    """The signal on the line itself, on the codec's grid: writing it with that codec loses nothing more.

    Arguments and errors as for :func:`telephone`.

    Returns:
        Mono at 8 kHz, shape ``(ceil(n_samples / 2),)`` give or take one.
    """
    speech = band_pass(soxr.resample(samples, SAMPLE_RATE, TELEPHONE_RATE), TELEPHONE_RATE)
    level = active_level_db(speech, TELEPHONE_RATE)
    if np.isfinite(level):
        speech = speech * np.float32(10 ** ((level_db - level) / 20))
    return encode_decode(speech + _line_noise(len(speech), rng, line_noise_db), codec)


def band_pass(samples: Samples, sample_rate: int, band_hz: tuple[float, float] = BAND_HZ) -> Samples:
    """Keep a band, fall to nothing within 100 Hz outside it; no delay, shape kept."""
    low, high = band_hz
    size = _fast_size(len(samples) + int(_PADDING_S * sample_rate))
    frequencies = np.fft.rfftfreq(size, 1 / sample_rate)
    distance = np.maximum(np.maximum(low - frequencies, frequencies - high), 0.0)  # Hz outside the band
    gain = 0.5 * (1 + np.cos(np.pi * np.minimum(distance / _EDGE_HZ, 1.0)))
    filtered = np.fft.irfft(np.fft.rfft(samples.astype(np.float64), size) * gain, size)
    return filtered[: len(samples)].astype(np.float32)


def active_level_db(samples: Samples, sample_rate: int) -> float:
    """dBov of the frames in which somebody speaks (after the idea of ITU-T P.56); ``-inf`` for silence."""
    length = int(_FRAME_S * sample_rate)
    n_frames = max(len(samples) // length, 1)
    frames = np.resize(samples, n_frames * length) if len(samples) < length else samples[: n_frames * length]
    power = np.mean(frames.reshape(n_frames, length).astype(np.float64) ** 2, axis=1) if len(samples) else np.zeros(1)
    if power.max() == 0:
        return float("-inf")
    active = power[power > power.max() * 10 ** (-_ACTIVE_BELOW_PEAK_DB / 10)]
    return float(10 * np.log10(active.mean()))


def encode_decode(samples: Samples, codec: str) -> Samples:
    """One G.711 round trip at 8 kHz; shape kept, values within ±1. A second round trip changes nothing.

    Raises:
        ParlureError: the codec is unknown.
    """
    if codec not in CODECS:
        raise ParlureError(f"there is no telephone codec called {codec!r}", f"use one of {', '.join(CODECS)}")
    if not len(samples):
        return samples
    memory = io.BytesIO()
    soundfile.write(memory, np.clip(samples, -1.0, 1.0), TELEPHONE_RATE, format="WAV", subtype=CODECS[codec])
    memory.seek(0)
    decoded: Samples = soundfile.read(memory, dtype="float32")[0]
    return decoded


def _line_noise(n_samples: int, rng: np.random.Generator, level_db: float) -> Samples:
    """White noise and mains hum as the network's filter leaves them, ``level_db`` dBov together."""
    if not n_samples or np.isneginf(level_db):
        return np.zeros(n_samples, np.float32)
    hiss = band_pass(rng.standard_normal(n_samples).astype(np.float32), TELEPHONE_RATE)
    times = np.arange(n_samples) / TELEPHONE_RATE
    hum = np.zeros(n_samples)
    for harmonic in range(5, 14, 2):  # 300 to 780 Hz: the odd ones a rectifier leaves, the lower ones are filtered out
        hum += np.sin(2 * np.pi * (MAINS_HZ * harmonic * times + rng.random())) / harmonic
    hum *= _rms(hiss) / max(_rms(hum), 1e-12) * 10 ** (-HUM_BELOW_NOISE_DB / 20)
    noise = hiss + hum
    return (noise / max(_rms(noise), 1e-12) * 10 ** (level_db / 20)).astype(np.float32)


def _fast_size(n_samples: int) -> int:
    """The least 2^k, 3·2^k or 5·2^k that holds them: an FFT of a size with large prime factors is ten times slower."""
    return min(base << max(0, math.ceil(math.log2(n_samples / base))) for base in (1, 3, 5))


def _rms(samples: Samples | npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
