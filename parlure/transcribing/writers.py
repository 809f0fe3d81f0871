"""Hypotheses → text, JSON lines, SubRip or WebVTT."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from parlure.errors import ParlureError
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


def targets(audio: Sequence[Path], out: Path, form: str) -> dict[Path, Path]:
    """Recording → the file for its text: ``call.srt``.

    Where two recordings are called alike, their folders are kept (``monday/call.srt``); where those are the same too,
    the whole names (``call.wav.srt``, ``call.mp3.srt``).

    Raises:
        ParlureError: a recording is given twice, or there is such a file already.
    """
    names = next((names for names in _names(audio) if len({name.casefold() for name in names}) == len(audio)), None)
    if names is None:
        twice = next(path for index, path in enumerate(audio) if path in audio[:index])
        raise ParlureError(f"{twice} is given twice", "name each recording once")
    found = {path: out / (name + SUFFIXES[form]) for path, name in zip(audio, names, strict=True)}
    for path in found.values():
        if path.exists():
            raise ParlureError(f"{path} is there already", "name another --out, or delete it")
    return found


def _names(audio: Sequence[Path]) -> Iterator[list[str]]:
    yield [path.stem for path in audio]
    places = [path.parent.resolve() / path.name for path in audio]
    top = os.path.commonpath([place.parent for place in places])
    relative = [place.relative_to(top) for place in places]
    yield [str(path.with_suffix("")) for path in relative]
    yield [str(path) for path in relative]


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
