"""Which utterances are one block, and sums over them."""

from __future__ import annotations

import pytest

from parlure.scoring.blocks import block_numbers, block_sums


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


def test_block_sums():
    assert block_sums([1, 2, 3, -4], [0, 1, 0, 1]).tolist() == [4, -2]
    assert block_sums([], []).tolist() == []
