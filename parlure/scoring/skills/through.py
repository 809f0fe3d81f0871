"""Utterances as they sound through a telephone channel: the same sound for every model, in every call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from parlure.corpus.manifest import Utterance
from parlure.corpus.voices import OtherVoices
from parlure.scoring.skills.listening import Question
from parlure.speech.audio import Samples
from parlure.speech.channel.expression import Channel
from parlure.transcribing.decode import Clip


@dataclass(frozen=True)
class Through:
    """A channel, and where its other voices come from.

    Attributes:
        channel: that every clip is sent through.
        voices: of those who speak in cross-talk; None where there is none.
        seed: with a clip's id it decides all that is drawn for that clip.
    """

    channel: Channel
    voices: OtherVoices | None
    seed: int

    @classmethod
    def of(cls, channel: Channel, utterances: Sequence[Utterance], seed: int = 0) -> Through:
        """A channel for the utterances of a split, which also give the other voices.

        Raises:
            ParlureError: it has cross-talk, and all utterances are of one speaker.
        """
        return cls(channel, OtherVoices(utterances) if channel.needs_voice else None, seed)

    def question(self, question: Question, utterance: Utterance) -> Question:
        """The same question about what comes out at the other end.

        Args:
            question: about an utterance, or about a piece of a recording that begins with it.
            utterance: of the speaker, who is not heard in the cross-talk.
        """
        clip = replace(question.clip, read=partial(self._heard, question.clip, utterance))
        return replace(question, clip=clip, source=(*question.source, self.description()))

    def description(self) -> dict[str, Any]:
        """For ``decode.json``: every parameter of the channel, what made the sound, the seed."""
        return self.channel.description() | {"seed": self.seed}

    def caution(self) -> str:
        """For whoever reads rates of it."""
        return f"Not the recordings as they are: every utterance was sent through {self.channel}."

    def _heard(self, clip: Clip, utterance: Utterance) -> Samples:
        voice = None if self.voices is None else self.voices.than(utterance)
        return self.channel.send(clip.read(), f"{self.seed} {clip.id}", voice)
