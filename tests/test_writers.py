"""Text, JSON lines, SubRip, WebVTT."""

import json

from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.transcribing.writers import SUFFIXES, WRITERS

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
