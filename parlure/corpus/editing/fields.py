"""What an expression may speak of: the fields of an utterance, what kind of value each is, and how to get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from parlure.corpus.manifest import SPLITS, TASKS, Utterance

Get = Callable[[Utterance], Any]


class Kind(Enum):
    """What a part of an expression is; the value is how a message calls it."""

    NUMBER = "a number"
    TEXT = "a text"
    TEXTS = "a list of texts"
    CONDITION = "a condition"
    NOTHING = "None"


@dataclass(frozen=True)
class Field:
    """One thing that can be asked of an utterance.

    Attributes:
        kind: what its values are.
        get: the value of an utterance.
        meaning: for the documentation and for messages.
        optional: whether it may be None, which is *not known*.
        choices: all that it may be, if they are few.
    """

    kind: Kind
    get: Get
    meaning: str
    optional: bool = False
    choices: tuple[str, ...] = ()


def n_words(utterance: Utterance) -> int:
    """Pieces of the raw text between spaces."""
    return len(utterance.text.split())


def _per_s(count: Callable[[Utterance], int]) -> Get:
    return lambda utterance: count(utterance) / utterance.duration_s


def _n_chars(utterance: Utterance) -> int:
    return len(utterance.text)


def _n_segments(utterance: Utterance) -> int:
    return len(utterance.segments or ())


def _plain(name: str, kind: Kind, meaning: str, optional: bool = False, choices: tuple[str, ...] = ()) -> Field:
    return Field(kind, attrgetter(name), meaning, optional, choices)


FIELDS: dict[str, Field] = {
    "id": _plain("id", Kind.TEXT, "the utterance's name"),
    "recording": _plain("recording", Kind.TEXT, "path of the recording, absolute"),
    "start": _plain("start", Kind.NUMBER, "seconds from the recording's start"),
    "end": _plain("end", Kind.NUMBER, "seconds from the recording's start"),
    "duration_s": _plain("duration_s", Kind.NUMBER, "seconds from start to end"),
    "channel": _plain("channel", Kind.NUMBER, "from 0; None: all channels mixed", optional=True),
    "text": _plain("text", Kind.TEXT, "the raw text; empty where nobody speaks"),
    "n_words": Field(Kind.NUMBER, n_words, "pieces of the text between spaces"),
    "n_chars": Field(Kind.NUMBER, _n_chars, "characters of the text, spaces too"),
    "words_per_s": Field(Kind.NUMBER, _per_s(n_words), "words a second"),
    "chars_per_s": Field(Kind.NUMBER, _per_s(_n_chars), "characters a second"),
    "n_segments": Field(Kind.NUMBER, _n_segments, "phrases with times; 0 where there are none"),
    "language": _plain("language", Kind.TEXT, "Whisper's code, such as fr"),
    "task": _plain("task", Kind.TEXT, "transcribe or translate", choices=TASKS),
    "split": _plain("split", Kind.TEXT, "train, dev or test", choices=SPLITS),
    "speaker": _plain("speaker", Kind.TEXT, "who speaks", optional=True),
    "session": _plain("session", Kind.TEXT, "the call, interview or sitting", optional=True),
    "prompt": _plain("prompt", Kind.TEXT, "the text said before", optional=True),
    "tags": _plain("tags", Kind.TEXTS, "all tags, as they stand"),
}


def tag_names(tags: tuple[str, ...]) -> list[str]:
    """The names among tags: ``age`` of ``age=twenties``; a tag without ``=`` has none."""
    return [name for name, equals, _ in (tag.partition("=") for tag in tags) if equals]


def tag_field(name: str) -> Field:
    """``tag.NAME``: the value of the first tag ``NAME=value``, as a text; None where there is none."""
    prefix = f"{name}="

    def get(utterance: Utterance) -> str | None:
        for tag in utterance.tags:
            if tag.startswith(prefix):
                return tag[len(prefix) :]
        return None

    return Field(Kind.TEXT, get, f"the value of the tag {name}=…", optional=True)


def as_number(get: Get) -> Get:
    """A tag's value as a number; None where it is not one."""

    def number(utterance: Utterance) -> float | None:
        value = get(utterance)
        try:
            return None if value is None else float(value)
        except ValueError:
            return None

    return number
