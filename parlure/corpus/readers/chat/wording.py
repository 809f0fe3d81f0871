"""The line of an utterance → what a person would write, by the choices for each mark; in phrases, one a bullet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from parlure.corpus.readers.chat.languages import whisper_code
from parlure.corpus.readers.chat.marks import Marks
from parlure.corpus.readers.chat.refusal import RefusalError, malformed
from parlure.corpus.readers.chat.tokens import Item, parse_utterance
from parlure.corpus.readers.chat.transcript import Bullet, bullet_times, without_pictures
from parlure.corpus.readers.chat.words import PROSODY, Spelt, spell

_RETRACING = re.compile(r"/{1,3}|/-|/\?")
_REPLACEMENT = re.compile(r"::? ?(?P<words>.*\S)")
_ALTERNATIVE = re.compile(r"=\? ?(?P<words>.*\S)")
_TIMES_SAID = re.compile(r"x ?(?P<n>[1-9]\d?)")
# comments, gestures, stress, durations, postcodes, overlaps, quotations, exclusions: none of them is a word
_SILENT = re.compile(r'[<>] ?\d*|!!?|=.*|%.*|#.*|\^.*|\+.*|\$.*|"|e')
_ELISION = re.compile(r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|presqu|quelqu)['’]", re.IGNORECASE)
_SOFT = (",", ";", ":", "...")  # signs that give way to one that follows: oui , xxx .
_FINAL = {"+.": ".", '+".': ".", '+"/.': ".", "+!?": "!?"}


class Piece(NamedTuple):
    """A piece of text: a word; a sign that follows a word (``after``) or leads one (``before``); or a bullet."""

    kind: str
    text: str
    glued: bool = False


class Phrase(NamedTuple):
    """What was said within one bullet."""

    times: Bullet
    text: str


@dataclass(frozen=True)
class Wording:
    """What an utterance says.

    Attributes:
        text: as a person would write it.
        phrases: those with a word in them.
        times: of all bullets, those without a word too, in order.
        overlap: it is marked as spoken while somebody else spoke.
        language: the one that it is in as a whole, if it says so.
    """

    text: str
    phrases: tuple[Phrase, ...]
    times: tuple[Bullet, ...]
    overlap: bool
    language: str | None


def word_utterance(line: str, marks: Marks) -> Wording:
    """The wording of an utterance.

    Args:
        line: what stands behind ``*MAR:``, with the lines that go on with it.
        marks: a choice for every mark.

    Raises:
        RefusalError: it is not proper CHAT, holds a mark that the choices reject, or nothing that anybody wrote down.
    """
    tree = parse_utterance(without_pictures(line))
    writer = _Writer(marks)
    pieces = writer.write(tree.items)
    language = _language(tree.codes, marks)
    text = joined(pieces, marks["punctuation"])
    if not text and writer.unheard:
        raise RefusalError("unintelligible", "somebody speaks, and none of it was written down")
    chunks = list(_chunks(pieces))
    times = tuple(bullet_times(bullet) for bullet, _ in chunks)
    worded = [Phrase(when, joined(chunk, marks["punctuation"])) for when, (_, chunk) in zip(times, chunks, strict=True)]
    return Wording(text, tuple(phrase for phrase in worded if phrase.text), times, tree.overlap, language)


def joined(pieces: Sequence[Piece], style: str) -> str:
    """The text of pieces: in ``attached`` style with ordinary punctuation, else ``spaced`` as it stands or ``drop``."""
    text, join = "", ""
    for piece in _mended(pieces):
        if piece.kind != "word" and style == "drop":
            continue
        if piece.kind == "after":
            text += piece.text if style == "attached" or piece.glued else f" {piece.text}"
            join = " "
            continue
        text += join + piece.text
        leads = piece.kind == "before" or _ELISION.fullmatch(piece.text)
        join = "" if leads and style != "spaced" else " "
    return text.strip()


class _Writer:
    """Writes the items of one utterance; remembers whether something was said that nobody wrote down."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._quoting = False
        self.unheard = False

    def write(self, items: Iterable[Item]) -> list[Piece]:
        return [piece for item in items for piece in self._write(item)]

    def _write(self, item: Item) -> list[Piece]:
        match item.kind:
            case "word" | "group":
                return self._coded(item)
            case "bullet":
                return [Piece("bullet", item.text)]
            case "ending":
                return [Piece("after", text, item.glued) for text in self._ending(item.text)]
            case "separator":
                return [Piece("after", item.text, item.glued)]
            case "satellite":
                return [Piece("after", ",")] if self._marks["satellites"] == "comma" else []
            case "quote":
                return self._quote(item.text)
            case "pause":
                return [Piece("after", "...")] if self._marks["pauses"] == "ellipsis" else []
        return []  # linkers say how the utterance follows the one before; breaths are not speech

    def _coded(self, item: Item) -> list[Piece]:
        """A word or group as its codes have it."""
        marks, said, n_times = self._marks, item, 1
        kept = True
        for code in item.codes:
            if _RETRACING.fullmatch(code):
                kept &= marks["retracings"] == "keep"
            elif times := _TIMES_SAID.fullmatch(code):
                n_times = int(times["n"]) if marks["repeats"] == "expand" else 1
            elif instead := _REPLACEMENT.fullmatch(code):
                said = _group(instead["words"]) if marks["replacements"] == "target" or _is_unheard(item) else said
            elif other := _ALTERNATIVE.fullmatch(code):
                said = _group(other["words"]) if marks["alternatives"] == "second" else said
            else:
                _check_code(code, marks)
        pieces = self._said(said)
        if said is not item:
            pieces += self._bullets(item.inside)
        if not kept or n_times != 1:
            spoken = [piece for piece in pieces if piece.kind != "bullet"] * (n_times if kept else 0)
            pieces = spoken + [piece for piece in pieces if piece.kind == "bullet"]
        return pieces

    def _said(self, item: Item) -> list[Piece]:
        if item.kind == "group":
            return self.write(item.inside)
        spelt = self._spell(item.text)
        self.unheard |= spelt.unheard
        return [Piece("word", spelt.text)] if spelt.text else []

    def _spell(self, word: str) -> Spelt:
        if self._marks["prosody"] == "drop" and not word.strip(PROSODY):
            return Spelt("")
        return spell(word, self._marks)

    def _bullets(self, items: Iterable[Item]) -> Iterator[Piece]:
        for item in items:
            if item.kind == "bullet":
                yield Piece("bullet", item.text)
            yield from self._bullets(item.inside)

    def _ending(self, mark: str) -> list[str]:
        if mark in _FINAL:
            return [_FINAL[mark]]
        choice = self._marks["incomplete"]
        if mark.endswith("?"):
            return ["?"]
        return {"ellipsis": ["..."], "period": ["."], "drop": []}[choice]

    def _quote(self, sign: str) -> list[Piece]:
        opens = sign in "“«" or (sign == '"' and not self._quoting)
        self._quoting = opens
        return [Piece("before" if opens else "after", sign)] if self._marks["quotations"] == "keep" else []


