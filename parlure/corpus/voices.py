"""Utterances → somebody else's voice for each of them: what cross-talk is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from parlure.corpus.manifest import Utterance
from parlure.errors import ParlureError
from parlure.speech.audio import Samples, read_audio


class OtherVoices:
    """Spoken utterances by party: the speaker where known, else the session, else the recording."""

    def __init__(self, utterances: Iterable[Utterance]) -> None:
        """Choose among the spoken ones; their order does not matter.

        Raises:
            ParlureError: nobody else speaks.
        """
        self._spoken = sorted((u for u in utterances if u.text.strip()), key=lambda u: u.id)
        if not has_other_voices(self._spoken):
            raise ParlureError(
                f"cross-talk needs somebody else's voice, and these {len(self._spoken)} utterances are of one speaker",
                "leave crosstalk out, or name the speakers when the corpus is prepared: --speaker COL",
            )

    def than(self, utterance: Utterance) -> Callable[[np.random.Generator], Samples]:
        """What gives an utterance of another party, mono at 16 kHz, drawn by a generator."""
        return partial(self._somebody_else, _party(utterance))

    def _somebody_else(self, party: str, rng: np.random.Generator) -> Samples:
        while True:
            drawn = self._spoken[int(rng.integers(len(self._spoken)))]
            if _party(drawn) != party:
                return read_audio(drawn.recording, drawn.start, drawn.end, drawn.channel)


def has_other_voices(utterances: Iterable[Utterance]) -> bool:
    """Whether at least two parties speak."""
    return len({_party(u) for u in utterances if u.text.strip()}) > 1


def _party(utterance: Utterance) -> str:
    return utterance.speaker or utterance.session or utterance.recording
