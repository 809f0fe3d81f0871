"""Text, JSON lines, SubRip, WebVTT."""

import json
from pathlib import Path

import pytest

from parlure.errors import ParlureError
from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.transcribing.writers import SUFFIXES, WRITERS, targets

HYPOTHESIS = Hypothesis(
    id="appel",
    text="Bonjour. R&D <là>",
    language="fr",
    segments=(Segment(0.0, 1.5, "Bonjour."), Segment(3661.004, 3662.0, "R&D <là>")),
    no_speech_prob=0.123456789,
    avg_logprob=None,
    tokens=(1, 2),
    truncated=False,
)


def test_text():
    assert WRITERS["text"](HYPOTHESIS) == "Bonjour. R&D <là>\n"


def test_jsonl_round_trips():
    row = json.loads(WRITERS["jsonl"](HYPOTHESIS))
    assert row["segments"][1] == {"start": 3661.004, "end": 3662.0, "text": "R&D <là>"}
    assert (row["id"], row["no_speech_prob"], row["avg_logprob"]) == ("appel", 0.12346, None)


def test_srt():
    assert WRITERS["srt"](HYPOTHESIS) == (
        "1\n00:00:00,000 --> 00:00:01,500\nBonjour.\n\n2\n01:01:01,004 --> 01:01:02,000\nR&D <là>\n\n"
    )


def test_vtt_escapes():
    assert WRITERS["vtt"](HYPOTHESIS) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nBonjour.\n\n01:01:01.004 --> 01:01:02.000\nR&amp;D &lt;là&gt;\n"
    )


def test_every_format_has_a_suffix():
    assert SUFFIXES.keys() == WRITERS.keys()


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (["x1/call.wav", "/y/autre.mp3"], ["call.srt", "autre.srt"]),
        (["x1/call.wav", "x2/call.wav"], ["x1/call.srt", "x2/call.srt"]),
        (["x1/Call.wav", "x2/../call.wav"], ["x1/Call.srt", "call.srt"]),
        (["x/a.b.wav", "x/a.b.mp3", "x/c.wav"], ["a.b.wav.srt", "a.b.mp3.srt", "c.wav.srt"]),
    ],
)
def test_no_two_recordings_share_a_file(audio, expected, tmp_path):
    found = targets([Path(name) for name in audio], tmp_path / "out", "srt")
    assert list(found.values()) == [tmp_path / "out" / name for name in expected]


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "call.txt").write_text("corrected by hand")
    with pytest.raises(ParlureError, match=r"call\.txt is there already") as caught:
        targets([Path("x/call.wav")], tmp_path, "text")
    assert caught.value.hint == "name another --out, or delete it"
    with pytest.raises(ParlureError, match=r"call\.wav is given twice") as caught:
        targets([Path("x/call.wav"), Path("x/call.wav")], tmp_path, "srt")
    assert caught.value.hint == "name each recording once"
    (tmp_path / "call-c1.srt").write_text("corrected by hand")
    assert len(targets([Path("x/call.wav")], tmp_path, "srt")) == 1
    with pytest.raises(ParlureError, match=r"call-c1\.srt is there already"):
        targets([Path("x/call.wav")], tmp_path, "srt", by_channel=True)
    with pytest.raises(ParlureError, match=r"call-c0\.vtt would be of two recordings") as caught:
        targets([Path("x/call.wav"), Path("x/call-c0.wav")], tmp_path, "vtt", by_channel=True)
    assert caught.value.hint == "transcribe them into different folders"
