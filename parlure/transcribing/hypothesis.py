"""What decoding an utterance gave, and its line in ``hyps.jsonl``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Word:
    """A word: ``start`` and ``end`` in seconds from the utterance's start.

    Attributes:
        probability: mean over its tokens, each read after the right ones before it; 0 to 1.
    """

    start: float
    end: float
    text: str
    probability: float


@dataclass(frozen=True)
class Segment:
    """A phrase: ``start`` and ``end`` in seconds from the utterance's start.

    Attributes:
        speaker: who says it, in a dialogue of several channels.
        words: its words, where their times were asked for; none overlaps another.
        probability, min_probability: mean and least over its tokens, where words were asked for; 0 to 1.
    """

    start: float
    end: float
    text: str
    speaker: str | None = None
    words: tuple[Word, ...] | None = None
    probability: float | None = None
    min_probability: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A plain dict, without what was not asked for."""
        row = {key: value for key, value in asdict(self).items() if value is not None}
        for part in (row, *row.get("words", ())):
            part |= {key: round(part[key], 5) for key in ("probability", "min_probability") if key in part}
        return row


@dataclass(frozen=True)
class Hypothesis:
    """One decoded utterance.

    Attributes:
        id: the utterance's.
        text: what was heard, as the model wrote it.
        language: the language it was decoded in.
        segments: phrases with times, when timestamps were asked for.
        no_speech_prob: probability of ``<|nospeech|>`` right after the start, 0 to 1.
        avg_logprob: mean log-probability of the tokens, the end included (openai/whisper decoding.py).
        tokens: text token ids.
        truncated: the token limit was hit before the model ended.
        identified: the language that the model itself takes it for, whatever it was decoded in; None where not asked.
        looped: it was stopped for going round in circles (:func:`parlure.transcribing.loopguard.goes_round`).
    """

    id: str
    text: str
    language: str
    segments: tuple[Segment, ...] | None
    no_speech_prob: float | None
    avg_logprob: float | None
    tokens: tuple[int, ...]
    truncated: bool
    identified: str | None = None
    looped: bool = False

    def to_json(self) -> dict[str, Any]:
        """A plain dict, rounded where digits would be noise."""
        row = asdict(self)
        for key in ("no_speech_prob", "avg_logprob"):
            if row[key] is not None:
                row[key] = round(row[key], 5)
        if self.segments is not None:
            row["segments"] = tuple(segment.to_json() for segment in self.segments)
        return row
