"""Phrases of long recordings → windows: nothing lost, nothing cut, nothing joined that should not be."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure import cli
from parlure.corpus.joining import Joined, JoinPolicy, join
from parlure.corpus.manifest import Corpus, Segment, Utterance
from parlure.corpus.overlaps import OVERLAP_S
from parlure.corpus.readers.row import Rejected, Row
from parlure.errors import ParlureError

CALL = Path("/calls/call.wav")


def phrase(start: float, end: float, text: str = "oui", speaker: str | None = "anne", **more: Any) -> Utterance:
    fields: dict[str, Any] = {"recording": str(CALL), "language": "fr", "id": f"{start}-{end}-{speaker}"} | more
    return Utterance(start=start, end=end, text=text, speaker=speaker, **fields)


def joined(phrases: list[Utterance], mode: Any = "speaker", rejected: Any = (), **policy: Any) -> Joined:
    rows = {
        one.id: Row("calls.csv", line, {}, Path(one.recording), one.text, start=one.start, end=one.end)
        for line, one in enumerate(phrases, start=2)
    }
    names = {Path(one.recording): Path(one.recording).stem for one in phrases}
    return join(phrases, rows, rejected, JoinPolicy(mode, **policy), names)


def spans(result: Joined) -> list[tuple[float, float]]:
    return [(one.start, one.end) for one in result.utterances]


@st.composite
def conversations(draw: st.DrawFn) -> list[Utterance]:
    """Phrases of one to three people, some at once, on one or two channels of one or two recordings."""
    found = []
    for recording in range(draw(st.integers(1, 2))):
        time_ms = 0
        for number in range(draw(st.integers(1, 14))):
            time_ms = max(0, time_ms + draw(st.integers(-3_000, 4_000)))
            length_ms = draw(st.integers(50, 12_000))
            found.append(
                phrase(
                    time_ms / 1000, (time_ms + length_ms) / 1000, f"w{recording}.{number}",
                    draw(st.sampled_from(["anne", "bob", None])), id=f"{recording}-{number}",
                    recording=f"/calls/{recording}.wav", channel=draw(st.sampled_from([None, None, 0])),
                    tags=(f"n={number}",),
                )
            )  # fmt: skip
            time_ms += length_ms
    return found


@settings(deadline=None, max_examples=60)
@given(conversations(), st.sampled_from(["speaker", "dialogue"]), st.sampled_from([0.0, 0.5, 2.0]))
def test_every_phrase_is_in_exactly_one_window_whole_and_in_order(phrases, mode, gap_s):
    result = joined(phrases, mode, gap_s=gap_s)
    by_id = {one.id: one for one in phrases}
    members = [[by_id[id_] for id_ in line["phrases"]] for line in result.lines]
    assert Counter(one.id for group in members for one in group) == Counter(list(by_id))
    for window, group in zip(result.utterances, members, strict=True):
        assert window.duration_s <= 30.000001
        assert [one.start for one in group] == sorted(one.start for one in group)
        assert (window.start, window.end) == (group[0].start, max(one.end for one in group))
        assert window.text == " ".join(one.text for one in group)
        assert window.recording == group[0].recording and {one.channel for one in group} == {window.channel}
        assert set(window.tags) - {"overlap"} == {tag for one in group for tag in one.tags}
        if mode == "speaker":
            assert {one.speaker for one in group} == {window.speaker}
    ids = [one.id for one in result.utterances]
    assert len(ids) == len(set(ids))


@settings(deadline=None, max_examples=60)
@given(conversations(), st.sampled_from(["speaker", "dialogue"]))
def test_phrases_keep_their_times(phrases, mode):
    """To 1 µs, unless two overlap: then the phrases' times are in order, inside the window, and cover the same."""
    result = joined(phrases, mode)
    by_id = {one.id: one for one in phrases}
    for window, line in zip(result.utterances, result.lines, strict=True):
        group = [by_id[id_] for id_ in line["phrases"]]
        if len(group) == 1:
            assert window == replace(group[0], tags=window.tags, prompt=window.prompt)
            continue
        assert window.segments
        assert " ".join(one.text for one in window.segments) == window.text
        edges = [time for one in window.segments for time in (one.start, one.end)]
        assert edges == sorted(edges) and edges[0] == 0 and edges[-1] == pytest.approx(window.duration_s, abs=1e-6)
        if all(one.end <= other.start for one, other in pairwise(group)):
            assert len(window.segments) == len(group)
            for one, segment in zip(group, window.segments, strict=True):
                assert segment.start + window.start == pytest.approx(one.start, abs=1e-6)
                assert segment.end + window.start == pytest.approx(one.end, abs=1e-6)
                assert (segment.text, segment.speaker) == (one.text, one.speaker)


