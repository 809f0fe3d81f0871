"""Digits in French text → number words, so that ``80`` and ``quatre-vingts`` are the same words.

Words are the canonical form because what was said is words: a digit string has one usual reading, while several
word strings may share a value. Works on lower-case text, before punctuation is dropped.

Read: cardinals to 999 999 999 999 (thousands grouped by spaces, or by dots or commas when there are two groups),
decimals, ordinals, hours (``14h30``, ``14 h 30``, ``14:30``), per cent, euros, dollars, pounds, cents, degrees, ``n°``.
Not read: Roman numerals, fractions, dates as dates, units (``km``), ranges (``5-10``), and the gender of ``1`` before
most nouns. Telephone numbers are read in ``french_telephone`` before.
"""

from __future__ import annotations

import re

_UNITS = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"),
    *("onze", "douze", "treize", "quatorze", "quinze", "seize", "dix sept", "dix huit", "dix neuf"),
)
_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante"}
_LARGEST = 10**12  # from here on, digit by digit

CARDINAL_WORDS = frozenset(" ".join([*_UNITS, *_TENS.values(), "cent", "mille"]).split())


def _below_hundred(number: int) -> str:
    if number < 20:
        return _UNITS[number]
    tens, unit = divmod(number, 10)
    if tens in (7, 9):  # soixante dix, quatre vingt dix: counted from sixty and from eighty
        tens, unit = tens - 1, unit + 10
    if tens == 8:
        return "quatre vingt" + (f" {_below_hundred(unit)}" if unit else "")
    joint = " et " if unit in (1, 11) else " "
    return _TENS[tens] + (joint + _below_hundred(unit) if unit else "")


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [] if hundreds < 2 else [_UNITS[hundreds]]
    words += ["cent"] if hundreds else []
    words += [_below_hundred(rest)] if rest or not hundreds else []
    return " ".join(words)


def spell(number: int) -> str:
    """The canonical words of a cardinal: no hyphens, ``vingt`` and ``cent`` without plural s, ``un`` for ``une``.

    Args:
        number: 0 to 999 999 999 999.

    Raises:
        ValueError: the number is outside that range.
    """
    if not 0 <= number < _LARGEST:
        raise ValueError(f"{number} is outside 0…{_LARGEST - 1}")
    if number < 1000:
        return _below_thousand(number)
    words = []
    for size, name in ((10**9, "milliard"), (10**6, "million")):
        count, number = divmod(number, size)
        if count:
            words.append(f"{_below_thousand(count)} {name}{'s' if count > 1 else ''}")
    thousands, rest = divmod(number, 1000)
    if thousands:
        words.append("mille" if thousands == 1 else f"{_below_thousand(thousands)} mille")
    if rest:
        words.append(_below_thousand(rest))
    return " ".join(words)


def spell_ordinal(number: int) -> str:
    """The canonical words of an ordinal from 2 on: ``deuxième``, ``vingt et unième``, ``quatre vingtième``."""
    words = spell(number)
    if words.endswith("cinq"):
        return words + "uième"
    if words.endswith("neuf"):
        return words[:-1] + "vième"
    return re.sub("[es]$", "", words) + "ième" if not words.endswith("trois") else words + "ième"


def spell_digits(digits: str) -> str:
    """A run of digits as it is read out: leading zeros one by one, then the number."""
    rest = digits.lstrip("0")
    words = ["zéro"] * (len(digits) - len(rest))
    if rest and int(rest) >= _LARGEST:
        words += [_UNITS[int(digit)] for digit in rest]
    elif rest:
        words.append(spell(int(rest)))
    return " ".join(words)


def _spell_fraction(digits: str) -> str:
    # "virgule quatorze", but a long tail is read digit by digit
    return spell_digits(digits) if len(digits) <= 3 else " ".join(_UNITS[int(digit)] for digit in digits)


_NOT_AFTER_NUMBER = r"(?<![0-9])(?<![0-9][.,:\- ])"
# "10 000", but not "514 555 1234" nor "514 555-1234": a telephone number is no cardinal
_SPACED_THOUSANDS = re.compile(rf"{_NOT_AFTER_NUMBER}([1-9][0-9]{{0,2}}(?: [0-9]{{3}})+)(?![0-9])(?![:\- ][0-9])")
_MARKED_THOUSANDS = re.compile(r"(?<![0-9.,])([1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,}|(?:,[0-9]{3}){2,}))(?![.,]?[0-9])")
_HOUR = re.compile(
    r"(?<![\w.,:])([0-9]{1,3}) ?h(?:eures?)?(?: ?([0-5][0-9])(?: ?min(?:utes?)?)?(?![0-9])(?![.,:][0-9]))?(?!\w)"
)
_CLOCK = re.compile(r"(?<![\w.,:])([01]?[0-9]|2[0-4]):([0-5][0-9])(?!\w)(?!:[0-9])")
_SIGNS = {"€": "euro", "$": "dollar", "£": "livre", "¢": "cent"}
_HUNDREDTHS = {"euro": "centime", "dollar": "cent"}
_LARGE_AMOUNT = re.compile(r"(?<![\w.,])([0-9]+)([.,][0-9]+)? ?([mg])([€$£])")  # 5 M$, 2,5 G€
_SIGN_FIRST = re.compile(r"(?<![0-9])(?<![0-9] )([€$£]) ?([0-9]+(?:[.,][0-9]+)?)(?![0-9])")
_AMOUNT = re.compile(r"(?<![\w.,])([0-9]+)(?:[.,]([0-9]{2}))? ?([€$£]|euros?\b|dollars?\b)")
_SCALED_AMOUNT = re.compile(r"\b(millions?|milliards?) ?([€$£])")
_ORDINAL = re.compile(
    r"(?<![\w.,])([0-9]{1,6})(ers?|res?|ères?|eres?|e|è|es|ième|ièmes|ème|èmes|eme|emes|nde?s?)(?!\w)"
)
_SCALES = {"c": "celsius", "f": "fahrenheit"}
_FEMININE_ONE = re.compile(r"(?<![\w.,])1(?= (?:heure|minute|seconde|fois|semaine|année|journée|personne)\b)")
_DECIMAL = re.compile(r"(?<![0-9])(?<![0-9][.,])([0-9]+)[.,]([0-9]+)(?![0-9])(?![.,][0-9])")
_DIGITS = re.compile(r"[0-9]+")


