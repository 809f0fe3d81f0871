"""A recording → where somebody speaks: Silero's voice-activity detection, then spans cut at the longest pauses.

Silero VAD (github.com/snakers4/silero-vad, MIT) comes with faster-whisper as an ONNX file of 1 MB, and onnxruntime runs
it without torch; Silero's own package would bring torchaudio too. A level threshold of our own would take hold music
for speech and miss a quiet party. Times are seconds, samples are at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from parlure.errors import ParlureError, missing_extra
from parlure.speech.audio import SAMPLE_RATE, Samples, probe, read_audio

MAX_SPAN_S = 30.0  # s, Whisper's window
_STRETCH_S = 600.0  # s in memory at a time: 40 MB
_SHORTEST_PAUSE_S = 0.1  # s without speech that part two islands: shorter ones are closures of consonants
_SHORTEST_SPEECH_S = 0.1  # s, below it a click
_THRESHOLD = 0.5  # probability of speech, Silero's own default


class Span(NamedTuple):
    """A piece of a recording, in seconds from its start."""

    start: float
    end: float


@dataclass(frozen=True)
class SpanPolicy:
    """How speech becomes spans.

    Attributes:
        pause_s: a longer pause always ends a span.
        pad_s: what a span keeps before and after its speech, up to the middle of the pause.
        to_s: the longest span, padding included.

    Raises:
        ParlureError: a value makes no sense.
    """

    pause_s: float = 2.0
    pad_s: float = 0.2
    to_s: float = MAX_SPAN_S

    def __post_init__(self) -> None:
        if not _SHORTEST_PAUSE_S <= self.pause_s < float("inf"):
            raise ParlureError(f"--pause cannot be {self.pause_s:g}", f"seconds, {_SHORTEST_PAUSE_S:g} or more")
        if not 0 <= self.pad_s <= 1:
            raise ParlureError(f"--pad cannot be {self.pad_s:g}", "seconds, 0 to 1")
        if not 5 <= self.to_s <= MAX_SPAN_S:
            raise ParlureError(f"--to cannot be {self.to_s:g}", "seconds, 5 to Whisper's 30")


def speech_spans(path: str | Path, channel: int | None, policy: SpanPolicy) -> list[Span]:
    """Where somebody speaks in a recording, in order, none overlapping another.

    Args:
        path: any recording that can be decoded, of any length: ten minutes are in memory at a time.
        channel: which, from 0; None is the mean of all.
        policy: how long, with how much around it.

    Raises:
        ParlureError: the recording cannot be read, or faster-whisper is not installed.
    """
    duration_s = probe(path).duration_s
    islands = list(_islands(path, channel, duration_s, policy.to_s - 2 * policy.pad_s))
    return spans_of(islands, duration_s, policy)


def spans_in(samples: Samples, policy: SpanPolicy) -> list[Span]:
    """Where somebody speaks in samples at 16 kHz, as :func:`speech_spans` has it.

    Raises:
        ParlureError: faster-whisper is not installed.
    """
    found = _detect(samples, policy.to_s - 2 * policy.pad_s)
    islands = [Span(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in found]
    return spans_of(islands, len(samples) / SAMPLE_RATE, policy)


def spans_of(islands: Sequence[Span], duration_s: float, policy: SpanPolicy) -> list[Span]:
    """Islands of speech → padded spans, cut at long pauses, and where they are too long at their longest pause.

    Args:
        islands: in order, none overlapping, none longer than ``to_s - 2 * pad_s``.
        duration_s: of the recording.
        policy: how long, with how much around it.
    """
    stretches = list(_stretches(islands, policy))
    spans = []
    for place, stretch in enumerate(stretches):
        before_s = 2 * policy.pad_s if place == 0 else stretch[0].start - stretches[place - 1][-1].end
        after_s = 2 * policy.pad_s if place + 1 == len(stretches) else stretches[place + 1][0].start - stretch[-1].end
        start_s = stretch[0].start - min(policy.pad_s, before_s / 2)
        end_s = stretch[-1].end + min(policy.pad_s, after_s / 2)
        spans.append(Span(round(max(0.0, start_s), 3), round(min(duration_s, end_s), 3)))
    return spans


def _stretches(islands: Sequence[Span], policy: SpanPolicy) -> Iterator[Sequence[Span]]:
    """The islands of each span."""
    waiting = [islands] if islands else []
    while waiting:
        part = waiting.pop()
        pauses = [after.start - before.end for before, after in pairwise(part)]
        fits = round(part[-1].end - part[0].start + 2 * policy.pad_s, 6) <= policy.to_s
        if not pauses or (fits and max(pauses) <= policy.pause_s):
            yield part
            continue
        cuts = [place for place, pause in enumerate(pauses, start=1) if pause > policy.pause_s]
        cuts = cuts or [1 + max(range(len(pauses)), key=pauses.__getitem__)]
        waiting += [part[start:end] for start, end in pairwise([0, *cuts, len(part)])][::-1]


def _islands(path: str | Path, channel: int | None, duration_s: float, to_s: float) -> Iterator[Span]:
    """Speech between pauses of at least 0.1 s; what speaks on for more than ``to_s`` is cut there."""
    begins_s = 0.0
    while begins_s < duration_s:
        ends_s = min(begins_s + _STRETCH_S, duration_s)
        found = [
            Span(begins_s + start / SAMPLE_RATE, min(ends_s, begins_s + end / SAMPLE_RATE))
            for start, end in _detect(read_audio(path, begins_s, ends_s, channel), to_s)
        ]
        # what is cut by the stretch's end is heard again, whole, in the next one
        if ends_s < duration_s and len(found) > 1 and found[-1].end > ends_s - _SHORTEST_PAUSE_S:
            ends_s = found.pop().start
        yield from (one for one in found if one.end > one.start)
        begins_s = ends_s


def _detect(samples: Samples, to_s: float) -> list[tuple[int, int]]:
    """Silero's islands of speech, in samples."""
    try:
        from faster_whisper.vad import VadOptions, get_speech_timestamps
    except ImportError as error:
        raise missing_extra("faster-whisper", "segment", "finding speech") from error
    options = VadOptions(
        threshold=_THRESHOLD,
        min_silence_duration_ms=round(1000 * _SHORTEST_PAUSE_S),
        min_speech_duration_ms=round(1000 * _SHORTEST_SPEECH_S),
        max_speech_duration_s=to_s,
        speech_pad_ms=0,
    )
    return [(one["start"], one["end"]) for one in get_speech_timestamps(samples, options)]