@settings(deadline=None, max_examples=60)
@given(conversations())
def test_a_dialogue_window_never_begins_or_ends_inside_a_phrase(phrases):
    by_channel = defaultdict(list)
    for one in phrases:
        by_channel[one.recording, one.channel].append(one)
    for window in joined(phrases, "dialogue").utterances:
        for one in by_channel[window.recording, window.channel]:
            inside = [time for time in (window.start, window.end) if one.start < time < one.end]
            # only a knot of phrases that is longer than 30 s has to be parted, and that is tagged
            assert not inside or "overlap" in window.tags or abs(one.end - inside[0]) < 30


def test_pauses_lengths_and_people_end_a_window():
    said = [phrase(0, 4, "a"), phrase(5, 9, "b"), phrase(11.5, 14, "c"), phrase(14, 29, "d"), phrase(29, 42, "e")]
    assert spans(joined(said)) == [(0, 9), (11.5, 29), (29, 42)]
    assert spans(joined(said, gap_s=0.5)) == [(0, 4), (5, 9), (11.5, 29), (29, 42)]
    assert spans(joined(said, gap_s=3)) == [(0, 29), (29, 42)]
    assert spans(joined(said, gap_s=3, to_s=15)) == [(0, 14), (14, 29), (29, 42)]
    first, second = joined(said).utterances[:2]
    assert (first.id, first.text, first.prompt) == ("call-000000-009000", "a b", None)
    assert (second.id, second.prompt) == ("call-011500-029000", "a b")
    assert second.segments == (Segment(0.0, 2.5, "c", "anne"), Segment(2.5, 17.5, "d", "anne"))


@pytest.mark.parametrize("other", [{"language": "en"}, {"task": "translate"}, {"split": "test"}, {"session": "2"}])
def test_what_differs_is_not_joined(other):
    assert spans(joined([phrase(0, 1), phrase(1, 2, **other)], "dialogue")) == [(0, 1), (1, 2)]


def test_channels_and_silence_stay_apart():
    said = [phrase(0, 1, channel=0, id="a"), phrase(1, 2, channel=1, id="b"), phrase(2, 3, channel=0, id="c")]
    assert sorted(spans(joined(said, "dialogue"))) == [(0, 3), (1, 2)]
    assert spans(joined([phrase(0, 1), phrase(1, 2, ""), phrase(2, 3)])) == [(0, 1), (1, 2), (2, 3)]


def test_the_same_speaker_goes_on_over_a_back_channel_but_not_over_a_turn():
    aside = [phrase(0, 5, "a"), phrase(3, 3.5, "mhm", "bob"), phrase(5.2, 9, "b")]
    assert spans(joined(aside)) == [(0, 9), (3, 3.5)]
    assert [one.tags for one in joined(aside).utterances] == [("overlap",), ("overlap",)]
    turn = [phrase(0, 5, "a"), phrase(5.1, 6, "quoi", "bob"), phrase(6.1, 9, "b")]
    assert spans(joined(turn)) == [(0, 5), (5.1, 6), (6.1, 9)]
    assert [one.tags for one in joined(turn).utterances] == [(), (), ()]
    assert [one.prompt for one in joined(turn).utterances] == [None, "a", "a quoi"]
    assert spans(joined(turn, "dialogue")) == [(0, 9)]
    assert joined(aside).warnings == ("in 2 of 2 windows two talk at once for more than 0.2 s: tagged overlap",)


def test_a_dialogue_carries_its_speakers():
    (one,) = joined([phrase(0, 2, "a"), phrase(2.5, 4, "b", "bob")], "dialogue").utterances
    assert one.speaker is None and "overlap" not in one.tags
    assert one.segments == (Segment(0.0, 2.0, "a", "anne"), Segment(2.5, 4.0, "b", "bob"))


