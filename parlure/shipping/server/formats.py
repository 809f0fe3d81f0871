"""What was heard → the answer's body, in each of OpenAI's forms; nothing in it is made up."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.transcribing import writers
from parlure.transcribing.hypothesis import Hypothesis, Segment, Word
from parlure.transcribing.windows import HeardWindow, TimedPhrase
from parlure.whisper.languages import language_name


@dataclass(frozen=True)
class Heard:
    """A recording that was decoded to its end.

    Attributes:
        text: all of it.
        language: Whisper's code.
        duration_s: of the recording.
        windows: with their words, if those were asked for; empty where a short recording was decoded without times.
    """

    text: str
    language: str
    duration_s: float
    windows: tuple[tuple[HeardWindow, tuple[Word, ...]], ...] = ()

    def phrases(self) -> list[tuple[HeardWindow, TimedPhrase]]:
        """Those with a text, each with its window."""
        return [(window, phrase) for window, _ in self.windows for phrase in window.phrases if phrase.text]


def usage(duration_s: float) -> dict[str, Any]:
    """What OpenAI bills by."""
    return {"type": "duration", "seconds": round(duration_s, 3)}


def as_json(heard: Heard) -> dict[str, Any]:
    """The text, and how long the recording is."""
    return {"text": heard.text, "usage": usage(heard.duration_s)}


def as_verbose(heard: Heard, task: str, granularities: Sequence[str]) -> dict[str, Any]:
    """All that is known, with segments, words or both.

    A segment's ``avg_logprob`` and ``no_speech_prob`` are those of its window of 30 s, and so is ``seek``, in frames of
    10 ms: so it is in openai/whisper, whose fields these are. ``compression_ratio`` is of its own text.
    """
    body: dict[str, Any] = {
        "task": task,
        "language": "english" if task == "translate" else language_name(heard.language),
        "duration": round(heard.duration_s, 3),
        "text": heard.text,
        "usage": usage(heard.duration_s),
    }
    if "segment" in granularities:
        body["segments"] = [
            _segment(number, window, phrase, heard) for number, (window, phrase) in enumerate(heard.phrases())
        ]
    if "word" in granularities:
        words = (word for _, words in heard.windows for word in words)
        body["words"] = [
            {"word": word.text, "start": _within(word.start, heard), "end": _within(word.end, heard)} for word in words
        ]
    return body


def _segment(number: int, window: HeardWindow, phrase: TimedPhrase, heard: Heard) -> dict[str, Any]:
    return {
        "id": number,
        "seek": window.place.start,
        "start": _within(phrase.start, heard),
        "end": _within(phrase.end, heard),
        "text": phrase.text,
        "tokens": list(phrase.tokens),
        "temperature": 0.0,
        "avg_logprob": round(window.avg_logprob, 5),
        "compression_ratio": round(compression_ratio(phrase.text), 5),
        "no_speech_prob": round(window.no_speech_prob, 5),
    }


def compression_ratio(text: str) -> float:
    """How much shorter zlib makes a text: high where it goes round in circles (openai/whisper)."""
    written = text.encode("utf-8")
    return len(written) / len(zlib.compress(written))


def as_plain(heard: Heard, form: str) -> str:
    """``text``, ``srt`` or ``vtt``."""
    segments = tuple(
        Segment(_within(phrase.start, heard), _within(phrase.end, heard), phrase.text) for _, phrase in heard.phrases()
    )
    hypothesis = Hypothesis("", heard.text, heard.language, segments, None, None, (), truncated=False)
    write: Callable[[Hypothesis], str] = writers.WRITERS[form]
    return write(hypothesis)


def event(body: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def text_of(windows: Iterable[HeardWindow]) -> str:
    """All phrases, as :func:`parlure.transcribing.longform.of_phrases` joins them."""
    return " ".join(phrase.text for window in windows for phrase in window.phrases if phrase.text)


def duration_s(samples: Samples) -> float:
    """Seconds of sound."""
    return len(samples) / SAMPLE_RATE


def _within(time_s: float, heard: Heard) -> float:
    return min(time_s, round(heard.duration_s, 2))
