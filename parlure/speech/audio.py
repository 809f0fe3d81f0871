"""Audio file → mono 16 kHz samples, and back; constants with their units.

soundfile reads first (wav, flac, ogg, mp3, telephone µ-law and A-law; only the wanted span is decoded), PyAV
reads what it cannot open (m4a, webm, amr, mp4). Shapes: C channels, N samples at the file's own rate.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from parlure.errors import ParlureError

Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000  # Hz, what Whisper hears
END_TOLERANCE_S = 0.1  # s, how far a span may reach past the end of its recording; it is cut there
_SEEK_MARGIN_S = 0.5  # s, decoded before a span and thrown away: a codec needs a run-up
_EXACT = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})  # need none


class AudioError(ParlureError):
    """A recording, or a span of one, that cannot be read.

    Attributes:
        reason: ``missing_file``, ``undecodable``, ``empty_audio``, ``bad_samples``, ``bad_span`` or ``bad_channel``.
    """

    def __init__(self, reason: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.reason = reason


@dataclass(frozen=True)
class AudioInfo:
    """What a file's header says; ``duration_s`` is 0.0 for a recording without a sample."""

    duration_s: float
    sample_rate: int
    n_channels: int


def probe(path: str | Path) -> AudioInfo:
    """Duration, rate and channels, without decoding where the header tells.

    Raises:
        AudioError: the file is missing or is not audio.
    """
    file = _existing(path)
    sound = open_sound(file)
    if sound is None:
        return _probe_av(file)
    with sound:
        return info_of(sound)


def read_audio(
    path: str | Path, start_s: float = 0.0, end_s: float | None = None, channel: int | None = None
) -> Samples:
    """A span of a recording as Whisper hears it.

    Args:
        path: any format that soundfile or PyAV decodes, any sample rate, any number of channels.
        start_s: where the span begins, seconds.
        end_s: where it ends, seconds; None is the end of the recording. Up to 0.1 s past the end is cut.
        channel: which channel, from 0; None is the mean of all channels.

    Returns:
        Mono samples at 16 kHz, shape ``(n_samples,)``, at least one.

    Raises:
        AudioError: missing file, undecodable or empty audio, a span or channel outside it, NaN or infinite samples.
    """
    frames, rate = read_channels(path, start_s, end_s)
    mono = pick_channel(frames, channel, path)
    resampled = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    if not len(resampled):
        raise _empty(path)
    return np.ascontiguousarray(resampled, dtype=np.float32)


def read_channels(path: str | Path, start_s: float = 0.0, end_s: float | None = None) -> tuple[Samples, int]:
    """A span of a recording as it is on disk.

    Args:
        path: as for :func:`read_audio`.
        start_s: seconds.
        end_s: seconds, or None for the end of the recording.

    Returns:
        Samples of shape ``(C, N)`` with N at least 1, and their rate in Hz.

    Raises:
        AudioError: missing file, undecodable or empty audio, a span outside it.
    """
    file = _existing(path)
    sound = open_sound(file)
    if sound is None:
        return span_of(file, None, start_s, end_s)
    with sound:
        return span_of(file, sound, start_s, end_s)


def open_sound(path: str | Path) -> soundfile.SoundFile | None:
    """An open recording, or None if only PyAV can read it, if anything can."""
    try:
        return soundfile.SoundFile(str(path))
    except soundfile.LibsndfileError:
        return None


def seeks_exactly(sound: soundfile.SoundFile) -> bool:
    """Whether samples are the same wherever reading begins, and an open recording can be read again."""
    return sound.subtype in _EXACT and sound.seekable()


def info_of(sound: soundfile.SoundFile) -> AudioInfo:
    """What the header of an open recording says."""
    return AudioInfo(sound.frames / sound.samplerate, sound.samplerate, sound.channels)


def span_of(
    path: str | Path, sound: soundfile.SoundFile | None, start_s: float, end_s: float | None
) -> tuple[Samples, int]:
    """As :func:`read_channels`, of a recording as :func:`open_sound` returns it."""
    if not 0.0 <= start_s < (float("inf") if end_s is None else end_s):
        raise AudioError(
            "bad_span",
            f"{path}: the span from {start_s} s to {end_s} s holds nothing",
            "a span starts at 0 s or later and ends after its start",
        )
    if sound is None:
        frames, rate, duration_s = _read_av(Path(path), start_s, end_s)
    else:
        frames, rate, duration_s = _read_soundfile(Path(path), sound, start_s, end_s)
    if duration_s <= 0.0:
        raise _empty(path)
    if start_s >= duration_s or (end_s is not None and end_s > duration_s + END_TOLERANCE_S):
        raise AudioError(
            "bad_span",
            f"{path}: the span from {start_s} s to {end_s} s reaches past the recording's end at {duration_s:.3f} s",
            "times are in seconds from the start of the recording",
        )
    if not frames.shape[1]:
        raise _empty(path)
    return frames, rate