def test_overlapping_phrases_are_parted_or_become_one():
    little = joined([phrase(0, 2, "a"), phrase(2 - OVERLAP_S, 4, "b", "bob")], "dialogue").utterances[0]
    assert little.segments == (Segment(0.0, 1.9, "a", "anne"), Segment(1.9, 4.0, "b", "bob"))
    assert little.tags == ()
    much = joined([phrase(0, 2, "a"), phrase(1, 1.5, "b", "bob"), phrase(1.7, 4, "c"), phrase(5, 6, "d")], "dialogue")
    assert much.utterances[0].segments == (Segment(0.0, 4.0, "a b c", None), Segment(5.0, 6.0, "d", "anne"))
    assert much.utterances[0].tags == ("overlap",)
    assert much.lines[0]["overlap_s"] == 0.5  # a and c are one person
    own = joined([phrase(0, 2, "a"), phrase(1, 3, "b")], "dialogue").utterances[0]
    assert own.segments == (Segment(0.0, 3.0, "a b", "anne"),) and own.tags == ()  # one person, once


def test_phrases_of_a_row_are_kept():
    own = (Segment(0.5, 1.0, "a"), Segment(1.0, 2.0, "b"))
    (one,) = joined([phrase(10, 12, "a b", segments=own), phrase(12.5, 13, "c")]).utterances
    assert one.segments == (Segment(0.5, 1, "a", "anne"), Segment(1, 2, "b", "anne"), Segment(2.5, 3, "c", "anne"))


def test_a_rejected_row_holds_its_neighbours_apart():
    said = [phrase(0, 1, "a"), phrase(2, 3, "b"), phrase(3, 4, "c")]
    refused = Row("calls.csv", 9, {}, CALL, None, start=1.2, end=1.8)
    for one in (
        Rejected("calls.csv", 9, {}, "empty_text", "", understood=refused),
        Rejected("calls.csv", 2, {}, "malformed_row", ""),  # line 2 is a's: rows are counted from it
    ):
        line = Rejected(one.source, 3 if one.understood is None else one.line, {}, one.reason, "", one.understood)
        result = joined(said, rejected=[line])
        assert spans(result) == [(0, 1), (2, 4)]
        assert result.utterances[1].prompt is None  # what was said just before is not known
        assert result.warnings == ("1 times two phrases were not joined, for a rejected row lies between them",)
        assert result.info["n_held_apart"] == 1
    elsewhere = Row("calls.csv", 9, {}, CALL, None, start=1.2, end=1.8, channel=1)
    apart = Rejected("calls.csv", 9, {}, "empty_text", "", understood=elsewhere)
    assert spans(joined([phrase(0, 1, channel=0), phrase(1.5, 3, channel=0)], rejected=[apart])) == [(0, 3)]


def test_who_is_not_named_is_not_joined_as_a_speaker():
    said = [phrase(0, 1, speaker=None), phrase(1, 2, speaker=None)]
    result = joined(said)
    assert spans(result) == [(0, 1), (1, 2)]
    assert result.warnings == (
        "2 rows name no speaker and were not joined: --join dialogue joins whoever speaks",
        "no two phrases could be joined: on no channel of a recording does one follow another within 2 s (--join-gap) "
        "and 30 s in all",
    )
    assert spans(joined(said, "dialogue")) == [(0, 2)]


def test_two_windows_of_one_span_have_two_names():
    said = [
        phrase(0, 1, id="a"),
        phrase(1, 3, id="b"),
        phrase(0, 2, "x", "bob", id="c"),
        phrase(2, 3, "x", "bob", id="d"),
    ]
    assert [one.id for one in joined(said).utterances] == ["call-000000-003000", "call-000000-003000-2"]


