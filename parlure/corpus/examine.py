"""A row and its recording → a span that can be trained on, or the reason why not.

Every row is looked at by itself: the recording is there, decodes, holds the span, and its text fits the time. What has
to be heard for it is asked for (:class:`parlure.corpus.hearing.Request`), so that it can be heard by another process or
be known already.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from parlure.corpus.hearing import MAX_UTTERANCE_S, Heard, Hearer, RefusalError, Request, span_within
from parlure.corpus.manifest import Segment
from parlure.corpus.readers.elsewhere import spoken_language
from parlure.corpus.readers.row import Rejected, Row
from parlure.errors import ParlureError
from parlure.speech.audio import END_TOLERANCE_S
from parlure.speech.channels import Layout
from parlure.speech.recordings import N_KNOWN

MAX_CHARS_PER_S = 50.0  # fast speech is about 25: twice that is the wrong text or the wrong span
CHANNEL_POLICIES = ("first", "split", "mix")
EMPTY_TEXT_POLICIES = ("reject", "no-speech")


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that can be used, with what the row left open filled in; times in seconds.

    Attributes:
        row: as it was read.
        start, end, channel, text, language, task: as :class:`parlure.corpus.manifest.Utterance` has them.
        extracted: the recording was embedded in the source and is now a file of the corpus.
        party: who speaks by the channel, where the row names nobody.
        layout: how the channels of the recording relate.
        sound: a hash of the samples, 64 bits; None where all are 0.
    """

    row: Row
    start: float
    end: float
    channel: int | None
    text: str
    language: str
    task: str
    extracted: bool = False
    party: str | None = None
    layout: Layout | None = None
    sound: int | None = None

    def pieces(self) -> list[Taken]:
        """Itself; if it is longer than Whisper's window, the utterances that it is cut into between its phrases."""
        if round(self.end - self.start, 6) <= MAX_UTTERANCE_S or not self.row.segments:
            return [self]
        pieces: list[Taken] = []
        for number, phrases in enumerate(_groups(self.row.segments), start=1):
            offset_s, last_s = phrases[0].start, phrases[-1].end
            start, end = round(self.start + offset_s, 6), round(self.start + last_s, 6)
            text = " ".join(phrase.text.strip() for phrase in phrases)
            row = replace(
                self.row,
                id=None if self.row.id is None else f"{self.row.id}-{number}",
                start=start,
                end=end,
                segments=tuple(_moved(phrase, -offset_s) for phrase in phrases),
                # what was said before the second piece is the first
                prompt=pieces[-1].text if pieces and self.row.prompt is not None else self.row.prompt,
            )
            pieces.append(replace(self, row=row, start=start, end=end, text=text, sound=None))
        return pieces


