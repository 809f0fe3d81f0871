"""Number words in French text → one spelling and one reading of each number, the one that digits get.

``quatre-vingts`` and ``nonante`` are spelt as ``80`` and ``90`` are, ``dix-neuf cent`` is the year 1900, ``deux heures
et demie`` is ``2 h 30``, and ``vingt dollars et cinquante cents`` is ``20,50 $``. Works on words without hyphens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parlure.scoring.normalize.french_numbers import CARDINAL_WORDS, spell
from parlure.scoring.normalize.french_telephone import unify_telephone_words

_SINGULAR = {"vingts": "vingt", "cents": "cent"}
_REGIONAL_TENS = {"septante": 70, "huitante": 80, "octante": 80, "nonante": 90}  # Belgium, Switzerland, Acadia
_EIGHTY = ["quatre", "vingt"]
_TENS = {"vingt", "trente", "quarante", "cinquante", "soixante"}
_UNITS = tuple(map(spell, range(1, 10)))
_WRITTEN = CARDINAL_WORDS | {*_SINGULAR, *_REGIONAL_TENS, "mil"}
_TRIGGERS = _WRITTEN - {"un"} | {"heure", "heures", "pourcent", "pourcents"}

_NUMBER = "|".join(sorted(CARDINAL_WORDS))
_BELOW_HUNDRED = "|".join(sorted(CARDINAL_WORDS - {"cent", "mille", "zéro"}))
_FROM_TEN = "|".join(sorted(CARDINAL_WORDS - {"cent", "mille", "zéro", *_UNITS} | {"quatre vingt"}))
# What follows must not join what stays when a word is left out, or a second application would change it again.
_NO_MORE = rf"\b(?! (?:et )?(?:{_NUMBER}|minutes?|dollars?|euros?|centimes?|sous)\b)"
_HUNDREDTHS_NAMED = re.compile(
    rf"\b((?:{_NUMBER}|une|millions?|milliards?) (?:dollars?|euros?)) (?:et )?"
    # "cinq cents" is more often 500: only from ten on is "cents" the coin
    rf"(?:((?:{_BELOW_HUNDRED})(?: (?:et )?(?:{_BELOW_HUNDRED}))*) (?:centimes?|sous)|"
    rf"((?:{_FROM_TEN})(?: (?:et )?(?:{_BELOW_HUNDRED}))*) cent)(?: (?:centimes?|sous|cent))*" + _NO_MORE
)
_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(heures?) et demie\b", r"\1 trente"),
        (r"\b(heures?) et quart\b", r"\1 quinze"),
        (rf"\b(heures?) zéro ({'|'.join(_UNITS)})\b", r"\1 \2"),
        (rf"\b(heures? (?:{_BELOW_HUNDRED})(?: (?:et )?(?:{_BELOW_HUNDRED}))*) minutes?" + _NO_MORE, r"\1"),
        (rf"\b({_NUMBER}) point (?=(?:{_NUMBER})\b)", r"\1 virgule "),
    )
)


def _hundredths(match: re.Match[str]) -> str:
    """``vingt euros et cinq centimes`` as ``20,05 €`` is read."""
    amount, centimes, cents = match.groups()
    return f"{amount} zéro {centimes}" if centimes in _UNITS else f"{amount} {centimes or cents}"


# "dix-neuf cent" and "mille neuf cent" are one year; not after soixante/vingt, where 79 or 99 was meant
_TEENS = {spell(number): spell(100 * number) for number in range(11, 20)}
_YEAR = re.compile(rf"(?<!soixante )(?<!vingt )\b({'|'.join(_TEENS)}) cent\b")


def _spell_alike(words: Sequence[str]) -> list[str]:
    """Word for word: ``vingts``, ``nonante deux``, ``vingt et une``, ``pourcent`` as ``spell`` has them."""
    found: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word in ("pourcent", "pourcents"):
            found += ["pour", "cent"]
        elif word == "mil" and not _WRITTEN.isdisjoint(words[at : at + 1]):
            found.append("mille")
        elif word == "et" and found[-2:] == _EIGHTY and words[at : at + 1] in (["un"], ["une"]):
            if not {"zéro", *_TENS}.isdisjoint(found[-3:-2]):  # 04 21, 24 21
                found.append(word)
        elif word in _REGIONAL_TENS:
            if words[at : at + 2] in (["et", "un"], ["et", "une"]):
                unit, at = 1, at + 2
            elif at < len(words) and words[at] in _UNITS:
                unit, at = _UNITS.index(words[at]) + 1, at + 1
            else:
                unit = 0
            found += spell(_REGIONAL_TENS[word] + unit).split()
        elif word == "une" and (found[-2:] == _EIGHTY or (found[-1:] == ["et"] and {*found[-2:-1]} & _TENS)):
            found.append("un")
        else:
            found.append(_SINGULAR.get(word, word))
    return found


def unify_number_words(text: str) -> str:
    """Bring the number words of a text, words parted by single spaces, into one form; the other words stay."""
    words = text.split()
    if _TRIGGERS.isdisjoint(words):
        return text
    text = " ".join(unify_telephone_words(_spell_alike(words)))
    text = _HUNDREDTHS_NAMED.sub(_hundredths, text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _YEAR.sub(lambda match: _TEENS[match[1]], text)
