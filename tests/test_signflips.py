"""The sign-flip test against its definition, and its inversion against a search."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.bootstrap import bootstrap_interval
from parlure.scoring.signflips import sign_flip_test


def by_definition(errors, words, rate=0.0):
    """The share of all sign patterns whose sum of remainders is as far from zero as the observed one."""
    remainders = np.asarray(errors, float) - rate * np.asarray(words, float)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(remainders))))
    return np.mean(np.abs(signs @ remainders) >= abs(remainders.sum()) - 1e-9)


BLOCKS = st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 60)), min_size=1, max_size=11)


@settings(deadline=None)
@given(blocks=BLOCKS)
def test_p_value_is_the_definitions(blocks):
    errors, words = np.array(blocks).T
    assert sign_flip_test(errors, words)[0] == by_definition(errors, words)


@settings(max_examples=60, deadline=None)
@given(blocks=st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 60)), min_size=6, max_size=11))
def test_the_interval_is_what_the_test_does_not_reject(blocks):
    errors, words = np.array(blocks).T
    _, low, high = (float(value) for value in sign_flip_test(errors, words))
    assert low <= errors.sum() / words.sum() <= high
    for inside in np.linspace(low + 1e-7, high - 1e-7, 5) if high - low > 1e-6 else []:
        assert by_definition(errors, words, inside) >= 0.05
    for outside in (low - 1e-4, low - 1.0, high + 1e-4, high + 1.0):
        assert by_definition(errors, words, outside) < 0.05


@settings(deadline=None)
@given(
    blocks=st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 60)), min_size=6, max_size=30),
    shift=st.integers(-3, 3),
)
def test_a_shift_of_all_rates_shifts_the_interval(blocks, shift):
    errors, words = np.array(blocks).T
    _, low, high = sign_flip_test(errors, words)
    _, shifted_low, shifted_high = sign_flip_test(errors + shift * words, words)
    assert (shifted_low, shifted_high) == (pytest.approx(low + shift), pytest.approx(high + shift))


def test_known_values():
    def p_value(*errors):
        return sign_flip_test(np.array(errors), np.full(len(errors), 10))[0]

    assert p_value(0, 0, 0, 0, 0) == 1.0
    assert p_value(1, 2, 3) == p_value(1, 2, 3, 0) == 2 / 8
    assert p_value(1, -1) == 1.0
    assert p_value(*[1] * 15) == 2 / 2**15  # all patterns
    assert p_value(*[1] * 40) == 1 / 2**14  # a subgroup, in which only the observed pattern is so extreme


@pytest.mark.parametrize("n_blocks", [16, 18, 60, 2_000, 20_000])
def test_a_subgroup_stands_for_all_patterns(n_blocks):
    """Beside all patterns, or where these are too many the normal distribution that their sums then have."""
    errors = np.random.default_rng(n_blocks).permutation(np.arange(n_blocks) % 21 - 10)
    sd = math.sqrt(np.square(errors).sum())
    while errors.sum() < 1.9 * sd:  # to the border, where it matters
        errors[errors.argmin()] *= -1
    p_value, low, high = sign_flip_test(errors, np.full(n_blocks, 100))
    if n_blocks > 20:
        expected = math.erfc(errors.sum() / sd / math.sqrt(2))
    else:
        signs = 2 * (np.arange(2**n_blocks)[:, None] >> np.arange(n_blocks) & 1).astype(np.int8) - 1
        expected = np.mean(np.abs(signs @ errors) >= errors.sum())
    assert 0.01 < expected < 0.1
    assert p_value == pytest.approx(expected, abs=0.006)
    assert (low <= 0 <= high) == (p_value >= 0.05)


def test_any_subgroup_will_do_and_each_seed_gives_its_own():
    errors = np.random.default_rng(3).integers(-8, 12, 40)
    p_values = [float(sign_flip_test(errors, np.full(40, 50), seed)[0]) for seed in (0, 0, 1, 2)]
    assert p_values[0] == p_values[1] and len(set(p_values)) == 3
    assert np.ptp(p_values) < 0.01


def test_many_data_sets_at_once_are_each_alone():
    random = np.random.default_rng(1)
    for n_blocks in (7, 24):
        errors, words = random.integers(-9, 10, (5, n_blocks)), random.integers(0, 90, (5, n_blocks))
        together = sign_flip_test(errors, words)
        for row in range(5):
            assert [value[row] for value in together] == list(sign_flip_test(errors[row], words[row]))
        low, high = bootstrap_interval(errors, words)
        assert (low[2], high[2]) == bootstrap_interval(errors[2], words[2])


def test_the_bootstrap_pools_many_blocks_without_widening():
    random = np.random.default_rng(2)
    errors, words = random.binomial(20, 0.3, 5_000), np.full(5_000, 20)
    low, high = bootstrap_interval(errors, words)
    half = 1.96 * errors.std() / 20 / np.sqrt(5_000)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1) and low < 0.3 < high