@dataclass
class Examiner:
    """Examines rows one after the other; remembers what it learnt of a recording.

    Attributes:
        language: for rows that name none.
        task: for rows that name none.
        channels: what to do where the channels of a recording differ and a row names none: ``first``, ``mix``, or
            ``split``, which takes the channel that speaks in the row's span. None is ``split`` for a row with times
            and a speaker, of whom there is one in it, and refuses others.
        channel_speakers: who speaks in channel 0, 1 and so on, in rows that name nobody.
        empty_text: ``reject``, or ``no-speech`` to take a text without a word, such as ``...``, as silence.
        hearer: hears the recordings that are heard in this process.
    """

    language: str | None = None
    task: str = "transcribe"
    channels: str | None = None
    empty_text: str = "reject"
    channel_speakers: tuple[str, ...] = ()
    _spellings: OrderedDict[Path, Path] = field(default_factory=OrderedDict)
    hearer: Hearer = field(default_factory=Hearer)

    def settings(self) -> dict[str, Any]:
        """What decides what a row becomes, besides the row."""
        settings: dict[str, Any] = {
            "language": self.language, "task": self.task, "channels": self.channels, "empty_text": self.empty_text
        }  # fmt: skip
        return settings | ({"channel_speakers": list(self.channel_speakers)} if self.channel_speakers else {})

    def forget(self, recording: Path) -> None:
        """Drop what was learnt of a recording that will not come again."""
        self.hearer.forget(str(recording))
        self._spellings.pop(recording, None)

    def examine(self, row: Row) -> Taken | Rejected:
        """The row as it can be used, or why it cannot; its recording is heard here and now.

        Raises:
            ParlureError: what concerns all rows: no language, or different channels and no word on what to do (an
                embedded recording is rejected alone: the others have been read at some expense).
        """
        request = self.ask(row)
        return request if isinstance(request, Rejected) else self.judge(row, request, self.hearer.hear(request))

    def ask(self, row: Row) -> Request | Rejected:
        """What has to be heard to judge a row, or why it cannot be used whatever is heard.

        Raises:
            ParlureError: the row has no language, nor has anybody said one.
        """
        try:
            self._language(row)
            self._text(row)
        except RefusalError as refusal:
            return _rejected(row, refusal.reason, refusal.sentence)
        choice = row.channel
        return Request(
            str(self._spelt(row.audio)),
            row.start,
            row.end,
            self._policy(row) if choice is None else choice,
            row.segments is not None,
        )

    def judge(self, row: Row, request: Request, heard: Heard) -> Taken | Rejected:
        """The row as it can be used, or why it cannot.

        Args:
            row: that :meth:`ask` was given.
            request: that it returned.
            heard: what a :class:`parlure.corpus.hearing.Hearer` made of it.

        Raises:
            ParlureError: the channels differ, and nobody says what to do.
        """
        if (audio := self._spelt(row.audio)) is not row.audio:
            row = replace(row, audio=audio)
        try:
            if heard.recording_s is not None:
                start, end = span_within(request, heard.recording_s)
                length_s = round(end - start, 6)  # 40.1 - 10.1 is a little more than 30
                if row.segments is not None:
                    row = replace(row, segments=_checked_phrases(row.segments, length_s))
                _check_length(row, length_s)
                if request.choice == "ask" and heard.layout == "different":
                    self._refuse_channels(row, heard.n_channels)
            if heard.refusal is not None:
                raise RefusalError(*heard.refusal)
        except RefusalError as refusal:
            return _rejected(row, refusal.reason, refusal.sentence)
        channel = heard.channel
        named = row.speaker is None and channel is not None and channel < len(self.channel_speakers)
        party = self.channel_speakers[channel or 0] if named else None
        language, text, task = self._language(row), self._text(row), row.task or self.task
        return Taken(row, start, end, channel, text, language, task, False, party, heard.layout, heard.sound)

    def _spelt(self, path: Path) -> Path:
        """The path as the disk spells it, looked for once a recording."""
        if path not in self._spellings:
            self._spellings[path] = _on_disk(path)
            if len(self._spellings) > N_KNOWN:
                self._spellings.popitem(last=False)
        return self._spellings[path]

    def _language(self, row: Row) -> str:
        if row.language is None and self.language is None:
            raise ParlureError(f"{place(row)} does not say its language", "--language fr, or a column language")
        code = language_code(row.language or self.language or "")
        if code is None:
            raise RefusalError("malformed_row", f"language is {row.language!r}, not a code such as fr")
        return code

    def _text(self, row: Row) -> str:
        if row.text is None:
            raise RefusalError("empty_text", "the row has no transcript")
        if _holds_word(row.text):
            return row.text
        if self.empty_text == "reject":
            what = f"the text {row.text!r} holds no word" if row.text else "the text is empty"
            raise RefusalError("empty_text", f"{what}; --empty-text no-speech takes it as silence")
        return ""

    def _policy(self, row: Row) -> str:
        """What to do if the channels of the row's recording differ, as in :class:`parlure.corpus.hearing.Request`."""
        if self.channels is not None:
            return self.channels
        # the text of a row with times and a speaker is one person's, who is in one of the channels
        of_one = row.speaker is not None and row.start is not None and row.end is not None
        return "split" if of_one and row.content is None else "ask"

    def _refuse_channels(self, row: Row, n_channels: int) -> None:
        if row.content is not None:
            sentence = (
                f"its {n_channels} channels carry different sound: --channels split (the one that speaks), first, or "
                "mix (when the text holds what all of them say)"
            )
            raise RefusalError("ambiguous_channel", sentence)
        raise ParlureError(
            f"the {n_channels} channels of {row.audio} carry different sound, and {place(row)} does not say which "
            "is transcribed",
            "a column channel (0, 1), or --channels split (the one that speaks in each span), first, or mix "
            "(when the text holds what all of them say)",
        )


