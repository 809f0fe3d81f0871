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


def targets(audio: Sequence[Path], out: Path, form: str, *, by_channel: bool = False) -> dict[Path, Path]:
    """Recording → the file for its text: ``call.srt``.

    With ``by_channel`` the channels of one may have a file each (:func:`of_channel`): those are looked at too.

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
        for file in (path, *(of_channel(path, f"-c{n}") for n in range(2 * by_channel))):
            if file.exists():
                raise ParlureError(f"{file} is there already", "name another --out, or delete it")
            if file != path and file in found.values():
                raise ParlureError(f"{file} would be of two recordings", "transcribe them into different folders")
    return found


def of_channel(path: Path, suffix: str) -> Path:
    """The file for the text of one channel: ``call.srt`` and ``-c1`` → ``call-c1.srt``."""
    return path.with_name(f"{path.stem}{suffix}{path.suffix}")


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
