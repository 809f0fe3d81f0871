"""A text → characters in it that are UTF-8 read as a Western code page, or the mark of a lost one.

``É»`` and ``é\xa0»`` are valid UTF-8 when they are taken for bytes, and good French: what the bytes would say has to be
something that the language writes.
"""

from __future__ import annotations

import re
import unicodedata

from parlure.corpus.check.alphabets import foreign_letters, is_latin

_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]{2,}")
_MAC = re.compile("[√¬][^\x00-\x7f]")
_NEVER = b" "  # stands for a character that is in no such page
_LATIN_ENDS = 0x0250  # behind Latin and its extensions
_SYMBOLS = range(0x2000, 0x2300)  # quotes, dashes, currencies, ™


def mojibake(text: str, language: str) -> str:
    """The characters and what they were; ``U+FFFD`` for one that is lost; else an empty string."""
    if text.isascii():
        return ""
    if "\ufffd" in text:
        return "U+FFFD"
    for run in _NOT_ASCII.findall(text):
        for found in _UTF8.finditer(b"".join(map(_western, run))):
            try:
                was = found[0].decode("utf-8")
            except ValueError:  # a surrogate, or a longer form than need be
                continue
            if _is_written(was, language):
                return f"{run[found.start() : found.end()]} for {was}"
    for pair in _MAC.findall(text):
        was = pair.encode("mac_roman", "replace").decode("utf-8", "replace")
        if was.isalpha() and _is_written(was, language):
            return f"{pair} for {was}"
    return ""


def _western(character: str) -> bytes:
    """A character's byte in Windows-1252, in whose gaps Latin-1's controls stand."""
    for page in ("cp1252", "latin-1"):
        try:
            return character.encode(page)
        except UnicodeEncodeError:
            continue
    return _NEVER


def _is_written(was: str, language: str) -> bool:
    """Whether a text in a language may hold this character, read rightly or once more in the wrong way."""
    code = ord(was)
    if is_latin(language):
        if not (code < _LATIN_ENDS or code in _SYMBOLS or code >= 0xFE00):
            return False
        return was in "ÃÂâ" or not foreign_letters(was, language)
    return unicodedata.category(was) != "Cn" and not foreign_letters(was, language)
