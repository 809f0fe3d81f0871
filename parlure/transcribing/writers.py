"""Hypotheses → text, JSON, SubRip, WebVTT, TSV, Praat's TextGrid or ELAN's annotations.

A format that needs nothing but the hypothesis is a row in :data:`WRITERS`; one that names its recording, or says how
long it is, a row in :data:`WITH_RECORDING`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from parlure.errors import ParlureError
from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.transcribing.tiers import Recorded, eaf, textgrid


def text(hypothesis: Hypothesis) -> str:
    """The words alone, one line; of a dialogue a line for each phrase: ``[00:03] agent: …``."""
    said = hypothesis.segments or ()
    if not any(one.speaker for one in said):
        return hypothesis.text + "\n"
    return "".join(f"[{_minutes(one.start)}] {_with_speaker(one)}\n" for one in said)


def jsonl(hypothesis: Hypothesis) -> str:
    """All that is known, one line of JSON."""
    return json.dumps(hypothesis.to_json(), ensure_ascii=False) + "\n"


def verbose_json(hypothesis: Hypothesis, of: Recorded) -> str:
    """JSON in the shape of OpenAI's ``verbose_json``, with what is known of it and nothing else."""
    said = [one.to_json() | {"id": number} for number, one in enumerate(hypothesis.segments or ())]
    words = [word | {"word": word.pop("text")} for one in said for word in one.pop("words", ())]
    row = {"language": hypothesis.language, "duration": round(of.duration_s, 3), "text": hypothesis.text}
    row |= {"segments": said} if hypothesis.segments is not None else {}
    return json.dumps(row | ({"words": words} if words else {}), ensure_ascii=False, indent=2) + "\n"


def srt(hypothesis: Hypothesis) -> str:
    """SubRip: numbered cues, ``00:00:01,500 --> 00:00:03,000``."""
    cues = enumerate(_cues(hypothesis), start=1)
    return "".join(f"{n}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{_with_speaker(s)}\n\n" for n, s in cues)


def vtt(hypothesis: Hypothesis) -> str:
    """WebVTT, speakers as ``<v agent>`` and word times as ``<00:00:01.000>``; ``&``, ``<``, ``>`` are escaped."""
    cues = [f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{_spoken(s)}\n" for s in _cues(hypothesis)]
    return "\n".join(["WEBVTT\n", *cues])


def tsv(hypothesis: Hypothesis) -> str:
    """``start``, ``end`` in milliseconds and ``text``, as openai/whisper's; of a dialogue ``speaker`` too."""
    said = _cues(hypothesis)
    speakers = any(one.speaker for one in said)
    rows = [["start", "end", *["speaker"] * speakers, "text"]]
    for one in said:
        texts = [one.speaker or ""] * speakers + [one.text]
        rows.append(
            [*(str(round(1000 * time)) for time in (one.start, one.end)), *(" ".join(t.split()) for t in texts)]
        )
    return "".join("\t".join(row) + "\n" for row in rows)


def by_word(hypothesis: Hypothesis) -> Hypothesis:
    """The hypothesis with a phrase for every word, for a subtitle each; a phrase without words stays whole."""
    said: list[Segment] = []
    for one in hypothesis.segments or ():
        words = [replace(one, start=word.start, end=word.end, text=word.text, words=None) for word in one.words or ()]
        said += words or [one]
    return replace(hypothesis, segments=tuple(said))


WRITERS: dict[str, Callable[[Hypothesis], str]] = {"text": text, "jsonl": jsonl, "srt": srt, "vtt": vtt, "tsv": tsv}
WITH_RECORDING: dict[str, Callable[[Hypothesis, Recorded], str]] = {
    "json": verbose_json, "textgrid": textgrid, "eaf": eaf,
}  # fmt: skip
SUFFIXES = {
    "text": ".txt", "jsonl": ".jsonl", "json": ".json", "srt": ".srt", "vtt": ".vtt", "tsv": ".tsv",
    "textgrid": ".TextGrid", "eaf": ".eaf",
}  # fmt: skip
NEED_TIMES = frozenset({"srt", "vtt", "tsv", "textgrid", "eaf"})


def formats_of(names: str) -> tuple[str, ...]:
    """``srt,textgrid`` as names of formats.

    Raises:
        ParlureError: there is no such format.
    """
    forms = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    for form in forms:
        if form not in SUFFIXES:
            raise ParlureError(f"there is no format {form or 'without a name'}", f"--format {', '.join(SUFFIXES)}")
    return forms


def written(form: str, hypothesis: Hypothesis, of: Recorded) -> str:
    """A transcript in one of the formats."""
    return WRITERS[form](hypothesis) if form in WRITERS else WITH_RECORDING[form](hypothesis, of)


def _cues(hypothesis: Hypothesis) -> Sequence[Segment]:
    return hypothesis.segments or ()


def _with_speaker(segment: Segment) -> str:
    return f"{segment.speaker}: {segment.text}" if segment.speaker else segment.text


def _spoken(segment: Segment) -> str:
    """A WebVTT cue's text."""
    shown = _escaped(segment.text)
    if segment.words:
        shown, last_s = "", segment.start
        for word in segment.words:  # WebVTT wants every time to be later than the one before it
            shown += " " * bool(shown)
            if last_s < word.start < segment.end:
                shown, last_s = f"{shown}<{_clock(word.start, '.')}>", word.start
            shown += _escaped(word.text)
    return f"<v {_escaped(segment.speaker)}>{shown}" if segment.speaker else shown


def _minutes(time_s: float) -> str:
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def _clock(time_s: float, point: str) -> str:
    milliseconds = round(time_s * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, milliseconds = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{milliseconds:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
