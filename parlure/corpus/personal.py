"""Text → the numbers and addresses in it by which a person can be found or robbed, with where they stand.

Written numbers are believed by their check digits and their shape: payment cards (ISO/IEC 7812: issuer, length, Luhn),
Canadian social insurance numbers (Luhn), French social security numbers (NIR: key of 97), bank accounts (IBAN, ISO
13616: country, length, mod 97), telephone numbers (North American plan, France, E.164 with its +), e-mail addresses,
also spoken (``jean point dupont arobase gmail point com``). Spoken ones, in French and English, are number words in a
row (``quatre un cinq``, ``zéro six douze trente-quatre``, ``cinq cent quatorze``): the same checks on their digits, and
else seven digits or more, most of them said one by one, unless they count up or down.

What it misses: written numbers of seven digits without an area code, names and street addresses, and what other
languages do not write in digits. What it takes for one by mistake: one in ten numbers of nine digits that are not
followed by what they count (as a social insurance number), and a long list of small numbers (as a dictation).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from parlure.corpus.spoken_digits import SpokenRun, is_counting, spoken_runs

KINDS = ("card", "phone", "iban", "sin", "nir", "email", "spoken_digits")
_MIN_SINGLE = 5  # digits said one by one: ages and scores are said in tens
MIN_SPOKEN_DIGITS = 7  # a telephone number without its area code; a year or a price has fewer


@dataclass(frozen=True, order=True)
class Personal:
    """Something that should perhaps not be in a transcript.

    Attributes:
        start: of its first character in the text, from 0.
        end: behind its last.
        kind: one of :data:`KINDS`.
    """

    start: int
    end: int
    kind: str


def find_personal(text: str, language: str) -> list[Personal]:
    """What a text says that identifies a person or an account.

    Args:
        text: raw.
        language: a code such as ``fr``; number words are read in French and English.

    Returns:
        In the order of the text; none overlaps another.
    """
    found: list[Personal] = []
    written = _written(text) if _MAY_HOLD.search(text) else ()  # hardly any utterance
    for one in (*written, *_spoken(text, language)):
        if not any(one.start < other.end and other.start < one.end for other in found):
            found.append(one)
    return sorted(found)


def is_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(digits))]
    return sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether it is the number of a payment card: issuer's range, length and check digit."""
    return any(re.match(issuer, digits) and len(digits) in lengths for issuer, lengths in _ISSUERS) and is_luhn(digits)


def is_sin(digits: str) -> bool:
    """Whether it is a Canadian social insurance number: 9 digits, not from 0 or 8, which are no person's."""
    return len(digits) == 9 and digits[0] not in "08" and is_luhn(digits)


def is_nir(number: str) -> bool:
    """Whether it is a French social security number with its key: sex, year, month, department (2A, 2B), 3, 3, 2."""
    shape = re.fullmatch(r"([12478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[ABab])\d{6})(\d{2})", number)
    if shape is None:
        return False
    body = re.sub("(?i)2b", "18", re.sub("(?i)2a", "19", shape[1]))  # Corsica: INSEE's rule
    return 97 - int(body) % 97 == int(shape[2])


def is_iban(number: str) -> bool:
    """Whether it is a bank account: the country's length, and ISO 7064 mod 97-10."""
    number = number.upper()
    if _IBAN_LENGTHS.get(number[:2]) != len(number) or not number.isalnum() or not number.isascii():
        return False
    return int("".join(str(int(one, 36)) for one in number[4:] + number[:4])) % 97 == 1


def is_phone(digits: str) -> bool:
    """Whether it is a telephone number of North America (10 digits, or 11 from 1) or of France (10 from 0)."""
    return re.fullmatch(rf"1?{_NANP}|0[1-9]\d{{8}}", digits) is not None


_NANP = r"[2-9](?!11)\d{2}[2-9](?!11)\d{2}\d{4}"  # area code and exchange begin with 2 to 9 and are not 211, 911 …
_ISSUERS = (
    (r"4", (13, 16, 19)),  # Visa
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    (r"3[47]", (15,)),  # American Express
    (r"6011|64[4-9]|65", (16, 19)),  # Discover
    (r"30[0-5]|3[689]", (14,)),  # Diners Club
    (r"35(2[89]|[3-8])", (16, 19)),  # JCB
    (r"62", (16, 17, 18, 19)),  # UnionPay
)
# SWIFT's registry of IBAN formats, Europe and who else is met in French and English
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "BA": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28,
    "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22,
    "GI": 23, "GL": 18, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "KW": 30,
    "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27,
    "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
}  # fmt: skip
_GAP = r"[ \u00a0\u202f.\-]?"  # what stands between the groups of a number
_BEFORE = r"(?<![\w.,+\-])"
_AFTER = r"(?!\d)(?![.,]\d)(?!-\d)"
_AMOUNT = re.compile(
    r"[ \u00a0\u202f]*([$€£%]|(cad|usd|eur|dollars?|euros?|piastres?|francs?|habitants?|personnes?|people|inhabitants"
    r"|voix|votes?|km|kilom|m[eè]tres?|met(er|re)s?|tonnes?|tons?|unités?|units?)\b)",
    re.IGNORECASE,
)
_CURRENCY_BEFORE = re.compile(r"[$€£][ \u00a0\u202f]*$")
_MAY_HOLD = re.compile(r"\d\D{0,3}\d\D{0,3}\d\D{0,3}\d|@|\b(arobas|arrobas|at )", re.IGNORECASE)