def test_the_prompt_is_whole_words_and_bounded():
    said = [phrase(0, 5, "un deux trois"), phrase(20, 21, "quatre"), phrase(40, 41, "cinq", prompt="dit avant")]
    assert [one.prompt for one in joined(said, prompt_chars=12).utterances] == [None, "deux trois", "dit avant"]
    assert [one.prompt for one in joined(said, prompt_chars=10).utterances] == [None, "deux trois", "dit avant"]
    assert [one.prompt for one in joined(said, prompt_chars=0).utterances] == [None, None, "dit avant"]


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        ({"mode": "both"}, "--join cannot be both", "--join none|speaker|dialogue"),
        ({"gap_s": -1}, "--join-gap cannot be -1", "seconds of pause, such as --join-gap 2"),
        ({"to_s": 31}, "--join-to cannot be 31", "seconds, at most Whisper's 30"),
        ({"prompt_chars": -1}, "--join-prompt cannot be -1", "characters; 0 keeps no text before"),
    ],
)
def test_a_policy_makes_sense(wrong, message, hint):
    with pytest.raises(ParlureError) as caught:
        JoinPolicy(**wrong)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.fixture
def meeting(tmp_path: Path) -> Path:
    """A manifest of 8 recordings of 12 s: two people, ten phrases of 1 s, the sixth without a text."""
    noise = np.random.default_rng(1).normal(0, 0.1, 12 * 8_000)
    lines = ["audio,text,speaker,start,end"]
    for number in range(8):
        soundfile.write(tmp_path / f"{number}.wav", noise, 8_000)
        for second in range(10):
            text = "" if second == 5 else f"mot {second}"
            lines.append(f"{number}.wav,{text},{number}-{second // 3},{second},{second + 1}")
    (tmp_path / "meeting.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "meeting.csv"


def test_prepare_joins_and_says_so(meeting, tmp_path, capsys):
    out = tmp_path / "corpus"
    arguments = ["prepare", str(meeting), "--out", str(out), "--language", "fr", "--ratios", "0.5,0.25,0.25"]
    assert cli.run(arguments) == 0
    split_of = {Path(one.recording).name: one.split for one in Corpus.load(out).utterances}
    assert cli.run([*arguments, "--join", "dialogue"]) == 0
    said = capsys.readouterr().err
    assert "72 of 80 rows used, 8 rejected (8 empty_text)" in said
    assert "(16 of 72 rows: phrases were joined)" in said
    assert "warning: 8 times two phrases were not joined, for a rejected row lies between them" in said
    corpus = Corpus.load(out)
    assert [(one.start, one.end) for one in corpus.utterances[:2]] == [(0, 5), (6, 10)]
    assert {Path(one.recording).name: one.split for one in corpus.utterances} == split_of  # joining moves nobody
    assert corpus.info["join"] == {
        "mode": "dialogue", "gap_s": 2.0, "to_s": 30.0, "prompt_chars": 240, "n_phrases": 72, "n_overlap": 0,
        "n_held_apart": 8,
    }  # fmt: skip
    lines = [json.loads(line) for line in (out / "joined.jsonl").read_text("utf-8").splitlines()]
    assert [line["id"] for line in lines] == [one.id for one in corpus.utterances]
    assert (lines[0]["sources"], lines[0]["first_line"], lines[0]["last_line"]) == ([str(meeting)], 2, 6)
    n_phrases = sum(len(line["phrases"]) for line in lines)
    assert corpus.info["n_used"] == n_phrases == corpus.info["n_read"] - corpus.info["rejected"]["total"]
    assert cli.run(arguments) == 0
    assert not (out / "joined.jsonl").exists()


def test_every_fold_has_the_same_windows(meeting, tmp_path, capsys):
    arguments = ["prepare", str(meeting), "--language", "fr", "--join", "dialogue", "--folds", "4"]
    assert cli.run([*arguments, "--out", str(tmp_path / "corpus")]) == 0
    whole = Corpus.load(tmp_path / "corpus").utterances
    tested = []
    for number in (1, 2, 3, 4):
        fold = Corpus.load(tmp_path / "corpus" / f"fold-{number}")
        assert [(u.id, u.text, u.start, u.end) for u in fold.utterances] == [
            (u.id, u.text, u.start, u.end) for u in whole
        ]
        tested += [u.id for u in fold.select("test")]
    assert sorted(tested) == sorted(u.id for u in whole)
    assert cli.run([*arguments, "--out", str(tmp_path / "loose"), "--group-by", "none"]) == 2
    said = capsys.readouterr().err
    assert "error: the phrases of a window are in different splits in one of the folds" in said
    assert "hint: --group-by speaker,session" in said