def _plural(count: int, noun: str) -> str:
    return noun if count < 2 else noun + "s"


def _hour(match: re.Match[str]) -> str:
    hours, minutes = int(match[1]), int(match[2] or 0)
    count = "une" if hours == 1 else spell(hours)
    return f" {count} {_plural(hours, 'heure')}" + (f" {spell(minutes)}" if minutes else "") + " "


def _amount(match: re.Match[str]) -> str:
    currency = _SIGNS.get(match[3], match[3].rstrip("s"))
    if match[1] == "0" and match[2] and currency in _HUNDREDTHS:
        return f" {spell(int(match[2]))} {_plural(int(match[2]), _HUNDREDTHS[currency])} "
    count = "une" if currency == "livre" and match[1] == "1" else spell_digits(match[1])
    cents = f" {spell_digits(match[2])}" if match[2] and match[2] != "00" else ""
    return f" {count} {_plural(int(match[1]), currency)}{cents} "


def _large_amount(match: re.Match[str]) -> str:
    size = _plural(int(match[1]), {"m": "million", "g": "milliard"}[match[3]])
    return f"{match[1]}{match[2] or ''} {size} {match[4]}"


def _ordinal(match: re.Match[str]) -> str:
    number, suffix = int(match[1]), match[2]
    plural = "s" if suffix.endswith("s") else ""
    if suffix.startswith(("er", "re", "ère")) and suffix != "e":
        if number != 1:
            return match[0]
        return ("premier" if suffix.startswith("er") and "ere" not in suffix else "première") + plural
    if suffix.startswith("nd"):
        return ("seconde" if "e" in suffix else "second") + plural if number == 2 else match[0]
    if number == 0:
        return match[0]
    return ("première" if number == 1 else spell_ordinal(number)) + plural


def read_numbers(text: str) -> str:
    """Replace every digit 0–9, and the signs that belong to numbers, by words.

    Args:
        text: lower case, NFC, white space already single ordinary spaces.
    """
    text = _SPACED_THOUSANDS.sub(lambda match: match[1].replace(" ", ""), text)
    text = _MARKED_THOUSANDS.sub(lambda match: re.sub("[.,]", "", match[1]), text)
    text = _LARGE_AMOUNT.sub(_large_amount, text)
    text = _SCALED_AMOUNT.sub(lambda match: f"{match[1]} de {_SIGNS[match[2]]}s ", text)
    text = _SIGN_FIRST.sub(r"\2 \1", text)
    text = _AMOUNT.sub(_amount, text)
    text = re.sub(r"(?<=[0-9]) ?([€$£¢])", lambda match: f" {_SIGNS[match[1]]}s ", text)  # "2,5 €"
    text = re.sub(r"(?<!\w)n(?:[°º]|o\.?) ?(?=[0-9])", "numéro ", text)
    # a hyphen is more often a dash, but not before degrees
    text = re.sub(r"(?<!\S)-(?=[0-9]+(?:[.,][0-9]+)? ?(?:°|degrés?\b))", " moins ", text)
    text = re.sub(r"(?<=[0-9]) ?° ?([cf])(?!\w)", lambda match: f"° {_SCALES[match[1]]}", text)
    text = re.sub(r"(?<![0-9.,])([01]) ?°", r"\1 degré ", text)
    text = re.sub(r"(?<=[0-9]) ?°", " degrés ", text)
    text = _CLOCK.sub(_hour, text)
    text = _HOUR.sub(_hour, text)
    text = re.sub(r"(?<=[0-9]) (?=i?[èe]mes?(?!\w))", "", text)  # 3 ème
    text = _ORDINAL.sub(_ordinal, text)
    text = _FEMININE_ONE.sub("une", text)
    text = _DECIMAL.sub(lambda match: f" {spell_digits(match[1])} virgule {_spell_fraction(match[2])} ", text)
    text = re.sub(r"[+](?= ?[0-9])", " plus ", text)
    text = re.sub(r"−(?= ?[0-9])", " moins ", text)  # the minus sign proper: a hyphen is more often a dash
    text = text.replace("%", " pour cent ")
    return _DIGITS.sub(lambda match: f" {spell_digits(match[0])} ", text)
