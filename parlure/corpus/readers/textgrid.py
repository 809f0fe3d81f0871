"""Praat's TextGrid files beside recordings → a row for each interval with a text; an empty interval is a pause.

Praat itself reads such a file as a row of free-standing texts in double quotes (a quote inside is doubled), numbers and
flags (``<exists>``), and passes over everything else, such as ``xmin =`` and ``intervals [2]:``. Read so, the long and
the short format are one (https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html). praatio, which reads
both too, keeps no line numbers and refuses tiers with the same name; tests hold the two against each other.
Tiers of points have no duration and are left out. UTF-8, and UTF-16 with its mark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.tiers import Tier, holds_phrases, read_tiers, speaker_of
from parlure.corpus.readers.timed import Phrase, Problem, UnreadableError, decoded, refuse_columns, short

# a comment, a text, a flag, a number, or a word that means nothing
_TOKEN = re.compile(r'(?<!\S)![^\n]*|"(?:[^"]|"")*"|"|[^\s"]\S*')
_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")


def read_textgrid(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each interval of the wanted tiers of a file, or of every ``.TextGrid`` in a folder.

    Args:
        source: file or folder.
        columns: ``text`` names the tiers to take; without it all but those of words and sounds are.

    Raises:
        ParlureError: no such source, none in the folder, a tier that no file has, or another column is named.
    """
    refuse_columns(source, "TextGrid", columns, known=("text",))
    yield from read_tiers(source, ".textgrid", columns, _tiers)


def _tiers(path: Path) -> list[Tier]:
    if path.read_bytes()[:12] == b"ooBinaryFile":
        raise UnreadableError(f"{path.name} is a binary TextGrid: in Praat, Save as text file")
    tokens = _Tokens(path.name, decoded(path).replace("\r\n", "\n").replace("\r", "\n"))
    kind = tokens.text("the kind of file")
    if "chronological" in kind:
        raise UnreadableError(f"{path.name} is a chronological TextGrid: in Praat, Save as text file")
    if not kind.startswith("ooTextFile") or tokens.text("the kind of object") != "TextGrid":
        raise UnreadableError(f"{path.name} is no TextGrid of Praat: it does not begin with ooTextFile and TextGrid", 1)
    tokens.number("the start")
    tokens.number("the end")
    if not tokens.exist():
        return []
    tiers = [_tier(tokens) for _ in range(tokens.count("how many tiers"))]
    names = [tier.name for tier in tiers]
    return [replace(tier, whole=tier.whole and holds_phrases(tier.name, names)) for tier in tiers]


def _tier(tokens: _Tokens) -> Tier:
    """The next tier; one of points holds no phrase."""
    kind = tokens.text("the kind of a tier")
    if kind not in ("IntervalTier", "TextTier"):
        raise UnreadableError(
            f"{tokens.place()}: a tier is an IntervalTier or a TextTier, not {short(kind)}", tokens.line
        )
    name = tokens.text("the name of a tier")
    tokens.number(f"the start of tier {name}")
    tokens.number(f"the end of tier {name}")
    n_items = tokens.count(f"how many items tier {name} has")
    if kind == "TextTier":
        for _ in range(n_items):
            tokens.number(f"a time in tier {name}")
            tokens.text(f"a mark in tier {name}")
        return Tier(name, (), whole=False)
    phrases = []
    for _ in range(n_items):
        start, end = tokens.number(f"a start in tier {name}"), tokens.number(f"an end in tier {name}")
        text = tokens.text(f"the text of an interval in tier {name}")
        if text.strip():
            phrases.append(Phrase(tokens.line, start, end, text, speaker_of(name), raw={"tier": name}))
    if name == "silences":
        return _silences(name, phrases)
    return Tier(name, tuple(phrases), whole=True)


def _silences(name: str, phrases: list[Phrase]) -> Tier:
    """What Praat's To TextGrid (silences) leaves: ``silent`` is a pause, ``sounding`` is speech to be transcribed."""
    written = any(phrase.text not in ("silent", "sounding") for phrase in phrases)
    kept = (_unwritten(one) if one.text == "sounding" else one for one in phrases if one.text != "silent")
    return Tier(name, tuple(kept), whole=written)


def _unwritten(one: Phrase) -> Problem:
    return Problem(one.line, one.text, "the interval still says sounding: nobody has transcribed it", "empty_text")


class _Tokens:
    """The free-standing texts, numbers and flags of a file, one after the other.

    Attributes:
        line: line on which the last one begins, from 1.
    """

    def __init__(self, name: str, content: str) -> None:
        self._name, self._content, self._found = name, content, _TOKEN.finditer(content)
        self._counted = 0
        self.line = 1

    def place(self) -> str:
        return f"{self._name} line {self.line}"

    def text(self, what: str) -> str:
        return self._next(what, "a text in quotes", lambda token: token[0] == '"')[1:-1].replace('""', '"')

    def number(self, what: str) -> float:
        return float(self._next(what, "a number", lambda token: _NUMBER.fullmatch(token) is not None))

    def count(self, what: str) -> int:
        number = self.number(what)
        if number % 1 or number < 0:  # NaN, which is infinity's rest, counts as true
            raise UnreadableError(f"{self.place()}: {what} cannot be {number:g}", self.line)
        return int(number)

    def exist(self) -> bool:
        return self._next("whether there are tiers", "<exists>", lambda token: token[0] == "<") == "<exists>"

    def _next(self, what: str, kind: str, fits: Callable[[str], bool]) -> str:
        """The next text, number or flag; it has to be one that fits."""
        for found in self._found:
            token = found[0]
            if token[0] == "!" or not (token[0] in '"<' or _NUMBER.fullmatch(token)):
                continue
            self.line += self._content.count("\n", self._counted, found.start())
            self._counted = found.start()
            if token == '"':
                raise UnreadableError(f"{self.place()}: the quote opened here is never closed", self.line)
            if not fits(token):
                sentence = f"{self.place()}: {short(token)} stands where {what} should, {kind}"
                raise UnreadableError(sentence, self.line)
            return token
        raise UnreadableError(f"{self._name} ends where {what} should stand: it is cut off", self.line)
