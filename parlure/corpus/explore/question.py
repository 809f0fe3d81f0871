"""The query of an address → which utterances are asked for, in which order, and which page of them.

``search=bonjour&split=test&speaker=anne&shortest=2&sort=duration&order=down&offset=100&limit=50``: every part may be
left out. A choice that is given but empty (``speaker=``) means the utterances that have none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

CHOICES = ("split", "language", "speaker", "session", "tag")
COLUMNS = ("id", "split", "speaker", "session", "language", "duration", "pace", "text", "tags")
DEFAULT_LIMIT, LARGEST_LIMIT = 100, 1000  # rows of one page
_ACCENTS = re.compile(
    "[\u0300-\u036f]"
)  # combining marks of Latin, Greek and Cyrillic; vowel signs elsewhere are letters
_ALIKE = (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("’", "'"))  # what NFKD leaves as it is


class QuestionError(ValueError):
    """A query that makes no sense; the message says what in it."""


@dataclass(frozen=True)
class Question:
    """What is asked for.

    Attributes:
        words: each must occur in the text, id, speaker or session; folded.
        choices: the value of each of :data:`CHOICES` that was made; empty means none.
        shortest_s: seconds, inclusive.
        longest_s: seconds, inclusive.
        sort: one of :data:`COLUMNS`, or None for the manifest's order.
        down: whether the largest comes first.
        reason: a reason code, for rejected rows.
        offset: rows to leave out at the beginning.
        limit: rows to give at most.
    """

    words: tuple[str, ...]
    choices: Mapping[str, str]
    shortest_s: float
    longest_s: float
    sort: str | None
    down: bool
    reason: str | None
    offset: int
    limit: int


def folded(text: str) -> str:
    """A text as the search compares it: small letters without accents, ``œ`` as ``oe``, ``’`` as ``'``."""
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    for letter, alike in _ALIKE:
        plain = plain.replace(letter, alike)
    return plain


def parse_question(query: str) -> Question:
    """The question of a query, without its ``?``.

    Raises:
        QuestionError: a number that is none, or a column that does not exist.
    """
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    sort = given.get("sort") or None
    if sort not in (None, *COLUMNS):
        raise QuestionError(f"sort is {sort!r}, not one of {', '.join(COLUMNS)}")
    return Question(
        words=tuple(folded(given.get("search", "")).split()),
        choices={name: given[name] for name in CHOICES if name in given},
        shortest_s=_seconds(given, "shortest", 0.0),
        longest_s=_seconds(given, "longest", float("inf")),
        sort=sort,
        down=given.get("order") == "down",
        reason=given.get("reason"),
        offset=_whole(given, "offset", 0),
        limit=min(_whole(given, "limit", DEFAULT_LIMIT), LARGEST_LIMIT),
    )


def _seconds(given: Mapping[str, str], name: str, default: float) -> float:
    text = given.get(name, "").strip().replace(",", ".")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:  # NaN too
        raise QuestionError(f"{name} is {given[name]!r}, not a number of seconds")
    return seconds


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, "")
    if text and not re.fullmatch("[0-9]{1,12}", text):
        raise QuestionError(f"{name} is {text!r}, not a whole number")
    return int(text) if text else default
