"""Recordings of a corpus → files that a tool can read which takes whole mono files alone.

Where such a tool could not read a recording in place (it wants one channel of it, or another format), that channel, or
the mean of all, is written once to ``audio/`` at the recording's own rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import soundfile

from parlure.corpus.manifest import Utterance
from parlure.corpus.naming import recording_names
from parlure.speech.audio import pick_channel, read_channels, write_audio

Source = tuple[str, int | None]  # recording, channel
Readable = Callable[[str, str], bool]  # (container, encoding) as soundfile names them


def mono_files(
    utterances: Iterable[Utterance], out: Path, readable: Readable, suffix: str
) -> dict[Source, tuple[str, Path]]:
    """A name and a file for each recording and channel; times in it are those of the recording.

    Args:
        utterances: of a corpus.
        out: the folder that is written; new files go to its ``audio``.
        readable: whether the tool reads this kind of mono file where it is.
        suffix: of new files, ``.wav`` or ``.flac``.

    Raises:
        AudioError: a recording is missing or cannot be read.
    """
    sources = list(dict.fromkeys((utterance.recording, utterance.channel) for utterance in utterances))
    names = recording_names((Path(recording) for recording, _ in sources), out)
    files = {}
    taken: set[str] = set()
    for recording, channel in sources:
        name = unique_name(names[Path(recording)] + _side(channel), taken)
        file = Path(recording)
        if not _is_mono(recording, readable):
            file = out.resolve() / "audio" / f"{name}{suffix}"
            frames, rate = read_channels(recording)
            write_audio(file, pick_channel(frames, channel, recording), rate)
        files[recording, channel] = (name, file)
    return files


def unique_name(name: str, taken: set[str]) -> str:
    """The name, or the name and a number that is not taken; taken from now on."""
    number, found = 1, name
    while found.casefold() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.casefold())
    return found


def _side(channel: int | None) -> str:
    """A and B, as the sides of a telephone call are called; further channels by their numbers."""
    return "" if channel is None else f"-{'AB'[channel]}" if channel < 2 else f"-{channel + 1}"


def _is_mono(recording: str, readable: Readable) -> bool:
    try:
        info = soundfile.info(recording)
    except soundfile.LibsndfileError:
        return False
    return info.channels == 1 and readable(info.format, info.subtype)
