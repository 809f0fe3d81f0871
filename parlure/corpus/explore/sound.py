"""An utterance → its sound as a WAV file, and what there is to see of it: waveform, spectrogram, level.

N samples at 16 kHz; T columns of the spectrogram, F bands of it.
"""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from parlure.corpus.manifest import Utterance
from parlure.speech.audio import SAMPLE_RATE, Samples, read_audio
from parlure.speech.level import level_db, snr_db

N_PEAKS = 1000  # columns of the waveform, about as many as a screen has pixels for it
MAX_COLUMNS = 1000  # of the spectrogram
WINDOW = 400  # samples: 25 ms, as Whisper's features have it
SMALLEST_HOP = 80  # samples: 5 ms
FFT_LENGTH = 512
RANGE_DB = 70.0  # dB below the loudest point; what is quieter is drawn as nothing
FULL_SCALE = 32767 / 32768  # the largest sample of 16 bits


def samples_of(utterance: Utterance) -> Samples:
    """The span as Whisper hears it, shape ``(N,)``.

    Raises:
        AudioError: the recording is missing, or the span cannot be read.
    """
    return read_audio(utterance.recording, utterance.start, utterance.end, utterance.channel)


def wav_bytes(samples: Samples) -> bytes:
    """Samples of shape ``(N,)`` as a WAV file, 16 kHz, mono, 16 bits; clipped to ±1."""
    import soundfile

    file = BytesIO()
    soundfile.write(file, np.clip(samples, -1.0, 1.0), SAMPLE_RATE, subtype="PCM_16", format="WAV")
    return file.getvalue()


def picture(samples: Samples) -> dict[str, Any]:
    """What the page draws of samples of shape ``(N,)``.

    Returns:
        ``low`` and ``high``: the smallest and the largest sample of each of up to 1000 columns; ``columns``, ``bands``
        and ``spectrogram``: T, F and the T × F bytes in base64, column after column, from 0 Hz up, 255 the loudest;
        ``top_hz``: the frequency of the last band; ``level_db``, ``snr_db`` (dB, or None); ``at_full_scale``: how many
        samples are as large as 16 bits can hold.
    """
    low, high = peaks(samples)
    points = spectrogram(samples)
    level, snr = level_db(samples), snr_db(samples)
    return {
        "seconds": len(samples) / SAMPLE_RATE,
        "low": [round(float(value), 4) for value in low],
        "high": [round(float(value), 4) for value in high],
        "columns": points.shape[0],
        "bands": points.shape[1],
        "top_hz": SAMPLE_RATE // 2,
        "spectrogram": base64.b64encode(points.tobytes()).decode("ascii"),
        "level_db": None if level is None else round(level, 1),
        "snr_db": None if snr is None else round(snr, 1),
        "at_full_scale": int(np.count_nonzero(np.abs(samples) >= FULL_SCALE)),
    }


def peaks(samples: Samples) -> tuple[Samples, Samples]:
    """The smallest and the largest sample of each of min(N, 1000) equal stretches."""
    edges = np.linspace(0, len(samples), min(len(samples), N_PEAKS), endpoint=False).astype(np.intp)
    return np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)


def spectrogram(samples: Samples) -> npt.NDArray[np.uint8]:
    """Power of a short-time Fourier transform in dB below its loudest point, shape ``(T, F)``, 0 to 255.

    Windows of 25 ms (Hann), 5 ms apart or further, so that T stays within 1000; F = 128 bands of 62.5 Hz.
    """
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    hop = max(SMALLEST_HOP, -(-(len(padded) - WINDOW + 1) // MAX_COLUMNS))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop]  # (T, 400)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(WINDOW), FFT_LENGTH)))  # (T, 257)
    bands = power[:, :-1].reshape(len(power), -1, 2).max(axis=2)  # (T, 128): 31.25 Hz is finer than a voice needs
    if not bands.max() > 0:
        return np.zeros(bands.shape, dtype=np.uint8)
    below_db = 10.0 * np.log10(np.maximum(bands / bands.max(), 10.0 ** (-RANGE_DB / 10.0)))
    return np.asarray(np.rint((below_db / RANGE_DB + 1.0) * 255), dtype=np.uint8)
