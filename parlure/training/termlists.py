"""Which terms stand before a training window: those that it holds among others, others alone, or none.

A model that always got the right terms would write whatever it is told of; so the list holds others beside them, in
any order, some lists hold none of what is said, and some windows have no list. Which it is follows from seed, epoch and
ids alone. Tuning Whisper behind such prompts: arXiv 2307.10274 and 2502.11572.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from transformers import WhisperTokenizer

from parlure.scoring.terms import occurrences, read_terms, spaced
from parlure.sections import Recipe
from parlure.training.windows import Window
from parlure.whisper.prompt import MAX_PROMPT_TOKENS, MAX_TOKENS, SpecialTokens, behind
from parlure.whisper.terms import fitting, joined, term_tokens

_WITHOUT_ITS_OWN = 0.1  # share of the lists before a window with terms that hold none of them
_PROFILE = "basic"  # whole words without case and punctuation, in any language


@dataclass(frozen=True)
class TermLists:
    """What is drawn from.

    Attributes:
        terms: as the person wrote them.
        tokens: of each, with a comma.
        share: of the windows without a previous text that get a list.
        seed: the recipe's.
        special: ids of the model's vocabulary.
    """

    terms: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]
    share: float
    seed: int
    special: SpecialTokens

    @classmethod
    def of(cls, recipe: Recipe, tokenizer: WhisperTokenizer) -> TermLists | None:
        """What a recipe asks for; None where that is nothing.

        Raises:
            ParlureError: the list cannot be read.
        """
        asked = recipe.targets
        if not asked.terms:
            return None
        terms = tuple(term.text for term in read_terms(Path(asked.terms)))
        tokens = tuple(term_tokens(tokenizer, terms))
        return cls(terms, tokens, asked.term_prompts, recipe.training.seed, SpecialTokens.of(tokenizer))

    @property
    def n_most(self) -> int:
        """Tokens of the longest prompt that may be drawn."""
        return 1 + min(MAX_PROMPT_TOKENS, sum(map(len, self.tokens)) - 1)

    def within(self, text: str) -> list[int]:
        """Places in the list of the terms that a text holds."""
        words = spaced(text, _PROFILE)
        return [place for place, sought in enumerate(self._sought) if occurrences(sought, words)]

    def before(self, window: Window, epoch: int) -> Window:
        """The window behind the terms that this epoch draws for it; one with a previous text stays as it is."""
        if window.labels.inputs[0] == self.special.previous:
            return window
        rng = random.Random(f"terms {self.seed} {epoch} {' '.join(item.id for item in window.items)}")
        if rng.random() >= self.share:
            return window
        own = self.within(" ".join(item.text for item in window.items))
        others = [place for place in range(len(self.terms)) if place not in {*own}]
        chosen = rng.sample(others, rng.randint(0, len(others)))
        if rng.random() >= _WITHOUT_ITS_OWN:
            chosen = [*own, *chosen]  # what does not fit is left out from the end: its own last
        room = min(MAX_PROMPT_TOKENS, MAX_TOKENS - 1 - len(window.labels.inputs))  # 1: <|startofprev|>
        chosen = chosen[: fitting([self.tokens[place] for place in chosen], room)]
        rng.shuffle(chosen)
        previous = joined([self.tokens[place] for place in chosen], self.special.previous)
        return replace(window, labels=behind(window.labels, previous))

    @cached_property
    def _sought(self) -> list[str]:
        return [spaced(term, _PROFILE) for term in self.terms]
