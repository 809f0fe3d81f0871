"""A recording and the spans of its utterances → what is measured of each: level, clipping, speech, noise, bandwidth.

Every span is decoded once. What is measured needs no text and no model, and is plain numbers: it crosses processes and
is kept on disk. Speech is told from silence by energy alone, which holds for a quiet background and not for music.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from parlure.speech.audio import SAMPLE_RATE, AudioError, AudioInfo, Samples, pick_channel, probe, read_channels
from parlure.speech.channels import BLOCK_S, Layout, layout_of
from parlure.speech.level import snr_db

VERSION = 2  # of what is measured: what was kept by another is measured again
FULL_SCALE = 0.999
_FULL_SCALE_G711 = 0.97  # µ-law and A-law end at 0.98
_FRAME_S = 0.02  # s
_SILENCE_DB = -60.0  # dB of full scale: no frame below it is speech
_BELOW_LOUDEST_DB = 35.0  # nor one so much below the loudest tenth of a second
_ABOVE_NOISE_DB = 6.0  # nor one so near the 10th percentile, where that is far below the loudest:
_STEADY_DB = 12.0  # dB between the two; less, and there is no silence to tell apart
_FFT = 512  # samples, 32 ms
_LOUD_DB = 40.0  # dB under the loudest frame: quieter ones say nothing of a bandwidth
_BAND_HZ = 250.0
_BAND_DB = 50.0  # dB under the loudest band: the bandwidth ends at the last band above it
_TELEPHONE_HZ = 4000.0
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)  # what is written before the length is known
_Floats = npt.NDArray[np.float64]


class Span(NamedTuple):
    """A span of a recording in seconds, and the channel of it."""

    start: float
    end: float
    channel: int | None

    @property
    def key(self) -> str:
        """Its name in what is kept."""
        return f"{self.start:.6f} {self.end:.6f} {'mean' if self.channel is None else self.channel}"


def measure_recording(path: str, spans: Sequence[Span]) -> dict[str, Any]:
    """Everything about a recording that rules ask for.

    Returns:
        ``{"error": [reason, message]}``, or rate, channels, their relation, whether it is cut off, and by the spans'
        keys a dict of measures each (:func:`measure`), or an error.
    """
    try:
        info = probe(path)
        if info.duration_s <= 0:
            return {"error": ["empty_audio", f"{path} holds no sound"]}
    except AudioError as error:
        return {"error": [error.reason, error.message]}
    encoding = _encoding(path)
    relation = _Relation(info.n_channels)
    measured = {span.key: _measured(path, span, info, encoding, relation) for span in spans}
    return {
        "rate": info.sample_rate,
        "n_channels": info.n_channels,
        "relation": relation.verdict(),
        "cut_off": _cut_off(Path(path)),
        "spans": measured,
    }


def _measured(path: str, span: Span, info: AudioInfo, encoding: str, relation: _Relation) -> dict[str, Any]:
    try:
        frames, rate = read_channels(path, span.start, span.end)
        relation.add(frames, rate)
        mono = pick_channel(frames, span.channel, path)
    except AudioError as error:
        # the header was read, so a span that cannot be is where header and content part
        return {"error": ["truncated_audio" if error.reason == "undecodable" else error.reason, error.message]}
    return measure(mono, rate, encoding)


def measure(mono: Samples, rate: int, encoding: str = "PCM_16") -> dict[str, Any]:
    """What rules ask for of one utterance.

    Args:
        mono: shape ``(n_samples,)``, at least one.
        rate: Hz.
        encoding: of the file, as libsndfile calls it.

    Returns:
        ``rms`` and ``dc`` of full scale, ``clipped`` and ``speech`` shares, ``lead_s`` and ``trail_s`` of silence,
        ``snr_db`` (or None), ``high`` (share of energy above 4 kHz, None below a rate of 16 kHz), ``bandwidth_hz``,
        ``pcm`` (SHA-1 of 16-bit samples, None for digital silence).
    """
    limit = _FULL_SCALE_G711 if encoding in ("ULAW", "ALAW") else FULL_SCALE
    heard = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    speech, lead_s, trail_s = _speech(heard)
    high, bandwidth_hz = _band(heard, rate)
    snr = snr_db(heard)
    pcm = np.clip(np.round(mono * 32768.0), -32768, 32767).astype("<i2")
    return {
        "rms": round(float(np.sqrt(np.mean(np.square(mono, dtype=np.float64)))), 6),
        "dc": round(float(np.mean(mono, dtype=np.float64)), 5),
        "clipped": round(float(np.mean(np.abs(mono) >= limit)), 6),
        "speech": round(speech, 4),
        "lead_s": round(lead_s, 2),
        "trail_s": round(trail_s, 2),
        "snr_db": None if snr is None else round(snr, 1),
        "high": None if high is None else round(high, 5),
        "bandwidth_hz": bandwidth_hz,
        "pcm": hashlib.sha1(pcm.tobytes() + str(rate).encode(), usedforsecurity=False).hexdigest()
        if pcm.any()
        else None,
    }


def _digest(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _speech(heard: Samples) -> tuple[float, float, float]:
    """Share of frames that may be speech, and the seconds before the first and behind the last."""
    length = int(_FRAME_S * SAMPLE_RATE)
    n_frames = max(1, len(heard) // length)
    frames = (
        np.resize(heard, length)[None] if len(heard) < length else heard[: n_frames * length].reshape(n_frames, length)
    )
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    levels = 10.0 * np.log10(power + 1e-12)
    smooth = np.convolve(power, np.full(5, 0.2), mode="valid") if n_frames >= 5 else power
    loudest = 10.0 * float(np.log10(smooth.max() + 1e-12))
    floor = float(np.percentile(levels, 10))
    limit = max(_SILENCE_DB, loudest - _BELOW_LOUDEST_DB)
    if loudest - floor > _STEADY_DB:
        limit = max(limit, floor + _ABOVE_NOISE_DB)
    active = np.flatnonzero(levels > limit)
    if not len(active):
        return 0.0, n_frames * _FRAME_S, n_frames * _FRAME_S
    return len(active) / n_frames, active[0] * _FRAME_S, (n_frames - 1 - active[-1]) * _FRAME_S


def _band(heard: Samples, rate: int) -> tuple[float | None, int | None]:
    """Share of energy above 4 kHz at the 95th percentile of loud frames; where the spectrum ends, in Hz."""
    n_frames = len(heard) // _FFT
    if not n_frames:
        return None, None
    frames = heard[: n_frames * _FFT].reshape(n_frames, _FFT) * np.hanning(_FFT).astype(np.float32)
    spectrum: _Floats = np.square(np.abs(np.fft.rfft(frames, axis=1)))
    energy = spectrum.sum(axis=1)
    loud = energy > energy.max() * 10.0 ** (-_LOUD_DB / 10.0)
    if energy.max() <= 0.0:
        return None, None
    spectrum, energy = spectrum[loud], energy[loud]
    split = round(_TELEPHONE_HZ * _FFT / SAMPLE_RATE) + 2  # the window smears a bin or two
    high = float(np.percentile(spectrum[:, split:].sum(axis=1) / energy, 95)) if rate >= SAMPLE_RATE else None
    per_band = round(_BAND_HZ * _FFT / SAMPLE_RATE)
    typical = np.percentile(spectrum, 95, axis=0)[: _FFT // 2].reshape(-1, per_band).mean(axis=1)
    last = int(np.flatnonzero(typical >= typical.max() * 10.0 ** (-_BAND_DB / 10.0))[-1])
    return high, round((last + 1) * per_band * SAMPLE_RATE / _FFT)


class _Relation:
    """How the channels of a recording relate, from the spans that are read of it."""

    def __init__(self, n_channels: int) -> None:
        self._n_channels = n_channels
        self._products: list[_Floats] = []

    def add(self, frames: Samples, rate: int) -> None:
        """Take note of a span, shape ``(C, N)``."""
        if self._n_channels < 2:
            return
        step = max(1, int(rate * BLOCK_S))
        for start in range(0, frames.shape[1], step):
            block = np.nan_to_num(frames[:, start : start + step].astype(np.float64), posinf=0.0, neginf=0.0)
            self._products.append(block @ block.T)

    def verdict(self) -> Layout:
        """As :func:`parlure.speech.channels.channel_layout` says it."""
        return layout_of(self._products) if self._products else "one"


def _encoding(path: str) -> str:
    try:
        return str(soundfile.info(path).subtype)
    except soundfile.LibsndfileError:
        return ""


def _cut_off(path: Path) -> str | None:
    """What a WAV's header promises beyond its end; libsndfile reads what is there and says nothing."""
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        while len(head := file.read(8)) == 8:
            name, size = head[:4], int.from_bytes(head[4:], "little")
            if name == b"data":
                missing = file.tell() + size - n_bytes
                cut = missing > 1 and size not in _UNKNOWN_SIZES
                return f"{missing} of {size} bytes of samples are missing" if cut else None
            file.seek(size + size % 2, 1)
    return None
