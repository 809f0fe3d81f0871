"""A corpus folder → utterances in memory, and back.

``manifest.jsonl`` holds one utterance a line, ``rejected.jsonl`` one row that was not taken, ``corpus.json`` what
is true of the whole. ``corpus.json`` is put in place last, by a rename: a folder without it is not whole.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from parlure.errors import ParlureError
from parlure.exclusive import is_empty

SCHEMA_VERSION = 1
SPLITS = ("train", "dev", "test")
TASKS = ("transcribe", "translate")
_AGAIN = "prepare the corpus again"
MANIFEST = "manifest.jsonl"
REJECTED = "rejected.jsonl"
JOINED = "joined.jsonl"  # where phrases were joined: which rows each utterance is made of
INFO = "corpus.json"
UNFINISHED = "corpus.json.partial"  # stands in the folder while it is being written: the folder is ours, not whole


class Segment(NamedTuple):
    """A piece of an utterance; times in seconds from the utterance's start."""

    start: float
    end: float
    text: str
    speaker: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """A span of a recording and what is said in it.

    Attributes:
        id: unique in the corpus, fit to be a file name.
        recording: path of the recording; absolute once loaded.
        start: seconds from the recording's start.
        end: seconds from the recording's start.
        channel: from 0; None is the mean of all channels.
        text: raw; empty means that nobody speaks.
        language: Whisper's code, such as ``fr``.
        task: ``transcribe`` or ``translate``.
        speaker: who speaks, unique in the corpus; None is not known.
        session: the call, interview or sitting; None is not known.
        split: ``train``, ``dev`` or ``test``.
        segments: pieces with their times, or None.
        prompt: the text said before, or None.
        tags: free strings.
    """

    id: str
    recording: str
    start: float
    end: float
    channel: int | None = None
    text: str
    language: str
    task: str = "transcribe"
    speaker: str | None = None
    session: str | None = None
    split: str = "train"
    segments: tuple[Segment, ...] | None = None
    prompt: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end - self.start

    def to_json(self) -> dict[str, Any]:
        """A line of the manifest as a dict, ``recording`` as it stands."""
        row = {name: getattr(self, name) for name in _FIELD_NAMES}
        if self.segments is not None:
            row["segments"] = [list(s[:3]) if s.speaker is None else list(s) for s in self.segments]
        row["tags"] = list(self.tags)
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Utterance:
        """The utterance of a line of the manifest.

        Raises:
            ParlureError: a field is missing, unknown or of the wrong kind.
        """
        known = _FIELD_NAMES
        for name in row:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                raise ParlureError(
                    f"an utterance has no field {name}",
                    f"did you mean {close[0]}" if close else f"the fields are {', '.join(known)}",
                )
        values = {}
        for name in known:
            if name not in row:
                raise ParlureError(f"the field {name} is missing", f"the fields are {', '.join(known)}")
            values[name] = _checked(name, row[name])
        if values["end"] <= values["start"]:
            raise ParlureError(f"the utterance ends at {row['end']} s, before its start at {row['start']} s", _AGAIN)
        return cls(**values)


_FIELD_NAMES = tuple(field.name for field in fields(Utterance))


@dataclass(frozen=True)
class Corpus:
    """A corpus folder in memory.

    Attributes:
        folder: where it is.
        utterances: in the manifest's order, recordings as absolute paths.
        info: the content of ``corpus.json``.
    """

    folder: Path
    utterances: tuple[Utterance, ...]
    info: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str | Path) -> Corpus:
        """Read a whole corpus.

        Raises:
            ParlureError: the folder is missing or not whole, is of a newer schema, or a line is bad.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise ParlureError(f"there is no corpus folder {folder}", "make one: parlure prepare SOURCE --out CORPUS")
        info = _load_info(folder)
        path = folder / MANIFEST
        if not path.is_file():
            raise ParlureError(f"the corpus {folder} has no {MANIFEST}", "prepare it again: parlure prepare")
        utterances = []
        first_line_of: dict[str, int] = {}
        place_of = _Places(folder)
        for number, line in _lines(path):
            try:
                row = json.loads(line.decode("utf-8"))
                if not isinstance(row, dict):
                    raise ParlureError("the line is not a JSON object", _AGAIN)
                utterance = Utterance.from_json({**row, "recording": place_of(row.get("recording"))})
                if utterance.id in first_line_of:
                    raise ParlureError(
                        f"the id {utterance.id} is already on line {first_line_of[utterance.id]}", _AGAIN
                    )
            except ParlureError as error:
                raise ParlureError(f"{path} line {number}: {error.message}", error.hint) from error
            except ValueError as error:  # not UTF-8, or not JSON
                raise ParlureError(f"{path} line {number}: {error}", _AGAIN) from error
            first_line_of[utterance.id] = number
            utterances.append(utterance)
        return cls(folder, tuple(utterances), info)

    def select(self, split: str) -> tuple[Utterance, ...]:
        """The utterances of one split, in the manifest's order; there may be none.

        Raises:
            ParlureError: no such split.
        """
        if split not in SPLITS:
            raise ParlureError(f"there is no split {split}", f"the splits are {', '.join(SPLITS)}")
        return tuple(utterance for utterance in self.utterances if utterance.split == split)


def begin_corpus(folder: Path) -> None:
    """Make the folder, or take the whole out of an existing corpus, before it is written again.

    Raises:
        ParlureError: the folder holds something that is not a corpus.
    """
    refuse_foreign_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNFINISHED).write_text("{}\n", encoding="utf-8")
    (folder / INFO).unlink(missing_ok=True)


def write_lines(folder: Path, utterances: Iterable[Utterance], rejected: Iterable[Mapping[str, Any]]) -> None:
    """Write ``manifest.jsonl`` and ``rejected.jsonl`` of a begun corpus; recordings are made relative."""
    name = cache(lambda recording: stored(recording, folder))
    rows = ({**u.to_json(), "recording": name(u.recording)} for u in utterances)
    _write_jsonl(folder / MANIFEST, rows)
    _write_jsonl(folder / REJECTED, rejected)


def write_joined(folder: Path, joined: Iterable[Mapping[str, Any]] | None) -> None:
    """Write ``joined.jsonl`` of a begun corpus, or take away an earlier one."""
    if joined is None:
        (folder / JOINED).unlink(missing_ok=True)
    else:
        _write_jsonl(folder / JOINED, joined)


def finish_corpus(folder: Path, info: Mapping[str, Any]) -> None:
    """Write ``corpus.json`` of a begun corpus, at once and last: from now on the corpus is whole."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **info}, ensure_ascii=False, indent=2)
    (folder / UNFINISHED).write_text(text + "\n", encoding="utf-8")
    (folder / UNFINISHED).replace(folder / INFO)


