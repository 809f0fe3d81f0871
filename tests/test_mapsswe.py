"""MAPSSWE: segments by hand, the example of NIST's SCTK, and properties of any text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.mapsswe import mapsswe, segment_errors
from parlure.scoring.rates import count_words


@pytest.mark.parametrize(
    ("reference", "base", "tuned", "segments"),
    [
        ("a b c d", "a b c d", "a b c d", []),
        ("a b c d", "a x c d", "a b c d", [(1, 0)]),
        ("a b c d e", "x b c d x", "a b c d e", [(1, 0), (1, 0)]),  # three right words between two errors
        ("a b c d", "x b c x", "a b c d", [(1, 0), (1, 0)]),  # two
        ("a b c", "x b x", "a b c", [(2, 0)]),  # one is too few
        ("a b c d", "x b c x", "a x c d", [(2, 1)]),  # two in one system only
        ("a b c d", "x b c d", "a b c x", [(1, 0), (0, 1)]),
        ("a b c d", "x b y c x", "a b c d", [(3, 0)]),  # an insertion between them
        ("a b", "a b x", "x a b", [(0, 1), (1, 0)]),  # before and after two right words
        ("", "", "x y", [(0, 2)]),
        ("", "", "", []),
        ("a b c", "", "a c", [(3, 1)]),
    ],
)
def test_segments_by_hand(reference, base, tuned, segments):
    assert segment_errors(reference.split(), base.split(), tuned.split()) == segments


def test_the_example_of_sctk():
    """Its files file1 and file2 make three segments with 1 and 0, 5 and 5, 3 and 2 errors: Z = 2.000 in its output."""
    found = mapsswe([(1, 0), (5, 5), (3, 2)])
    assert (found.n_segments, round(-found.mean, 3), round(found.sd, 3)) == (3, 0.667, 0.577)
    assert found.z == pytest.approx(-2.0, abs=1e-12)
    assert found.p_value == pytest.approx(0.0455, abs=1e-4)  # the 4.55 % of the normal distribution beyond 2
    other = mapsswe([(0, 1), (5, 5), (2, 3)])
    assert (other.z, other.p_value) == (-found.z, found.p_value)
    # and words of the same pattern: an insertion alone, then eleven words, the middle two right in a row
    texts = ("a b c d e f g h i j k", "a x d x x x h i k x x", "a x d x x x h i x x")
    assert segment_errors([], ["x"], []) + segment_errors(*map(str.split, texts)) == [(1, 0), (5, 5), (3, 2)]


def test_where_there_is_no_test():
    assert mapsswe([]) == mapsswe(iter(())) and mapsswe([]).n_segments == 0 and mapsswe([]).mean is None
    alone = mapsswe([(3, 1)])
    assert (alone.n_segments, alone.mean, alone.sd, alone.z, alone.p_value) == (1, -2.0, None, None, None)
    alike = mapsswe([(1, 0)] * 7)
    assert (alike.mean, alike.sd, alike.z, alike.p_value) == (-1.0, 0.0, None, None)
    level = mapsswe([(1, 2), (2, 1)])
    assert (level.mean, level.z, level.p_value) == (0.0, 0.0, 1.0)


WORDS = st.lists(st.sampled_from("abcd"), max_size=9)


@settings(deadline=None)
@given(reference=WORDS, base=WORDS, tuned=WORDS)
def test_segments_hold_all_errors_and_mirror(reference, base, tuned):
    segments = segment_errors(reference, base, tuned)
    totals = [count_words(" ".join(reference), " ".join(one)).edits for one in (base, tuned)]
    assert [sum(pair[side] for pair in segments) for side in (0, 1)] == totals
    assert (0, 0) not in segments
    assert segment_errors(reference, tuned, base) == [(other, one) for one, other in segments]


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2))
def test_z_is_the_mean_by_its_standard_error(pairs):
    found = mapsswe(pairs)
    differences = [tuned - base for base, tuned in pairs]
    mean = sum(differences) / len(differences)
    sd = math.sqrt(sum((one - mean) ** 2 for one in differences) / (len(differences) - 1))
    assert found.mean == pytest.approx(mean) and found.sd == pytest.approx(sd, abs=1e-9)
    assert (found.z is None) == (len(set(differences)) == 1)
    if found.z is not None:
        assert found.z == pytest.approx(mean / (sd / math.sqrt(len(differences))))
        assert 0 < found.p_value <= 1
