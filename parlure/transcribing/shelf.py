"""A folder of transcripts that grows: what is done in it, of which recordings, by which model and options.

``.transcribed.jsonl`` in the folder begins with how everything in it was transcribed; each further line names a
recording and the files of its transcript, with their hashes. A recording whose files are all there is done, whatever a
person has made of them since. So the same command goes on where it was stopped, takes what is new, and never mixes two
models or writes over a correction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError

JOURNAL = ".transcribed.jsonl"


class Shelf:
    """The folder."""

    def __init__(self, out: Path) -> None:
        """Read what is done; of a line that was being written when the process was killed nothing is known.

        Args:
            out: the folder.
        """
        self._out, self._path = out, out / JOURNAL
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True) if self._path.exists() else []
        rows = [json.loads(line) for line in lines if line.endswith("\n")]
        self._job: dict[str, Any] | None = rows[0] if rows else None
        self._known = {(row["recording"], row["form"]): row for row in rows[1:]}
        self._hashes = {name: digest for row in rows[1:] for name, digest in row["files"].items()}

    def is_done(self, recording: Path, form: str) -> bool:
        """Whether a recording's transcript in a format is there.

        Raises:
            ParlureError: the recording is not the one any more that the transcript is of.
        """
        row = self._known.get((_name(recording), form))
        if row is None or not all((self._out / name).exists() for name in row["files"]):
            return False
        if row["stamp"] != _stamp(recording):
            files = [str(self._out / name) for name in row["files"]]
            raise ParlureError(
                f"{recording} is not the recording any more that {' and '.join(files)} was made of",
                f"delete {' and '.join(files)} to have it transcribed again",
            )
        return True

    def refuse_others(self, files: Sequence[Path]) -> None:
        """See that nothing would be written over but what was written here and not touched since.

        Raises:
            ParlureError: a file was there before, or was changed.
        """
        for file in files:
            if not file.exists():
                continue
            digest = self._hashes.get(file.relative_to(self._out).as_posix())
            if digest is None:
                raise ParlureError(f"{file} is there already", "name another --out, or delete it")
            if digest != _hash(file.read_bytes()):
                raise ParlureError(
                    f"{file} was changed since it was written, and would be written over",
                    "name another --out, or move it away",
                )

    def begin(self, job: Mapping[str, Any]) -> None:
        """Say how transcripts are made from here on.

        Args:
            job: model, options, versions: everything that decides a transcript, as JSON takes it.

        Raises:
            ParlureError: those that are there were made otherwise.
        """
        told = json.loads(json.dumps(job))
        if self._job is None:
            self._out.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(told) + "\n", encoding="utf-8")
            self._job = told
        elif self._job != told:
            keys = [key for key in {**self._job, **told} if self._job.get(key) != told.get(key)]
            changes = "; ".join(f"{key} was {_told(self._job.get(key))}, now {_told(told.get(key))}" for key in keys)
            raise ParlureError(
                f"the transcripts in {self._out} were made otherwise: {changes}",
                "name another --out, or give the same model and options",
            )

    def put(self, recording: Path, form: str, texts: Mapping[Path, str]) -> None:
        """Write the files of a recording's transcript in a format: all of them, or none that counts as done."""
        contents = {file: text.encode() for file, text in texts.items()}
        files = {file.relative_to(self._out).as_posix(): _hash(content) for file, content in contents.items()}
        row = {"recording": _name(recording), "form": form, "stamp": _stamp(recording), "files": files}
        line = json.dumps(row, ensure_ascii=False) + "\n"
        with self._path.open("ab") as journal:  # first, so that what is written is known to be ours
            if journal.tell() and not self._path.read_bytes().endswith(b"\n"):  # a process was killed in a line
                journal.truncate(self._path.read_bytes().rfind(b"\n") + 1)
            journal.write(line.encode())
        for file, content in contents.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            whole = file.with_name(file.name + ".part")
            whole.write_bytes(content)
            whole.replace(file)
        self._known[row["recording"], form] = row
        self._hashes |= files


def _name(recording: Path) -> str:
    return recording.resolve().as_posix()


def _stamp(recording: Path) -> list[int]:
    """Size in bytes and time of change in ns: what tells another recording at the same place."""
    about = recording.stat()
    return [about.st_size, about.st_mtime_ns]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _told(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "…"
