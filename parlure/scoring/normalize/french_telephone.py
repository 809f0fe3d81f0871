"""Telephone numbers in French text → one form, however they were grouped, written or read out.

``514-555-0199`` is said by the digit, or ``cinq cent quatorze``, ``cinq cent cinquante-cinq``, ``zéro un``,
``quatre-vingt-dix-neuf``, and each transcriber writes what comes natural. The form here is the commonest reading
where such numbers are at home: North American ones (ten digits, neither area nor exchange code begins with 0 or 1, a
1 before them or not) digit by digit, French ones (0 and nine digits) in pairs.

Not read: numbers of fewer digits, and those of other countries; extensions stay numbers of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from parlure.scoring.normalize.french_numbers import CARDINAL_WORDS, spell, spell_digits

_NORTH_AMERICAN = re.compile(
    r"(?<!\w)(?<![0-9][.,-])(?:([+]?)(1)[ .-]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[ .-]?)([2-9][0-9]{2})[ .-]?"
    r"([0-9]{4})(?!\w)(?![.,-][0-9])"
)
_OF_FRANCE = re.compile(
    r"(?<!\w)(?<![0-9][.,-])(?:0|[+](33)([ .-]?)(?:\(0\)[ .-]?)?)([1-9])([ .-]?)([0-9]{2}(?:\4[0-9]{2}){3})"
    r"(?!\w)(?![.,-][0-9])"
)
_SHORTEST_RUN = 6  # words, such as zéro six dix vingt trente quarante
_LONGEST_NUMBER = 6  # words: neuf cent quatre vingt dix neuf
_EIGHTY = ["quatre", "vingt"]
_TENS = {"vingt", "trente", "quarante", "cinquante", "soixante"}
# A slot of so many digits is read as one number, or as these smaller slots.
_SMALLER = {2: (1, 1), 3: (1, 2), 4: (2, 2)}
_TWO_TO_NINE = [spell(digit) for digit in range(2, 10)]
_AREA_EXCHANGE_LINE, _PAIRS = (3, 3, 4), (2, 2, 2, 2, 2)


def _by_the_digit(digits: str) -> str:
    return " ".join(spell(int(digit)) for digit in digits)


def _in_pairs(digits: str) -> str:
    return " ".join(spell_digits(digits[at : at + 2]) for at in range(0, len(digits), 2))


def _north_american(match: re.Match[str]) -> str:
    plus, one, in_brackets, area, exchange, line = match.groups()
    digits = (one or "") + (in_brackets or area) + exchange + line
    return f" {'plus ' if plus else ''}{_by_the_digit(digits)} "


def _of_france(match: re.Match[str]) -> str:
    country, _, first, _, pairs = match.groups()
    digits = re.sub("[^0-9]", "", pairs)
    return f" {f'plus trente trois {spell(int(first))}' if country else _in_pairs('0' + first)} {_in_pairs(digits)} "


def read_telephone_digits(text: str) -> str:
    """Replace telephone numbers in digits by their words."""
    return _OF_FRANCE.sub(_of_france, _NORTH_AMERICAN.sub(_north_american, text))


@cache
def _digits_of() -> dict[str, str]:
    """Number words → digits: up to three digits, and whole thousands (``deux mille`` for 2000)."""
    return {spell(number): str(number) for number in (*range(1000), *range(1000, 10_000, 1000))}


class _Reading(NamedTuple):
    """Digits that words may be, the word where they end, and how many numbers the words are."""

    digits: str
    end: int
    n_numbers: int


def _read_number(words: Sequence[str], start: int, width: int) -> Iterator[_Reading]:
    for end in range(min(len(words), start + _LONGEST_NUMBER), start, -1):
        digits = _digits_of().get(" ".join(words[start:end]))
        if digits is not None and len(digits) == width:
            yield _Reading(digits, end, 1)


def _read_slot(words: Sequence[str], start: int, width: int) -> Iterator[_Reading]:
    """The ways to read ``width`` digits from ``start`` on."""
    yield from _read_number(words, start, width)
    if width == 3 and words[start : start + 2] == _EIGHTY:
        return  # not four, twenty: that would make telephone numbers of sums
    if width == 2 and 0 < start < len(words) and words[start] != "zéro" and words[start - 1] in _TENS:
        return  # not forty, two four: that is forty-two, four
    yield from _read(words, start, _SMALLER.get(width, ()))


def _read(words: Sequence[str], start: int, slots: Sequence[int]) -> Iterator[_Reading]:
    """The ways to read one slot after the other."""
    if not slots:
        return
    for first in _read_slot(words, start, slots[0]):
        if len(slots) == 1:
            yield first
        for rest in _read(words, first.end, slots[1:]):
            yield _Reading(first.digits + rest.digits, rest.end, first.n_numbers + rest.n_numbers)


def _whole(words: Sequence[str], slots: Sequence[int]) -> list[str]:
    """The digits that all the words together may be; of few numbers first, and of those the longest first."""
    readings = [reading for reading in _read(words, 0, slots) if reading.end == len(words)]
    return [reading.digits for reading in sorted(readings, key=lambda reading: reading.n_numbers)]


def _unify_run(words: list[str]) -> list[str]:
    """A run of number words, in the one form if all of it is a telephone number."""
    if len(words) == 3 and words[1:] == ["un", "un"] and words[0] in _TWO_TO_NINE:
        return spell(100 * (2 + _TWO_TO_NINE.index(words[0])) + 11).split()  # neuf un un: 911
    if len(words) < _SHORTEST_RUN:
        return words
    # Where "trente quatre vingt huit" may be 34 28 or 30 88, pairs stay as they are; of digits one must be taken.
    in_pairs = {_in_pairs(digits) for digits in _whole(words, _PAIRS) if digits[0] == "0" != digits[1]}
    if len(in_pairs) == 1:
        return in_pairs.pop().split()
    for one in ("", "1") if words[0] == "un" else ("",):
        for digits in _whole(words[len(one) :], _AREA_EXCHANGE_LINE):
            if digits[0] > "1" and digits[3] > "1":
                return _by_the_digit(one + digits).split()
    return words


def unify_telephone_words(words: Sequence[str]) -> list[str]:
    """Bring telephone numbers in words into the one form.

    Args:
        words: canonical number words (``vingt`` and ``cent`` without plural s) among others.
    """
    found: list[str] = []
    run: list[str] = []
    for at, word in enumerate(words):
        joint = word == "et" and run and words[at + 1 : at + 2] in (["un"], ["onze"])
        if word in CARDINAL_WORDS or joint:
            run.append(word)
        else:
            found += [*_unify_run(run), word]
            run = []
    return found + _unify_run(run)
