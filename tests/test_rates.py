"""Counts: tables, sums, and agreement with jiwer on the number of edits."""

from __future__ import annotations

import random

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.scoring.rates import Counts, Tally, count_characters, count_words, tally_to_json

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


@pytest.mark.parametrize(
    ("counts", "mer", "wil"),
    [
        (Counts(N=3), 0.0, 0.0),
        (Counts(S=1, N=3), 100 / 3, 100 * 5 / 9),  # two hits of three and three
        (Counts(I=2, N=2), 50.0, 50.0),  # two hits of two and four
        (Counts(S=1, I=2, N=1), 100.0, 100.0),  # where the error rate is 300
        (Counts(D=2, N=2), 100.0, 100.0),
        (Counts(I=2), 100.0, 100.0),
        (Counts(), None, None),
    ],
)
def test_match_errors_and_information_lost(counts, mer, wil):
    assert counts.match_error_rate == (None if mer is None else pytest.approx(mer))
    assert counts.information_lost == (None if wil is None else pytest.approx(wil))


def test_characters_count_single_spaces():
    assert count_characters("le  chat", "lechat") == Counts(D=1, N=7)


def test_an_empty_reference_raises_the_rate_of_the_sum_and_is_told_apart():
    words = [count_words("le chat", "le chat"), count_words("", "merci bien"), count_words("", "")]
    assert Counts.total(words).rate == 100.0
    tally = Tally.of(words, [Counts()] * 3)
    assert tally == Tally(Counts(I=2, N=2), Counts(), n=3, n_wrong=1, n_empty=2, n_empty_insertions=2)
    assert tally_to_json(tally) == {
        "mer": 50.0,
        "wil": 50.0,
        "ser": {"wrong": 1, "n": 3, "rate": pytest.approx(100 / 3)},
        "empty_references": {"n": 2, "I": 2, "wer_of_the_others": 0.0},
    }
    assert Tally().sentence_error_rate is None and Tally().rate_without_empty is None


# letters of one, two and four bytes, a combining mark, a sign beyond the first plane, a digit, an apostrophe
ALPHABET = "aeéçœ'ßжю中文हिन\u0301🙂3"


def random_pairs(n, seed):
    """Pairs of up to 12 words; the second is the first with errors, one in ten is unlike it, some are empty."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices(ALPHABET, k=rng.randint(1, 4))) for _ in range(60)]
    pairs = []
    for _ in range(n):
        reference = rng.choices(vocabulary, k=rng.choice([0, 1, 2, 5, 8, 12]))
        hypothesis = []
        for word in reference:
            hypothesis += rng.choice([[word], [word], [word], [], [rng.choice(vocabulary)], [word, word]])
        if rng.random() < 0.1:
            hypothesis = rng.choices(vocabulary, k=rng.randint(0, 12))
        pairs.append((" ".join(reference), " ".join(hypothesis)))
    return pairs


def test_ten_thousand_pairs_have_jiwers_edits():
    pairs = random_pairs(10_000, seed=4)
    references, hypotheses = map(list, zip(*pairs, strict=True))
    assert sum(not reference for reference in references) > 1_000 < sum(not hypothesis for hypothesis in hypotheses)

    words = [count_words(*pair) for pair in pairs]
    theirs = jiwer.process_words(references, hypotheses)
    for mine, chunks in zip(words, theirs.alignments, strict=True):
        edits = [max(c.ref_end_idx - c.ref_start_idx, c.hyp_end_idx - c.hyp_start_idx) for c in chunks
                 if c.type != "equal"]  # fmt: skip
        assert mine.edits == sum(edits)
    total = Counts.total(words)
    assert (total.S, total.D, total.I, total.hits) == (
        theirs.substitutions, theirs.deletions, theirs.insertions, theirs.hits,
    )  # fmt: skip
    assert total.rate == pytest.approx(100 * theirs.wer)
    assert total.match_error_rate == pytest.approx(100 * theirs.mer)
    assert total.information_lost == pytest.approx(100 * theirs.wil)

    characters = Counts.total(count_characters(*pair) for pair in pairs)
    theirs = jiwer.process_characters(references, hypotheses)
    assert characters.edits == theirs.substitutions + theirs.deletions + theirs.insertions
    assert characters.rate == pytest.approx(100 * theirs.cer)


@given(reference=TEXT, hypothesis=TEXT)
def test_edits_equal_jiwer(reference, hypothesis):
    mine, theirs = count_words(reference, hypothesis), jiwer.process_words(reference, hypothesis)
    assert mine.edits == theirs.substitutions + theirs.deletions + theirs.insertions
    assert theirs.hits == mine.hits and theirs.hits + theirs.substitutions + theirs.deletions == mine.N
    assert mine.n_hypothesis == len(hypothesis.split())
    if reference:
        assert mine.rate == pytest.approx(100 * theirs.wer)
        assert mine.match_error_rate == pytest.approx(100 * theirs.mer)
        assert mine.information_lost == pytest.approx(100 * theirs.wil)
        assert count_characters(reference, hypothesis).rate == pytest.approx(100 * jiwer.cer(reference, hypothesis))


@given(counts=st.lists(COUNTS, max_size=6))
def test_counts_add_field_by_field(counts):
    total = Counts.total(counts)
    for name in ("S", "D", "I", "N"):
        assert getattr(total, name) == sum(getattr(one, name) for one in counts)
    assert total == sum(counts, Counts.zero())
    assert total.edits == sum(one.edits for one in counts)


@given(counts=st.lists(COUNTS, max_size=6), cut=st.integers(0, 6))
def test_tallies_add(counts, cut):
    parts = [Tally.of(some, some) for some in (counts[:cut], counts[cut:])]
    assert parts[0] + parts[1] == Tally.of(counts, counts)
