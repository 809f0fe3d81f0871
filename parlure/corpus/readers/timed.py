"""What readers of transcripts with times share: files of one kind, a recording beside each → a row a phrase.

A reader of such a format brings a function that turns one file into phrases; here its files are found, their phrases
become rows, and what cannot be one is rejected with its line.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from parlure.corpus.readers.beside import AUDIO_SUFFIXES, recording_beside
from parlure.corpus.readers.language_names import is_code
from parlure.corpus.readers.row import Columns, Rejected, Row, parse_row
from parlure.errors import ParlureError

_MAX_QUOTED = 60  # characters


@dataclass(frozen=True)
class Phrase:
    """A piece of a recording as its transcript has it; values need not have been checked.

    Attributes:
        line: line of the file, from 1.
        start, end: seconds from the recording's start.
        text: what is said, without the format's marks.
        speaker, language, tags, task: as in :class:`Row`; None is not known.
        recording: where the transcript says which one it belongs to; None looks beside it.
        raw: what else a person should see of it if it is rejected.
    """

    line: int
    start: Any
    end: Any
    text: Any
    speaker: Any = None
    language: Any = None
    tags: tuple[str, ...] = ()
    task: Any = None
    recording: Path | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """Something in a transcript that is no phrase though it should be one; ``Rejected`` once its file is known."""

    line: int | None
    content: str
    sentence: str
    reason: str = "malformed_row"


class UnreadableError(Exception):
    """Nothing of one file can be taken; the other files of its folder can."""

    def __init__(self, sentence: str, line: int | None = None, reason: str = "malformed_row") -> None:
        super().__init__(sentence)
        self.problem = Problem(line, "", sentence, reason)


Parse = Callable[[Path], Iterable[Phrase | Problem]]


def read_transcripts(source: str, suffix: str, parse: Parse) -> Iterator[Row | Rejected]:
    """The rows of one transcript, or of all in a folder and its subfolders in alphabetical order.

    Args:
        source: a file, of whatever suffix, or a folder.
        suffix: of the transcripts in a folder, in small letters: ``.srt``.
        parse: the phrases of one file; may raise :class:`UnreadableError`.

    Raises:
        ParlureError: no such source, or a folder without such a transcript.
    """
    place = Path(source)
    if place.is_file():
        yield from _rows(place, parse)
        return
    if not place.is_dir():
        raise ParlureError(f"there is no file or folder {source}", "check the path")
    files = sorted(path for path in place.rglob("*") if path.is_file())
    transcripts = [path for path in files if path.suffix.lower() == suffix]
    if not transcripts:
        raise ParlureError(f"{source} holds no {suffix} file", "name another folder, or another --reader")
    transcribed = set()
    for path in transcripts:
        transcribed.add(_whatever_suffix(recording_beside(path)))
        for one in _rows(path, parse):
            if isinstance(one, Row):
                transcribed.add(_whatever_suffix(one.audio))
            yield one
    for path in files:
        if path.suffix.lower() in AUDIO_SUFFIXES and _whatever_suffix(path) not in transcribed:
            raw = {"audio": path.relative_to(place).as_posix()}
            yield Rejected(source, None, raw, "empty_text", f"no {suffix} file has {path.name} as its recording")


def refuse_columns(source: str, what: str, columns: Columns, known: tuple[str, ...] = ()) -> None:
    """Refuse names of columns that a format cannot have.

    Args:
        source: for the message.
        what: the format: ``SubRip``.
        columns: what the person named.
        known: what they may name.

    Raises:
        ParlureError: a column is named and not known.
    """
    given = ", ".join(f"--{name}" for name in columns.given() if name not in known)
    if given:
        raise ParlureError(f"{source} is read as {what} and has no columns to name", f"leave out {given}")


def having(folder: Path, suffix: str) -> Iterator[Path]:
    """The files of this suffix, in small letters, in a folder and below it, as they are met."""
    for place, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(suffix):
                yield Path(place, name)


def decoded(path: Path) -> str:
    """A file's text: UTF-8, or UTF-16 that says so by a byte order mark.

    Raises:
        UnreadableError: another encoding, or nothing in it.
    """
    content = path.read_bytes()
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = f"{path.name} is not UTF-8 on line {line}: save it as UTF-8, then prepare again"
        raise UnreadableError(sentence, line, "bad_encoding") from error
    if "\0" in text:  # UTF-16 without a mark, or no text at all
        line = text.count("\n", 0, text.index("\0")) + 1
        sentence = f"{path.name} is not UTF-8 on line {line}: save it as UTF-8, then prepare again"
        raise UnreadableError(sentence, line, "bad_encoding")
    if not text.strip():
        raise UnreadableError(f"{path.name} is empty", None, "empty_text")
    return text


def lines_of(text: str) -> list[str]:
    """Lines as editors count them, whatever ends them; without the marks that files joined to one have inside."""
    return re.split(r"\r*\n|\r", text.replace("\ufeff", ""))


def _whatever_suffix(recording: Path) -> str:
    """Where a recording lies, the same for one in two formats: of ``call.mp4`` and ``call.wav`` one is enough."""
    return os.path.splitext(os.path.abspath(recording))[0]  # noqa: PTH100, PTH122 - Path.absolute keeps ".."


def short(text: str) -> str:
    """A text in one line and not too long for a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_QUOTED else f"{line[:_MAX_QUOTED]}…"


def _rows(path: Path, parse: Parse) -> Iterator[Row | Rejected]:
    beside = recording_beside(path)
    empty = True
    try:
        for one in parse(path):
            empty = False
            if isinstance(one, Problem):
                yield Rejected(str(path), one.line, {"text": one.content}, one.reason, one.sentence)
            else:
                yield _row(path, one, one.recording or beside)
        if empty:
            raise UnreadableError(f"{path.name} holds no phrase", None, "empty_text")
    except UnreadableError as error:
        one = error.problem
        yield Rejected(str(path), one.line, {"text": path.name}, one.reason, one.sentence)


def _row(path: Path, phrase: Phrase, audio: Path) -> Row | Rejected:
    fields = {"start": phrase.start, "end": phrase.end, "text": phrase.text, "speaker": phrase.speaker}
    raw = {"audio": str(audio), **fields, **phrase.raw}
    language = phrase.language or _language_in_name(path, audio)
    fields |= {"audio": str(audio), "language": language, "task": phrase.task, "tags": list(phrase.tags)}
    row = parse_row(str(path), phrase.line, raw, fields)
    if isinstance(row, Rejected):
        return row
    missing = "start" if row.start is None else "end"
    if row.start is None or row.end is None:
        return Rejected(row.source, row.line, raw, "malformed_row", f"the phrase has no {missing}")
    if row.end <= row.start:
        sentence = f"the phrase ends at {row.end:g} s, not after its start at {row.start:g} s"
        return Rejected(row.source, row.line, raw, "bad_span", sentence)
    return replace(row, audio=audio)


def _language_in_name(path: Path, audio: Path) -> str | None:
    """``fr`` for ``call.fr.srt`` beside ``call.wav``, as players and downloaders of subtitles name them."""
    rest = path.stem.removeprefix(audio.stem + ".")
    return rest if rest != path.stem and is_code(rest) else None
