"""A row and its recording → a span that can be trained on, or the reason why not.

Every row is looked at by itself: the recording is there, decodes, holds the span, and its text fits the time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from parlure.corpus.readers.row import Rejected, Row
from parlure.errors import ParlureError
from parlure.speech.audio import (
    END_TOLERANCE_S,
    AudioError,
    AudioInfo,
    Samples,
    channels_differ,
    pick_channel,
    probe,
    read_channels,
)

MAX_UTTERANCE_S = 30.0  # s, Whisper's window: what lies beyond it would be text without sound
MAX_CHARS_PER_S = 50.0  # fast speech is about 25: twice that is the wrong text or the wrong span
LOUDER_DB = 6.0  # dB by which one channel has to be louder in a span to be the one that speaks
CHANNEL_POLICIES = ("first", "split", "mix")
EMPTY_TEXT_POLICIES = ("reject", "no-speech")


@dataclass(frozen=True)
class Taken:
    """A row that can be used, with what the row left open filled in; times in seconds."""

    row: Row
    start: float
    end: float
    channel: int | None
    text: str
    language: str
    task: str
    extracted: bool = False  # the recording was embedded in the source and is now a file of the corpus


@dataclass
class Examiner:
    """Examines rows one after the other; remembers what it learnt of a recording.

    Attributes:
        language: for rows that name none.
        task: for rows that name none.
        channels: what to do where the channels of a recording differ and a row names none: ``first``, ``mix``, or
            ``split``, which takes the channel that speaks in the row's span.
        empty_text: ``reject``, or ``no-speech`` to take a text without a word, such as ``...``, as silence.
    """

    language: str | None = None
    task: str = "transcribe"
    channels: str | None = None
    empty_text: str = "reject"
    _infos: dict[Path, AudioInfo] = field(default_factory=dict)
    _differ: dict[Path, bool] = field(default_factory=dict)

    def settings(self) -> dict[str, str | None]:
        """What decides whether a row is taken, besides the row."""
        return {
            "language": self.language, "task": self.task, "channels": self.channels, "empty_text": self.empty_text
        }  # fmt: skip

    def forget(self, recording: Path) -> None:
        """Drop what was learnt of a recording that will not come again."""
        self._infos.pop(recording, None)
        self._differ.pop(recording, None)

    def examine(self, row: Row) -> Taken | Rejected:
        """The row as it can be used, or why it cannot.

        Raises:
            ParlureError: what concerns all rows: no language, or different channels and no word on what to do.
        """
        try:
            language = self._language(row)
            text = self._text(row)
            start, end = self._span(row)
            frames, _ = read_channels(row.audio, start, end)
            channel = self._channel(row, frames)
            pick_channel(frames, channel, row.audio)
            return Taken(row, start, end, channel, text, language, row.task or self.task)
        except AudioError as error:
            return Rejected(row.source, row.line, row.raw, error.reason, error.message)
        except _RefusalError as refusal:
            return Rejected(row.source, row.line, row.raw, refusal.reason, refusal.sentence)

    def _language(self, row: Row) -> str:
        if row.language is None and self.language is None:
            raise ParlureError(f"{place(row)} does not say its language", "--language fr, or a column language")
        code = language_code(row.language or self.language or "")
        if code is None:
            raise _RefusalError("malformed_row", f"language is {row.language!r}, not a code such as fr")
        return code

    def _text(self, row: Row) -> str:
        if row.text is None:
            raise _RefusalError("empty_text", "the row has no transcript")
        if any(character.isalnum() for character in row.text):
            return row.text
        if self.empty_text == "reject":
            what = f"the text {row.text!r} holds no word" if row.text else "the text is empty"
            raise _RefusalError("empty_text", f"{what}; --empty-text no-speech takes it as silence")
        return ""

    def _span(self, row: Row) -> tuple[float, float]:
        """Start and end in seconds, checked against the recording's length and the text's."""
        if row.audio not in self._infos:
            self._infos[row.audio] = probe(row.audio)
        recording_s = self._infos[row.audio].duration_s
        if recording_s <= 0:
            raise _RefusalError("empty_audio", f"{row.audio} holds no sound")
        start = row.start or 0.0
        end = recording_s if row.end is None else row.end
        if not start < end <= recording_s + END_TOLERANCE_S:
            at = f"from {start:g} to {end:g} s"
            raise _RefusalError("bad_span", f"{row.audio} lasts {recording_s:.3f} s and the row says {at}")
        end = min(end, recording_s)
        length_s = end - start
        if row.segments and row.segments[-1].end > length_s + END_TOLERANCE_S:
            sentence = f"a segment ends at {row.segments[-1].end:g} s of an utterance of {length_s:g} s"
            raise _RefusalError("bad_span", sentence)
        if length_s > MAX_UTTERANCE_S and not row.segments:
            sentence = f"{length_s:.1f} s in one piece is more than Whisper's 30 s: give start and end of each phrase"
            raise _RefusalError("too_long", sentence)
        if len(row.text or "") > MAX_CHARS_PER_S * length_s:
            sentence = f"{len(row.text or '')} characters in {length_s:.2f} s is faster than anyone speaks"
            raise _RefusalError("too_fast", sentence)
        return round(start, 6), round(end, 6)

    def _channel(self, row: Row, frames: Samples) -> int | None:
        """The row's channel, or what the policy makes of a recording whose channels differ.

        Args:
            row: says which recording.
            frames: the row's span, shape ``(n_channels, n_samples)``.
        """
        if row.channel is not None or len(frames) == 1:
            return row.channel
        if row.audio not in self._differ:
            self._differ[row.audio] = channels_differ(row.audio)
        if not self._differ[row.audio] or self.channels == "mix":
            return None
        if self.channels == "first":
            return 0
        if self.channels == "split":
            return _speaking_channel(frames)
        raise ParlureError(
            f"the {len(frames)} channels of {row.audio} carry different sound, and {place(row)} does not say which "
            "is transcribed",
            "a column channel (0, 1), or --channels split (the one that speaks in each span), first, or mix "
            "(when the text holds what all of them say)",
        )


class _RefusalError(Exception):
    """Ends the examination of one row."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def place(row: Row | Rejected) -> str:
    """Where a row is, for a message: ``calls.csv line 12``."""
    if row.line is not None:
        return f"{row.source} line {row.line}"
    return f"{row.source} ({row.raw.get('audio') or row.raw.get('text')})"


def language_code(name: str) -> str | None:
    """Whisper's code for a language tag: ``fr`` for ``fr``, ``FR`` and ``fr-CA``; None for anything else."""
    match = re.fullmatch(r"([a-z]{2,3})([-_][a-z0-9]+)*", name.strip().lower())
    return match.group(1) if match else None


def _speaking_channel(frames: Samples) -> int:
    power = np.nan_to_num(np.square(frames, dtype=np.float64).mean(axis=1), nan=0.0, posinf=0.0)
    first, second = np.argsort(power)[::-1][:2]
    if power[first] <= power[second] * 10 ** (LOUDER_DB / 10):
        sentence = "no channel is clearly the one that speaks in this span: say which in a column channel"
        raise _RefusalError("ambiguous_channel", sentence)
    return int(first)
