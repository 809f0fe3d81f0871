"""Intervals and tests: known t values, blocks, verdicts, and the rate of false alarms where nothing differs."""

from __future__ import annotations

import numpy as np
import pytest

from parlure.scoring.rates import Counts
from parlure.scoring.significance import block_numbers, compare, rate_interval, sign_flip_p_value, t_quantile


@pytest.mark.parametrize(
    ("probability", "degrees", "expected"),
    [  # NIST/SEMATECH e-Handbook, table 1.3.6.7.2
        (0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 7, 2.365), (0.975, 11, 2.201), (0.975, 30, 2.042),
        (0.975, 100, 1.984), (0.975, 100_000, 1.960), (0.95, 10, 1.812), (0.995, 5, 4.032), (0.5, 5, 0.0),
    ],
)  # fmt: skip
def test_t_quantile(probability, degrees, expected):
    assert t_quantile(probability, degrees) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("speakers", "sessions", "expected"),
    [
        ("a a b", "x y z", [0, 0, 1]),
        ("a b c", "x x y", [0, 0, 1]),
        ("a b b c", "x x y y", [0, 0, 0, 0]),
        ("- - a", "- - -", [0, 1, 2]),
        ("- - a", "x x -", [0, 0, 1]),
        ("x - -", "- x -", [0, 1, 2]),  # a speaker and a session of one name are not the same thing
    ],
)
def test_block_numbers(speakers, sessions, expected):
    values = [[None if one == "-" else one for one in text.split()] for text in (speakers, sessions)]
    assert block_numbers(*values) == expected


def _compare(base, tuned, words=100):
    speakers = [f"s{index}" for index in range(len(base))]
    return compare(
        [Counts(S=errors, N=words) for errors in base],
        [Counts(S=errors, N=words) for errors in tuned],
        speakers,
        [None] * len(base),
    )


@pytest.mark.parametrize(
    ("base", "tuned", "verdict"),
    [
        ([40] * 12, [20, 22, 18, 25, 19, 21, 30, 12, 20, 20, 22, 17], "better"),
        ([20, 22, 18, 25, 19, 21, 30, 12, 20, 20, 22, 17], [40] * 12, "worse"),
        ([40] * 12, [40] * 12, "no evidence"),
        ([40] * 12, [20, 60] * 6, "no evidence"),
        ([40] * 7, [20] * 7, "too few speakers"),
        ([40] * 8, [20] * 8, "better"),
        ([40], [20], "too few speakers"),
    ],
)
def test_verdicts(base, tuned, verdict):
    comparison = _compare(base, tuned)
    assert comparison.verdict == verdict
    assert (comparison.n_speakers, comparison.n_blocks) == (len(base), len(base))
    assert comparison.difference == pytest.approx(np.mean(tuned) - np.mean(base))


def test_with_equal_blocks_the_interval_is_the_paired_t_interval():
    changes = np.array([-20, -18, -22, -15, -21, -19, -10, -28], float)
    comparison = _compare([40] * 8, [40 + int(change) for change in changes])
    half = t_quantile(0.975, 7) * changes.std(ddof=1) / np.sqrt(8)
    assert comparison.ci95 == pytest.approx((changes.mean() - half, changes.mean() + half))
    assert comparison.p_value == 2 / 2**8


def test_exchanging_the_systems_mirrors_everything():
    base, tuned = [40, 35, 50, 44, 38, 41, 39, 60, 20], [30, 36, 41, 40, 30, 41, 35, 50, 25]
    forward, backward = _compare(base, tuned), _compare(tuned, base)
    assert forward.difference == -backward.difference
    assert forward.ci95 == pytest.approx((-backward.ci95[1], -backward.ci95[0]))
    assert forward.p_value == backward.p_value


def test_sign_flips_exact_and_sampled():
    assert sign_flip_p_value(np.zeros(5)) == 1.0
    assert sign_flip_p_value(np.array([1.0, 2.0, 3.0])) == 2 / 8
    assert sign_flip_p_value(np.array([1.0, 2.0, 3.0, 0.0])) == 2 / 8
    assert sign_flip_p_value(np.array([1.0, -1.0])) == 1.0
    changes = np.random.default_rng(3).normal(0.55, 1, 14)
    sampled = sign_flip_p_value(np.concatenate([changes, [1e-7, -1e-7]]))  # sixteen blocks, so drawn
    assert sampled == pytest.approx(sign_flip_p_value(changes), abs=0.012)
    assert sampled == sign_flip_p_value(np.concatenate([changes, [1e-7, -1e-7]]))
    assert sign_flip_p_value(np.ones(60)) == 1 / 10_001


def test_no_interval_from_one_block_or_without_words():
    assert rate_interval([Counts(S=1, N=5)], [0]) is None
    assert rate_interval([Counts(I=1), Counts(I=2)], [0, 1]) is None
    assert rate_interval([Counts(S=1, N=5), Counts(I=2)], [0, 1]) is None
    nothing = _compare([1] * 9, [0] * 9, words=0)
    assert (nothing.difference, nothing.ci95, nothing.verdict) == (None, None, "too few speakers")


def test_rate_interval_covers_its_rate_and_stops_at_zero():
    low, high = rate_interval([Counts(S=errors, N=10) for errors in (0, 0, 1, 5)], [0, 1, 2, 3])
    assert low == 0.0 and high > 15.0


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="different references"):
        compare([Counts(N=3)], [Counts(N=4)], ["a"], ["x"])
    with pytest.raises(ValueError, match="1 counts, but 2 speakers"):
        compare([Counts(N=3)], [Counts(N=3)], ["a", "b"], ["x", "y"])


def test_false_alarms_stay_near_five_per_cent_with_twelve_unequal_blocks():
    random = np.random.default_rng(0)
    runs, alarms = 1500, 0
    for _ in range(runs):
        words = random.integers(40, 1200, 12)  # speakers talk up to thirty times as much as others
        rates = random.beta(4, 8, 12)
        effect = random.normal(0, 0.06, (2, 12))  # each system suits some speakers, none suits all
        base, tuned = (random.binomial(words, np.clip(rates + one, 0.01, 0.99)) for one in effect)
        comparison = compare(
            [Counts(S=int(errors), N=int(n)) for errors, n in zip(base, words, strict=True)],
            [Counts(S=int(errors), N=int(n)) for errors, n in zip(tuned, words, strict=True)],
            [str(index) for index in range(12)],
            [None] * 12,
        )
        alarms += comparison.verdict in ("better", "worse")
    assert alarms / runs < 0.06
    assert alarms / runs > 0.01  # nor so timid that nothing would ever be found
