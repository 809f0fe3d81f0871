"""How loud an utterance is, and how far its speech stands out of what is behind it.

Both are of the samples as the recogniser is given them. They sort utterances into bins; they are no measurement of a
microphone or a line.
"""

from __future__ import annotations

import numpy as np

from parlure.speech.audio import SAMPLE_RATE, Samples

FRAME_S = 0.02  # s, in which a sound hardly changes
LOUD_PERCENTILE, QUIET_PERCENTILE = 80.0, 10.0  # of the frames' energies
MIN_FRAMES = 25  # half a second: below, no percentile of 10 means anything
MAX_SNR_DB = 60.0  # dB; beyond it lies digital silence, not an acoustic background


def level_db(samples: Samples) -> float | None:
    """The root mean square in dB of full scale; None where every sample is zero."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10.0 * float(np.log10(power)) if power > 0.0 else None


def snr_db(samples: Samples) -> float | None:
    """An estimate of the signal-to-noise ratio in dB: loud frames against quiet ones, as NIST's ``stnr`` does it.

    The energy of frames of 20 ms at the 10th percentile is taken for the noise's, that at the 80th for speech and
    noise together. On synthetic speech in white noise that is within 3 dB of the truth from 0 to 20 dB. It holds where
    an utterance has some pauses and a steady background. An utterance without a pause seems noisier than it is, music
    or a second voice in the background counts as noise only while it is steady, and where nobody speaks the figure
    says how the noise varies, not how loud speech is.

    Returns:
        0 to :data:`MAX_SNR_DB`; None for less than half a second, or where every sample is zero.
    """
    length = int(FRAME_S * SAMPLE_RATE)
    n_frames = len(samples) // length
    if n_frames < MIN_FRAMES:
        return None
    frames = samples[: n_frames * length].reshape(n_frames, length)
    energies = np.mean(np.square(frames, dtype=np.float64), axis=1)
    quiet, loud = np.percentile(energies, [QUIET_PERCENTILE, LOUD_PERCENTILE])
    if loud <= 0.0:
        return None
    if quiet <= loud * 10.0 ** (-MAX_SNR_DB / 10.0):
        return MAX_SNR_DB
    # the loud frames hold the noise too; equal loudness throughout is 0 dB at the least
    return float(np.clip(10.0 * np.log10(max(loud / quiet - 1.0, 1.0)), 0.0, MAX_SNR_DB))
