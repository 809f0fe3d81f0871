"""Untranscribed recordings → spans in which somebody speaks, and a manifest of them."""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure import cli
from parlure.corpus.segment import SpokenSpan, segment
from parlure.errors import ParlureError
from parlure.speech.audio import read_audio, write_audio
from parlure.speech.synth import Voice, synthesize
from parlure.speech.voice import Span, SpanPolicy, spans_of, speech_spans


@pytest.fixture(scope="module")
def turns(calls):
    """Recording → (start, end, channel) of what is said in it."""
    found = defaultdict(list)
    with calls.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[calls.parent / row["audio"]].append((float(row["start"]), float(row["end"]), int(row["channel"])))
    return dict(found)


@st.composite
def islands(draw: st.DrawFn) -> list[Span]:
    found, time_ms = [], draw(st.integers(0, 3_000))
    for _ in range(draw(st.integers(0, 40))):
        end_ms = time_ms + draw(st.integers(100, 29_600))
        found.append(Span(time_ms / 1000, end_ms / 1000))
        time_ms = end_ms + draw(st.integers(0, 4_000))
    return found


@settings(deadline=None)
@given(islands(), st.sampled_from([SpanPolicy(), SpanPolicy(0.5, 0.0), SpanPolicy(3, 0.15)]))
def test_spans_hold_all_speech_and_never_overlap(islands, policy):
    duration_s = islands[-1].end if islands else 1.0
    spans = spans_of(islands, duration_s, policy)
    assert all(0 <= one.start < one.end <= duration_s for one in spans)
    assert all(round(one.end - one.start, 6) <= 30 for one in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    for island in islands:
        (holder,) = [one for one in spans if one.start <= island.start + 0.0006 and island.end - 0.0006 <= one.end]
        inside = [one for one in islands if holder.start <= one.start < holder.end]
        assert all(after.start - before.end <= policy.pause_s for before, after in pairwise(inside))


def test_a_full_span_is_cut_at_its_longest_pause():
    said = [Span(1, 9), Span(9.4, 18), Span(19, 27), Span(27.5, 36)]
    assert spans_of(said, 40, SpanPolicy()) == [Span(0.8, 18.2), Span(18.8, 36.2)]
    assert spans_of(said, 40, SpanPolicy(pause_s=0.45)) == [Span(0.8, 18.2), Span(18.8, 27.2), Span(27.3, 36.2)]
    near = [Span(0, 20), Span(20.1, 40)]
    assert spans_of(near, 40, SpanPolicy()) == [Span(0, 20.05), Span(20.05, 40)]  # padding stops in mid-pause


def test_speech_is_found_where_it_is(turns):
    """In synthetic calls whose turns are known: what is said lies in spans, and little else does."""
    said_s = found_s = held_s = 0.0
    for recording, known in list(turns.items())[:3]:
        for channel in (0, 1):
            spans = speech_spans(recording, channel, SpanPolicy(pause_s=0.3, pad_s=0.1))
            found_s += sum(one.end - one.start for one in spans)
            for start, end, its_channel in known:
                if its_channel == channel:
                    said_s += end - start
                    held_s += sum(max(0.0, min(end, one.end) - max(start, one.start)) for one in spans)
    assert held_s > 0.9 * said_s
    assert found_s < 1.1 * said_s


def test_ten_minutes_at_a_time_is_no_seam(turns, tmp_path, monkeypatch):
    """Speech that the end of a stretch cuts is heard whole in the next one."""
    recording = max(turns, key=lambda path: len(turns[path]))
    whole = speech_spans(recording, 0, SpanPolicy())
    monkeypatch.setattr("parlure.speech.voice._STRETCH_S", 11.0)
    pieces = speech_spans(recording, 0, SpanPolicy())
    assert sum(one.end - one.start for one in pieces) == pytest.approx(sum(b - a for a, b in whole), rel=0.1)
    assert all(one.end <= other.start for one, other in pairwise(pieces))


def test_who_never_pauses_is_cut_anyway(turns, tmp_path):
    recording = next(iter(turns))
    start, end, channel = max((end - start, start, end, channel) for start, end, channel in turns[recording])[1:]
    turn = read_audio(recording, start + 0.15, end - 0.15, channel)
    write_audio(tmp_path / "long.wav", np.tile(turn, round(35 * 16_000 / len(turn))))
    summary = segment([tmp_path / "long.wav"], tmp_path / "spans.jsonl", policy=SpanPolicy(to_s=5))
    assert all(one.end - one.start <= 5 for one in summary.spans)
    assert sum(one.end - one.start for one in summary.spans) > 30


def test_the_parties_of_a_call_have_their_own_spans(turns, tmp_path, capsys):
    recording, known = next(iter(turns.items()))
    out = recording.parent.parent / "spans.jsonl"
    assert cli.run(["segment", str(recording), "--out", str(out), "--language", "fr"]) == 0
    said = capsys.readouterr().err
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    out.unlink()
    assert {row["channel"] for row in rows} == {0, 1}
    assert {row["audio"] for row in rows} == {f"audio/{recording.name}"}
    assert all(row["text"] is None and row["language"] == "fr" for row in rows)
    assert f"{len(rows)} spans: " in said and " h of speech, " in said and " h without" in said
    assert f"next: fill in the texts, by hand or again with --model MODEL; then parlure prepare {out}" in said
    for start, end, channel in known:
        overlap = [min(end, row["end"]) - max(start, row["start"]) for row in rows if row["channel"] == channel]
        assert max(overlap) > 0.5 * (end - start)


def test_channels_as_asked(turns, tmp_path):
    recording = next(iter(turns))
    write_audio(tmp_path / "mono.wav", read_audio(recording))
    for channels, audio, expected in (
        ("mix", recording, {None}), ("first", recording, {0}), ("split", recording, {0, 1}), (None, recording, {0, 1}),
        ("split", tmp_path / "mono.wav", {None}), (None, tmp_path / "mono.wav", {None}),
    ):  # fmt: skip
        out = tmp_path / f"{channels}-{audio.stem}.jsonl"
        assert {one.channel for one in segment([audio], out, channels=channels).spans} == expected
    row = json.loads((tmp_path / "mix-call-000.jsonl").read_text("utf-8").splitlines()[0])
    assert row["audio"] == str(recording.resolve())  # it lies elsewhere


def test_a_model_drafts_and_prepare_takes_it(nano, tmp_path, capsys):
    recording, pause = tmp_path / "call.wav", np.zeros(16_000, np.float32)
    said = synthesize("Demain matin, un miroir est fragile.", Voice("fr+belinda", 170))
    write_audio(recording, 0.5 * np.concatenate([pause, said, pause]))
    out = tmp_path / "spans.jsonl"
    arguments = ["segment", str(recording), "--out", str(out), "--model", "nano", "--language", "fr"]
    arguments += ["--pause", "0.3"]
    assert cli.run(arguments) == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert "demain matin" in " ".join(row["text"] for row in rows).lower()
    assert all(row["tags"] == ["draft"] for row in rows)
    assert "next: correct the texts, which are a model's; then" in capsys.readouterr().err
    assert cli.run(["prepare", str(out), "--out", str(tmp_path / "corpus"), "--ratios", "0,0,1"]) == 0


def test_what_stops_it(turns, tmp_path, monkeypatch):
    recording = next(iter(turns))
    write_audio(tmp_path / "silence.wav", np.zeros(32_000, np.float32))
    (tmp_path / "there.jsonl").write_text("")
    for audio, out, message, hint in (
        (recording, "spans.csv", "spans.csv does not end in .jsonl", "name the manifest to make: --out spans.jsonl"),
        (recording, "there.jsonl", "there.jsonl is there already", "name another --out, or delete it"),
        (tmp_path / "silence.wav", "a.jsonl", "nobody speaks in these recordings",
         "listen to one: is it silent, or music?"),
    ):  # fmt: skip
        with pytest.raises(ParlureError) as caught:
            segment([audio], tmp_path / out)
        assert caught.value.message.endswith(message) and caught.value.hint == hint
    assert not (tmp_path / "a.jsonl").exists()
    monkeypatch.setitem(sys.modules, "faster_whisper.vad", None)
    with pytest.raises(ParlureError) as caught:
        segment([recording], tmp_path / "b.jsonl")
    assert caught.value.message == "finding speech needs the package faster-whisper, which is not installed"
    assert caught.value.hint == 'pip install "parlure[segment]"'


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        ({"pause_s": 0.05}, "--pause cannot be 0.05", "seconds, 0.1 or more"),
        ({"pad_s": 2}, "--pad cannot be 2", "seconds, 0 to 1"),
        ({"to_s": 31}, "--to cannot be 31", "seconds, 5 to Whisper's 30"),
    ],
)
def test_a_policy_makes_sense(wrong, message, hint):
    with pytest.raises(ParlureError) as caught:
        SpanPolicy(**wrong)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_cut_in_speech_is_said():
    from parlure.corpus.segment import SegmentSummary

    spans = (SpokenSpan(Path("a.wav"), 0.0, 30.0, None), SpokenSpan(Path("a.wav"), 30.0, 36.0, None))
    assert SegmentSummary(spans, 36.0, 0.0, 1).lines() == [
        "2 spans: 0.010 h of speech, 0.000 h without",
        "1 spans begin in the middle of speech: there was no pause before they were full",
    ]
