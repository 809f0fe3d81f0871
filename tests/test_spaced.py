"""Spaced punctuation is named where it inflates the raw rate, and only there."""

from __future__ import annotations

import pytest

from parlure.scoring.report import build_report
from parlure.scoring.spaced import marks_alone, spacing_cautions
from parlure.scoring.utterances import score_utterances


def scored(reference, hypothesis, profiles=("raw", "fr"), copies=1):
    rows = [{"id": str(n), "reference": reference, "hypotheses": {"tuned": hypothesis}} for n in range(copies)]
    return score_utterances(rows, profiles)


def test_the_example_that_makes_a_perfect_transcript_look_wrong():
    utterances = scored("oui , c'est bon .", "Oui, c'est bon.")
    report = build_report(utterances, {"tuned": {}}, "fr")
    rates = {profile: block["tuned"]["wer"]["rate"] for profile, block in report["profiles"].items()}
    assert rates == {"raw": 80.0, "fr": 0.0}
    (caution,) = [warning for warning in report["warnings"] if "punctuation" in warning]
    assert caution.startswith(
        "Spaced punctuation: marks that stand alone count as words under raw, 2 in the references"
    )
    assert "0 in the hypotheses of tuned" in caution and "80.0 points" in caution


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("oui , c'est bon .", 2),
        ("oui, c'est bon.", 0),
        ("Ça va\u202f? « Oui » …", 4),
        ("10 % - 5 & 3", 0),  # signs that are read aloud, and dashes, are no punctuation of this kind
        ("quoi ?! ...", 2),
        ("", 0),
    ],
)
def test_marks_alone(text, count):
    assert marks_alone(text) == count


@pytest.mark.parametrize(
    ("reference", "hypothesis", "n_cautions"),
    [
        ("Ça va ?", "Ça va ?", 0),  # spaced on both sides
        ("Ça va ?", "ça va", 1),  # a mark to delete is an error too
        ("Ça va?", "Ça va ?", 1),  # the other way round
        ("ça va", "", 0),
        ("", ", ,", 0),  # no reference word, no rate
    ],
)
def test_only_a_difference_is_named(reference, hypothesis, n_cautions):
    assert len(spacing_cautions(scored(reference, hypothesis))) == n_cautions


def test_little_of_it_and_profiles_without_punctuation_are_passed_over():
    assert spacing_cautions([]) == []
    assert spacing_cautions(scored("oui , bon", "oui, bon", profiles=["fr"])) == []
    rare = [*scored("un deux trois quatre cinq", "un", copies=40), *scored("six .", "six.")]
    assert spacing_cautions(rare) == []
