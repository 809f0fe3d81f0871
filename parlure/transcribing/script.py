"""A transcript without times → the pieces that are looked for in the sound: sentences of a few seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from parlure.errors import ParlureError

# a mark, closing quotes, and a space before what is no small letter; Chinese and Japanese marks need no space
_SENTENCE_END = re.compile(r"[.!?…](?:\s?[\"'»”’)])*(?=\s+[^\sa-zà-ÿ])|[。！？]")
_SHORTEST_WORDS = 2  # a sentence of fewer (M., Oui.) goes with the one that follows
_LONGEST_CHARS = 200  # some 13 s: what is longer is divided, after a comma if it can be


class Piece(NamedTuple):
    """A sentence or a part of one, and the line of the transcript that it stands on, from 1."""

    line: int
    text: str


def read_script(path: Path) -> list[Piece]:
    """The sentences of a text file; they never go over the end of a line.

    Raises:
        ParlureError: there is no such file, it is not UTF-8, or it holds no word.
    """
    if not path.is_file():
        raise ParlureError(f"there is no transcript {path}", "a text file: what is said, in order, without times")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ParlureError(f"{path} is not UTF-8", "save it again as UTF-8") from error
    pieces = [Piece(number, text) for number, line in enumerate(lines, start=1) for text in pieces_of(line)]
    if not pieces:
        raise ParlureError(f"{path} holds no word", "a text file: what is said, in order, without times")
    return pieces


def pieces_of(line: str) -> list[str]:
    """The sentences of a line, long ones divided; together they are the line. A line without a word has none."""
    pieces: list[str] = []
    waiting = ""
    for sentence in _sentences(line.strip()):
        waiting = f"{waiting} {sentence}".strip()
        if len(waiting.split()) >= _SHORTEST_WORDS and _holds_word(waiting):
            pieces += _divided(waiting)
            waiting = ""
    if _holds_word(waiting):
        pieces.append(waiting)
    elif pieces:
        pieces[-1] = f"{pieces[-1]} {waiting}".strip()
    return pieces


def _sentences(line: str) -> Iterator[str]:
    begin = 0
    for match in _SENTENCE_END.finditer(line):
        yield line[begin : match.end()].strip()
        begin = match.end()
    yield line[begin:].strip()


def _divided(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONGEST_CHARS:
        head = sentence[:_LONGEST_CHARS]
        at = max(head.rfind(mark) + 1 for mark in (", ", "; ", ": "))
        at = at if at > _LONGEST_CHARS // 3 else head.rfind(" ")
        at = at if at > 0 else _LONGEST_CHARS  # a script without spaces
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    yield sentence


def _holds_word(text: str) -> bool:
    return any(character.isalnum() for character in text)
