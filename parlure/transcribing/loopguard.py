"""When what a decoder writes goes round in circles: the rule that stops a row before its token limit does."""

from __future__ import annotations

from collections.abc import Sequence

LOOP_ROUNDS = 4  # the same tokens at least so often in a row, as for words in parlure.scoring.loops …
LOOP_TOKENS = 16  # … over at least so many tokens, about the 8 words there: "non non non non" is speech
LONGEST_CYCLE = 32  # tokens: a sentence; four rounds of it stay below the limit of 224


def goes_round(tokens: Sequence[int]) -> bool:
    """Whether tokens end in a loop: a cycle of 1 to 32 tokens, at least 4 times in a row, over at least 16 tokens.

    The rule looks at no reference and no probability. It and its numbers are ours.
    """
    return any(_repeats(tokens, cycle) for cycle in range(1, min(LONGEST_CYCLE, len(tokens) // LOOP_ROUNDS) + 1))


def without_rounds(tokens: Sequence[int]) -> Sequence[int]:
    """What the guard would have let a decoder write: the tokens up to where they go round, or all of them."""
    places = range(LOOP_TOKENS, len(tokens))
    return next((tokens[:n] for n in places if goes_round(tokens[:n])), tokens)


def _repeats(tokens: Sequence[int], cycle: int) -> bool:
    n_looked_at = max(LOOP_ROUNDS, -(-LOOP_TOKENS // cycle)) * cycle
    if len(tokens) < n_looked_at or tokens[-1] != tokens[-1 - cycle]:
        return False
    tail = tokens[-n_looked_at:]
    return tail[cycle:] == tail[:-cycle]