_IBAN = re.compile(rf"{_BEFORE}[A-Za-z]{{2}}\d{{2}}(?:[ \u00a0\u202f-]?[A-Za-z0-9]){{11,30}}")
_NIR = re.compile(rf"{_BEFORE}[12478](?:{_GAP}\d){{4}}{_GAP}\d(?:\d|[ABab])(?:{_GAP}\d){{8}}{_AFTER}")
_CARD = re.compile(rf"{_BEFORE}\d(?:{_GAP}\d){{12,18}}{_AFTER}")
_PHONES = (
    re.compile(rf"{_BEFORE}(?:\+?1{_GAP})?\(?[2-9]\d{{2}}\)?{_GAP}[2-9]\d{{2}}{_GAP}\d{{4}}{_AFTER}"),
    re.compile(rf"(?<![\w.,\-])(?:(?:\+|00)33{_GAP}(?:\(0\)[ ]?)?|(?<!\+)0)[1-9](?:{_GAP}\d{{2}}){{4}}{_AFTER}"),
    re.compile(rf"(?<![\w.,+\-])\+[1-9](?:[ \u00a0\u202f.\-()]{{0,2}}\d){{7,14}}{_AFTER}"),
)
_SIN = re.compile(rf"{_BEFORE}\d{{3}}([ \u00a0\u202f\-]?)\d{{3}}\1\d{{3}}{_AFTER}")
_EMAILS = (
    re.compile(r"(?<![\w.+\-])[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"),
    re.compile(
        r"\b[\w.+\-]+(?: (?:point|dot|tiret|underscore|dash) [\w.+\-]+)* "
        r"(?:arobase?|arrobas?e?|at(?! (?:that|this|the|a)\b)) [\w\-]+(?: (?:point|dot|tiret|dash) [\w\-]+)* "
        r"(?:point|dot) (?:com|ca|qc|fr|org|net|edu|eu|be|ch|uk|info|gouv|gov)\b",
        re.IGNORECASE,
    ),
)


def _written(text: str) -> Iterator[Personal]:
    """What is written in digits, the best checked kinds first: the first to claim a piece of the text has it."""
    yield from _matches(text, _EMAILS[0], "email", lambda number: True)
    yield from _matches(text, _EMAILS[1], "email", lambda number: True)
    yield from _ibans(text)
    yield from _matches(text, _NIR, "nir", is_nir)
    yield from _matches(text, _CARD, "card", is_card)
    yield from _matches(text, _PHONES[0], "phone", is_phone)
    yield from _matches(text, _PHONES[1], "phone", lambda number: len(set(number)) > 2)
    yield from _matches(text, _PHONES[2], "phone", lambda number: not number.endswith("000"))
    yield from _matches(text, _SIN, "sin", is_sin)


def _matches(text: str, shape: re.Pattern[str], kind: str, is_one: Callable[[str], bool]) -> Iterator[Personal]:
    for match in shape.finditer(text):
        number = re.sub(r"[^0-9A-Za-z]", "", match[0]) if kind != "email" else match[0]
        is_amount = kind != "email" and (
            _AMOUNT.match(text, match.end()) or _CURRENCY_BEFORE.search(text, 0, match.start())
        )
        if is_one(number) and not is_amount:
            yield Personal(match.start(), match.end(), kind)


def _ibans(text: str) -> Iterator[Personal]:
    """Accounts: as many characters as the country's have, whatever word comes behind."""
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper(), 0)
        places = [place for place in range(match.start(), match.end()) if text[place].isalnum()][:length]
        end = places[-1] + 1 if places else match.start()
        if text[end : end + 1].isalnum() or not is_iban("".join(text[place] for place in places)):
            continue
        yield Personal(match.start(), end, "iban")


def _spoken(text: str, language: str) -> Iterator[Personal]:
    for run in spoken_runs(text, language):
        if len(run.digits) >= MIN_SPOKEN_DIGITS and not is_counting(run.numbers):
            kind = _kind_of(run)
            if kind is not None:
                yield Personal(run.start, run.end, kind)


def _kind_of(run: SpokenRun) -> str | None:
    """What a dictation is; None for what may as well be a list of quantities."""
    digits, one_by_one = run.digits, run.n_single >= _MIN_SINGLE
    offset = len(digits) - 10  # of the area code: 1 where a 1 is said before it
    by_parts = {offset + 3, offset + 6} <= run.boundaries  # nobody says 514 892 as 51 48 92
    if is_nir(digits):
        return "nir"
    if is_card(digits):
        return "card"
    if is_phone(digits) and (digits.startswith("0") or by_parts):
        return "phone"
    if one_by_one:
        return "sin" if is_sin(digits) else "spoken_digits"
    return None
