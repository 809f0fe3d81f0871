"""Text in which a decoder went round in circles → the text without its loops; and how well a text compresses.

A loop is what a decoder falls into that predicts the same words from the same words until its token limit. Collapsing
it is a rule about text alone: it never looks at a reference, so it can stand behind any model in use.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence
from functools import lru_cache

LOOP_REPEATS = 4  # the same words at least so often in a row …
LOOP_WORDS = 8  # … over at least so many words: "non non non non" and "je sais pas" three times are speech
_LOOP_CHARACTERS = 16  # the same within a word, for scripts without spaces
_LONG_WORD = 30  # characters; no word of a script with spaces is looked into below this
_LONGEST_PERIOD = 120  # words: Whisper writes at most 448 tokens, and a loop takes four rounds

COMPRESSION_LIMIT = 2.4  # openai/whisper, transcribe.py: compression_ratio_threshold
_WINDOW = 600  # characters, about what 30 s hold: a long text compresses well without any loop


def compression_ratio(text: str) -> float:
    """Bytes of UTF-8 over bytes once deflated (openai/whisper, utils.py); about 1 to 2 for text without a loop."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data))


def compresses(text: str) -> bool:
    """Whether any 600 characters of a text compress better than Whisper's threshold of 2.4."""
    return any(
        compression_ratio(text[start : start + _WINDOW]) > COMPRESSION_LIMIT for start in range(0, len(text), _WINDOW)
    )


@lru_cache(maxsize=1 << 16)  # a conversation says the same words over and over
def _key(word: str) -> str:
    """A word for comparing: without case and punctuation, unless it is nothing else."""
    return "".join(c for c in word.casefold() if c.isalnum() or unicodedata.category(c)[0] == "M") or word


def _kept(keys: Sequence[str], period: int, n_least: int) -> list[int]:
    """The positions left when every loop of one period is reduced to its first round."""
    kept: list[int] = []
    start = 0
    while start < len(keys):
        end = start
        while end + period < len(keys) and keys[end] == keys[end + period]:
            end += 1
        rounds = (end + period - start) // period
        if rounds >= LOOP_REPEATS and rounds * period >= n_least:
            kept += range(start, start + period)
            start += rounds * period
            if end + period == len(keys):  # what is left of a round at the very end was cut off by a limit
                break
        else:
            kept += range(start, end + 1)
            start = end + 1
    return kept


def _collapse(units: list[str], n_least: int) -> list[str]:
    """Without loops of any period, the shortest first; again from the shortest after each that was found."""
    keys = [_key(unit) for unit in units]
    period = 1
    while period <= min(len(keys) // LOOP_REPEATS, _LONGEST_PERIOD):
        kept = _kept(keys, period, n_least)
        period = period + 1 if len(kept) == len(keys) else 1
        units, keys = [units[position] for position in kept], [keys[position] for position in kept]
    return units


def without_loops(text: str) -> str:
    """The text with every loop reduced to its first round; without a loop, the text as it is.

    A loop is one or more words said at least 4 times in a row, over at least 8 words, case and punctuation aside. The
    beginning of another round at the very end of the text goes too. Within a word of more than 30 characters, as
    Chinese or Japanese have them, the same holds of characters, over at least 16. The rule and its numbers are ours.
    """
    words = text.split()
    if len(words) < LOOP_WORDS and all(len(word) <= _LONG_WORD for word in words):
        return text
    while True:
        collapsed = _collapse(words, LOOP_WORDS)
        collapsed = [
            "".join(_collapse(list(word), _LOOP_CHARACTERS)) if len(word) > _LONG_WORD else word for word in collapsed
        ]
        if collapsed == words:
            return text if words == text.split() else " ".join(words)
        words = collapsed
