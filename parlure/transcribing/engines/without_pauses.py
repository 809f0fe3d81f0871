"""A model that is given speech alone: Silero's voice-activity detection cuts out where nobody speaks.

What faster-whisper's ``vad_filter`` does to a recording, with its pauses and margins, for clips of at most 30 s and for
every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.voice import Span, SpanPolicy, spans_in
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.interface import Engine
from parlure.transcribing.hypothesis import Hypothesis

POLICY = SpanPolicy(pause_s=2.0, pad_s=0.4)  # faster-whisper's defaults: shorter pauses stay, 0.4 s around speech too


class WithoutPauses:
    """An :class:`parlure.transcribing.engines.interface.Engine` behind voice-activity detection.

    A clip in which no speech is found has no text, and is not decoded. Finding speech is timed with the rest.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.model, self.compute_type, self.tokenizer = engine.model, engine.compute_type, engine.tokenizer

    @property
    def sha256(self) -> str:
        """Of the model's weights."""
        return self._engine.sha256

    @property
    def n_bytes(self) -> int:
        """Of the model's weights."""
        return self._engine.n_bytes

    @property
    def n_parameters(self) -> int | None:
        """Of the model."""
        return self._engine.n_parameters

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode what is spoken of clips of at most 30 s.

        Raises:
            ParlureError: audio cannot be read, or faster-whisper is missing, which finds the speech.
        """
        spans = {clip.id: spans_in(clip.read(), POLICY) for clip in clips}
        spoken = [_spoken(clip, spans[clip.id]) for clip in clips if spans[clip.id]]
        found = {one.id: one for one in self._engine.decode(spoken, options, progress)}
        if progress and len(spoken) < len(clips):
            progress(len(clips) - len(spoken))
        return [found.get(clip.id) or nothing(clip.id, options) for clip in clips]

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """As the engine itself does it: times are those of the whole recording, of which nothing is cut out."""
        return self._engine.decode_long(name, samples, options)

    def description(self) -> dict[str, Any]:
        """The engine's, and how speech is found."""
        how = {"detector": "Silero", "pause_s": POLICY.pause_s, "pad_s": POLICY.pad_s}
        return self._engine.description() | {"voice_activity_detection": how}


def _spoken(clip: Clip, spans: Sequence[Span]) -> Clip:
    """The clip with only its spans; their samples are read when it is decoded."""

    def read() -> Samples:
        samples = clip.read()
        parts = [samples[round(one.start * SAMPLE_RATE) : round(one.end * SAMPLE_RATE)] for one in spans]
        return np.concatenate(parts)

    return Clip(clip.id, sum(one.end - one.start for one in spans), read)


def nothing(name: str, options: DecodingOptions) -> Hypothesis:
    """The hypothesis of what is no speech."""
    return Hypothesis(
        id=name,
        text="",
        language=options.language or "",
        segments=None,
        no_speech_prob=None,
        avg_logprob=None,
        tokens=(),
        truncated=False,
    )
