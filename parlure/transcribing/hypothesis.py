"""What decoding an utterance gave, and its line in ``hyps.jsonl``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Segment:
    """A phrase: ``start`` and ``end`` in seconds from the utterance's start."""

    start: float
    end: float
    text: str


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
        return row