def pick_channel(frames: Samples, channel: int | None, path: str | Path) -> Samples:
    """One channel, or the mean of all.

    Args:
        frames: shape ``(C, N)``, as :func:`read_channels` returns them.
        channel: from 0, or None for the mean.
        path: the recording, for the message.

    Returns:
        Shape ``(N,)``, every sample a finite number.

    Raises:
        AudioError: no such channel, NaN or infinite samples.
    """
    if channel is not None and not 0 <= channel < len(frames):
        raise AudioError(
            "bad_channel", f"{path} has no channel {channel}: it has {len(frames)}", "channels are counted from 0"
        )
    mix = channel is None and len(frames) > 1
    mono: Samples = frames.mean(axis=0, dtype=np.float32) if mix else frames[channel or 0]
    if not np.isfinite(mono).all():
        raise AudioError(
            "bad_samples",
            f"{path} holds samples that are not numbers (NaN or infinite)",
            "convert it again from the original recording, as 16-bit PCM",
        )
    return mono


def write_audio(path: str | Path, samples: Samples, sample_rate: int = SAMPLE_RATE) -> None:
    """Write mono 16-bit PCM, FLAC or WAV by the file's suffix.

    Args:
        path: ends in ``.flac`` or ``.wav``; missing folders are made.
        samples: shape ``(n_samples,)``, clipped to ±1.
        sample_rate: Hz.

    Raises:
        ParlureError: another suffix.
    """
    file = Path(path)
    container = {".flac": "FLAC", ".wav": "WAV"}.get(file.suffix.lower())
    if container is None:
        raise ParlureError(f"{file} is neither .flac nor .wav", "name it with one of these suffixes")
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(file), np.clip(samples, -1.0, 1.0), sample_rate, subtype="PCM_16", format=container)


def blocks_of(path: str | Path, block_s: float) -> Iterator[Samples]:
    """The whole recording piece by piece, each of shape ``(C, n)``; samples that are not numbers become 0.

    Args:
        path: as for :func:`read_audio`.
        block_s: length of a piece in seconds; what PyAV decodes comes in pieces of at least that.

    Raises:
        AudioError: missing file or undecodable audio.
    """
    file = _existing(path)
    sound = open_sound(file)
    if sound is None:
        pending: list[Samples] = []
        for _, rate, chunk in _av_chunks(file, 0.0):
            pending.append(chunk)
            if sum(part.shape[1] for part in pending) >= rate * block_s:
                yield np.nan_to_num(np.concatenate(pending, axis=1), posinf=0.0, neginf=0.0)
                pending = []
        if pending:
            yield np.nan_to_num(np.concatenate(pending, axis=1), posinf=0.0, neginf=0.0)
        return
    with sound:
        try:
            for block in sound.blocks(int(sound.samplerate * block_s), dtype="float32", always_2d=True):
                yield np.nan_to_num(block.T, posinf=0.0, neginf=0.0)
        except soundfile.LibsndfileError as error:
            raise _undecodable(file) from error


def _existing(path: str | Path) -> Path:
    file = Path(path)
    if not os.path.isfile(file):  # noqa: PTH113 - Path would raise for a name longer than names can be
        raise AudioError(
            "missing_file",
            f"there is no file {file}",
            "check the path; those in a manifest are relative to the manifest",
        )
    return file


def _empty(path: str | Path) -> AudioError:
    return AudioError("empty_audio", f"{path} holds no sound", "record or copy it again")


def _undecodable(path: str | Path) -> AudioError:
    return AudioError(
        "undecodable",
        f"{path} cannot be decoded as audio",
        "play it to see whether it is whole; wav, flac, mp3, ogg, m4a, webm and amr are read",
    )


