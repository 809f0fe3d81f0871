"""Loops: what is collapsed, what is speech, and that collapsing is a fixed point that only ever removes words."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.scoring.loops import COMPRESSION_LIMIT, compresses, compression_ratio, without_loops

WORDS = st.lists(st.sampled_from(["oui", "Oui,", "non", "ok", "là"]), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("non " * 8, "non"),
        ("Merci. merci, MERCI! merci " * 2 + "beaucoup", "Merci. beaucoup"),
        ("bon je sais pas " * 4 + "moi", "bon je sais pas moi"),
        ("a b c " * 5 + "a b", "a b c"),  # cut off in the middle of a round
        ("et a b " + "c d " * 4 + "c e", "et a b c d c e"),  # not cut off: the last c was said
        ("x y " + "x " * 8 + "y " + "x y " * 3, "x y"),  # a loop within a loop
        ("par là par ici " * 6 + "non " * 9, "par là par ici non"),
        ("ご視聴ありがとうございました。" * 5, "ご視聴ありがとうございました。"),
        (". " * 9, "."),
    ],
)
def test_loops_are_reduced_to_one_round(text, expected):
    assert without_loops(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "non non non non non non non",
        "je sais pas je sais pas je sais pas",
        "zéro zéro sept zéro zéro sept zéro zéro sept",
        "  deux  espaces restent ",
        "",
        "ha" * 15,
        "pomme pommes " * 3,
        "हाँ हीं हूँ हैं हाँ हीं हूँ हैं",  # the same letters, other vowel signs
    ],
)
def test_speech_stays_as_it_is(text):
    assert without_loops(text) == text


@given(words=WORDS)
def test_collapsing_is_a_fixed_point_and_only_removes(words):
    text = " ".join(words)
    once = without_loops(text)
    assert without_loops(once) == once
    left = iter(words)
    assert all(word in left for word in once.split())  # in order, nothing new
    assert set(once.casefold().replace(",", "").split()) == set(text.casefold().replace(",", "").split())


@given(words=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12, unique=True), rounds=st.integers(4, 20))
def test_any_loop_is_found(words, rounds):
    text = " ".join(words * rounds)
    assert without_loops(text) == (" ".join(words) if len(words) * rounds >= 8 else text)


def test_compression_is_whispers():
    text = "bonjour " * 40
    assert compression_ratio(text) == len(text.encode()) / len(zlib.compress(text.encode()))
    assert compresses(text) and compresses("Un début tout à fait ordinaire. " * 40) and not compresses("")
    # The rule is looked for window by window: prose of any length, compressible as a whole, is no loop.
    prose = (Path(__file__).parent.parent / "README.md").read_text("utf-8") * 3
    assert compression_ratio(prose) > COMPRESSION_LIMIT and not compresses(prose)


def test_an_hour_of_text_takes_no_time():
    words = [f"mot{number % 1013}" for number in range(4_000)]
    start = time.monotonic()
    text = " ".join(words + ["fin du film"] * 40)
    assert without_loops(text) == " ".join([*words, "fin du film"])
    assert time.monotonic() - start < 30  # about a second; minutes would be a wrong algorithm
