"""What transcription with Whisper leaves as JSON, corrected or not, beside recordings → a row a segment.

Known are ``segments`` with ``start``, ``end`` and ``text`` (openai-whisper, WhisperX, whisper-ctranslate2, OpenAI's
``verbose_json``; a list of them alone too), with WhisperX's ``speaker``; ``transcription`` with ``offsets`` in
milliseconds (whisper.cpp); ``chunks`` with ``timestamp`` (transformers' pipeline), or ``speakers``, which are the same
with speakers (insanely-fast-whisper). Words are left alone. What says that it is a translation is one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from parlure.corpus.readers.language_names import code_of
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.timed import (
    Phrase,
    Problem,
    UnreadableError,
    decoded,
    having,
    read_transcripts,
    refuse_columns,
)

_LISTS = ("segments", "transcription", "chunks")
_KEPT = ("id", "start", "end", "text", "speaker", "offsets", "timestamp")  # of a segment, for a person to see
_PEEK = 1 << 20  # bytes of a .json in a folder: openai-whisper writes the whole text before the segments
_N_PEEKS = 8
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def read_whisper(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each segment of a file, or of every ``.json`` in a folder.

    Raises:
        ParlureError: no such source, none in the folder, or a column is named.
    """
    refuse_columns(source, "the JSON of Whisper", columns)
    yield from read_transcripts(source, ".json", _phrases)


def recognises_whisper(folder: Path) -> bool:
    """Whether one of the first ``.json`` met in a folder looks like what Whisper leaves; beginnings alone are read."""
    return any(map(_looks_like_whisper, islice(having(folder, ".json"), _N_PEEKS)))


def _looks_like_whisper(path: Path) -> bool:
    with path.open("rb") as file:
        beginning = file.read(_PEEK)
    named = any(f'"{name}"'.encode() in beginning for name in _LISTS)
    return named and b'"text"' in beginning and b"audio_filepath" not in beginning


def _phrases(path: Path) -> Iterator[Phrase | Problem]:
    text = decoded(path)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UnreadableError(f"{path.name} is not JSON: {error}", line) from error
    at = _list_begins(text, document)
    if at is None:
        sentence = f"{path.name} is JSON but not of Whisper: it has no list called {', '.join(_LISTS)}"
        if isinstance(document, list):
            sentence += "; a table in JSON has an object a line, and is called .jsonl"
        raise UnreadableError(sentence, 1)
    language, task = _language(document), _task(document)
    line, counted = 1, 0
    for begins, segment in _elements(text, at):
        line += text.count("\n", counted, begins)
        counted = begins
        yield _phrase(line, segment, language, task)


def _phrase(line: int, segment: Any, language: str | None, task: str | None) -> Phrase | Problem:
    if not isinstance(segment, dict):
        return Problem(line, json.dumps(segment), "the segment is not an object with start, end and text")
    start, end = segment.get("start"), segment.get("end")
    offsets, timestamp = segment.get("offsets"), segment.get("timestamp")
    if isinstance(timestamp, list) and len(timestamp) == 2:
        start, end = timestamp
    elif isinstance(offsets, dict):
        start, end = (_from_ms(offsets.get(key)) for key in ("from", "to"))
    raw = {key: segment[key] for key in _KEPT if key in segment}
    own = segment.get("language")  # of a chunk of transformers' pipeline
    language = code_of(own) if isinstance(own, str) and own else language
    return Phrase(line, start, end, segment.get("text"), segment.get("speaker"), language, task=task, raw=raw)


def _from_ms(value: Any) -> Any:
    try:
        return value if isinstance(value, bool) else value / 1000
    except (TypeError, OverflowError):  # the row says what is wrong with it
        return value


def _language(document: Any) -> str | None:
    """The code of the language that a document names, as ``fr``, ``french`` or in whisper.cpp's ``result``."""
    if not isinstance(document, dict):
        return None
    result = document.get("result")
    named = document.get("language") or (result.get("language") if isinstance(result, dict) else None)
    return code_of(named) if isinstance(named, str) else None


def _task(document: Any) -> str | None:
    """``translate`` for a document that says so: OpenAI's as ``task``, whisper.cpp's among its ``params``."""
    if not isinstance(document, dict):
        return None
    params = document.get("params")
    translated = params.get("translate") if isinstance(params, dict) else None
    return "translate" if document.get("task") == "translate" or translated is True else None


def _list_begins(text: str, document: Any) -> int | None:
    """Where the list of segments begins in the text of a document; None if it has none."""
    at = _skip(text, 0)
    if isinstance(document, list):
        first = document[0] if document else None
        return at if isinstance(first, dict) and "text" in first and {"start", "timestamp"} & set(first) else None
    if not isinstance(document, dict):
        return None
    name = next((name for name in _LISTS if isinstance(document.get(name), list)), None)
    if name == "chunks" and isinstance(document.get("speakers"), list) and document["speakers"]:
        name = "speakers"  # empty where speakers were not told apart
    return None if name is None else dict(_members(text, at))[name]


def _elements(text: str, at: int) -> Iterator[tuple[int, Any]]:
    """Where each element of the JSON list at ``at`` begins, and its value; the text is known to be JSON."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield at, value
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Each name in the JSON object at ``at``, and where its value begins; the text is known to be JSON."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        begins = _skip(text, _skip(text, end) + 1)  # past the colon
        yield name, begins
        at = _skip(text, _DECODER.raw_decode(text, begins)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()