def _rejected(row: Row, reason: str, sentence: str) -> Rejected:
    return Rejected(row.source, row.line, row.raw, reason, sentence, understood=replace(row, content=None))


def place(row: Row | Rejected) -> str:
    """Where a row is, for a message: ``calls.csv line 12``."""
    if row.line is not None:
        return f"{row.source} line {row.line}"
    return f"{row.source} ({row.raw.get('audio') or row.raw.get('text')})"


@lru_cache(maxsize=1000)
def language_code(name: str) -> str | None:
    """Whisper's code for a language: ``fr`` for ``FR``, ``fr-CA``, ``fra`` and ``French``; None for what is no code.

    A code that Whisper does not know is left as it is: such a corpus can be checked and scored.
    """
    match = re.fullmatch(r"([a-z]{2,3})([-_][a-z0-9]+)*", spoken_language(name).strip().lower())
    return match.group(1) if match else None


def _on_disk(path: Path) -> Path:
    """The path as the disk spells it, where an accent is one character in the one and two in the other.

    A table from Windows has ``\\`` between folders; a file in whose name it stands goes before.
    """
    # os.path, not Path: a text in the column audio may be longer than a name can be, and that is no error of ours
    if os.path.exists(path):  # noqa: PTH110
        return path
    if "\\" in str(path):
        slashed = _on_disk(Path(str(path).replace("\\", "/")))
        return slashed if os.path.exists(slashed) else path  # noqa: PTH110
    found = Path(path.anchor)
    for part in path.parts[bool(path.anchor) :]:
        spelt = (part, unicodedata.normalize("NFC", part), unicodedata.normalize("NFD", part))
        found /= next((name for name in spelt if os.path.exists(found / name)), part)  # noqa: PTH110
    return found


def _holds_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _check_length(row: Row, length_s: float) -> None:
    """Refuse what is longer than Whisper hears and cannot be cut, and more text than can be said in the time."""
    if length_s > MAX_UTTERANCE_S:
        groups = _groups(row.segments or ())
        if not groups:
            sentence = f"{length_s:.1f} s in one piece is more than Whisper's 30 s: give start and end of each phrase"
            raise RefusalError("too_long", sentence)
        longest_s = max(phrase.end - phrase.start for phrases in groups for phrase in phrases)
        if round(longest_s, 6) > MAX_UTTERANCE_S:
            sentence = f"a phrase of {longest_s:.1f} s is more than Whisper's 30 s: give start and end of shorter ones"
            raise RefusalError("too_long", sentence)
    if len(row.text or "") > MAX_CHARS_PER_S * length_s:
        sentence = f"{len(row.text or '')} characters in {length_s:.2f} s is faster than anyone speaks"
        raise RefusalError("too_fast", sentence)


def _checked_phrases(segments: Sequence[Segment] | None, length_s: float) -> tuple[Segment, ...] | None:
    """Phrases one after the other and inside the utterance; what is over by 0.1 s is cut."""
    reached_s = 0.0
    checked: list[Segment] = []
    for phrase in segments or ():
        start, end = max(phrase.start, reached_s), min(phrase.end, length_s)
        if phrase.end > length_s + END_TOLERANCE_S or phrase.start >= length_s:
            sentence = f"a segment ends at {phrase.end:g} s of an utterance of {length_s:g} s"
            raise RefusalError("bad_span", sentence)
        if phrase.start < reached_s - END_TOLERANCE_S or start >= end:
            sentence = (
                f"a segment from {phrase.start:g} to {phrase.end:g} s begins before the one in front of it ends, at "
                f"{reached_s:g} s"
            )
            raise RefusalError("bad_span", sentence)
        checked.append(phrase._replace(start=start, end=end))
        reached_s = end
    return tuple(checked) or None


def _groups(segments: Sequence[Segment]) -> list[list[Segment]]:
    """As many phrases in a row as Whisper hears at once; phrases without a word are left out."""
    groups: list[list[Segment]] = []
    for phrase in segments:
        if not _holds_word(phrase.text):
            continue
        if groups and round(phrase.end - groups[-1][0].start, 6) <= MAX_UTTERANCE_S:
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
    return groups


def _moved(phrase: Segment, by_s: float) -> Segment:
    return phrase._replace(start=round(phrase.start + by_s, 6), end=round(phrase.end + by_s, 6))