def refuse_foreign_folder(folder: Path) -> None:
    """Refuse to write a corpus over something else.

    Raises:
        ParlureError: ``folder`` is a file, or a folder with content that no corpus was written to.
    """
    if folder.exists() and not folder.is_dir():
        raise ParlureError(f"{folder} is a file, not a folder", "name a new folder: --out corpus")
    ours = (folder / INFO).is_file() or (folder / UNFINISHED).is_file()
    if not ours and not is_empty(folder):
        raise ParlureError(f"{folder} is not empty and not a corpus", "name a new folder: --out corpus")


def stored(recording: str, folder: Path) -> str:
    """How a manifest names a recording: relative to the corpus folder if it lies under its parent, else absolute."""
    home = folder.resolve().parent
    path = Path(recording).resolve()
    return Path(os.path.relpath(path, folder.resolve())).as_posix() if path.is_relative_to(home) else path.as_posix()


class _Places:
    """The absolute path of each recording, found and kept in memory once however many rows name it."""

    def __init__(self, folder: Path) -> None:
        self._home, self._known = folder.resolve(), dict[str, str]()

    def __call__(self, recording: Any) -> Any:
        if not isinstance(recording, str):
            return recording
        if recording not in self._known:
            self._known[recording] = os.path.normpath(self._home / recording)
        return self._known[recording]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their numbers from 1."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def parse_segments(value: Any) -> tuple[Segment, ...] | None:
    """``[[start, end, text, speaker?], …]`` or None.

    Raises:
        ParlureError: another shape, or a segment that does not end after its start.
    """
    if value is None:
        return None
    if not isinstance(value, list):
        raise ParlureError(f"segments is {value!r}", "segments is [[start, end, text], …] in seconds, or null")
    segments = []
    for item in value:
        good = isinstance(item, list) and len(item) in (3, 4) and _is_number(item[0]) and _is_number(item[1])
        good = good and isinstance(item[2], str) and (len(item) == 3 or item[3] is None or isinstance(item[3], str))
        if not good or not 0 <= item[0] < item[1]:
            raise ParlureError(f"{item!r} is not a segment", "a segment is [start, end, text], times in seconds")
        segments.append(Segment(float(item[0]), float(item[1]), *item[2:]))
    return tuple(segments)


def _load_info(folder: Path) -> dict[str, Any]:
    path = folder / INFO
    if not path.is_file():
        raise ParlureError(
            f"the corpus {folder} is not whole: it has no {INFO}",
            "parlure prepare writes it last, so it was interrupted, or this is another folder: prepare it again",
        )
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ParlureError(f"{path} is not JSON: {error}", _AGAIN) from error
    version = info.get("schema_version") if isinstance(info, dict) else None
    if version != SCHEMA_VERSION:
        raise ParlureError(
            f"{path} has schema version {version}, this parlure reads {SCHEMA_VERSION}",
            "update parlure, or prepare the corpus again",
        )
    return dict(info)


def _checked(name: str, value: Any) -> Any:
    """The value of a field as the dataclass holds it."""
    if name == "segments":
        return parse_segments(value)
    if name in ("start", "end"):
        good = _is_number(value) and 0 <= value < float("inf")
        value = float(value) if good else value
    elif name == "channel":
        good = value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
    elif name == "tags":
        good = isinstance(value, list) and all(isinstance(tag, str) for tag in value)
        value = tuple(value) if good else value
    elif name in ("speaker", "session", "prompt"):
        good = value is None or isinstance(value, str)
        value = sys.intern(value) if value and good and name != "prompt" else value  # one string for all its rows
    else:
        choices = {"split": SPLITS, "task": TASKS}.get(name)
        good = isinstance(value, str) and (choices is None or value in choices)
        good = good and (name == "text" or bool(value))
        value = sys.intern(value) if good and name in ("language", "task", "split") else value
    if not good:
        raise ParlureError(f"the field {name} cannot be {value!r}", _AGAIN)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
