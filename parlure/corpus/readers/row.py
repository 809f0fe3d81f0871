"""What every reader yields: rows as the person wrote them, and rows that could not be understood."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import TASKS, Segment, parse_segments
from parlure.errors import ParlureError

_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_TIME = "not a time in seconds such as 12.5, or such as 0:00:12.5"
_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d*)?)")  # 0:01:02.5, 1:02.5: as spreadsheets show times


@dataclass(frozen=True)
class Columns:
    """What the person calls the columns; None is parlure's own name (``text``, ``speaker``, ``session``).

    A name given here has to exist in the source. ``marks`` are the choices for the marks of a CHAT transcript, by mark
    (see :mod:`parlure.corpus.readers.chat.marks`); other formats have none.
    """

    text: str | None = None
    speaker: str | None = None
    session: str | None = None
    marks: Mapping[str, str] = field(default_factory=dict)

    def given(self) -> dict[str, str]:
        """The names that the person gave, by parlure's own."""
        pairs = {"text": self.text, "speaker": self.speaker, "session": self.session}
        return {own: name for own, name in pairs.items() if name is not None}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source: nothing in it has been checked against the audio.

    Attributes:
        source: the manifest or folder it comes from, as the person named it.
        line: line of the source, from 1; None in a folder.
        raw: the fields as they stand in the source.
        audio: path of the recording.
        text: the transcript; None is *not transcribed*, the empty string is what the person wrote.
        start: seconds from the recording's start; None is its start.
        end: seconds from the recording's start; None is its end.
        content: the recording itself, where the source embeds it; ``audio`` is then only the source's name for it.
        metadata: the keys of ``raw`` that no field is made of, such as ``age``; they may become tags.
        others: as :class:`parlure.corpus.manifest.Utterance` has them; None is not given.
    """

    source: str
    line: int | None
    raw: Mapping[str, Any]
    audio: Path
    text: str | None
    id: str | None = None
    speaker: str | None = None
    session: str | None = None
    language: str | None = None
    task: str | None = None
    split: str | None = None
    start: float | None = None
    end: float | None = None
    channel: int | None = None
    segments: tuple[Segment, ...] | None = None
    prompt: str | None = None
    tags: tuple[str, ...] = field(default=())
    content: bytes | None = field(default=None, repr=False)
    metadata: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that is not taken.

    Attributes:
        source: as in :class:`Row`.
        line: as in :class:`Row`.
        raw: as in :class:`Row`.
        reason: a reason code, such as ``malformed_row``.
        sentence: what is wrong with it, in words.
        understood: the row, where it could be read and was refused later.
    """

    source: str
    line: int | None
    raw: Mapping[str, Any]
    reason: str
    sentence: str
    understood: Row | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """A line of ``rejected.jsonl``: whatever the row holds, it can be written as JSON in UTF-8."""
        fields = {"source": self.source, "line": self.line, "reason": self.reason, "sentence": self.sentence}
        return {**{name: plain(value) for name, value in fields.items()}, "row": plain(self.raw)}


def parse_row(
    source: str,
    line: int | None,
    raw: Mapping[str, Any],
    fields: Mapping[str, Any],
    metadata: tuple[str, ...] = (),
) -> Row | Rejected:
    """A row from its fields under parlure's own names; a rejection if one of them makes no sense.

    Args:
        source: the manifest, which ``audio`` is relative to the folder of.
        line: line of the source.
        raw: what is kept of the row for a person to see.
        fields: values as text (from a table) or as JSON values; an empty text is a field not given, except ``text``.
        metadata: as in :class:`Row`.
    """
    for name, value in fields.items():
        if not is_unicode(value):
            sentence = f"{Path(source).name} line {line}: {name} is not proper UTF-8"
            return Rejected(source, line, raw, "bad_encoding", sentence)
    try:
        values = {name: _parse(name, value) for name, value in fields.items() if name in _PARSERS}
    except ParlureError as error:
        return Rejected(source, line, raw, "malformed_row", error.message)
    audio = values.pop("audio", None)
    if audio is None:
        return Rejected(source, line, raw, "malformed_row", "the row names no audio file")
    values.setdefault("text", None)
    return Row(source=source, line=line, raw=raw, audio=_beside(source, audio), metadata=metadata, **values)


