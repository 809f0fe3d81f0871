"""Calibration: known answers, AUC against all pairs, and nothing where nobody was asked how sure they are."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.scoring.calibration import auc, calibration, reliability
from parlure.scoring.utterances import score_utterances

CONFIDENCES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.999, 1.0]), st.booleans()), max_size=12)


def _scored(*answers):
    rows = [
        {
            "id": f"u{number}",
            "reference": "oui",
            "hypotheses": {"tuned": "oui" if right else "non"},
            "avg_logprob": {"tuned": confidence if confidence is None else math.log(confidence)},
        }
        for number, (confidence, right) in enumerate(answers)
    ]
    return score_utterances(rows, ["raw"])


def test_by_hand():
    block = calibration(
        _scored((0.95, True), (0.93, False), (0.15, False), (0.55, True), (None, True)), "raw", ["tuned"]
    )
    tuned = block["systems"]["tuned"]
    assert (tuned["n"], tuned["accuracy"]) == (4, 0.5)
    assert tuned["mean_confidence"] == pytest.approx(0.645)
    assert [(one["low"], one["high"], one["n"], one["accuracy"]) for one in tuned["bins"]] == [
        (0.1, 0.2, 1, 0.0), (0.5, 0.6, 1, 1.0), (0.9, 1.0, 2, 0.5),
    ]  # fmt: skip
    assert [one["mean_confidence"] for one in tuned["bins"]] == pytest.approx([0.15, 0.55, 0.94])
    assert tuned["ece"] == pytest.approx((0.15 + 0.45 + 2 * 0.44) / 4)
    assert tuned["auc"] == 0.75  # of right over wrong: .95 wins both, .55 one of two


def test_the_sure_and_right_are_perfect():
    tuned = calibration(_scored((1.0, True), (1.0, True)), "raw", ["tuned"])["systems"]["tuned"]
    assert (tuned["ece"], tuned["auc"]) == (0.0, None)
    assert tuned["bins"] == [{"low": 0.9, "high": 1.0, "n": 2, "mean_confidence": 1.0, "accuracy": 1.0}]


def test_without_confidences_there_is_no_block():
    scored = _scored((0.5, True))
    assert calibration(_scored((None, True)), "raw", ["tuned"]) is None
    plain = score_utterances([{"id": "a", "reference": "a", "hypotheses": {"tuned": "a", "base": "a"}}], ["raw"])
    assert calibration(plain, "raw", ["tuned", "base"]) is None
    assert calibration(scored, "raw", ["tuned"])["systems"]["tuned"]["n"] == 1
    odd = score_utterances(
        [{"id": "a", "reference": "a", "hypotheses": {"tuned": "a"}, "avg_logprob": -0.1}], ["raw"]
    )  # not by system
    assert calibration(odd, "raw", ["tuned"]) is None
    above = score_utterances(
        [{"id": "a", "reference": "a", "hypotheses": {"tuned": "a"}, "avg_logprob": {"tuned": 1e-9}}], ["raw"]
    )
    assert calibration(above, "raw", ["tuned"])["systems"]["tuned"]["mean_confidence"] == 1.0


@given(answers=CONFIDENCES)
def test_auc_is_the_share_of_pairs(answers):
    good = [confidence for confidence, right in answers if right]
    bad = [confidence for confidence, right in answers if not right]
    found = auc([confidence for confidence, _ in answers], [right for _, right in answers])
    if not good or not bad:
        assert found is None
        return
    wins = sum((a > b) + (a == b) / 2 for a in good for b in bad)
    assert found == pytest.approx(wins / (len(good) * len(bad)))
    flipped = auc([confidence for confidence, _ in answers], [not right for _, right in answers])
    assert found + flipped == pytest.approx(1)


@given(answers=CONFIDENCES, seed=st.integers(0, 9))
def test_bins_hold_everyone_in_any_order(answers, seed):
    mixed = random.Random(seed).sample(answers, len(answers))
    bins = [reliability([c for c, _ in those], [r for _, r in those]) for those in (answers, mixed)]
    assert bins[0] == bins[1] and sum(one["n"] for one in bins[0]) == len(answers)
    assert all(one["low"] <= one["mean_confidence"] <= one["high"] + 1e-12 for one in bins[0])
