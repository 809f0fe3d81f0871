"""Counts: tables, sums, and agreement with jiwer on the number of edits."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.scoring.rates import Counts, count_characters, count_words

TEXT = st.lists(st.sampled_from(["le", "la", "chat", "chats", "dort", "a", "été"]), max_size=10).map(" ".join)
COUNTS = st.builds(Counts, *[st.integers(0, 50)] * 4)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "words", "rate"),
    [
        ("le chat dort", "le chat dort", Counts(N=3), 0.0),
        ("le chat dort", "la chat dort", Counts(S=1, N=3), 100 / 3),
        ("le chat dort", "le dort", Counts(D=1, N=3), 100 / 3),
        ("le chat", "le gros chat dort", Counts(I=2, N=2), 100.0),
        ("le", "un deux trois", Counts(S=1, I=2, N=1), 300.0),
        ("le chat", "", Counts(D=2, N=2), 100.0),
        ("", "le chat", Counts(I=2), None),
        ("", "", Counts(), None),
    ],
)
def test_words(reference, hypothesis, words, rate):
    assert count_words(reference, hypothesis) == words
    assert words.rate == (None if rate is None else pytest.approx(rate))


def test_characters_count_single_spaces():
    assert count_characters("le  chat", "lechat") == Counts(D=1, N=7)


def test_an_empty_reference_raises_the_rate_of_the_sum():
    assert Counts.total([count_words("le chat", "le chat"), count_words("", "merci")]).rate == 50.0


@given(reference=TEXT, hypothesis=TEXT)
def test_edits_equal_jiwer(reference, hypothesis):
    mine, theirs = count_words(reference, hypothesis), jiwer.process_words(reference, hypothesis)
    assert mine.edits == theirs.substitutions + theirs.deletions + theirs.insertions
    assert theirs.hits + theirs.substitutions + theirs.deletions == mine.N
    if reference:
        assert mine.rate == pytest.approx(100 * theirs.wer)
        assert count_characters(reference, hypothesis).rate == pytest.approx(100 * jiwer.cer(reference, hypothesis))


@given(counts=st.lists(COUNTS, max_size=6))
def test_counts_add_field_by_field(counts):
    total = Counts.total(counts)
    for name in ("S", "D", "I", "N"):
        assert getattr(total, name) == sum(getattr(one, name) for one in counts)
    assert total + Counts.zero() == total
    assert total.edits == sum(one.edits for one in counts)
