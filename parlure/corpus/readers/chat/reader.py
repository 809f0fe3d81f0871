"""CHAT transcript of TalkBank (``.cha``), or a folder of them → a row for each utterance.

The recording is the one of the name in ``@Media`` that lies beside the transcript, else the one of the transcript's own
name. The speaker is the code (``MAR``); age, sex, role and group of ``@ID`` are tags. Every ``*`` line is a row or a
rejection. What the text looks like is decided in :mod:`parlure.corpus.readers.chat.marks`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from parlure.corpus.manifest import Segment
from parlure.corpus.readers.beside import recording_beside
from parlure.corpus.readers.chat.marks import Marks, chosen_marks
from parlure.corpus.readers.chat.refusal import RefusalError, malformed
from parlure.corpus.readers.chat.transcript import (
    BULLET,
    Bullet,
    Line,
    Transcript,
    bullet_times,
    named_recording,
    parse_transcript,
    without_pictures,
)
from parlure.corpus.readers.chat.wording import Wording, word_utterance
from parlure.corpus.readers.row import Columns, Rejected, Row, is_unicode
from parlure.errors import ParlureError

SUFFIX = ".cha"
_MIN_OVERLAP_S = 0.1  # s: a bullet set by hand is not more exact


def holds_chat(folder: Path) -> bool:
    """Whether a folder or one in it holds a CHAT transcript."""
    return next(_transcripts(folder), None) is not None


def read_chat(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each utterance.

    Raises:
        ParlureError: no such file or folder, no transcript in it, a column is named, or a mark or choice is not known.
    """
    path = Path(source)
    marks = chosen_marks(columns.marks)
    if columns.given():
        given = ", ".join(f"--{name}" for name in columns.given())
        raise ParlureError(
            f"{source} is CHAT and has no columns to name", f"leave out {given}; --marks says what is text"
        )
    if not path.exists():
        raise ParlureError(f"there is no transcript {source}", "check the path")
    files = sorted(_transcripts(path)) if path.is_dir() else [path]
    if not files:
        raise ParlureError(f"{source} holds no transcript", f"a CHAT transcript is called call{SUFFIX}")
    for file in files:
        yield from _File(file, marks).rows()


def _transcripts(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() == SUFFIX and path.is_file())


