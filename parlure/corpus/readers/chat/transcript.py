"""Text of a CHAT file → its headers, and its utterances with line and time.

A line of CHAT begins with ``*`` (somebody speaks), ``@`` (header), ``%`` (about the utterance above, left alone here)
or a tab (goes on with the line above). A bullet, ``\\x15start_end\\x15`` in milliseconds, says when something was said.

pylangacq (MIT) reads these files too, and the tests compare with it. It is not used here: it gives no line numbers,
only the first of several bullets, and nothing at all of a folder in which one byte is not UTF-8; and what it calls
audible keeps ``&=``, ``:`` and the marks of conversation analysis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from parlure.corpus.readers.chat.languages import whisper_code
from parlure.corpus.readers.chat.refusal import RefusalError, malformed

# the older form names the recording too: %snd:"call1"_0_1200; a hyphen after the end tells CLAN to skip
_TIMES = re.compile(r'(?:%(?:snd|mov): ?"(?P<recording>[^"]*)"_)?(?P<start>\d+)_(?P<end>\d+)-?')
BULLET = re.compile("\x15([^\x15]*)\x15")
_PICTURE = re.compile('\x15%(?:pic|txt): ?"[^"\x15]*"\x15')  # what to look at meanwhile: no time
# @ID:	language|corpus|code|age|sex|group|ethnicity and class|role|education|custom|
_ID_FIELDS = ("language", "corpus", "code", "age", "sex", "group", "ses", "role", "education", "custom")
_TAGS = ("age", "sex", "group", "ses", "role", "education")


class Bullet(NamedTuple):
    """When something was said: seconds from the recording's start."""

    start: float
    end: float


class Line(NamedTuple):
    """A line with those that go on with it: ``label`` is ``*MAR``, ``@ID``, ``%mor``; None where there is none."""

    number: int
    label: str | None
    content: str


@dataclass
class Headers:
    """What a file says before anybody speaks.

    Attributes:
        languages: Whisper's codes, the main one first.
        media: name of the recording, usually without its suffix.
        other_media: another name, where there are two of them.
        tags: of each speaker code, ``name=value``.
    """

    languages: list[str] = field(default_factory=list)
    media: str | None = None
    other_media: str | None = None
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Transcript:
    """A whole file.

    Attributes:
        headers: what was said of it.
        lines: those of ``*`` and those that are no CHAT, in order.
        n_begin, n_end: how many lines say ``@Begin`` and ``@End``.
        end: line of the first ``@End``.
    """

    headers: Headers
    lines: tuple[Line, ...]
    n_begin: int
    n_end: int
    end: int | None


def parse_transcript(text: str) -> Transcript:
    """A file's text, read. Nothing is refused here: the reader says what it makes of what is missing."""
    headers, said = Headers(), []
    marks: dict[str, list[int]] = {"@Begin": [], "@End": []}
    for line in logical_lines(text):
        if line.label is None or line.label.startswith("*"):
            said.append(line)
        elif line.label in marks:
            marks[line.label].append(line.number)
        elif line.label.startswith("@"):
            _take_header(headers, line)
    end = marks["@End"][0] if marks["@End"] else None
    return Transcript(headers, tuple(said), len(marks["@Begin"]), len(marks["@End"]), end)


def logical_lines(text: str) -> Iterator[Line]:
    """Lines with those that go on with them; a line that begins like none of the kinds has no label."""
    current: Line | None = None
    for number, physical in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if not physical.strip():
            continue
        if physical[0] in "\t " and current is not None:
            current = current._replace(content=f"{current.content} {physical.strip()}")
            continue
        if current is not None:
            yield current
        current = _line(number, physical)
    if current is not None:
        yield current


def _line(number: int, physical: str) -> Line:
    if physical[0] == "@":
        label, _, content = physical.partition(":")
        return Line(number, label.strip(), content.strip())
    label, colon, content = physical.partition(":")
    if physical[0] == "%":
        return Line(number, label, content.strip())
    proper = physical[0] == "*" and colon and len(label) > 1 and not re.search(r"\s", label)
    return Line(number, label, content.strip()) if proper else Line(number, None, physical.strip())


def _take_header(headers: Headers, line: Line) -> None:
    if line.label == "@Languages":
        headers.languages = [whisper_code(code) for code in re.split(r"[,\s]+", line.content) if code]
    elif line.label == "@Media":
        quoted = re.match(r'"([^"]*)"', line.content)
        name = (quoted[1] if quoted else line.content.split(",")[0]).strip() or None
        if headers.media is None or name == headers.media:
            headers.media = name
        else:
            headers.other_media = name
    elif line.label == "@Participants":  # MAR Marie Participant, CLI Client
        for words in (part.split() for part in line.content.split(",")):
            if len(words) > 1:
                headers.tags.setdefault(words[0], (f"role={words[-1]}",))
    elif line.label == "@ID":
        values = dict(zip(_ID_FIELDS, (part.strip() for part in line.content.split("|")), strict=False))
        tags = tuple(f"{name}={values[name]}" for name in _TAGS if values.get(name))
        code = values.get("code", "")
        headers.tags[code] = tags or headers.tags.get(code, ())


def bullet_times(content: str) -> Bullet:
    """The times between the two marks of a bullet.

    Raises:
        RefusalError: they are no times, or end before they start.
    """
    match = _TIMES.fullmatch(content.strip())
    if match is None:
        raise malformed(f"the time mark {content.strip()!r} is not start_end in milliseconds")
    start, end = int(match["start"]) / 1000, int(match["end"]) / 1000
    if not start < end:
        raise RefusalError("bad_span", f"the time mark {content.strip()} ends at {end:g} s and starts at {start:g} s")
    return Bullet(start, end)


def without_pictures(content: str) -> str:
    """A line without the bullets that show a picture or a text."""
    return _PICTURE.sub(" ", content)


def named_recording(content: str) -> str | None:
    """The recording that the first bullet of a line names, as those of older files do."""
    names = [match["recording"] for bullet in BULLET.findall(content) if (match := _TIMES.fullmatch(bullet.strip()))]
    return next(filter(None, names), None)
