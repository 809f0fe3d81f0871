"""An engine, and what is asked of its hypotheses beside: speech alone, times of words, marks where it doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.edges import trimmed
from parlure.transcribing.engines.interface import Engine
from parlure.transcribing.engines.without_pauses import WithoutPauses, nothing
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.spoken import Spoken
from parlure.transcribing.words import marked, reader_of, with_words


class Refining:
    """Decodes as an engine does, and refines what it gives."""

    def __init__(
        self,
        engine: Engine,
        options: DecodingOptions,
        *,
        words: bool = False,
        vad: bool = False,
        mark_below: float | None = None,
        trim: bool = False,
    ) -> None:
        """Say what is asked.

        Args:
            engine: that decodes.
            options: how.
            words: give the times and probabilities of words.
            vad: decode what is speech, and nothing else.
            mark_below: mark words that are less probable.
            trim: take silence away from the edges of phrases, which a model often lets begin where its window does:
                in a dialogue they stand in the order in which they begin. With words it is done in any case.

        Raises:
            ParlureError: words are asked for, and the engine cannot tell of them.
        """
        self._engine, self._options, self._vad, self._mark_below = engine, options, vad, mark_below
        self._words, self._trim = words or mark_below is not None, trim
        if self._words:
            reader_of(engine)

    def decode(self, clips: Sequence[Clip]) -> list[Hypothesis]:
        """Decode clips of at most 30 s, each in one window.

        Raises:
            ParlureError: speech is to be found, and faster-whisper is not installed.
        """
        return (WithoutPauses(self._engine) if self._vad else self._engine).decode(clips, self._options)

    def decode_long(self, name: str, samples: Samples) -> Hypothesis:
        """Decode a recording of any length with phrase times.

        Raises:
            ParlureError: speech is to be found, and faster-whisper is not installed.
        """
        spoken = Spoken.of(samples) if self._vad else None
        if spoken is not None:
            samples = spoken.samples
        if not len(samples):
            return replace(nothing(name, self._options), segments=())
        found = self._engine.decode_long(name, samples, self._options)
        found = _within(found, len(samples) / SAMPLE_RATE)
        if self._words:
            found = with_words(self._engine, found, samples, self._options.task)
        elif self._trim:
            found = _trimmed(found, samples)
        if spoken is not None:
            found = spoken.placed(found)
        return found if self._mark_below is None else marked(found, self._mark_below)


def _within(hypothesis: Hypothesis, duration_s: float) -> Hypothesis:
    """Phrases end with the recording at the latest: a window is 30 s, and the model may write any time in it."""
    last_s = round(duration_s, 3)
    kept = [replace(one, start=min(one.start, last_s), end=min(one.end, last_s)) for one in hypothesis.segments or ()]
    return replace(hypothesis, segments=None if hypothesis.segments is None else tuple(kept))


def _trimmed(hypothesis: Hypothesis, samples: Samples) -> Hypothesis:
    """Phrases without silence at their edges."""
    kept = []
    for one in hypothesis.segments or ():
        start, end = trimmed(samples, one.start, one.end)
        kept.append(replace(one, start=round(float(start), 3), end=round(float(end), 3)))
    return replace(hypothesis, segments=tuple(kept))
