"""Speech codecs of telephone networks and call recorders: encoded and decoded again, where it was in time.

The codecs themselves are libraries': libsndfile's (G.711, GSM 06.10) and those of the FFmpeg that PyAV brings along
(AMR-NB by opencore, Opus, G.722, MP3 by LAME). A codec delays what it gives out, by its look-ahead and filters. By how
much is measured here, once for every codec and bit rate, on a signal whose place can be told to the sample.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import soundfile
import soxr

from parlure.errors import ParlureError
from parlure.speech.audio import Samples
from parlure.speech.channel.line import Line, fitted
from parlure.speech.telephone import TELEPHONE_RATE, encode_decode

AMR_KBPS: Final = (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)  # 3GPP TS 26.071
OPUS_KBPS: Final = (6.0, 8.0, 10.0, 12.0)  # RFC 6716 §2.1.1: 8 to 12 for narrow-band speech, 6 the least there is
MP3_KBPS: Final = (8.0, 16.0)  # what call recorders save with, at 8 kHz (MPEG 2.5)

_PROBE_S = 2.0  # s of the signal that a codec's delay is measured with
_TAIL_S = 0.1  # s of zeros after the sound, so that a delayed end comes out too
_MOST_LATE_S = 0.1  # s; no codec here is later


@dataclass(frozen=True)
class _Codec:
    """A codec of PyAV.

    Attributes:
        encoder, decoder: FFmpeg's names.
        rate: Hz, of what is encoded.
        sample_format: that the encoder takes, 16-bit packed or planar.
        kbps: bit rate asked for; 0 where the codec has one alone.
        options: of the encoder.
    """

    encoder: str
    decoder: str
    rate: int
    sample_format: str
    kbps: float = 0.0
    options: tuple[tuple[str, str], ...] = field(default=())


def g711(line: Line, rng: np.random.Generator, *, law: str) -> Line:
    """ITU-T G.711, 64 kbit/s: every sample by itself, no delay."""
    narrow = line.at(TELEPHONE_RATE)
    return narrow.of(encode_decode(narrow.samples, {"mu": "mulaw", "a": "alaw"}[law]))


def gsm(line: Line, rng: np.random.Generator) -> Line:
    """GSM 06.10 full rate (ETSI EN 300 961), 13 kbit/s, by libsndfile."""
    return _through(line.at(TELEPHONE_RATE), _gsm)


def amr(line: Line, rng: np.random.Generator, *, kbps: float) -> Line:
    """AMR narrow-band (3GPP TS 26.071), by opencore."""
    return _by_pyav(line, _Codec("libopencore_amrnb", "amrnb", TELEPHONE_RATE, "s16", kbps))


def opus(line: Line, rng: np.random.Generator, *, kbps: float) -> Line:
    """Opus (RFC 6716) for speech, narrow-band, variable bit rate, 20 ms packets."""
    return _by_pyav(line, _Codec("libopus", "opus", TELEPHONE_RATE, "s16", kbps, (("application", "voip"),)))


def g722(line: Line, rng: np.random.Generator) -> Line:
    """ITU-T G.722, 64 kbit/s: up to 7 kHz."""
    return _by_pyav(line, _Codec("g722", "g722", 16_000, "s16"))


def mp3(line: Line, rng: np.random.Generator, *, kbps: float) -> Line:
    """MPEG audio layer III at 8 kHz, as call recorders save it."""
    return _by_pyav(line, _Codec("libmp3lame", "mp3", TELEPHONE_RATE, "s16p", kbps))


def library_versions() -> dict[str, str]:
    """Whose codecs these are: another version may sound otherwise."""
    import av

    return {"av": av.__version__, "libsndfile": soundfile.__libsndfile_version__}


# ------------------------------------------------------------------------------------------ delay

RoundTrip = Callable[[Samples], Samples]  # of one rate; what comes out may be late, and longer


def _through(line: Line, round_trip: RoundTrip) -> Line:
    """A round trip whose delay is taken out again; the length is kept."""
    if not len(line.samples):
        return line
    late = _lateness(round_trip, line.rate)
    tail = np.zeros(round(_TAIL_S * line.rate), np.float32)
    heard = round_trip(np.concatenate([line.samples, tail]))
    return line.of(np.clip(fitted(heard[late:], len(line.samples)), -1.0, 1.0))


@lru_cache(maxsize=64)
def _lateness(round_trip: RoundTrip, rate: int) -> int:
    """By how many samples a codec delays, found by cross-correlation.

    Raises:
        ParlureError: what comes out has no place at which it resembles what went in.
    """
    sent = _probe(rate)
    heard = fitted(round_trip(sent), len(sent))
    size = 2 * len(sent)
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size)), size)
    late = int(np.argmax(products[: round(_MOST_LATE_S * rate)]))
    alike = products[late] / max(float(np.linalg.norm(sent) * np.linalg.norm(heard)), 1e-12)
    if alike < 0.3:
        raise ParlureError(
            f"this machine's codec does not give back what it was given ({round_trip!r})",
            'install it again: pip install --force-reinstall "av>=16" "soundfile>=0.13"',
        )
    return late


def _probe(rate: int) -> Samples:
    """Pulses at uneven distances through three resonances: a speech codec takes it for a voice.

    Formants of a neutral vowel (500, 1500, 2500 Hz, Fant 1960), pitch jumping between 90 and 220 Hz.
    """
    rng = np.random.default_rng(0)
    n_samples = round(_PROBE_S * rate)
    pulses = np.zeros(n_samples)
    times_s = np.cumsum(1.0 / rng.uniform(90.0, 220.0, round(220.0 * _PROBE_S)))
    pulses[(times_s[times_s < _PROBE_S] * rate).astype(int)] = 1.0
    ringing_s = np.arange(round(0.05 * rate)) / rate
    response = np.zeros(len(ringing_s))
    for formant, width in ((500.0, 80.0), (1500.0, 120.0), (2500.0, 160.0)):
        response += np.exp(-np.pi * width * ringing_s) * np.sin(2.0 * np.pi * formant * ringing_s)
    wave = np.convolve(pulses, response)[:n_samples]
    return np.float32(0.3 / np.abs(wave).max()) * wave.astype(np.float32)


# ------------------------------------------------------------------------------------------ round trips


def _gsm(samples: Samples) -> Samples:
    memory = io.BytesIO()
    clipped = np.clip(samples, -1.0, 1.0)
    soundfile.write(memory, clipped, TELEPHONE_RATE, format="WAV", subtype="GSM610")
    memory.seek(0)
    decoded: Samples = soundfile.read(memory, dtype="float32")[0]
    return decoded


def _by_pyav(line: Line, codec: _Codec) -> Line:
    return _through(line.at(codec.rate), _round_trip_of(codec))


@lru_cache(maxsize=64)
def _round_trip_of(codec: _Codec) -> RoundTrip:
    """One function object for each codec, which its delay is remembered by."""

    def round_trip(samples: Samples) -> Samples:
        return _encode_decode(samples, codec)

    round_trip.__qualname__ = f"{codec.encoder} {codec.kbps:g}"
    return round_trip


def _encode_decode(samples: Samples, codec: _Codec) -> Samples:
    encoder = _context(codec.encoder, "w", codec)
    encoder.format = codec.sample_format
    if codec.kbps:
        encoder.bit_rate = round(codec.kbps * 1000)
    encoder.options = dict(codec.options)
    encoder.open()
    decoder = _context(codec.decoder, "r", codec)
    decoder.extradata = encoder.extradata  # None, or the header that Opus' decoder reads
    decoded = []
    for frame in _frames(samples, encoder.frame_size or round(0.02 * codec.rate), codec):
        for packet in encoder.encode(frame):
            decoded += decoder.decode(packet)
    decoded += decoder.decode(None)
    heard = np.concatenate([_floats(frame.to_ndarray()) for frame in decoded])
    given = decoded[0].sample_rate
    return heard if given == codec.rate else soxr.resample(heard, given, codec.rate)


def _context(name: str, mode: Literal["r", "w"], codec: _Codec) -> Any:
    """An encoder (``w``) or decoder (``r``), mono at the codec's rate.

    Raises:
        ParlureError: this PyAV was built without it.
    """
    import av

    try:
        context: Any = av.CodecContext.create(name, mode)
    except av.codec.codec.UnknownCodecError as error:
        kind = {"w": "encoder", "r": "decoder"}[mode]
        raise ParlureError(
            f"the PyAV installed here has no {kind} {name}",
            'the wheels from PyPI have it: pip install --force-reinstall --only-binary av "av>=16"',
        ) from error
    context.sample_rate = codec.rate
    context.layout = "mono"
    return context


def _frames(samples: Samples, size: int, codec: _Codec) -> Iterator[Any]:
    """Frames of the encoder's size, zeros after the end; then None, at which it gives what it has kept back."""
    import av

    whole = np.pad(samples, (0, -len(samples) % size))
    numbers = np.clip(np.round(whole * 32_768.0), -32_768, 32_767).astype(np.int16)
    for start in range(0, len(numbers), size):
        frame = av.AudioFrame.from_ndarray(
            numbers[None, start : start + size], format=codec.sample_format, layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = codec.rate, start, Fraction(1, codec.rate)
        yield frame
    yield None


def _floats(decoded: np.ndarray[Any, Any]) -> Samples:
    """One channel of a decoded frame within ±1."""
    channel = decoded.reshape(-1).astype(np.float32)
    return channel / np.float32(32_768.0) if decoded.dtype == np.int16 else channel
