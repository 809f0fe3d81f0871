"""An uploaded file → 16 kHz mono samples, as ``parlure transcribe --channels mix`` hears it; within the limits."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO

import av

from parlure.shipping.server.limits import Limits
from parlure.shipping.server.refusal import RefusedError
from parlure.speech.audio import AudioError, AudioInfo, Samples, open_sound, probe, read_audio
from parlure.speech.channels import channel_layout

# What FFmpeg may take an upload for. Its playlists (HLS, DASH, concat, SDP) would make it read other files of ours.
_CONTAINERS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,gsm,m4a,matroska,mov,mp2,mp3,mp4,mpeg,mpegts,mxf,ogg,"
    "tta,voc,w64,wav,webm,wv,3gp"
)
_RATE, _CHANNELS, _BYTES = 48_000, 2, 4  # of the longest recording as it is decoded: what memory is reckoned with


def samples_of(file: IO[bytes], limits: Limits, folder: Path) -> Samples:
    """Decode an upload.

    Channels are mixed; where one is another inverted, whose mean is silence, the first is taken.

    Args:
        file: what was uploaded.
        limits: the longest recording.
        folder: where it lies while it is read; nothing of it stays there.

    Raises:
        RefusedError: it is no sound, or too long.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-") as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy)
        copy.flush()
        path = Path(copy.name)
        try:
            info = _looked_at(path)
            _refuse_long(info, limits)
            inverted = info.n_channels > 1 and channel_layout(path) == "inverted"
            samples = read_audio(path, channel=0 if inverted else None)
        except AudioError as error:
            raise _refused(path, error) from error
        _refuse_long(AudioInfo(len(samples) / 16_000, 16_000, 1), limits)  # a header may be wrong
        return samples


def _looked_at(path: Path) -> AudioInfo:
    """What the header says, read by no demuxer that follows references to other files."""
    if not path.stat().st_size:
        raise RefusedError(400, "the file is empty", "empty_file", "file")
    sound = open_sound(path)
    if sound is not None:
        sound.close()
        return probe(path)
    try:
        av.open(str(path), options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}).close()
    except (av.FFmpegError, OSError) as error:
        raise RefusedError(
            400, "the file is no sound that can be decoded: flac, m4a, mp3, mp4, ogg, wav and webm can",
            "unsupported_media", "file",
        ) from error  # fmt: skip
    return probe(path)


def _refuse_long(info: AudioInfo, limits: Limits) -> None:
    if info.duration_s > limits.duration_s:
        raise RefusedError(
            413, f"the recording lasts {info.duration_s:.0f} s, and {limits.duration_s:g} s are taken",
            "audio_too_long", "file",
        )  # fmt: skip
    n_bytes = info.duration_s * info.sample_rate * info.n_channels * _BYTES
    if n_bytes > limits.duration_s * _RATE * _CHANNELS * _BYTES:
        raise RefusedError(
            413, f"decoded, the recording takes {n_bytes / 1e6:.0f} MB: too many channels at too high a rate",
            "audio_too_large", "file",
        )  # fmt: skip


def _refused(path: Path, error: AudioError) -> RefusedError:
    message = f"{error.message}: {error.hint}".replace(str(path), "the file")
    return RefusedError(400, message, error.reason, "file")
