"""Tokens and where each begins → words with times, as openai/whisper ``timing.py`` groups them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from transformers import WhisperTokenizer

from parlure.speech.audio import Samples
from parlure.speech.features import FRAMES_PER_S
from parlure.transcribing.edges import trimmed
from parlure.transcribing.engines.interface import TimedEngine
from parlure.transcribing.windows import HeardWindow, text_ids

_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})  # every character is a word there, as in OpenAI's


@dataclass(frozen=True)
class Word:
    """A word with its punctuation; ``start`` and ``end`` in seconds from the recording's start."""

    text: str
    start: float
    end: float


def words_in(engine: TimedEngine, window: HeardWindow, samples: Samples, task: str) -> list[Word]:
    """The words of a window that has been heard.

    Times follow what the decoder listens to while it reads each token (dynamic time warping); silence at a word's edges
    is left out, and a word lies within its phrase. Of a translation they are in the order of its words, which need not
    be that of the speech.

    Args:
        engine: that heard it.
        window: of the recording.
        samples: the whole recording.
        task: that it was heard for.
    """
    sound, spoken = (
        window.sound(samples),
        [(phrase, text_ids(engine.tokenizer, phrase.tokens)) for phrase in window.phrases],
    )
    tokens = [token for _, ids in spoken for token in ids]
    if not tokens or not len(sound):
        return []
    starts = engine.token_starts(sound, tokens, window.language, task)
    offset_s, found, before = window.place.start / FRAMES_PER_S, list[Word](), 0
    for phrase, ids in spoken:
        for text, first, last in grouped(engine.tokenizer, ids, window.language):
            span = trimmed(sound, starts[before + first], starts[before + last])
            start_s, end_s = (min(max(offset_s + float(time_s), phrase.start), phrase.end) for time_s in span)
            found.append(Word(text, round(start_s, 2), round(max(start_s, end_s), 2)))
        before += len(ids)
    return found


def grouped(tokenizer: WhisperTokenizer, tokens: Sequence[int], language: str) -> list[tuple[str, int, int]]:
    """Words of a text: each with the place of its first token, and of the token behind its last.

    Punctuation belongs to the word that it stands behind; nothing of the text is lost.
    """
    found: list[tuple[str, int, int]] = []
    first, spaced = 0, language not in _WITHOUT_SPACES
    for place in range(1, len(tokens) + 1):
        piece = str(tokenizer.backend_tokenizer.decode(list(tokens[first:place])))
        if "\ufffd" in piece and place < len(tokens):  # half a character
            continue
        begins_word = not found or (piece.startswith(" ") if spaced else True)
        if begins_word and not (found and _is_punctuation(piece)):
            found.append((piece, first, place))
        else:
            text, start, _ = found[-1]
            found[-1] = text + piece, start, place
        first = place
    return [(text.strip(), start, end) for text, start, end in found]


def _is_punctuation(piece: str) -> bool:
    return all(unicodedata.category(letter)[0] in "PZ" for letter in piece)
