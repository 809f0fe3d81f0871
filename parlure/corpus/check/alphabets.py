"""A language's code and a text → the letters that do not belong to the language.

For languages in Latin letters: letters of other scripts, and Latin ones beyond a to z that the alphabet listed here
does not have (languages that are not listed may have any). For other scripts: words in which two scripts meet, where a
letter usually only looks right; whole words in Latin letters are names and are left alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters beyond a to z, in lower case: of the alphabet itself, with those of loans that dictionaries list
_EXTRA = {
    "fr": "àâæçéèêëîïôœùûüÿ", "en": "àâæçéèêëîïñôœöü", "es": "áéíñóúü", "de": "äöüßéàè", "it": "àèéìíîòóùú",
    "pt": "àáâãçéêíóôõúü", "nl": "áàäçèéêëïíóôöúü", "ca": "àçèéíïòóúü·", "gl": "áéíïñóúü", "eu": "çñü",
    "pl": "ąćęłńóśźż", "cs": "áčďéěíňóřšťúůýž", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšž", "hr": "čćđšž", "bs": "čćđšž",
    "sv": "åäöéàü", "no": "åæøéèêóòôü", "nn": "åæøéèêóòôü", "da": "åæøéü", "fi": "åäöšž", "et": "äöõüšž",
    "is": "áæðéíóöþúý", "hu": "áéíóöőúüű", "ro": "ăâîșțşţ", "tr": "çğıiöşüâîû\u0307", "lv": "āčēģīķļņšūž",
    "lt": "ąčęėįšųūž", "cy": "âêîôûŵŷáéíóúàèìòùäëïöü", "af": "áäèéêëíîïóôöúûü", "id": "é", "ms": "é", "sw": "",
}  # fmt: skip
_SCRIPTS = {
    "CYRILLIC": "ru uk be bg mk kk mn tg ba tt", "GREEK": "el", "ARABIC": "ar fa ur ps sd", "HEBREW": "he yi",
    "DEVANAGARI": "hi mr ne sa", "BENGALI": "bn as", "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml",
    "GUJARATI": "gu", "GURMUKHI": "pa", "SINHALA": "si", "THAI": "th", "LAO": "lo", "MYANMAR": "my", "KHMER": "km",
    "GEORGIAN": "ka", "ARMENIAN": "hy", "ETHIOPIC": "am", "HANGUL": "ko", "TIBETAN": "bo", "CJK": "zh yue ja",
}  # fmt: skip
_SCRIPT_OF = {code: script for script, codes in _SCRIPTS.items() for code in codes.split()}
_JAPANESE = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH", "CJK"}
_WORD = re.compile(r"[^\W\d_]+")
_ASCII = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_COMMON = frozenset("ªº°µˈʼ")  # of any language
NEEDS_JOINERS = frozenset(
    code for code, script in _SCRIPT_OF.items() if script not in ("CYRILLIC", "GREEK", "CJK", "HANGUL", "GEORGIAN")
)


@lru_cache(maxsize=1 << 14)
def script_of(character: str) -> str:
    """The first word of a letter's Unicode name, which is its script: LATIN, CYRILLIC, CJK."""
    return unicodedata.name(character, "?").split(" ")[0]


@lru_cache(maxsize=256)
def _latin_letters(language: str) -> frozenset[str] | None:
    extra = _EXTRA.get(language)
    return None if extra is None else _ASCII | frozenset(extra) | frozenset(extra.upper()) | _COMMON


def is_latin(language: str) -> bool:
    """Whether a language is written in Latin letters."""
    return language not in _SCRIPT_OF


def foreign_letters(text: str, language: str) -> list[str]:
    """The letters that do not belong, as often as they occur.

    Args:
        text: in NFC or not; combining marks are no letters.
        language: Whisper's code.
    """
    script = _SCRIPT_OF.get(language, "LATIN")
    if script != "LATIN":
        return [letter for word in _WORD.findall(text) for letter in _strangers(word, script)]
    known = _latin_letters(language)
    if text.isascii() or (known is not None and not any(c.isalpha() for c in set(text) - known)):
        return []
    text = unicodedata.normalize("NFC", text)  # an accent by itself has a rule of its own
    if known is not None:
        return [c for c in text if c not in known and c.isalpha()]
    return [c for c in text if c.isalpha() and c not in _COMMON and script_of(c) not in ("LATIN", "FULLWIDTH")]


def _strangers(word: str, script: str) -> list[str]:
    """Letters of a word in another script than most of it."""
    scripts = ["CJK" if script == "CJK" and script_of(c) in _JAPANESE else script_of(c) for c in word]
    if len(set(scripts)) == 1:
        return [] if scripts[0] in (script, "LATIN") else list(word)
    main = script if scripts.count(script) * 2 >= len(scripts) else max(set(scripts), key=scripts.count)
    return [c for c, own in zip(word, scripts, strict=True) if own != main]