@lru_cache(maxsize=100_000)
def _beside(source: str, audio: str) -> Path:
    """One path for all rows of a recording: of a million rows they would take more memory than the texts."""
    return Path(source).parent / audio


def is_unicode(value: Any) -> bool:
    """Whether no text in a value holds half a character, which is also what stands for a byte that is not UTF-8."""
    if isinstance(value, str):
        return _SURROGATE.search(value) is None
    if isinstance(value, Mapping):
        return all(is_unicode(key) and is_unicode(inner) for key, inner in value.items())
    return not isinstance(value, (list, tuple)) or all(map(is_unicode, value))


def plain(value: Any) -> Any:
    """A value as JSON has it: dates and decimals as text, NaN as ``nan``, bytes as their number, surrogates as ?."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def _parse(name: str, value: Any) -> Any:
    if name != "text" and (value is None or (isinstance(value, str) and not value.strip())):
        return () if name == "tags" else None
    return _PARSERS[name](name, value)


def _text(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value.strip() if value else value
    raise ParlureError(f"{name} is {value!r}, not a text")


def _label(name: str, value: Any) -> str:
    """A text, or a number used as a name, such as speaker 12."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # pandas writes a column of whole numbers with gaps as 12.0
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ParlureError(f"{name} is {value!r}, not a text")
    return sys.intern(str(value).strip())  # a speaker's name stands in many rows


def _seconds(name: str, value: Any) -> float:
    try:
        # a spreadsheet in French writes 1,5
        seconds = _clock(value.strip().replace(",", ".")) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParlureError(f"{name} is {value!r}, {_NO_TIME}") from error
    if isinstance(value, bool) or not 0 <= seconds < float("inf"):
        raise ParlureError(f"{name} is {value!r}, {_NO_TIME}")
    return seconds


def _clock(text: str) -> float:
    """Seconds of ``62.5``, ``1:02.5`` and ``0:01:02.5``; decimals are behind a point."""
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return float(text)
    return 3600.0 * int(clock[1] or 0) + 60.0 * int(clock[2]) + float(clock[3])


def _channel(name: str, value: Any) -> int:
    try:
        number = float(value)  # pandas writes a column of whole numbers with gaps as 0.0, 1.0
    except (TypeError, ValueError, OverflowError) as error:
        raise ParlureError(f"{name} is {value!r}, not a channel number from 0") from error
    if isinstance(value, bool) or number not in range(1000):
        raise ParlureError(f"{name} is {value!r}, not a channel number from 0")
    return int(number)


def _task(name: str, value: Any) -> str:
    task = _label(name, value).lower()
    if task not in TASKS:
        raise ParlureError(f"{name} is {value!r}, neither transcribe nor translate")
    return task


def _segments(name: str, value: Any) -> tuple[Segment, ...] | None:
    value = _from_cell(value)
    if isinstance(value, list):  # a table of Arrow has one kind of value in a list: segments are structs there
        value = [_segment(one) if isinstance(one, Mapping) else one for one in value]
    return parse_segments(value)


def _segment(fields: Mapping[str, Any]) -> list[Any]:
    return [fields.get(name) for name in ("start", "end", "text", "speaker")]


def _tags(name: str, value: Any) -> tuple[str, ...]:
    value = _from_cell(value)
    if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        return tuple(value)
    raise ParlureError(f"{name} is {value!r}, not a list of texts")


def _from_cell(value: Any) -> Any:
    """What a cell of a table holds if it is JSON, as ``parlure corpus export --to csv`` writes segments and tags."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


_PARSERS = {
    "audio": _label,
    "text": _text,
    "id": _label,
    "speaker": _label,
    "session": _label,
    "language": _label,
    "task": _task,
    "split": _label,
    "start": _seconds,
    "end": _seconds,
    "channel": _channel,
    "segments": _segments,
    "prompt": _text,
    "tags": _tags,
}
FIELDS = tuple(_PARSERS)
