"""Alignment: tables of edits, and that an alignment always contains both sides whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.scoring.align import Op, align, edit_counts, edit_operations

WORDS = st.lists(st.sampled_from(["le", "la", "chat", "dort", "a", "97"]), max_size=12)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", ""),
        ("a b", "a b", "equal equal"),
        ("a b c", "a x c", "equal substitute equal"),
        ("a b c", "a c", "equal delete equal"),
        ("a c", "a b c", "equal insert equal"),
        ("", "a b", "insert insert"),
        ("a b", "", "delete delete"),
    ],
)
def test_kinds(reference, hypothesis, expected):
    assert [op.kind for op in align(reference.split(), hypothesis.split())] == expected.split()


def test_tokens_of_each_kind():
    assert align(["le", "chat"], ["la", "chat", "dort"]) == [
        Op("substitute", "le", "la"),
        Op("equal", "chat", "chat"),
        Op("insert", None, "dort"),
    ]
    assert align(["le"], []) == [Op("delete", "le", None)]


def test_a_letter_is_not_its_code_point():
    assert [op.kind for op in align(["a"], ["97"])] == ["substitute"]


def test_characters_align_too():
    assert edit_operations("été", "êté") == [("substitute", 0, 0)]


@given(reference=WORDS, hypothesis=WORDS)
def test_both_sides_come_out_whole(reference, hypothesis):
    steps = align(reference, hypothesis)
    assert [op.reference for op in steps if op.kind != "insert"] == reference
    assert [op.hypothesis for op in steps if op.kind != "delete"] == hypothesis
    assert all((op.reference == op.hypothesis) == (op.kind == "equal") for op in steps)
    kinds = [kind for kind, _, _ in edit_operations(reference, hypothesis)]
    assert [op.kind for op in steps if op.kind != "equal"] == kinds
    assert edit_counts(reference, hypothesis) == tuple(map(kinds.count, ("substitute", "delete", "insert")))
