"""Text → runs of number words, and the digits that they spell when somebody dictates a number.

``quatre un cinq`` is 415, ``soixante-dix-huit`` is 78 and ``cinq cent quatorze`` is 514: a run is read as it is
dictated, number by number below a thousand, not as one quantity. Thousands and millions end a run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

# fmt: off
_FRENCH_UNITS = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
    "quatorze", "quinze", "seize",
]
_FRENCH_TENS = {
    "vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "huitante": 80,
    "octante": 80, "nonante": 90,
}
_ENGLISH_UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
_ENGLISH_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}
# with these the number before is a quantity, not a dictation
_QUANTITIES = {
    "mille", "million", "millions", "milliard", "milliards", "hundred", "thousand", "thousands", "billion", "billions",
}
# fmt: on
# said between two numbers without ending the dictation
_FILLERS = {"fr": frozenset({"euh", "heu", "hum"}), "en": frozenset({"uh", "um", "hum", "dash"})}
_FEWEST = 3  # numbers of three digits at most that make seven digits
_LONGEST = 6  # words of one number: neuf cent quatre vingt dix neuf
_WORD = re.compile(r"\w+")
_BETWEEN = re.compile(r"[\s,.\-–…]*")


@dataclass(frozen=True)
class SpokenRun:
    """Number words in a row.

    Attributes:
        start: of the first in the text, from 0.
        end: behind the last.
        numbers: each as it is said: ``zéro six douze`` is ``("0", "6", "12")``.
    """

    start: int
    end: int
    numbers: tuple[str, ...]

    @property
    def digits(self) -> str:
        """All in a row."""
        return "".join(self.numbers)

    @property
    def n_single(self) -> int:
        """How many of them are said digit by digit."""
        return sum(len(number) == 1 for number in self.numbers)

    @property
    def boundaries(self) -> set[int]:
        """After how many digits a number ends."""
        return set(accumulate(len(number) for number in self.numbers))


@dataclass(frozen=True)
class _Piece:
    """A number of one word or several, or a word that is none (``number`` is None)."""

    start: int
    end: int
    text: str
    number: str | None = None


def spoken_runs(text: str, language: str) -> Iterator[SpokenRun]:
    """The runs of a text, if it has at least three numbers; digits among number words belong to a run.

    Args:
        text: raw.
        language: a code such as ``fr``; nothing is found but in French and English.
    """
    code = language.lower().partition("-")[0]
    if code not in _NUMBERS:
        return
    if sum(word in _FIRST_WORDS or word.isdecimal() for word in _WORD.findall(text.casefold())) < _FEWEST:
        return  # most utterances
    run: list[_Piece] = []
    for piece in _pieces(text, _NUMBERS[code]):
        if piece.number is None:
            if run and piece.text in _FILLERS[code]:
                continue
            yield from _run(run[:-1] if piece.text in _QUANTITIES else run)  # quatre mille: the four was no digit
            run = []
        elif run and not _is_joined(text, run[-1], piece):
            yield from _run(run)
            run = [piece]
        else:
            run.append(piece)
    yield from _run(run)


def is_counting(numbers: Sequence[str]) -> bool:
    """Whether numbers are all the same, or go up or down by one step with at most one exception, as in counting."""
    steps = [int(after) - int(before) for before, after in pairwise(numbers)]
    step, n = Counter(steps).most_common(1)[0] if steps else (0, 0)
    return n >= len(steps) - (step != 0)


def _run(run: Sequence[_Piece]) -> Iterator[SpokenRun]:
    """The run, if a number in it is said and not only written."""
    if any(not piece.text.isdigit() for piece in run):
        yield SpokenRun(run[0].start, run[-1].end, tuple(piece.number or "" for piece in run))


def _pieces(text: str, numbers: Mapping[str, str]) -> Iterator[_Piece]:
    words = [_Piece(match.start(), match.end(), match[0].casefold()) for match in _WORD.finditer(text)]
    i = 0
    while i < len(words):
        n, number = _number_at(words, i, numbers, text)
        yield replace(words[i], end=words[i + n - 1].end, number=number)
        i += n


def _number_at(words: Sequence[_Piece], i: int, numbers: Mapping[str, str], text: str) -> tuple[int, str | None]:
    """How many words from here are one number, the most that are, and its digits."""
    if words[i].text.isdecimal() and words[i].text.isascii():
        return 1, words[i].text
    if words[i].text not in _FIRST_WORDS:
        return 1, None
    length = 1  # of the words that nothing but a space or hyphen parts
    while length < _LONGEST and i + length < len(words):
        if not _INSIDE.fullmatch(text, words[i + length - 1].end, words[i + length].start):
            break
        length += 1
    for n in range(length, 0, -1):
        number = numbers.get(" ".join(word.text for word in words[i : i + n]))
        if number is not None:
            return n, number
    return 1, None


def _is_joined(text: str, last: _Piece, piece: _Piece) -> bool:
    """Whether only spaces, commas, dashes and fillers stand between two numbers."""
    return all(_BETWEEN.fullmatch(between) for between in _FILLER.split(text[last.end : piece.start]))


_FILLER = re.compile(rf"\b(?:{'|'.join(sorted(set().union(*_FILLERS.values())))})\b", re.IGNORECASE)
_INSIDE = re.compile(r"[ \-\u00a0]+")


def _french() -> dict[str, str]:
    """French numbers below a thousand, spaces for hyphens, as they are said on both sides of the ocean."""
    values = {word: n for n, word in enumerate(_FRENCH_UNITS)}
    values |= {f"dix {word}": 10 + n for n, word in enumerate(_FRENCH_UNITS[:10]) if n >= 7}
    below_twenty = {n: word for word, n in values.items()}
    for word, tens in _FRENCH_TENS.items():
        values |= {word: tens, f"{word} et un": tens + 1, f"{word} et une": tens + 1}
        values |= {f"{word} {below_twenty[n]}": tens + n for n in range(1, 10)}
    values |= {f"soixante {below_twenty[n]}": 60 + n for n in range(10, 20)} | {"soixante et onze": 71}
    values |= {"quatre vingt": 80, "quatre vingts": 80}
    values |= {f"quatre vingt {below_twenty[n]}": 80 + n for n in range(1, 20)}
    values |= {"une": 1}
    hundreds = {"cent": 100} | {f"{below_twenty[n]} cent": n * 100 for n in range(2, 10)}
    with_s = {f"{word}s": n for word, n in hundreds.items() if n > 100}
    beyond = {f"{word} {rest}": n + m for word, n in hundreds.items() for rest, m in values.items() if m}
    return {word: str(n) for word, n in (values | hundreds | with_s | beyond | {"zero": 0}).items()}


def _english() -> dict[str, str]:
    values = {word: n for n, word in enumerate(_ENGLISH_UNITS)} | {"oh": 0, "o": 0}
    for word, tens in _ENGLISH_TENS.items():
        values |= {word: tens} | {f"{word} {_ENGLISH_UNITS[n]}": tens + n for n in range(1, 10)}
    values |= {f"{word} hundred": n * 100 for n, word in enumerate(_ENGLISH_UNITS[:10]) if n}
    numbers = {word: str(n) for word, n in values.items()}
    for n, word in enumerate(_ENGLISH_UNITS[:10]):
        numbers |= {f"double {word}": str(n) * 2, f"triple {word}": str(n) * 3}
    return numbers


_NUMBERS = {"fr": _french(), "en": _english()}
_FIRST_WORDS = frozenset(word.split()[0] for numbers in _NUMBERS.values() for word in numbers)
