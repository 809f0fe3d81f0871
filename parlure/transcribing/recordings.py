"""Files and folders that were named → the recordings to transcribe, and what else lies in the folders."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from parlure.corpus.readers.beside import AUDIO_SUFFIXES
from parlure.errors import ParlureError
from parlure.speech.audio import AudioError, probe

STDIN = Path("-")


class Recording(NamedTuple):
    """A file to transcribe.

    Attributes:
        path: where it is.
        duration_s: as its header has it.
        folder: the folder that was named and holds it; None for a file that was named itself.
    """

    path: Path
    duration_s: float
    folder: Path | None = None


def find_recordings(
    audio: Sequence[Path],
    *,
    on_broken: Callable[[Path, AudioError], None] | None = None,
    on_other: Callable[[Path], None] | None = None,
) -> list[Recording]:
    """Look at files and, in folders and all folders in them, for files that hold audio; folders in alphabetical order.

    Args:
        audio: files and folders.
        on_broken: called with a file in a folder that is called like audio and cannot be read. None raises.
        on_other: called with a file in a folder that is no audio: its name says so, or its content does.

    Raises:
        ParlureError: nothing was named, a folder holds no audio, or a file that was named cannot be read.
    """
    if not audio:
        raise ParlureError("no audio file was given", "parlure transcribe call.wav --model nano")
    found: list[Recording] = []
    for path in audio:
        if not path.is_dir():
            found.append(Recording(path, probe(path).duration_s))
            continue
        inside = list(_inside(path, on_broken, on_other))
        if not inside:
            raise ParlureError(f"there is no audio in {path} or in a folder in it", "name the folder of the recordings")
        found += inside
    return found


@contextmanager
def with_stdin(audio: Sequence[Path], name: str) -> Iterator[list[Path]]:
    """The same files, ``-`` among them replaced by one that holds what comes in on stdin, deleted afterwards.

    Args:
        audio: files and folders.
        name: of that file: transcripts are called after it.

    Raises:
        ParlureError: nothing comes in, or the name is a path.
    """
    if STDIN not in audio:
        yield list(audio)
        return
    if Path(name).name != name:
        raise ParlureError(f"--stdin-name {name} is not the name of a file", "a name without folders, such as call")
    with TemporaryDirectory(prefix="parlure-") as folder:
        file = Path(folder) / name
        with file.open("wb") as copy:
            if not sys.stdin.isatty():
                shutil.copyfileobj(sys.stdin.buffer, copy)
        if not file.stat().st_size:
            raise ParlureError("nothing came in on stdin", "for example cat call.wav | parlure transcribe - …")
        yield [file if path == STDIN else path for path in audio]


def _inside(
    folder: Path,
    on_broken: Callable[[Path, AudioError], None] | None,
    on_other: Callable[[Path], None] | None,
) -> Iterator[Recording]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for path in sorted(Path(place) / name for name in names):
            try:
                if path.name.startswith("."):  # ._call.wav is what macOS leaves of call.wav on foreign disks
                    raise AudioError("undecodable", "", "")
                yield Recording(path, probe(path).duration_s, folder)
            except AudioError as error:
                if path.suffix.lower() not in AUDIO_SUFFIXES or path.name.startswith("."):
                    if on_other is not None:
                        on_other(path)
                elif on_broken is None:
                    raise
                else:
                    on_broken(path, error)
