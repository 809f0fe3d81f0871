"""Recordings and formats → the files of their transcripts: named after the recordings, folders kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from parlure.errors import ParlureError
from parlure.transcribing.recordings import Recording
from parlure.transcribing.writers import SUFFIXES


def targets(recordings: Sequence[Recording], out: Path, form: str, *, by_channel: bool = False) -> dict[Path, Path]:
    """Recording → the file for its text: ``call.srt``.

    What was found in a folder lies under ``out`` as it lies there. Where two recordings would have one file, their
    folders are kept from the last on that all share (``monday/call.srt``); where those are the same too, the whole
    names (``call.wav.srt``, ``call.mp3.srt``).

    Args:
        recordings: to transcribe.
        out: the folder for the files.
        form: which format.
        by_channel: the channels of one may have a file each (:func:`of_channel`).

    Raises:
        ParlureError: a recording is given twice, or a file would be of two recordings.
    """
    audio = [one.path for one in recordings]
    names = next(
        (names for names in _names(recordings) if len({name.casefold() for name in names}) == len(audio)), None
    )
    if names is None:
        twice = next((path for index, path in enumerate(audio) if path in audio[:index]), audio[-1])
        raise ParlureError(f"{twice} is given twice", "name each recording once")
    found = {path: out / (name + SUFFIXES[form]) for path, name in zip(audio, names, strict=True)}
    for path in found.values():
        for file in (of_channel(path, f"-c{n}") for n in range(2 * by_channel)):
            if file in found.values():
                raise ParlureError(f"{file} would be of two recordings", "transcribe them into different folders")
    return found


def of_channel(path: Path, suffix: str) -> Path:
    """The file for the text of one channel: ``call.srt`` and ``-c1`` → ``call-c1.srt``."""
    return path.with_name(f"{path.stem}{suffix}{path.suffix}")


def _names(recordings: Sequence[Recording]) -> Iterator[list[str]]:
    yield [str((one.path.relative_to(one.folder) if one.folder else Path(one.path.name)).with_suffix(""))
           for one in recordings]  # fmt: skip
    places = [one.path.parent.resolve() / one.path.name for one in recordings]
    top = os.path.commonpath([place.parent for place in places])
    relative = [place.relative_to(top) for place in places]
    yield [str(path.with_suffix("")) for path in relative]
    yield [str(path) for path in relative]
