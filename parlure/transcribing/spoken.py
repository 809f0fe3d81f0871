"""A recording → what is spoken of it, and its hypothesis's times in the whole recording again.

What faster-whisper's ``vad_filter`` does, for every engine: where nobody speaks for more than 2 s, the pause is cut out
up to 0.4 s around the speech, and the rest is decoded as if it were one recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.voice import Span, spans_in
from parlure.transcribing.engines.without_pauses import POLICY
from parlure.transcribing.hypothesis import Hypothesis, Segment

_TOUCH_S = 1e-3  # spans that are this near follow each other without a pause


class Spoken(NamedTuple):
    """What is spoken of a recording.

    Attributes:
        samples: 16 kHz, the spans one after the other; empty if nobody speaks.
        spans: where they were, in seconds, in order.
    """

    samples: Samples
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, samples: Samples) -> Spoken:
        """Find speech in samples at 16 kHz.

        Raises:
            ParlureError: faster-whisper is not installed.
        """
        spans = tuple(_joined(spans_in(samples, POLICY)))
        parts = [samples[round(one.start * SAMPLE_RATE) : round(one.end * SAMPLE_RATE)] for one in spans]
        return cls(np.concatenate(parts) if parts else np.zeros(0, np.float32), spans)

    def placed(self, hypothesis: Hypothesis) -> Hypothesis:
        """The hypothesis of the samples, with the times of the recording."""
        if hypothesis.segments is None:
            return hypothesis
        return replace(hypothesis, segments=tuple(self._segment(one) for one in hypothesis.segments))

    def _segment(self, segment: Segment) -> Segment:
        start, end = self._time(segment.start), self._time(segment.end, ends=True)
        if not segment.words:
            return replace(segment, start=start, end=end)
        words = []
        for word in segment.words:  # one that crosses a cut stays where most of it is
            span = self._span((word.start + word.end) / 2)
            start, end = (min(max(self._in(time, span), span[0]), span[1]) for time in (word.start, word.end))
            words.append(replace(word, start=start, end=end))
        return replace(segment, start=words[0].start, end=words[-1].end, words=tuple(words))

    def _time(self, time_s: float, *, ends: bool = False) -> float:
        """A time in the samples → in the recording; at a cut, what ends is before it and what starts behind it."""
        return self._in(time_s, self._span(time_s - ends * _TOUCH_S if time_s else time_s))

    def _in(self, time_s: float, span: tuple[float, float, float]) -> float:
        return round(time_s - span[2] + span[0], 3)

    def _span(self, time_s: float) -> tuple[float, float, float]:
        """Start and end of the span that a time in the samples is in, and where in the samples it begins."""
        reached_s = 0.0
        for span in self.spans[:-1]:
            if time_s < reached_s + span.end - span.start - _TOUCH_S / 2:
                return span.start, span.end, reached_s
            reached_s += span.end - span.start
        return self.spans[-1].start, self.spans[-1].end, reached_s


def _joined(spans: Sequence[Span]) -> Iterator[Span]:
    """The spans; those that were only cut at 30 s are one."""
    waiting: Span | None = None
    for span in spans:
        if waiting is not None and span.start - waiting.end <= POLICY.pause_s - 2 * POLICY.pad_s:
            waiting = Span(waiting.start, span.end)
            continue
        if waiting is not None:
            yield waiting
        waiting = span
    if waiting is not None:
        yield waiting
