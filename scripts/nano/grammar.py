"""A seeded generator of sentences: templates with <symbols>, each symbol a list of alternatives.

A sentence belongs to the held-out set by the hash of its text alone, so that training and test can never
share one, whatever the order or the number of sentences drawn.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_SYMBOL = re.compile(r"<(\w+)>")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_TEST_SHARE = 10  # one sentence in ten is held out


@dataclass(frozen=True)
class Grammar:
    """Templates of one language.

    Attributes:
        language: Whisper's code, ``fr`` or ``en``.
        rules: symbol → alternatives, ``sentence`` being the root.
        makers: symbol → function of a generator, for what is counted rather than listed (numbers, dates).
        finish: last touch on a sentence (French elision).
    """

    language: str
    rules: Mapping[str, Sequence[str]]
    makers: Mapping[str, Callable[[random.Random], str]]
    finish: Callable[[str], str]

    def sentence(self, rng: random.Random, symbol: str = "sentence") -> str:
        """One sentence, capitalised, as Whisper would write it."""
        text = self._expand(f"<{symbol}>", rng)
        text = self.finish(re.sub(r"\s+", " ", text).strip())
        return text[0].upper() + text[1:]

    def _expand(self, text: str, rng: random.Random) -> str:
        def fill(match: re.Match[str]) -> str:
            symbol = match.group(1)
            if symbol in self.makers:
                return self.makers[symbol](rng)
            return self._expand(rng.choice(self.rules[symbol]), rng)

        return _SYMBOL.sub(fill, text)

    def lexicon(self) -> list[str]:
        """Every word that a sentence can hold, lower-cased, in a fixed order."""
        rng = random.Random(0)
        texts = [_SYMBOL.sub(" ", option) for options in self.rules.values() for option in options]
        texts += [make(rng) for make in self.makers.values() for _ in range(300)]
        return sorted({word.lower() for text in texts for word in _WORD.findall(text) if len(word) > 1})


def is_held_out(text: str) -> bool:
    """Whether a sentence is kept for test."""
    return hashlib.sha256(text.encode()).digest()[0] % _TEST_SHARE == 0


def draw_sentence(grammar: Grammar, rng: random.Random, held_out: bool) -> str:
    """A grammatical sentence from the training or the held-out side."""
    while True:
        text = grammar.sentence(rng)
        if is_held_out(text) == held_out:
            return text


def draw_words(words: Sequence[str], rng: random.Random, n_words: int, held_out: bool) -> str:
    """Random words in a row: nothing to recite, the model must listen."""
    while True:
        text = " ".join(rng.choice(words) for _ in range(n_words))
        text = text[0].upper() + text[1:] + "."
        if is_held_out(text) == held_out:
            return text
