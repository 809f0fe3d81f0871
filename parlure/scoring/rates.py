"""Alignments → counts of errors that add; a rate exists only as the quotient of two sums.

The rate of a corpus is the sum of its errors over the sum of its reference tokens, never a mean of utterances'
rates. An utterance with an empty reference stays in: whatever was recognised there counts as insertions.

Beside the error rate: match error rate and word information lost, after Morris, Maier & Green, "From WER and RIL to
MER and WIL", Interspeech 2004. Both need the hits, which are N − S − D; as S and D are those of one of several
equally short alignments, scorers that agree on the error rate may differ a little here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from parlure.scoring.align import edit_counts


@dataclass(frozen=True, slots=True)
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
        substitutions = deletions = insertions = tokens = 0
        for one in counts:  # numbers rather than a Counts for each step: there may be millions
            substitutions += one.S
            deletions += one.D
            insertions += one.I
            tokens += one.N
        return cls(substitutions, deletions, insertions, tokens)

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.S + other.S, self.D + other.D, self.I + other.I, self.N + other.N)

    @property
    def edits(self) -> int:
        """All errors: S + D + I."""
        return self.S + self.D + self.I

    @property
    def hits(self) -> int:
        """Reference tokens that were recognised: N − S − D."""
        return self.N - self.S - self.D

    @property
    def n_hypothesis(self) -> int:
        """Tokens of the hypothesis: hits + S + I."""
        return self.N - self.D + self.I

    @property
    def rate(self) -> float | None:
        """100 · (S + D + I) / N, in points of per cent; None without a reference token, for there is no rate then.

        It exceeds 100 when insertions are many.
        """
        return 100.0 * self.edits / self.N if self.N else None

    @property
    def match_error_rate(self) -> float | None:
        """MER, 100 · (S + D + I) / (hits + S + D + I), in points of per cent: never above 100; None without a token."""
        steps = self.N + self.I
        return 100.0 * self.edits / steps if steps else None

    @property
    def information_lost(self) -> float | None:
        """WIL, 100 · (1 − hits² / (N · n_hypothesis)), in points of per cent; None without a token on either side.

        Where one side alone is empty, all is lost: 100.
        """
        if not self.N and not self.n_hypothesis:
            return None
        if not self.hits:
            return 100.0
        return 100.0 * (1.0 - self.hits**2 / (self.N * self.n_hypothesis))


def count_words(reference: str, hypothesis: str) -> Counts:
    """The word errors of one utterance; words are what white space separates, so normalise both texts first."""
    said, heard = reference.split(), hypothesis.split()
    return Counts(*edit_counts(said, heard), len(said))


def count_characters(reference: str, hypothesis: str) -> Counts:
    """The character errors of one utterance, single spaces between words counting as characters."""
    said, heard = " ".join(reference.split()), " ".join(hypothesis.split())
    return Counts(*edit_counts(said, heard), len(said))


@dataclass(frozen=True, slots=True)
class Tally:
    """What a number of utterances add up to under one profile: all rates of a table's row come from it.

    Attributes:
        words: word errors of all utterances.
        characters: character errors of all utterances.
        n: utterances.
        n_wrong: utterances with at least one word error.
        n_empty: utterances whose reference has no word.
        n_empty_insertions: the words recognised in those; they are among the insertions of ``words``.
    """

    words: Counts = Counts()
    characters: Counts = Counts()
    n: int = 0
    n_wrong: int = 0
    n_empty: int = 0
    n_empty_insertions: int = 0

    @classmethod
    def of(cls, words: Iterable[Counts], characters: Iterable[Counts]) -> Tally:
        """The tally of utterances, their words' counts and their characters' in the same order."""
        counts = list(words)
        empty = [one.I for one in counts if not one.N]
        n_wrong = sum(one.S + one.D + one.I > 0 for one in counts)
        return cls(Counts.total(counts), Counts.total(characters), len(counts), n_wrong, len(empty), sum(empty))

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.words + other.words,
            self.characters + other.characters,
            self.n + other.n,
            self.n_wrong + other.n_wrong,
            self.n_empty + other.n_empty,
            self.n_empty_insertions + other.n_empty_insertions,
        )

    @property
    def sentence_error_rate(self) -> float | None:
        """100 · n_wrong / n, in points of per cent; None without an utterance."""
        return 100.0 * self.n_wrong / self.n if self.n else None

    @property
    def rate_without_empty(self) -> float | None:
        """The word error rate of the utterances that have a reference word, in points of per cent."""
        words = self.words
        return Counts(words.S, words.D, words.I - self.n_empty_insertions, words.N).rate


def tally_to_json(tally: Tally) -> dict[str, Any]:
    """The rates beside WER and CER, as a report's profiles hold them; rates in points of per cent."""
    return {
        "mer": tally.words.match_error_rate,
        "wil": tally.words.information_lost,
        "ser": {"wrong": tally.n_wrong, "n": tally.n, "rate": tally.sentence_error_rate},
        "empty_references": {
            "n": tally.n_empty,
            "I": tally.n_empty_insertions,
            "wer_of_the_others": tally.rate_without_empty,
        },
    }
