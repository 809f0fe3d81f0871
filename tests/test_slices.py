"""Slices: hand-made cuts with known counts, sums, order, intervals over the right blocks."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.rates import Counts
from parlure.scoring.significance import rate_interval
from parlure.scoring.slices import (
    LEVEL_EDGES_DB,
    SNR_EDGES_DB,
    bin_of,
    duration_bin,
    pace_bin,
    slice_summary,
    slices,
)
from parlure.scoring.utterances import score_utterances

TEXTS = ["le chat dort", "le chat", "bonjour à tous", "", "oui"]
ROW = st.fixed_dictionaries(
    {
        "reference": st.sampled_from(TEXTS),
        "speaker": st.sampled_from(["anne", "bob", None]),
        "session": st.sampled_from(["x", "y", None]),
        "duration_s": st.sampled_from([0.5, 1.0, 3.0, 40.0, None]),
        "tags": st.lists(st.sampled_from(["music", "mobile"]), unique=True),
        "language": st.sampled_from(["fr", None]),
        "channel": st.sampled_from([0, 1, None]),
        "level_db": st.sampled_from([-60.0, -25.0, None]),
        "snr_db": st.sampled_from([-3.0, 12.0, None]),
        "text": st.sampled_from(TEXTS),
    }
)


def _scored(rows):
    named = [{"id": f"u{number}", **row} for number, row in enumerate(rows)]
    return score_utterances([row | {"hypotheses": {"tuned": row.pop("text")}} for row in named], ["raw"])


def _one(reference, text, **fields):
    return {"reference": reference, "text": text, **fields}


def test_bins():
    durations = [0.0, 0.99, 1.0, 2.0, 4.99, 5.0, 10.0, 30.0, None]
    bins = ["<1", "<1", "1-2", "2-5", "2-5", "5-10", "10-30", ">=30", "(unknown)"]
    assert [duration_bin(one) for one in durations] == bins
    assert [bin_of(one, LEVEL_EDGES_DB) for one in (-90, -50, -20.1, -20)] == ["<-50", "-50..-40", "-30..-20", ">=-20"]
    assert [bin_of(one, SNR_EDGES_DB) for one in (-1, 0, 29, 30)] == ["<0", "0-5", "20-30", ">=30"]
    paces = [pace_bin(6, 2.0), pace_bin(1, 2.0), pace_bin(0, 2.0), pace_bin(6, None), pace_bin(6, 0.0), pace_bin(9, 1)]
    assert paces == ["3-4", "<1", "(no words)", "(unknown)", "(unknown)", ">=5"]


def test_named_tags_are_dimensions_of_their_own():
    rows = [
        _one("un deux", "un", tags=["music", "age=twenties", "dialect=a=b"]),
        _one("un deux", "un deux", tags=["age=thirties", "age=forties"]),
        _one("un", "", tags=["age="]),  # no value: a tag like any other
    ]
    cuts = slices(_scored(rows), "raw", ["tuned"])
    assert [name for name in cuts if name.startswith("tag")] == ["tags", "tag:age", "tag:dialect"]
    rates = {value: (one["n"], one["wer"]["tuned"]["rate"]) for value, one in cuts["tag:age"].items()}
    assert rates == {"(unknown)": (1, 100.0), "forties": (1, 0.0), "thirties": (1, 0.0), "twenties": (1, 50.0)}
    assert {value: one["n"] for value, one in cuts["tags"].items()} == {"(no tag)": 1, "age=": 1, "music": 1}
    assert {value: one["n"] for value, one in cuts["tag:dialect"].items()} == {"(unknown)": 2, "a=b": 1}


def test_by_hand():
    scored = _scored(
        [
            _one("un deux trois quatre", "un deux", speaker="anne", duration_s=2.0, tags=["music"], channel=0),
            _one("un deux", "un deux trois", speaker="bob", duration_s=0.5, tags=["music", "mobile"], snr_db=7.5),
            _one("", "merci", speaker="bob", duration_s=None, tags=[], channel=1),
        ]
    )
    cuts = slices(scored, "raw", ["tuned"])
    assert list(cuts) == ["speaker", "channel", "duration_s", "snr_db", "speech_rate", "tags"]
    anne = {"S": 0, "D": 2, "I": 0, "N": 4, "rate": 50.0, "ci95": None}
    assert cuts["speaker"]["anne"] == {"n": 1, "seconds": 2.0, "n_blocks": 1, "wer": {"tuned": anne}}
    assert cuts["speaker"]["bob"]["wer"]["tuned"] == {"S": 0, "D": 0, "I": 2, "N": 2, "rate": 100.0, "ci95": None}
    assert {name: {value: one["n"] for value, one in cut.items()} for name, cut in cuts.items()} == {
        "speaker": {"anne": 1, "bob": 2},
        "channel": {"(unknown)": 1, "0": 1, "1": 1},
        "duration_s": {"<1": 1, "2-5": 1, "(unknown)": 1},
        "snr_db": {"5-10": 1, "(unknown)": 2},
        "speech_rate": {"2-3": 1, "4-5": 1, "(no words)": 1},
        "tags": {"(no tag)": 1, "mobile": 1, "music": 2},
    }
    assert cuts["speech_rate"]["(no words)"]["wer"]["tuned"]["rate"] is None
    summary = slice_summary(cuts, ["tuned"])
    assert summary["speaker"]["tuned"] == {
        "n_values": 2, "macro": 75.0, "worst_decile": 100.0, "worst": ["bob"], "worst_words": 2,
    }  # fmt: skip
    assert summary["channel"]["tuned"]["macro"] == 50.0  # of channel 0 alone: the other has no reference words


def test_what_no_number_is_has_no_bin():
    scored = _scored([_one("un", "un", level_db=value) for value in (True, "loud", float("nan"), -25)])
    assert {key: one["n"] for key, one in slices(scored, "raw", ["tuned"])["level_db"].items()} == {
        "-30..-20": 1,
        "(unknown)": 3,
    }


def test_the_worst_tenth_is_rounded_up_and_named():
    rows = [_one("un " * 10, "un " * number, speaker=f"s{number:02}") for number in range(11)]
    summary = slice_summary(slices(_scored(rows), "raw", ["tuned"]), ["tuned"])["speaker"]["tuned"]
    assert (summary["worst"], summary["worst_decile"], summary["macro"]) == (["s00", "s01"], 95.0, 50.0)
    assert slice_summary({"speaker": {}}, ["tuned"])["speaker"]["tuned"]["macro"] is None


def test_intervals_are_of_the_blocks_of_the_whole_set():
    rows = [
        _one("un deux trois", "un deux trois" if number % 3 else "un", speaker=f"s{number}", tags=["music"])
        for number in range(6)
    ]
    alone = slices(_scored(rows), "raw", ["tuned"])["tags"]["music"]
    counts = [Counts(D=0 if number % 3 else 2, N=3) for number in range(6)]
    assert alone["n_blocks"] == 6 and alone["wer"]["tuned"]["ci95"] == list(rate_interval(counts, range(6)))
    # Two calls outside the slice link its speakers: s0, s1, s2 are one block, and four blocks are too few.
    links = [_one("un", "un", speaker=f"s{number}", session="x", tags=["mobile"]) for number in range(3)]
    linked = slices(_scored(rows + links), "raw", ["tuned"])["tags"]["music"]
    assert linked["n_blocks"] == 4 and linked["wer"]["tuned"]["ci95"] is None


@settings(deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=12), seed=st.integers(0, 9))
def test_parts_add_up_in_any_order(rows, seed):
    scored = _scored(rows)
    cuts = slices(scored, "raw", ["tuned"])
    total = Counts.total(one.counts["raw"]["tuned"].words for one in scored)
    for name, values in cuts.items():
        if name == "tags":
            continue
        assert sum(one["n"] for one in values.values()) == len(scored)
        for key in "SDIN":
            assert sum(one["wer"]["tuned"][key] for one in values.values()) == getattr(total, key)
    mixed = random.Random(seed).sample(scored, len(scored))
    again = slices(mixed, "raw", ["tuned"])
    assert {name: list(cut) for name, cut in again.items()} == {name: list(cut) for name, cut in cuts.items()}
    for name, values in cuts.items():
        for value, one in values.items():
            other = again[name][value]
            assert {key: other[key] for key in ("n", "seconds", "n_blocks")} == {
                key: one[key] for key in ("n", "seconds", "n_blocks")
            }
            mine, theirs = one["wer"]["tuned"], other["wer"]["tuned"]
            assert theirs.pop("ci95") == (None if mine["ci95"] is None else pytest.approx(mine["ci95"]))
            assert theirs == {key: mine[key] for key in mine if key != "ci95"}
    assert slice_summary(again, ["tuned"]) == slice_summary(cuts, ["tuned"])
