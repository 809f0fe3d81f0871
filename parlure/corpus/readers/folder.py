"""Folder of recordings, each with its transcript beside it (``call.wav``, ``call.txt``) → rows.

Subfolders are read too, in alphabetical order. A folder knows no speaker, session or language: the recording
stands for the session, and a table says more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from parlure.corpus.readers.beside import AUDIO_SUFFIXES
from parlure.corpus.readers.row import Columns, Rejected, Row, is_unicode
from parlure.errors import ParlureError


def read_folder(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each recording and for each transcript without one.

    Raises:
        ParlureError: no such folder, no recording in it, or a column is named though a folder has none.
    """
    folder = Path(source)
    if not folder.is_dir():
        raise ParlureError(f"there is no folder {source}", "check the path")
    if columns.given():
        given = ", ".join(f"--{name}" for name in columns.given())
        raise ParlureError(f"{source} is a folder and has no columns to name", f"leave out {given}, or give a table")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    recordings = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    if not recordings:
        raise ParlureError(f"{source} holds no recording", f"known are {' '.join(sorted(AUDIO_SUFFIXES))}")
    transcribed = set()
    for path in recordings:
        transcript = path.with_suffix(".txt")
        transcribed.add(transcript)
        raw = {"audio": path.relative_to(folder).as_posix()}
        if not is_unicode(str(path)):
            yield Rejected(source, None, raw, "bad_encoding", f"the name of {path} is not UTF-8: rename it")
            continue
        try:
            # utf-8-sig: an editor of Windows opens the file with a byte order mark
            text = transcript.read_text(encoding="utf-8-sig").strip() if transcript.is_file() else None
        except UnicodeDecodeError as error:
            line = transcript.read_bytes().count(b"\n", 0, error.start) + 1
            sentence = f"{transcript.name} is not UTF-8 on line {line}"
            yield Rejected(source, None, raw, "bad_encoding", sentence)
        else:
            yield Row(source=source, line=None, raw=raw, audio=path, text=text)
    for path in files:
        if path.suffix.lower() == ".txt" and path not in transcribed:
            raw = {"text": path.relative_to(folder).as_posix()}
            yield Rejected(source, None, raw, "missing_file", f"no recording lies beside {path.name}")
