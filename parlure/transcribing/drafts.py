"""Spans of recordings → what a model hears in each: drafts, for a person to correct."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from parlure.corpus.segment import SpokenSpan
from parlure.speech.audio import read_audio
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.choice import open_engine


def draft(spans: Sequence[SpokenSpan], *, model: str, language: str | None = None) -> list[str]:
    """The text of each span, in their order; empty where the model hears nobody.

    Args:
        spans: of at most 30 s.
        model: a MODEL.
        language: Whisper's code, or None to identify it span by span.

    Raises:
        ParlureError: the model cannot be loaded, or a recording cannot be read.
    """
    clips = [
        Clip(str(place), one.end - one.start, partial(read_audio, one.recording, one.start, one.end, one.channel))
        for place, one in enumerate(spans)
    ]
    return [one.text for one in open_engine(model).decode(clips, DecodingOptions(language))]
