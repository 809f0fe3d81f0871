"""Utterances of a corpus as something to decode."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from parlure.corpus.manifest import Utterance
from parlure.speech.audio import read_audio
from parlure.transcribing.decode import Clip


def clips_of(utterances: Iterable[Utterance]) -> list[Clip]:
    """One clip per utterance, in their order, read when decoded."""
    return [Clip(u.id, u.duration_s, partial(read_audio, u.recording, u.start, u.end, u.channel)) for u in utterances]
