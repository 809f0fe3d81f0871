"""What happens to speech before it reaches a microphone's line: it is said faster, in a room, beside noise, from afar.

Lengths and places in time are kept by all but :func:`at_speed`, which moves everything by one factor.
"""

from __future__ import annotations

import numpy as np
import soxr

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.channel.line import Line, fitted, mixed, rms_db, speech_level_db


def at_speed(samples: Samples, speed: float) -> Samples:
    """Played faster or slower, the pitch going along (speed perturbation, Ko et al. 2015).

    Returns:
        ``round(n_samples / speed)`` samples.
    """
    return fitted(soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE), round(len(samples) / speed))


def in_room(samples: Samples, response: Samples) -> Samples:
    """Convolved with a room's impulse response.

    The direct sound (the response's largest sample) stays where it was, and the active speech as loud as it was.

    Args:
        samples: mono at 16 kHz, of any length but 0.
        response: likewise, with a sample that is not 0.
    """
    direct = int(np.argmax(np.abs(response)))
    n_fft = 1 << (len(samples) + len(response) - 2).bit_length()
    spectrum = np.fft.rfft(samples, n_fft) * np.fft.rfft(response, n_fft)
    heard = fitted(np.fft.irfft(spectrum, n_fft)[direct:].astype(np.float32), len(samples))
    before_db, after_db = (speech_level_db(Line(sound, SAMPLE_RATE)) for sound in (samples, heard))
    return heard * np.float32(10.0 ** ((before_db - after_db) / 20.0))


def beside_noise(samples: Samples, noise: Samples, snr_db: float, rng: np.random.Generator) -> Samples:
    """Under a stretch of noise, from any point of it on; again from its beginning where it is too short.

    Args:
        samples: mono at 16 kHz.
        noise: likewise, of any length but 0.
        snr_db: level of the active speech over that of the stretch, in dB.
        rng: draws the point.
    """
    start = int(rng.integers(max(1, len(noise) - len(samples) + 1)))
    stretch = np.resize(noise[start:], len(samples))
    return mixed(Line(samples, SAMPLE_RATE), stretch, rms_db(stretch), -snr_db).samples
