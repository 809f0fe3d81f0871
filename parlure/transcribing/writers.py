"""Hypotheses → text, JSON lines, SubRip or WebVTT."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from parlure.transcribing.hypothesis import Hypothesis, Segment


def text(hypothesis: Hypothesis) -> str:
    """The words alone, one line."""
    return hypothesis.text + "\n"


def jsonl(hypothesis: Hypothesis) -> str:
    """All that is known, one line of JSON."""
    return json.dumps(hypothesis.to_json(), ensure_ascii=False) + "\n"


def srt(hypothesis: Hypothesis) -> str:
    """SubRip: numbered cues, ``00:00:01,500 --> 00:00:03,000``."""
    cues = enumerate(_cues(hypothesis), start=1)
    return "".join(f"{n}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{s.text}\n\n" for n, s in cues)


def vtt(hypothesis: Hypothesis) -> str:
    """WebVTT; ``&``, ``<`` and ``>`` in a cue are escaped as the format asks."""
    cues = [f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{_escaped(s.text)}\n" for s in _cues(hypothesis)]
    return "\n".join(["WEBVTT\n", *cues])


WRITERS: dict[str, Callable[[Hypothesis], str]] = {"text": text, "jsonl": jsonl, "srt": srt, "vtt": vtt}
SUFFIXES = {"text": ".txt", "jsonl": ".jsonl", "srt": ".srt", "vtt": ".vtt"}
NEED_TIMES = frozenset({"srt", "vtt"})


def _cues(hypothesis: Hypothesis) -> Iterable[Segment]:
    return hypothesis.segments or ()


def _clock(time_s: float, point: str) -> str:
    milliseconds = round(time_s * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, milliseconds = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{milliseconds:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
