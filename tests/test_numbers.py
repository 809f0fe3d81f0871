"""Numbers: which words make one, whole and in place, by hand; what order and sides may not change."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.hits import Hits
from parlure.scoring.numbers import HOW, lexicon_of, number_accuracy, number_hits, number_spans
from parlure.scoring.utterances import score_utterances


def _scored(*pairs, language="fr", profile="fr"):
    rows = [
        {"id": f"u{number}", "language": language, "reference": said, "hypotheses": {"tuned": heard}}
        for number, (said, heard) in enumerate(pairs)
    ]
    return score_utterances(rows, [profile])


@pytest.mark.parametrize(
    ("language", "words", "numbers"),
    [
        ("fr", "il a vingt et un ans et deux chats", ["vingt et un", "deux"]),
        ("fr-CA", "un chat une table deux", ["deux"]),
        ("fr", "trois virgule cinq", ["trois virgule cinq"]),
        ("fr", "virgule cinq et onze chats", ["cinq et onze"]),
        ("fr", "cent un et vingt", ["cent un", "vingt"]),
        ("fr", "le deuxième et le quatre vingtième", ["deuxième", "quatre vingtième"]),
        ("en", "one of us has one hundred and five and six", ["one hundred and five", "six"]),
        ("en", "zero point five at that point", ["zero point five"]),
        ("de", "zwei und 3 plus 4b", ["3", "4b"]),
        (None, "deux ٣", ["٣"]),
        ("fr", "vingt pour cent de deux cents", ["vingt", "deux cents"]),
        ("fr", "", []),
    ],
)
def test_what_is_a_number(language, words, numbers):
    split = words.split()
    assert [" ".join(split[start:end]) for start, end in number_spans(split, lexicon_of(language))] == numbers


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("j'ai vingt dollars", "j'ai vingt dollars", Hits(1, 1, 1)),
        ("j'ai vingt dollars", "j'ai vingt deux dollars", Hits(0, 1, 1)),  # longer is another number
        ("j'ai vingt deux dollars", "j'ai vingt dollars", Hits(0, 1, 1)),
        ("deux chats", "des chats deux", Hits(0, 1, 1)),  # not in its place
        ("deux ou trois", "deux ou six", Hits(1, 2, 2)),
        ("deux", "", Hits(0, 1, 0)),
        ("oui", "oui deux", Hits(0, 0, 1)),
        ("vingt deux", "vingt euh deux", Hits(0, 1, 2)),
    ],
)
def test_hits_by_hand(said, heard, expected):
    assert number_hits(said.split(), heard.split(), lexicon_of("fr")) == expected


def test_accuracy_is_after_normalising():
    scored = _scored(
        ("Rappelez à 14h30.", "rappelez à quatorze heures trente"),
        ("80 $", "quatre-vingts dollars"),
        ("le 2e, puis 3,5 %", "le deuxième puis trois virgule six pour cent"),
        ("un chat", "un chat"),
    )
    block = number_accuracy(scored, "fr", ["tuned"])
    # quatorze · trente · quatre vingt · deuxième · trois virgule cinq
    assert block == {
        "how": HOW,
        "systems": {
            "tuned": {
                "n_right": 4, "n_reference": 5, "n_hypothesis": 5, "recall": 80.0, "precision": 80.0,
                "f1": 80.0, "ids": ["u2"],
            }
        },
    }  # fmt: skip
    assert number_accuracy(scored[3:], "fr", ["tuned"]) is None


def test_other_languages_know_digits_alone():
    scored = _scored(("drei und 4", "drei und 4"), language="de", profile="basic")
    assert number_accuracy(scored, "basic", ["tuned"])["systems"]["tuned"]["n_reference"] == 1
    assert lexicon_of("FR_ca") == lexicon_of("fr") != lexicon_of(None)


WORDS = st.lists(st.sampled_from(["vingt", "et", "un", "deux", "chats", "12"]), max_size=8).map(" ".join)


@settings(deadline=None, max_examples=50)
@given(pairs=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6), seed=st.integers(0, 5))
def test_order_sides_and_bounds(pairs, seed):
    mixed = random.Random(seed).sample(_scored(*pairs), len(pairs))
    assert number_accuracy(mixed, "fr", ["tuned"]) == number_accuracy(_scored(*pairs), "fr", ["tuned"])
    for said, heard in pairs:
        words = said.split(), heard.split()
        lexicon = lexicon_of("fr")
        hits = number_hits(*words, lexicon)
        assert 0 <= hits.n_right <= min(hits.n_reference, hits.n_hypothesis)
        own = number_hits(words[0], words[0], lexicon)
        assert own.n_right == own.n_reference == own.n_hypothesis == hits.n_reference