@dataclass(frozen=True)
class _File:
    """One transcript and the choices for its marks."""

    path: Path
    marks: Marks

    def rows(self) -> Iterator[Row | Rejected]:
        """Its rows; a single rejection if it is no whole transcript."""
        if not is_unicode(str(self.path)):
            yield self._no_file("bad_encoding", f"the name of {self.path} is not UTF-8: rename it")
            return
        content = self.path.read_bytes()
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            yield self._no_file("bad_encoding", f"{self.path.name} is UTF-16: save it as UTF-8")
            return
        # bytes that are not UTF-8 become surrogates, for which the line is rejected
        transcript = parse_transcript(content.decode("utf-8-sig", errors="surrogateescape"))
        wrong = self._wrong(transcript)
        if wrong is not None:
            yield wrong
            return
        yield from self._utterances(transcript)
        if transcript.end is None:
            yield self._no_file(
                "malformed_row", f"{self.path.name} has no @End: it may be cut off; what is there was read"
            )

    def _wrong(self, transcript: Transcript) -> Rejected | None:
        """What keeps the whole file from being read."""
        headers = transcript.headers
        if transcript.n_begin != 1 or transcript.n_end > 1:
            said = "no @Begin" if not transcript.n_begin else "more than one @Begin or @End"
            return self._no_file("malformed_row", f"{self.path.name} has {said}: it is not one whole CHAT transcript")
        if not transcript.lines:
            return self._no_file("malformed_row", f"{self.path.name} holds no line in which somebody speaks (*MAR:)")
        if headers.other_media is not None:
            names = f"{headers.media} and {headers.other_media}"
            return self._no_file(
                "malformed_row", f"{self.path.name} names two recordings (@Media): {names}; make two files of it"
            )
        if not is_unicode([headers.media, headers.languages, headers.tags]):
            return self._no_file("bad_encoding", f"a header of {self.path.name} is not UTF-8: save it as UTF-8")
        return None

    def _utterances(self, transcript: Transcript) -> Iterator[Row | Rejected]:
        recordings = self._recordings(transcript)
        named = transcript.headers.media is not None or any(named_recording(one.content) for one in transcript.lines)
        talked_over = {
            number
            for recording in set(recordings.values())
            for number in overlapping([line for line in transcript.lines if recordings[line.number] == recording])
        }
        for line in transcript.lines:
            try:
                self._check(line, transcript)
                recording = recordings[line.number]
                if not named and not recording.is_file():
                    sentence = f"{self.path.name} names no recording (@Media), and none of its own name lies beside it"
                    raise RefusalError("missing_file", sentence)
                wording = word_utterance(line.content, self.marks)
                yield self._row(line, wording, transcript, recording, wording.overlap or line.number in talked_over)
            except RefusalError as refusal:
                yield self._rejected(line, refusal)

    def _recordings(self, transcript: Transcript) -> dict[int, Path]:
        """The recording of each line, by its number: the file's, or of an older file about several its bullets' own."""
        named = {line.number: named_recording(line.content) for line in transcript.lines}
        names = list(dict.fromkeys(filter(None, named.values())))
        first = transcript.headers.media or next(iter(names), None)
        if len({_stem(name) for name in names}) < 2:
            return dict.fromkeys(named, recording_beside(self.path, first))
        beside = {name: self._own_recording(name) for name in {first, *names} if name is not None}
        return {number: beside[name or str(first)] for number, name in named.items()}

    def _own_recording(self, name: str) -> Path:
        """The recording of this name; not that of the transcript's own name, which may be another of several."""
        found = recording_beside(self.path, name)
        return found if found.stem == _stem(name) else self.path.with_name(Path(name.replace("\\", "/")).name)

    def _check(self, line: Line, transcript: Transcript) -> None:
        """Refuse a line that cannot be an utterance of this file."""
        name = self.path.name
        if not is_unicode([line.label, line.content]):
            raise RefusalError("bad_encoding", f"{name} is not UTF-8 on line {line.number}: save it as UTF-8")
        if line.label is None:
            raise malformed(
                f"line {line.number} of {name} begins with no *MAR:, @ or %, nor with the tab of a long line"
            )
        if transcript.end is not None and line.number > transcript.end:
            raise malformed(f"line {line.number} of {name} stands behind @End")

    def _row(self, line: Line, wording: Wording, transcript: Transcript, recording: Path, overlap: bool) -> Row:
        if not wording.times:
            raise RefusalError("untimed", "the utterance has no time mark: link it to the recording in CLAN")
        starts = [when.start for when in wording.times]
        if starts != sorted(starts):
            raise RefusalError("bad_span", "a time mark of the utterance starts before the one in front of it")
        if overlap and self.marks["overlaps"] == "reject":
            raise RefusalError("unwanted_mark", "somebody else speaks at the same time: overlaps=reject")
        start, end = starts[0], max(when.end for when in wording.times)
        headers, speaker = transcript.headers, str(line.label).removeprefix("*")
        return Row(
            source=str(self.path),
            line=line.number,
            raw=_raw(line),
            audio=recording,
            text=wording.text,
            speaker=speaker,
            language=wording.language or next(iter(headers.languages), None),
            start=start,
            end=end,
            segments=_segments(wording, start),
            tags=headers.tags.get(speaker, ()) + (("overlap",) if overlap else ()),
        )

    def _rejected(self, line: Line, refusal: RefusalError) -> Rejected:
        return Rejected(str(self.path), line.number, _raw(line), refusal.reason, refusal.sentence)

    def _no_file(self, reason: str, sentence: str) -> Rejected:
        return Rejected(str(self.path), None, {"text": self.path.name}, reason, sentence)


def _stem(name: str) -> str:
    return Path(name.replace("\\", "/")).stem


def _raw(line: Line) -> dict[str, str | None]:
    return {"speaker": line.label, "text": line.content}


def _segments(wording: Wording, start: float) -> tuple[Segment, ...] | None:
    """The phrases, times from the utterance's start; None where there is only one."""
    if len(wording.phrases) < 2:
        return None
    return tuple(
        Segment(round(when.start - start, 3), round(when.end - start, 3), text) for when, text in wording.phrases
    )


def overlapping(lines: Sequence[Line]) -> set[int]:
    """Numbers of the lines during which another speaker speaks, for at least 0.1 s by the bullets."""
    timed = sorted((span, line.number, line.label) for line in lines if (span := _span(line)) is not None)
    found: set[int] = set()
    active: list[tuple[Bullet, int, str | None]] = []
    for span, number, label in timed:
        active = [other for other in active if other[0].end - span.start >= _MIN_OVERLAP_S]
        for other_span, other_number, other_label in active:
            together_s = min(other_span.end, span.end) - span.start
            if other_label != label and together_s >= _MIN_OVERLAP_S:
                found |= {number, other_number}
        active.append((span, number, label))
    return found


def _span(line: Line) -> Bullet | None:
    """From the first to the last time of a line, if it has proper ones."""
    try:
        times = [bullet_times(bullet) for bullet in BULLET.findall(without_pictures(line.content))]
    except RefusalError:
        return None
    return Bullet(min(when.start for when in times), max(when.end for when in times)) if times else None
