"""Profile ``fr``: what is the same French words comes out the same, what is another word stays another.

Accents are kept (ou/où, a/à), register too (``pis`` is not ``puis``), text in brackets is kept, and ``l'été`` is two
words whether or not a space was written. Each rule is applied to reference and hypothesis alike and changes nothing
on its second application.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from parlure.scoring.normalize.characters import CharacterTable
from parlure.scoring.normalize.french_number_words import unify_number_words
from parlure.scoring.normalize.french_numbers import read_numbers
from parlure.scoring.normalize.french_telephone import read_telephone_digits

# Closed list: only these end a word at their apostrophe; aujourd'hui, quelqu'un, presqu'île, p'tit stay whole.
ELISIONS = ("jusqu'", "lorsqu'", "puisqu'", "quoiqu'", "qu'", "c'", "d'", "j'", "l'", "m'", "n'", "s'", "t'")
_UNIFIED = str.maketrans(
    dict.fromkeys("’‘‛ʼ′`´＇ʹ", "'")
    | {"œ": "oe", "æ": "ae"}
    | {"ᵉ": "e", "ʳ": "r", "ᵐ": "m", "ˢ": "s", "ⁿ": "n", "ᵈ": "d", "ᵒ": "o"}  # 1ᵉʳ, Mᵐᵉ, nᵒ
)
_ELISION_GAP = re.compile(rf"(?<![\w'])({'|'.join(elision[:-1] for elision in ELISIONS)}) +'")
_TODAY = re.compile(r"\baujourd[' ]+hui\b")
_SOMEBODY = re.compile(r"\bquelqu[' ]+(une?)\b")

# Read while capitals are still there, and only before a word: "5 m. plus loin" and "10 A.M." are no titles.
_MONSIEUR = re.compile(r"(?<![.\w])(MM?)\. (?=[^\W\d_])")
_ABBREVIATIONS = {
    "mr": "monsieur",
    "mme": "madame",
    "mmes": "mesdames",
    "mlle": "mademoiselle",
    "mlles": "mesdemoiselles",
    "dr": "docteur",
    "dre": "docteure",
    "drs": "docteurs",
    "mgr": "monseigneur",
    "etc": "et cetera",
    "caetera": "cetera",
    "cétéra": "cetera",
    "okay": "ok",
}
_SAINT = re.compile(r"(?<![\w'])(st|ste)(?:-|\. ?)(?=[^\W\d_])")
_INITIALS = re.compile(r"(?<![\w.])[^\W\d_](?:\.[^\W\d_])+\.?(?!\w)")  # S.A.Q., and SAQ as well
_WITH_NUMBER = re.compile("[0-9%]|illi(?:on|ard)s? ?[€$£]")

_VISIBLE = CharacterTable(lambda char: "" if unicodedata.category(char) == "Cf" else char)
_WORDS = CharacterTable(lambda char: char if char == "'" or unicodedata.category(char)[0] in "LMN" else " ")


def _unify(text: str) -> str:
    """Invisible characters gone, NFC, single spaces, ``M.`` read while case tells, then lower case."""
    text = " ".join(unicodedata.normalize("NFC", text.translate(_VISIBLE)).split())
    if "M" in text:
        text = _MONSIEUR.sub(lambda match: {"M": "monsieur ", "MM": "messieurs "}[match[1]], text)
    # Composed once more at the end: lowering a letter and taking œ apart can each leave a loose accent to join.
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.lower()).translate(_UNIFIED))
    return re.sub("''+", "'", text)


def _split_elisions(token: str) -> list[str]:
    """``qu'l'été'`` → ``qu'``, ``l'``, ``été``; quotation marks that were apostrophes fall off."""
    if token.isalpha():
        return [token]
    words = []
    token = token.lstrip("'")
    while "'" in token:
        if token.startswith("y'"):  # y'a: no elision, for nothing is left out of y
            words.append("y")
            token = token[2:].lstrip("'")
        elif (elision := next((known for known in ELISIONS if token.startswith(known)), None)) is not None:
            words.append(elision)
            token = token[len(elision) :].lstrip("'")
        else:
            break
    token = token.strip("'")
    if any(unicodedata.category(char)[0] in "LN" for char in token):
        words.append(token)
    return words


def _part_elisions(text: str) -> str:
    """An elision is a word of its own; the words that only look like one are whole."""
    if "'" in text:
        text = _ELISION_GAP.sub(r"\1'", text)
    if "aujourd" in text:
        text = _TODAY.sub("aujourd'hui", text)
    if "quelqu" in text:
        text = _SOMEBODY.sub(r"quelqu'\1", text)
    return " ".join(word for token in text.split() for word in _split_elisions(token))


@lru_cache(maxsize=16)  # a reference comes again with each system, and under fr-qc
def normalize_french(text: str) -> str:
    """Words of French text in canonical form, joined by single spaces; see the module for what stays distinct."""
    text = _unify(text)
    if "st" in text:
        text = _SAINT.sub(lambda match: {"st": "saint ", "ste": "sainte "}[match[1]], text)
    if "." in text:
        text = unicodedata.normalize("NFC", _INITIALS.sub(lambda match: match[0].replace(".", ""), text))
    if _WITH_NUMBER.search(text):
        text = read_numbers(read_telephone_digits(text))
    text = text.replace("&", " et ").translate(_WORDS)
    text = _part_elisions(" ".join(text.split()))
    return unify_number_words(" ".join(_ABBREVIATIONS.get(word, word) for word in text.split()))
