"""Verdicts: what each is given for, interval and test in agreement, and what misuse is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.rates import Counts
from parlure.scoring.significance import MIN_BLOCKS, RULE, compare, rate_interval


def _compare(base, tuned, words=100, **options):
    speakers = [f"s{index}" for index in range(len(base))]
    return compare(
        [Counts(S=errors, N=words) for errors in base],
        [Counts(S=errors, N=words) for errors in tuned],
        speakers,
        [None] * len(base),
        **options,
    )


@pytest.mark.parametrize(
    ("base", "tuned", "verdict"),
    [
        ([40] * 12, [20, 22, 18, 25, 19, 21, 30, 12, 20, 20, 22, 17], "better"),
        ([20, 22, 18, 25, 19, 21, 30, 12, 20, 20, 22, 17], [40] * 12, "worse"),
        ([40] * 12, [40] * 12, "no evidence"),
        ([40] * 12, [20, 60] * 6, "no evidence"),
        ([40] * 12, [39] * 5 + [40] * 7, "no evidence"),  # five of one sign: p = 2/2^5
        ([40] * 12, [39] * 6 + [40] * 6, "better"),
        ([40] * 7, [20] * 7, "too few speakers"),
        ([40] * 8, [20] * 8, "better"),
        ([40], [20], "too few speakers"),
        ([], [], "too few speakers"),
    ],
)
def test_verdicts(base, tuned, verdict):
    comparison = _compare(base, tuned)
    assert comparison.verdict == verdict
    assert (comparison.n_speakers, comparison.n_blocks) == (len(base), len(base))
    assert comparison.difference == (pytest.approx(np.mean(tuned) - np.mean(base)) if base else None)
    assert comparison.rule == RULE


def test_the_rule_says_what_is_done_and_the_guide_quotes_it():
    for part in ("interval of the difference excludes zero", "p < 0.05", f"below {MIN_BLOCKS} blocks", "no evidence"):
        assert part in RULE
    guide = (Path(__file__).parent.parent / "docs" / "scoring.md").read_text(encoding="utf-8")
    assert RULE in " ".join(line.strip("> ") for line in guide.splitlines())


CHANGES = st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 200)), min_size=0, max_size=19)


@settings(deadline=None)
@given(blocks=CHANGES, seed=st.integers(0, 3))
def test_interval_test_and_verdict_agree(blocks, seed):
    base = [Counts(S=30, N=words) for _, words in blocks]
    tuned = [Counts(S=30 + change, N=words) for change, words in blocks]
    speakers = [str(index) for index in range(len(blocks))]
    found = compare(base, tuned, speakers, [None] * len(blocks), seed=seed)
    assert found.n_blocks == sum(words > 0 for _, words in blocks)
    told = found.verdict in ("better", "worse")
    if found.ci95 is None:
        assert found.verdict == "too few speakers" and found.bootstrap95 is None
        return
    low, high = found.ci95
    assert low <= found.difference <= high
    assert (found.p_value >= 0.05) == (low <= 0 <= high)
    assert told == (found.p_value < 0.05 and found.n_blocks >= MIN_BLOCKS)
    if told:
        assert found.verdict == ("better" if found.difference < 0 else "worse")


@settings(max_examples=40, deadline=None)
@given(blocks=CHANGES)
def test_exchanging_the_systems_mirrors_everything(blocks):
    base = [Counts(S=30, N=words) for _, words in blocks]
    tuned = [Counts(S=30 + change, N=words) for change, words in blocks]
    speakers = [str(index) for index in range(len(blocks))]
    forward, backward = (compare(*pair, speakers, [None] * len(blocks)) for pair in ((base, tuned), (tuned, base)))
    assert forward.p_value == backward.p_value
    assert {forward.verdict, backward.verdict} in ({"better", "worse"}, {forward.verdict})
    if forward.ci95 is not None:
        assert forward.difference == -backward.difference
        assert forward.ci95 == pytest.approx((-backward.ci95[1], -backward.ci95[0]))
        assert forward.bootstrap95 == pytest.approx((-backward.bootstrap95[1], -backward.bootstrap95[0]), nan_ok=True)


def test_the_bootstrap_is_told_beside_and_narrower():
    base, tuned = [40, 35, 50, 44, 38, 41, 39, 60, 20], [30, 36, 41, 40, 30, 41, 35, 50, 25]
    found = _compare(base, tuned)
    (low, high), (inner_low, inner_high) = found.ci95, found.bootstrap95
    assert low < inner_low < found.difference < inner_high < high
    # nine equal blocks: the bootstrap's variance is the plain one of a mean
    half = 1.96 * np.std(np.subtract(tuned, base)) / math.sqrt(9)
    assert (inner_high - inner_low) / 2 == pytest.approx(half, rel=0.1)


def test_blocks_without_words_do_not_make_a_verdict():
    silent = [Counts(I=5)] * 6
    spoken = [Counts(S=40, N=100)] * 7
    speakers = [str(index) for index in range(13)]
    found = compare(spoken + silent, [Counts(S=20, N=100)] * 7 + [Counts()] * 6, speakers, [None] * 13)
    assert (found.n_blocks, found.verdict) == (7, "too few speakers")
    assert found.p_value == 2 / 2**13  # their errors count all the same


def test_no_interval_where_no_pattern_is_rare():
    five = [Counts(S=errors, N=10) for errors in (1, 2, 3, 4, 5)]
    assert rate_interval(five, range(5)) is None
    assert rate_interval([*five, Counts(S=3, N=10)], range(6)) is not None
    assert rate_interval([*five, Counts(I=3)], range(6)) is None
    assert rate_interval([Counts(I=1), Counts(I=2)], [0, 1]) is None
    assert rate_interval([], []) is None
    nothing = _compare([1] * 9, [0] * 9, words=0)
    assert (nothing.difference, nothing.ci95, nothing.verdict) == (None, None, "too few speakers")


@settings(deadline=None)
@given(errors=st.lists(st.integers(0, 40), min_size=6, max_size=18))
def test_rate_interval_holds_the_rate_and_stays_above_zero(errors):
    counts = [Counts(S=number, N=50) for number in errors]
    low, high = rate_interval(counts, range(len(errors)))
    assert 0.0 <= low <= Counts.total(counts).rate + 1e-9 and Counts.total(counts).rate - 1e-9 <= high


def test_a_speakers_utterances_are_one_block():
    errors = [40, 35, 50, 44, 38, 41, 39, 60]
    whole = rate_interval([Counts(S=number, N=100) for number in errors], range(8))
    halves = [Counts(S=part, N=50) for number in errors for part in (number // 2, number - number // 2)]
    assert rate_interval(halves, [index // 2 for index in range(16)]) == whole


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="different references"):
        compare([Counts(N=3)], [Counts(N=4)], ["a"], ["x"])
    with pytest.raises(ValueError, match="1 counts, but 2 speakers"):
        compare([Counts(N=3)], [Counts(N=3)], ["a", "b"], ["x", "y"])
