"""Profile ``plain``: the safe default for every language without rules of its own, in any script.

Unlike ``basic`` it deletes no text in brackets and takes no combining mark away: the vowel signs of Hindi and Tamil,
the harakat of Arabic and the tones of Yoruba are part of their words. What it does is what holds in all languages:
case, punctuation, symbols, invisible characters and the ways of writing one character do not make another word.

Chinese, Japanese, Thai, Lao, Burmese and Khmer are written without spaces, so a word there is one character with its
marks, as in Radford et al. 2022 (appendix C), and their word error rate is the customary character error rate.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

from parlure.scoring.normalize.characters import CharacterTable

_APOSTROPHES = "'’‘‛′`´＇"
_LETTER_APOSTROPHES = "ʼʻʹʽ"  # letters by category, yet typed as apostrophes: Ukrainian м'ята, Uzbek o'zbek
_SPACE_WITHOUT_WIDTH = "\u200b"
_VARIATION_SELECTORS = frozenset(map(chr, chain(range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))))

# Han, kana, Thai, Lao, Burmese, Khmer
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u3098\u309b-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff\u0e00-\u0eff\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\u1780-\u17ff"
)
_THEIR_BLOCKS = ((0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800), (0x3000, 0x3100), (0xA9E0, 0xAA80))
_MARKS = "\u0300-\u036f" + "".join(
    char
    for char in map(chr, chain(*(range(*block) for block in _THEIR_BLOCKS)))
    if unicodedata.category(char)[0] == "M"
)
_CHARACTER = re.compile(rf"(?![{_MARKS}])[{_UNSPACED}][{_MARKS}]*")
_BETWEEN_CHARACTERS = re.compile(rf"(?<=[{_UNSPACED}{_MARKS}]) (?=[{_UNSPACED}])")


def _unify(char: str) -> str:
    """Before compatibility composition: what must not take part in it."""
    if char in _APOSTROPHES:
        return "'"
    if char == _SPACE_WITHOUT_WIDTH:
        return " "
    if char == "İ":
        return "i"  # Turkish; Python's lower case would leave a loose dot behind
    category = unicodedata.category(char)
    if category == "Cf" or char in _VARIATION_SELECTORS:
        return ""
    return " " if category == "Sk" else char  # "¨" would come out as a mark on a space


def _keep_words(char: str) -> str:
    """Letters, marks, numbers and apostrophes stay; a digit of any script is the Arabic numeral."""
    if char == "'":
        return char
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    return char if category[0] in "LMN" else " "


_UNIFIED, _KEPT = CharacterTable(_unify), CharacterTable(_keep_words)
_INNER_APOSTROPHE = re.compile(rf"(?<=[^\s'])[{_LETTER_APOSTROPHES}](?=[^\s'])")
_DOTTED_I = re.compile("i\u0307+")


def normalize_plain(text: str) -> str:
    """The words of a text in any language, joined by single spaces; no letter, mark or digit is lost.

    NFKC and lower case; punctuation and symbols are spaces, but an apostrophe inside a word stays; soft hyphens,
    joiners and other invisible characters are nothing; digits are ``0``–``9``. The dot above ``i`` is no mark.
    """
    text = unicodedata.normalize("NFKC", text.translate(_UNIFIED)).lower()
    text = unicodedata.normalize("NFKC", _DOTTED_I.sub("i", text)).translate(_KEPT)
    text = _INNER_APOSTROPHE.sub("'", text)
    text = _CHARACTER.sub(r" \g<0> ", text)
    text = " ".join(word for word in (part.strip("'") for part in text.split()) if word)
    return re.sub("''+", "'", text)


def join_characters(words: str) -> str:
    """Normalised text without the spaces that only part the characters of an unspaced script: what a CER counts."""
    return _BETWEEN_CHARACTERS.sub("", words)
