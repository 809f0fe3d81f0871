"""Signs of invented text: each by hand, against near misses, and what each may not depend on."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.hallucination import SIGNS, false_text, hallucination, longest_burst, phantom_phrases, signs
from parlure.scoring.utterances import score_utterances

LOOP = "merci beaucoup " * 8


def _scored(*rows):
    return score_utterances(
        [
            {"id": f"u{number:02}", "hypotheses": {"tuned": heard}, "reference": said, **fields}
            for number, (said, heard, fields) in enumerate(rows)
        ],
        ["fr"],
    )


def _signs(said, heard, **fields):
    return signs(_scored((said, heard, fields))[0], "fr", "tuned")


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("merci beaucoup", "merci beaucoup", []),
        ("merci beaucoup", LOOP, ["loop", "insertion_burst", "too_long"]),
        (LOOP, LOOP, []),  # somebody said so
        ("c'est bon", "c'est bon un deux trois quatre", []),  # four in a row, twice as long
        ("c'est bon là", "c'est bon là un deux trois quatre cinq", ["insertion_burst"]),
        ("bon", "un deux trois bon quatre cinq six", ["too_long"]),  # seven words against one, three in a row
        ("bon", "un deux trois bon quatre cinq", []),  # five words too many are not above five
        ("un deux trois bon c'est ça", "Sous-titrage Société Radio-Canada", ["phantom_phrase"]),
        ("oui", "Sous-titres par Amara.org", ["phantom_phrase"]),
        ("merci d'avoir regardé", "Merci d’avoir regardé !", []),  # said indeed
        ("", "Thanks for watching!", ["phantom_phrase"]),
        ("", "", []),
        ("bonjour", "bonjour " + "hahahahaha" * 30, ["loop"]),  # one long word: only compression sees it
    ],
)
def test_signs(said, heard, expected):
    assert _signs(said, heard) == expected


def test_what_the_loop_guard_stopped_is_a_loop_though_little_of_it_is_left():
    assert _signs("a", "a", looped={"tuned": True}) == ["loop"]
    assert _signs("a", "a a a", looped={"tuned": True}) == ["loop"]
    assert _signs("a", "a", looped={"tuned": False, "base": True}) == []


def test_the_token_limit_is_the_decoders_word():
    assert _signs("a", "a", truncated={"tuned": True}) == ["token_limit"]
    assert _signs("a", "a", truncated={"tuned": False}) == _signs("a", "a", truncated={"base": True}) == []
    said = _scored(("a", "a", {"truncated": {"tuned": False}}))
    assert hallucination(said, "fr", ["tuned"])["systems"]["tuned"]["token_limit"]["count"] == 0
    assert hallucination(_scored(("a", "a", {})), "fr", ["tuned"])["systems"]["tuned"]["token_limit"] is None


def test_phantom_phrases_are_whole_words():
    assert phantom_phrases("SOUS-TITRAGE ST'501") == ["Sous-titrage ST' 501"]
    assert phantom_phrases("ご視聴ありがとうございました。") == ["ご視聴ありがとうございました"]
    assert phantom_phrases("like and subscriber, lamara.org, sous-titrage ST 5012") == []


@pytest.mark.parametrize(
    ("said", "heard", "longest"),
    [("", "", 0), ("", "a b c", 3), ("a b", "a x y b z", 2), ("a", "x y a z", 2), ("a b", "c d", 0)],
)
def test_longest_burst(said, heard, longest):
    assert longest_burst(said.split(), heard.split()) == longest


def test_counts_shares_and_the_rate_without_loops():
    scored = _scored(
        ("oui c'est ça", "oui c'est ça", {}),
        ("merci", "merci " * 11, {}),
        ("le chat dort", "le chien dort Thanks for watching", {}),
        ("non " * 10, "non " * 10, {}),  # the guard is wrong here: it cannot know that this was said
    )
    block = hallucination(scored, "fr", ["tuned"])
    assert block["n"] == 4 and block["rules"] == dict(SIGNS)
    tuned = block["systems"]["tuned"]
    assert tuned["loop"] == {"count": 1, "share": 25.0, "ids": ["u01"]}
    assert tuned["phantom_phrase"] == {
        "count": 1, "share": 25.0, "ids": ["u02"], "phrases": {"Thanks for watching": 1},
    }  # fmt: skip
    assert tuned["any"] == {"count": 2, "share": 50.0, "ids": ["u01", "u02"]}
    # oui c' est ça · merci · le chat dort · ten times non: 18 words
    assert tuned["wer"] == {"S": 1, "D": 0, "I": 13, "N": 18, "rate": pytest.approx(1400 / 18)}
    assert tuned["wer_without_loops"] == {"S": 1, "D": 9, "I": 3, "N": 18, "rate": pytest.approx(1300 / 18)}
    assert tuned["n_collapsed"] == 2


def test_false_text_on_silence_by_tag():
    scored = _scored(
        ("", "", {"duration_s": 10.0, "tags": ["silence"]}),
        (" ", "Merci, merci.", {"duration_s": 20.0, "tags": ["hold music", "noise"]}),
        ("", "…!", {"duration_s": 30.0, "tags": ["noise"]}),  # marks are no words
        ("", "oui", {"duration_s": None, "tags": []}),
        ("oui", "oui", {"duration_s": 5.0, "tags": ["noise"]}),
    )
    block = false_text(scored, "fr", ["tuned"])
    assert (block["n"], block["seconds"]) == (4, 60.0)
    assert block["systems"]["tuned"] == {
        "count": 2, "share": 50.0, "ids": ["u01", "u03"], "words": 3, "words_per_minute": 2.0,
    }  # fmt: skip
    assert {tag: one["systems"]["tuned"]["words_per_minute"] for tag, one in block["tags"].items()} == {
        "hold music": 6.0,
        "noise": 2.4,
        "silence": 0.0,
    }
    assert false_text(scored[-1:], "fr", ["tuned"]) is None
    assert false_text(scored[3:], "fr", ["tuned"])["systems"]["tuned"]["words_per_minute"] is None


TEXTS = st.sampled_from(["", "oui", "merci " * 12, "un deux trois quatre cinq six", "Thanks for watching", "le chat"])


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8), seed=st.integers(0, 5))
def test_in_any_order_the_same(pairs, seed):
    scored = _scored(*[(said, heard, {"duration_s": 1.5, "tags": ["x"]}) for said, heard in pairs])
    mixed = random.Random(seed).sample(scored, len(scored))
    assert hallucination(mixed, "fr", ["tuned"]) == hallucination(scored, "fr", ["tuned"])
    assert false_text(mixed, "fr", ["tuned"]) == false_text(scored, "fr", ["tuned"])
    for one in scored:
        assert one.reference != one.hypotheses["tuned"] or signs(one, "fr", "tuned") == []
