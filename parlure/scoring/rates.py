"""Alignments → counts of errors that add; a rate exists only as the quotient of two sums.

The rate of a corpus is the sum of its errors over the sum of its reference tokens, never a mean of utterances'
rates. An utterance with an empty reference stays in: whatever was recognised there counts as insertions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from parlure.scoring.align import edit_operations


@dataclass(frozen=True)
class Counts:
    """Errors against a number of reference tokens (words or characters).

    Attributes:
        S: substitutions.
        D: deletions.
        I: insertions.
        N: reference tokens.
    """

    S: int = 0
    D: int = 0
    I: int = 0  # noqa: E741  the field's own notation since sclite
    N: int = 0

    @classmethod
    def zero(cls) -> Counts:
        """The counts of nothing, where a sum starts."""
        return cls()

    @classmethod
    def total(cls, counts: Iterable[Counts]) -> Counts:
        """The sum of many."""
        return sum(counts, cls.zero())

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.S + other.S, self.D + other.D, self.I + other.I, self.N + other.N)

    @property
    def edits(self) -> int:
        """All errors: S + D + I."""
        return self.S + self.D + self.I

    @property
    def rate(self) -> float | None:
        """100 · (S + D + I) / N, in points of per cent; None without a reference token, for there is no rate then.

        It exceeds 100 when insertions are many.
        """
        return 100.0 * self.edits / self.N if self.N else None


def _count(reference: Sequence[str], hypothesis: Sequence[str]) -> Counts:
    kinds = [kind for kind, _, _ in edit_operations(reference, hypothesis)]
    return Counts(kinds.count("substitute"), kinds.count("delete"), kinds.count("insert"), len(reference))


def count_words(reference: str, hypothesis: str) -> Counts:
    """The word errors of one utterance; words are what white space separates, so normalise both texts first."""
    return _count(reference.split(), hypothesis.split())


def count_characters(reference: str, hypothesis: str) -> Counts:
    """The character errors of one utterance, single spaces between words counting as characters."""
    return _count(" ".join(reference.split()), " ".join(hypothesis.split()))