def _read_soundfile(file: Path, sound: Any, start_s: float, end_s: float | None) -> tuple[Samples, int, float]:
    """``(frames (C, N), rate, duration of the whole recording in s)``; a span outside it gives no frames."""
    rate, n_frames = int(sound.samplerate), int(sound.frames)
    first = min(round(start_s * rate), n_frames)
    last = n_frames if end_s is None else min(round(end_s * rate), n_frames)
    # mp3 is silent for its first frames after a jump: decode a run-up and drop it; GSM has to be read from the top
    margin = 0 if seeks_exactly(sound) else round(_SEEK_MARGIN_S * rate)
    run_up = max(0, first - margin) if sound.seekable() else 0
    try:
        if run_up or seeks_exactly(sound):
            sound.seek(run_up)
        frames = _read_floats(sound, last - run_up)[first - run_up :].T
    except soundfile.LibsndfileError as error:
        raise _undecodable(file) from error
    if frames.shape[1] < last - first - END_TOLERANCE_S * rate:
        raise _undecodable(file)  # cut off: the header promises more than the file holds
    return frames, rate, n_frames / rate


def _read_floats(sound: Any, n: int) -> Samples:
    """The next ``n`` samples, shape ``(n, C)``, between -1 and 1."""
    if sound.subtype != "PCM_16":
        floats: Samples = sound.read(n, dtype="float32", always_2d=True)
        return floats
    # the very same numbers, at a third of libsndfile's time
    whole: npt.NDArray[np.int16] = sound.read(n, dtype="int16", always_2d=True)
    return np.multiply(whole, np.float32(2**-15), dtype=np.float32)


def _probe_av(file: Path) -> AudioInfo:
    import av

    try:
        with av.open(str(file)) as container:
            stream = container.streams.audio[0]
            rate, n_channels = stream.rate, stream.channels
            duration_s = _av_duration_s(container, stream)
    except (av.FFmpegError, IndexError) as error:  # IndexError: no audio stream
        raise _undecodable(file) from error
    if duration_s is None:  # a browser's recording does not say: it has to be counted
        duration_s = sum(chunk.shape[1] for _, _, chunk in _av_chunks(file, 0.0)) / rate
    return AudioInfo(duration_s, rate, n_channels)


def _av_duration_s(container: Any, stream: Any) -> float | None:
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / 1e6  # FFmpeg's unit: µs


def _read_av(file: Path, start_s: float, end_s: float | None) -> tuple[Samples, int, float]:
    """As :func:`_read_soundfile`; the duration is the header's, or where decoding ended if that is earlier."""
    info = _probe_av(file)
    wanted_end_s = info.duration_s if end_s is None else min(end_s, info.duration_s)
    if start_s >= wanted_end_s:
        return np.zeros((info.n_channels, 0), np.float32), info.sample_rate, info.duration_s
    chunks: list[Samples] = []
    begins_s = reached_s = 0.0
    for time_s, rate, chunk in _av_chunks(file, start_s):
        if not chunks:
            begins_s = time_s
        chunks.append(chunk)
        reached_s = time_s + chunk.shape[1] / rate
        if reached_s >= wanted_end_s:
            break
    if not chunks:
        return np.zeros((info.n_channels, 0), np.float32), info.sample_rate, 0.0
    if reached_s < wanted_end_s - END_TOLERANCE_S:
        raise _undecodable(file)
    first, last = (round((at_s - begins_s) * info.sample_rate) for at_s in (start_s, wanted_end_s))
    return np.concatenate(chunks, axis=1)[:, first:last], info.sample_rate, info.duration_s


def _av_chunks(file: Path, start_s: float) -> Iterator[tuple[float, int, Samples]]:
    """``(time in s, rate, samples (C, n))`` from a little before ``start_s`` to the end of the recording.

    Time 0 is the first sample that decoding from the top gives, as it is for soundfile.
    """
    import av

    try:
        with av.open(str(file)) as container:
            stream: Any = container.streams.audio[0]  # its time base is None only before it is opened
            planar = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
            frames = container.decode(stream)
            frame = next(frames, None)
            if frame is None:
                return
            zero_s, position_s = frame.time, 0.0
            if start_s > 2 * _SEEK_MARGIN_S and zero_s is not None:
                target_s = zero_s + start_s - _SEEK_MARGIN_S
                container.seek(int(target_s / stream.time_base), stream=stream)
                frames = container.decode(stream)
                frame = next(frames, None)
                position_s = -1.0 if frame is None or frame.time is None else frame.time - zero_s
                if not 0.0 <= position_s <= start_s:  # an index that lies: count from the top instead
                    yield from _av_chunks(file, 0.0)
                    return
            while frame is not None:
                for part in planar.resample(frame):
                    samples = part.to_ndarray().astype(np.float32, copy=False)
                    yield position_s, stream.rate, samples
                    position_s += samples.shape[1] / stream.rate  # counted: some containers round to 1 ms
                frame = next(frames, None)
    except (av.FFmpegError, IndexError) as error:
        raise _undecodable(file) from error
