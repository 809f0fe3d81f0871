"""Bandwidth: a lower sample rate, a band limit, and a whole clean landline leg."""

from __future__ import annotations

import numpy as np

from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.channel.line import Line
from parlure.speech.telephone import TELEPHONE_RATE, band_pass, telephone_8khz


def clean(line: Line, rng: np.random.Generator) -> Line:
    """The recording as it is."""
    return line


def narrow(line: Line, rng: np.random.Generator) -> Line:
    """Sampled at 8 kHz and no more."""
    return line.at(TELEPHONE_RATE)


def band(line: Line, rng: np.random.Generator, *, low: float, high: float) -> Line:
    """Only what lies between two frequencies, without delay; the sample rate stays."""
    return line.of(band_pass(line.samples, line.rate, (low, high)))


def landline(line: Line, rng: np.random.Generator, *, law: str, noise: float, level: float) -> Line:
    """The leg of :mod:`parlure.speech.telephone`, which the demo's calls go through: band, level, line noise, G.711."""
    wide = line.at(SAMPLE_RATE)
    codec = {"mu": "mulaw", "a": "alaw"}[law]
    samples = telephone_8khz(wide.samples, rng, codec=codec, line_noise_db=noise, level_db=level)
    return Line(samples, TELEPHONE_RATE)
