"""The signal on its way through a channel: samples, and the rate they are at by now.

A stage takes a line and gives one of the same length in time. Behind a narrow-band codec the line stays at 8 kHz, so
that what happens later (a lost packet, clipping) cannot put anything above 4 kHz, until it is brought back at the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import soxr

from parlure.speech.audio import Samples
from parlure.speech.telephone import LEVEL_DB, active_level_db


class Line(NamedTuple):
    """``samples`` of shape ``(n_samples,)``, mono; ``rate`` in Hz."""

    samples: Samples
    rate: int

    def at(self, rate: int) -> Line:
        """The same sound at another rate: no delay, the length rounded up to a whole sample."""
        if rate == self.rate:
            return self
        n_samples = -(-len(self.samples) * rate // self.rate)
        return Line(fitted(soxr.resample(self.samples, self.rate, rate), n_samples), rate)

    def of(self, samples: Samples) -> Line:
        """Other samples at this rate."""
        return Line(samples.astype(np.float32, copy=False), self.rate)


def fitted(samples: Samples, n_samples: int) -> Samples:
    """Cut at the end, or followed by zeros, to a length."""
    return np.pad(samples[:n_samples], (0, max(0, n_samples - len(samples)))).astype(np.float32, copy=False)


def speech_level_db(line: Line) -> float:
    """dBov of the active speech; where there is none, the level that speech has on a telephone."""
    level_db = active_level_db(line.samples, line.rate)
    return level_db if np.isfinite(level_db) else LEVEL_DB


def mixed(line: Line, other: Samples, other_level_db: float, relative_db: float) -> Line:
    """Another sound under (or over) what is spoken.

    Args:
        line: what it is added to.
        other: of the same rate and length.
        other_level_db: how loud it is, dBov.
        relative_db: how loud it is to be, dB against the line's active speech.
    """
    if not np.isfinite(other_level_db):
        return line
    scale = 10.0 ** ((speech_level_db(line) + relative_db - other_level_db) / 20.0)
    return line.of(line.samples + np.float32(scale) * other)


def rms_db(samples: Samples) -> float:
    """Root mean square of the whole, dBov; ``-inf`` for silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10.0 * float(np.log10(power)) if power > 0.0 else float("-inf")
