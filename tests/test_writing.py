"""Punctuation and casing: by hand, however it is spaced, and apart from the words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.hits import Hits
from parlure.scoring.utterances import score_utterances
from parlure.scoring.writing import MARKS, count_writing, writing, written_words


def _scored(*pairs):
    rows = [
        {"id": f"u{number}", "reference": said, "hypotheses": {"tuned": heard}}
        for number, (said, heard) in enumerate(pairs)
    ]
    return score_utterances(rows, ["fr"])


def _tokens(text):
    return " ".join(one.word + "".join(sorted(one.marks)) for one in written_words(text))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("oui , c'est bon .", "oui, c est bon."),
        ("Oui, c'est bon.", "Oui, c est bon."),
        ("« Vraiment ? » dit-il…", "Vraiment? dit il…"),
        ("bon...Merci !!! Ah ?!", "bon… Merci! Ah!?"),
        ("à 14:30, 3,5 km. v1.2", "à 14:30, 3,5 km. v1. 2"),
        ("— … (rire) [musique]", "rire musique"),
        ("¿Cómo está?", "Cómo está?"),
        ("今日は。はい", "今 日 は. は い"),
        ("نعم، شكرا؟", "نعم, شكرا?"),
        ("हाँ।", "हाँ."),
        ("e\u0301te\u0301.", "été."),
        ("", ""),
    ],
)
def test_words_and_the_marks_behind_them(text, tokens):
    assert _tokens(text) == tokens


def _marks(said, heard):
    return count_writing(said, heard).marks


def test_marks_by_hand():
    assert _marks("oui , c'est bon .", "Oui, c'est bon.") == {",": Hits(1, 1, 1), ".": Hits(1, 1, 1)}
    assert _marks("Ça va ? Oui.", "ça va. Oui.") == {"?": Hits(0, 1, 0), ".": Hits(1, 1, 2)}
    assert _marks("le chat.", "le chien.") == {".": Hits(1, 1, 1)}  # a wrong word, the right mark
    assert _marks("le chat dort.", "le chat.") == {".": Hits(0, 0, 1)}  # what stood behind a missed word is not judged
    assert _marks("bon", "!") == {}


def test_casing_by_hand():
    counts = count_writing("Bonjour Marie, le Chat", "bonjour Marie le chien Vert")
    assert (counts.n_words, counts.n_same_case, counts.capitals) == (3, 2, Hits(1, 2, 1))
    assert count_writing("l'ÉTÉ", "l’été").n_same_case == 1
    assert count_writing("", "Oui").n_words == 0


def test_the_block_of_a_report():
    block = writing(_scored(("Oui, merci.", "oui merci."), ("Bon .", "Bon !")), ["tuned"])
    tuned = block["systems"]["tuned"]
    assert tuned["n_aligned"] == 3 and list(tuned["punctuation"]) == ["all", ".", ",", "!"]
    assert tuned["punctuation"]["all"] == {
        "n_right": 1, "n_reference": 3, "n_hypothesis": 2, "recall": 100 / 3, "precision": 50.0, "f1": 40.0,
    }  # fmt: skip
    assert tuned["punctuation"]["!"]["recall"] is None and tuned["punctuation"][","]["precision"] is None
    assert (tuned["casing"]["n"], tuned["casing"]["n_right"]) == (3, 2)
    assert tuned["casing"]["accuracy"] == pytest.approx(200 / 3)
    assert tuned["casing"]["capitals"]["recall"] == 50.0


def test_references_without_marks_or_capitals_say_nothing_about_them():
    assert writing(_scored(("oui merci", "Oui, merci.")), ["tuned"]) is None
    assert writing(_scored(("oui merci.", "Oui, merci.")), ["tuned"])["systems"]["tuned"]["casing"] is None
    assert writing(_scored(("Oui merci", "Oui, merci.")), ["tuned"])["systems"]["tuned"]["punctuation"] is None
    assert writing(_scored(("NON", "")), ["tuned"])["systems"]["tuned"]["casing"]["accuracy"] is None


PIECES = st.lists(
    st.tuples(st.sampled_from(["oui", "Oui", "bon", "été", "Marie"]), st.sampled_from(["", *MARKS])), max_size=8
)


def _text(pieces, gap):
    return " ".join(f"{word}{gap if mark else ''}{mark}" for word, mark in pieces)


@settings(deadline=None, max_examples=50)
@given(pairs=st.lists(st.tuples(PIECES, PIECES), min_size=1, max_size=5), seed=st.integers(0, 5))
def test_spacing_order_and_sides(pairs, seed):
    texts = [(_text(said, ""), _text(heard, "")) for said, heard in pairs]
    block = writing(_scored(*texts), ["tuned"])
    assert writing(_scored(*random.Random(seed).sample(texts, len(texts))), ["tuned"]) == block
    assert writing(_scored(*[(_text(said, " "), _text(heard, "\u00a0")) for said, heard in pairs]), ["tuned"]) == block
    for said, heard in texts:
        own = count_writing(said, said)
        assert own.n_words == own.n_same_case == own.n_aligned
        assert all(hits.n_right == hits.n_reference == hits.n_hypothesis for hits in own.marks.values())
        assert count_writing(said, heard).n_aligned <= min(own.n_words, len(heard.split()))
