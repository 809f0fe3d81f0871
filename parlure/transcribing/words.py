"""Phrases and their sound → words, with times and probabilities.

Phrases that follow each other within 30 s are read together (:mod:`.reading`), and one whose words go astray, into a
pause or a neighbour, once more by itself. A word begins where its first token does
and ends where the next word begins, silence at both edges trimmed (:mod:`.edges`): words follow each other, and none
overlaps another. A phrase then lasts from its first word to its last.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from transformers import WhisperTokenizer

from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import HOP_LENGTH, N_WINDOW_SAMPLES, WINDOW_S
from parlure.transcribing.edges import trimmed
from parlure.transcribing.engines.interface import Engine
from parlure.transcribing.hypothesis import Hypothesis, Segment, Word
from parlure.transcribing.reading import ReadsAlong
from parlure.transcribing.windows import HeardWindow
from parlure.whisper.prompt import encode_text

_MARGIN_S = 0.2  # heard around the phrases of a window, up to the middle of the pause: their times are rough
_MARGIN_ALONE_S = 0.1  # around a phrase that is read by itself
_SHORTEST_S = 0.1  # of sound that is read
_MAX_TOKENS = 220  # of several phrases that are read in one window
_MOST_TOKENS = 440  # that the decoder has room for, behind the prompt
_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})  # a word is a character there: openai/whisper


class _Placed(NamedTuple):
    """A word where it was heard, and the probabilities of its tokens."""

    start_s: float
    end_s: float
    text: str
    probabilities: tuple[float, ...]


def reader_of(engine: Engine) -> ReadsAlong:
    """The engine, as one that can be given a text.

    Raises:
        ParlureError: it cannot.
    """
    if engine.tokenizer is None or not isinstance(engine, ReadsAlong):
        raise ParlureError(
            f"times and probabilities of words come from Whisper's attention, which {engine.model} does not show here",
            "leave out --timestamps word and --mark-below, or take a Whisper in torch or CTranslate2",
        )
    return engine


def with_words(engine: Engine, hypothesis: Hypothesis, samples: Samples, task: str) -> Hypothesis:
    """The hypothesis with words in each of its phrases.

    A phrase of more tokens than can be read, which only a model that goes round in circles writes, stays without words.

    Args:
        engine: the one that decoded it.
        hypothesis: with phrases in order.
        samples: what they are of.
        task: ``transcribe`` or ``translate``; the words of a translation stand where the model listened for them.

    Raises:
        ParlureError: the engine cannot be given a text.
    """
    heard = _Heard(reader_of(engine), engine, hypothesis, samples, task)
    found: list[Segment] = []
    for first, last in heard.groups():
        if not heard.fits(first, last):
            found.append(heard.whole(first))
            continue
        together = heard.read(first, last, _MARGIN_S)
        for number, words in zip(range(first, last), together, strict=True):
            if last - first > 1 and (n_astray := heard.n_astray(number, words)):
                [alone] = heard.read(number, number + 1, _MARGIN_ALONE_S)
                words = alone if heard.n_astray(number, alone) < n_astray else words
            found.append(heard.phrase(number, words, found[-1].end if found else 0.0))
    return replace(hypothesis, segments=tuple(found))


def words_in(engine: Engine, window: HeardWindow, samples: Samples, task: str) -> list[Word]:
    """The words of one window of a recording, with times from the recording's start.

    Args:
        engine: the one that heard it.
        window: of the recording.
        samples: the whole recording.
        task: ``transcribe`` or ``translate``.

    Raises:
        ParlureError: the engine cannot be given a text.
    """
    phrases = tuple(Segment(one.start, one.end, one.text) for one in window.phrases if one.text)
    end = window.place.start * HOP_LENGTH + len(window.sound(samples))
    heard = Hypothesis("", "", window.language, phrases, None, None, (), False)
    found = with_words(engine, heard, samples[:end], task).segments or ()
    return [word for phrase in found for word in phrase.words or ()]


class _Heard:
    """A hypothesis, its sound, and the engine that reads its phrases along it."""

    def __init__(self, reader: ReadsAlong, engine: Engine, hypothesis: Hypothesis, samples: Samples, task: str) -> None:
        assert engine.tokenizer is not None
        self._reader, self._tokenizer, self._samples, self._task = reader, engine.tokenizer, samples, task
        self._language, self._phrases = hypothesis.language, hypothesis.segments or ()
        self._ids = [encode_text(engine.tokenizer, phrase.text) for phrase in self._phrases]
        self._duration_s = len(samples) / SAMPLE_RATE

    def groups(self) -> Iterator[tuple[int, int]]:
        """First and behind last of the phrases that are read together."""
        first, longest_s = 0, WINDOW_S - 2 * _MARGIN_S
        for last in range(1, len(self._phrases) + 1):
            is_over = last == len(self._phrases) or self._phrases[last].end - self._phrases[first].start > longest_s
            if is_over or sum(map(len, self._ids[first : last + 1])) > _MAX_TOKENS:
                yield first, last
                first = last

    def fits(self, first: int, last: int) -> bool:
        """Whether the decoder has room for the tokens of some phrases."""
        return sum(map(len, self._ids[first:last])) <= _MOST_TOKENS

    def whole(self, number: int) -> Segment:
        """A phrase as it is."""
        return self._phrases[number]

    def read(self, first: int, last: int, margin_s: float) -> list[list[_Placed]]:
        """The words of some phrases, read together."""
        start_s, end_s = self._window(first, last, margin_s)
        sound = self._samples[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)][:N_WINDOW_SAMPLES]
        tokens = [id_ for one in self._ids[first:last] for id_ in one]
        reading = self._reader.read(sound, tokens, self._language, self._task)
        found, place = [], 0
        for ids in self._ids[first:last]:
            words = []
            for text, begin, end in split_words(self._tokenizer, ids, self._language):
                begin_s, end_s = trimmed(sound, reading.begins_s[place + begin], reading.begins_s[place + end])
                shares = reading.probabilities[place + begin : place + end]
                words.append(_Placed(start_s + float(begin_s), start_s + float(end_s), text, shares))
            found.append(words)
            place += len(ids)
        return found

    def n_astray(self, number: int, words: Sequence[_Placed]) -> int:
        """How many words of a phrase last no time, or stand far from where the model put the phrase."""
        phrase = self._phrases[number]
        inside = phrase.start - 2 * _MARGIN_S, phrase.end + 2 * _MARGIN_S
        return sum(not inside[0] <= one.start_s < one.end_s <= inside[1] for one in words)

    def phrase(self, number: int, words: Sequence[_Placed], reached_s: float) -> Segment:
        """The phrase with its words, none of which begins before ``reached_s``."""
        placed = []
        for one in words:
            start_s = max(reached_s, round(one.start_s, 3))
            reached_s = max(start_s, round(one.end_s, 3))
            placed.append(Word(start_s, reached_s, one.text, sum(one.probabilities) / len(one.probabilities)))
        shares = [share for one in words for share in one.probabilities]
        return replace(
            self._phrases[number], start=placed[0].start, end=placed[-1].end, words=tuple(placed),
            probability=sum(shares) / len(shares), min_probability=min(shares),
        )  # fmt: skip

    def _window(self, first: int, last: int, margin_s: float) -> tuple[float, float]:
        """What is heard with some phrases: they, and a little around them up to the middle of the pause."""
        start_s, end_s = self._phrases[first].start, self._phrases[last - 1].end
        before_s = (start_s - self._phrases[first - 1].end) / 2 if first else start_s
        after_s = (self._phrases[last].start - end_s) / 2 if last < len(self._phrases) else self._duration_s - end_s
        start_s = max(0.0, min(start_s - min(margin_s, max(0.0, before_s)), self._duration_s - _SHORTEST_S))
        end_s = max(end_s + min(margin_s, max(0.0, after_s)), start_s + _SHORTEST_S)
        return start_s, min(self._duration_s, start_s + WINDOW_S, end_s)


def marked(hypothesis: Hypothesis, below: float) -> Hypothesis:
    """The hypothesis with ``[?]`` behind words less probable than ``below``, in text, phrases and words."""
    segments = []
    for one in hypothesis.segments or ():
        words = [replace(w, text=w.text + " [?]" * (w.probability < below)) for w in one.words or ()]
        segments.append(replace(one, text=" ".join(w.text for w in words), words=tuple(words)) if words else one)
    return replace(hypothesis, text=" ".join(one.text for one in segments), segments=tuple(segments))


def split_words(tokenizer: WhisperTokenizer, tokens: Sequence[int], language: str) -> list[tuple[str, int, int]]:
    """Words, each with the first of its tokens and the one behind its last.

    A token that begins with a space begins a word; where a language writes none, every whole character does.
    Punctuation by itself belongs to the word before it, an opening bracket, quote or dash to the one behind.
    """
    spell = tokenizer.backend_tokenizer.decode
    words: list[tuple[str, int, int]] = []
    start = 0
    for end in range(1, len(tokens) + 1):
        piece = spell(list(tokens[start:end]))
        if "\ufffd" in piece and end < len(tokens):  # a character that is not whole yet
            continue
        begins = not words or piece.startswith(" ") or language in _WITHOUT_SPACES
        text, first = (piece, start) if begins else (words[-1][0] + piece, words[-1][1])
        if not begins:
            words.pop()
        words.append((text, first, end))
        start = end
    return _with_punctuation(words)


def _with_punctuation(words: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    opens = False
    for text, first, end in words:
        if found and (opens or (not any(character.isalnum() for character in text) and not _opens(text))):
            text, first = found[-1][0] + text, found[-1][1]
            found.pop()
        found.append((text, first, end))
        opens = _opens(text)
    if len(found) > 1 and opens:  # nothing is behind it
        (before, first, _), (text, _, end) = found[-2:]
        found[-2:] = [(before + text, first, end)]
    return [(text.strip(), first, end) for text, first, end in found]


def _opens(text: str) -> bool:
    """Whether this is an opening bracket or quote, or a dash, and nothing else."""
    return all(unicodedata.category(character) in ("Ps", "Pi", "Pd") or character in "¿¡" for character in text.strip())