def _group(words: str) -> Item:
    """A replacement, as a group of its own."""
    return Item("group", inside=parse_utterance(words).items)


def _is_unheard(item: Item) -> bool:
    """Whether nothing but ``xxx`` stands there, which a replacement says more of."""
    if item.kind == "group":
        return bool(item.inside) and all(map(_is_unheard, item.inside))
    return re.fullmatch(r"xxx?|yyy?", item.text) is not None


def _check_code(code: str, marks: Marks) -> None:
    """Refuse a code that is not known, or that the choices reject."""
    for pattern, mark, what in ((r"\?", "guesses", "is a guess"), (r"\*.*", "errors", "marks an error")):
        if re.fullmatch(pattern, code):
            if marks[mark] == "reject":
                raise RefusalError("unwanted_mark", f"[{code}] {what}: {mark}=reject")
            return
    if not _SILENT.fullmatch(code):
        raise malformed(f"[{code}] is no code known here")


def _language(codes: Iterable[str], marks: Marks) -> str | None:
    """The language of ``[- eng]`` among the codes about the whole utterance."""
    language = None
    for code in codes:
        if not code.startswith("- "):
            _check_code(code, marks)
            continue
        if marks["switches"] == "reject":
            raise RefusalError("unwanted_mark", f"[{code}] is of another language: switches=reject")
        language = whisper_code(code[2:])
    return language


def _mended(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Without bullets; without the sign that no word stands before, and the comma or pause that a sign follows."""
    found = [piece for piece in pieces if piece.kind != "bullet"]
    worded = False
    for number, piece in enumerate(found):
        follower = next((other for other in found[number + 1 :] if other.kind != "before"), None)
        soft = piece.kind == "after" and piece.text in _SOFT
        worded |= piece.kind == "word"
        if (piece.kind == "after" and not worded) or (soft and follower is not None and follower.kind == "after"):
            continue
        yield piece


def _chunks(pieces: Sequence[Piece]) -> Iterator[tuple[str, list[Piece]]]:
    """``(bullet, pieces)``: a bullet follows what it times; what follows the last one belongs to it too."""
    chunks: list[tuple[str, list[Piece]]] = []
    current: list[Piece] = []
    for piece in pieces:
        if piece.kind == "bullet":
            chunks.append((piece.text, current))
            current = []
        elif piece.kind == "after" and not current and chunks:
            chunks[-1][1].append(piece)
        else:
            current.append(piece)
    if chunks:
        chunks[-1][1].extend(current)
    yield from chunks
