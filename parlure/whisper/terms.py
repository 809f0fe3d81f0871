"""A list of terms → the prompt that tells Whisper of them: ``<|startofprev|> term, term, …`` before the start token.

It is what other runtimes make of ``initial_prompt="term, term"``. No public Whisper was trained on lists, only on what
was said before (Radford et al. 2022, §2.3); one that was tuned behind lists (:mod:`parlure.training.termlists`) knows
what they are for.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import WhisperTokenizer

from parlure.errors import ParlureError
from parlure.whisper.prompt import MAX_PROMPT_TOKENS, SpecialTokens, encode_text

SEPARATOR = ","  # and the space that begins every word


def term_tokens(tokenizer: WhisperTokenizer, terms: Sequence[str]) -> list[tuple[int, ...]]:
    """The ids of each term with the comma that may follow it."""
    comma = tokenizer.encode(SEPARATOR, add_special_tokens=False)
    return [(*encode_text(tokenizer, term), *comma) for term in terms]


def joined(tokens: Sequence[tuple[int, ...]], previous_id: int) -> tuple[int, ...]:
    """A prompt of terms as :func:`term_tokens` gives them, without the last one's comma; empty without terms.

    Args:
        tokens: each term's, with one comma's id at its end.
        previous_id: of ``<|startofprev|>``.
    """
    together = [id_ for one in tokens for id_ in one]
    return (previous_id, *together[:-1]) if together else ()


def fitting(tokens: Sequence[tuple[int, ...]], n_tokens: int) -> int:
    """How many of the terms, from the first on, stand whole within so many tokens, ``<|startofprev|>`` not counted."""
    total = 0
    for number, one in enumerate(tokens):
        total += len(one)
        if total - 1 > n_tokens:  # the last one has no comma
            return number
    return len(tokens)


def terms_prompt(tokenizer: WhisperTokenizer, terms: Sequence[str]) -> tuple[int, ...]:
    """What stands before the start token of every window; empty without terms.

    Raises:
        ParlureError: the list is longer than what Whisper reads before a window. It is never cut.
    """
    tokens = term_tokens(tokenizer, terms)
    n_fit = fitting(tokens, MAX_PROMPT_TOKENS)
    if n_fit < len(tokens):
        n_tokens = sum(map(len, tokens)) - 1
        raise ParlureError(
            f"the {len(terms)} terms are {n_tokens} tokens, and Whisper reads {MAX_PROMPT_TOKENS} before a window",
            f"the first {n_fit} fit; give a shorter list, such as the terms of this customer or this kind of call",
        )
    return joined(tokens, SpecialTokens.of(tokenizer).previous)
