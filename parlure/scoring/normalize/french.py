"""Profile ``fr``: what is the same French words comes out the same, what is another word stays another.

Accents are kept (ou/où, a/à), register too (``pis`` is not ``puis``), text in brackets is kept, and ``l'été`` is two
words whether or not a space was written. Each rule is applied to reference and hypothesis alike and changes nothing
on its second application.
"""

from __future__ import annotations

import re
import unicodedata

from parlure.scoring.normalize.french_numbers import CARDINAL_WORDS, read_numbers

# Closed list: only these end a word at their apostrophe; aujourd'hui, quelqu'un, presqu'île, p'tit stay whole.
ELISIONS = ("jusqu'", "lorsqu'", "puisqu'", "quoiqu'", "qu'", "c'", "d'", "j'", "l'", "m'", "n'", "s'", "t'")
_UNIFIED = str.maketrans(dict.fromkeys("’‘‛ʼ′`´＇ʹ", "'") | {"œ": "oe", "æ": "ae"})
_ELISION_GAP = re.compile(rf"(?<![\w'])({'|'.join(elision[:-1] for elision in ELISIONS)}) +'")
_TODAY = re.compile(r"\baujourd[' ]+hui\b")

# Read while capitals are still there, and only before a word: "5 m. plus loin" and "10 A.M." are no titles.
_MONSIEUR = re.compile(r"(?<![.\w])(MM?)\. (?=[^\W\d_])")
_TITLES = {
    "mme": "madame",
    "mmes": "mesdames",
    "mlle": "mademoiselle",
    "mlles": "mesdemoiselles",
    "dr": "docteur",
    "dre": "docteure",
    "drs": "docteurs",
    "etc": "et cetera",
}
_TITLE = re.compile(rf"(?<!\S)({'|'.join(_TITLES)})(?!\S)")  # a word by itself, after punctuation is gone
_SAINT = re.compile(r"(?<![\w'])(st|ste)(?:-|\. ?)(?=[^\W\d_])")

_CARDINAL = "|".join(sorted(CARDINAL_WORDS))
_WORD_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bpourcents?\b", "pour cent"),
        (r"\bvingts\b", "vingt"),
        (r"\bcents\b", "cent"),
        (rf"\bmil(?= (?:mil|{_CARDINAL})\b)", "mille"),
        (r"\b(vingt|trente|quarante|cinquante|soixante) et une\b", r"\1 et un"),
        (r"\bquatre vingt une\b", "quatre vingt un"),
        # "dix-neuf cent" and "mille neuf cent" are one year; not after soixante/vingt, where 79 or 99 was meant
        (r"(?<!soixante )(?<!vingt )\bonze cent\b", "mille cent"),
        (r"(?<!soixante )(?<!vingt )\bdouze cent\b", "mille deux cent"),
        (r"(?<!soixante )(?<!vingt )\btreize cent\b", "mille trois cent"),
        (r"(?<!soixante )(?<!vingt )\bquatorze cent\b", "mille quatre cent"),
        (r"(?<!soixante )(?<!vingt )\bquinze cent\b", "mille cinq cent"),
        (r"(?<!soixante )(?<!vingt )\bseize cent\b", "mille six cent"),
        (r"(?<!soixante )(?<!vingt )\bdix (sept|huit|neuf) cent\b", r"mille \1 cent"),
        (r"\bet (?:caetera|cétéra|cætera)\b", "et cetera"),
    )
)


def _unify(text: str) -> str:
    """Invisible characters gone, NFC, single spaces, ``M.`` read while case tells, then lower case."""
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = " ".join(unicodedata.normalize("NFC", text).split())
    text = _MONSIEUR.sub(lambda match: {"M": "monsieur ", "MM": "messieurs "}[match[1]], text)
    # Composed once more at the end: lowering a letter and taking œ apart can each leave a loose accent to join.
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.lower()).translate(_UNIFIED))
    return re.sub("'+", "'", text)


def _keep_words(text: str) -> str:
    """Everything that is no letter, mark, number or apostrophe becomes a space."""
    return "".join(char if char == "'" or unicodedata.category(char)[0] in "LMN" else " " for char in text)


def _split_elisions(token: str) -> list[str]:
    """``qu'l'été'`` → ``qu'``, ``l'``, ``été``; quotation marks that were apostrophes fall off."""
    words = []
    token = token.lstrip("'")
    while (elision := next((known for known in ELISIONS if token.startswith(known)), None)) is not None:
        words.append(elision)
        token = token[len(elision) :].lstrip("'")
    token = token.strip("'")
    if any(unicodedata.category(char)[0] in "LN" for char in token):
        words.append(token)
    return words


def normalize_french(text: str) -> str:
    """Words of French text in canonical form, joined by single spaces; see the module for what stays distinct."""
    text = _unify(text)
    text = _SAINT.sub(lambda match: {"st": "saint ", "ste": "sainte "}[match[1]], text)
    text = read_numbers(text)
    text = text.replace("&", " et ")
    text = _ELISION_GAP.sub(r"\1'", " ".join(_keep_words(text).split()))
    text = _TODAY.sub("aujourd'hui", text)
    text = " ".join(word for token in text.split() for word in _split_elisions(token))
    text = _TITLE.sub(lambda match: _TITLES[match[1]], text)
    for pattern, replacement in _WORD_RULES:
        text = pattern.sub(replacement, text)
    return text
