"""What SubRip and WebVTT share: lines → cues, a cue's times, and what is said in it by whom.

The grammar is read here and not by pysubs2, which keeps no line numbers, turns voices into nothing and hours above 99
into other hours; tests hold the two against each other. Times may have a point or a comma and any number of digits
behind it, and hours may be missing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from parlure.corpus.readers.timed import Phrase, Problem, short

Line = tuple[int, str]  # its number from 1, and its text

# machine translation leaves spaces in times: 00: 00: 01, 500
_TIME = r"(?:(\d{1,9}) ?: ?)?(\d{1,2}) ?: ?(\d{1,2})(?: ?[.,] ?(\d+))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
# what was meant as times, well formed or not; an arrow of one dash, or of another kind, may stand in a text
_MEANT_AS_TIMING = re.compile(r"\s*-?\d+ ?:[^<>]*(?:-->|(?:[-\u2010-\u2015\u2212]{1,3} ?(?:>|&gt;)|→)\s*-?\d+ ?:\s?\d)")
_EXAMPLE = "00:01:02,500 --> 00:01:04,000"
_READING = re.compile(r"<rt[^>]*>.*?(?:</rt>|(?=</ruby>))", re.DOTALL)  # printed above a character
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|< */? *(?:[ibus]|font\b[^>]*) *>|<[\d:.]+>")  # </c>, < i >, <00:01:02.500>
_STYLE = re.compile(r"\{\\[^}]*\}")  # of SubStation Alpha, which some SubRip files carry: {\an8}
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);")
# as WhisperX writes its subtitles, [SPEAKER_00]: text, and whisper.cpp its: (speaker 0) text
_DIARISED = re.compile(r"\[([^\[\]]+)\]:\s+|\((speaker \d+)\)\s*")
_IDENTIFIED = re.compile(r'\d+ "([^"]+)" \(\d+\)')  # as Webex names cues: 1 "Marie Tremblay" (1234567)
_BREAK = re.compile(r"<br */?>|\\[Nnh]")  # \N and \n break a line of SubStation Alpha, \h is a hard space


def cues(lines: Sequence[Line], language: str | None = None) -> Iterator[Phrase | Problem]:
    """The cues among lines; a cue lasts to the next line with times, so that blank lines may be missing.

    Args:
        lines: a whole SubRip file, or one block of WebVTT.
        language: what the file says of its language.
    """
    at = [index for index, (_, line) in enumerate(lines) if _MEANT_AS_TIMING.match(line)]
    before = lines[: at[0]] if at else lines
    name = before[-1][1].strip() if at and before else ""
    yield from _stray(before[:-1] if name else before)
    numbered = name.isdigit()
    ends: list[int | None] = [*at[1:], None]
    for index, end in zip(at, ends, strict=False):
        inside = [line for _, line in lines[index + 1 : end]]
        next_name = inside[-1].strip() if end is not None and _ends_in_number(inside, numbered) else ""
        if next_name:
            inside.pop()
        number, timing = lines[index]
        yield _cue(number, timing, inside, name, language)
        name = next_name


def _ends_in_number(inside: Sequence[str], numbered: bool) -> bool:
    """Whether the last of a cue's lines is the number of the next one: in a file of numbers, or after a blank line."""
    if not inside or not inside[-1].strip().isdigit():
        return False
    return numbered or (len(inside) > 1 and not inside[-2].strip())


def _stray(lines: Sequence[Line]) -> Iterator[Problem]:
    """One problem for text that stands in no cue."""
    written = [(number, line) for number, line in lines if line.strip()]
    if written:
        content = "\n".join(line for _, line in written)
        yield Problem(written[0][0], content, f"{short(written[0][1])!r} belongs to no cue: no line with times before")


def _cue(number: int, timing: str, inside: list[str], name: str, language: str | None) -> Phrase | Problem:
    written = "\n".join(inside).strip()
    found = _TIMING.fullmatch(timing)
    if found is None:
        sentence = f"{short(timing)!r} does not say from when to when, as {_EXAMPLE} does"
        return Problem(number, written, sentence)
    start, end = _seconds(*found.groups()[:4]), _seconds(*found.groups()[4:])
    voices, text = spoken(written)
    identified = _IDENTIFIED.fullmatch(name)
    if identified and not voices:
        voices = [identified[1]]
    raw = {"text": written, **({"cue": name} if name else {})}
    return voiced(Phrase(number, start, end, text, language=language, raw=raw), voices, text)


def voiced(cue: Phrase, voices: Sequence[str], text: str) -> Phrase:
    """A cue that says a text in these voices: of several none is its speaker, and a tag names them."""
    names = list(dict.fromkeys(voices))
    if len(names) > 1:
        return replace(cue, text=text, tags=(f"voices={', '.join(names)}",))
    return replace(cue, text=text, speaker=names[0] if names else None)


def _seconds(hours: str | None, minutes: str, seconds: str, decimals: str | None) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return float(f"{whole}.{decimals or 0}")


def spoken(written: str) -> tuple[list[str], str]:
    """The voices that a cue names, and its text in one line without tags; ``&amp;`` and its like are resolved."""
    voices = [" ".join(_resolved(name).split()) for name in _VOICE.findall(written)]
    text = _STYLE.sub("", _TAG.sub("", _READING.sub("", _BREAK.sub("\n", written))))
    text = " ".join(_resolved(text).split())
    diarised = _DIARISED.match(text)
    if diarised and not voices:
        return [(diarised[1] or diarised[2]).strip()], text[diarised.end() :]
    return list(dict.fromkeys(voices)), text


def _resolved(text: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
