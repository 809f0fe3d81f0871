"""Texts → what is wrong with each by itself: no word in it, damaged characters, marks of annotation, loops."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from parlure.corpus.check.alphabets import NEEDS_JOINERS, foreign_letters
from parlure.corpus.check.findings import Ledger
from parlure.corpus.check.mojibake import mojibake
from parlure.corpus.check.residue import residue
from parlure.corpus.manifest import Utterance
from parlure.corpus.personal import find_personal
from parlure.scoring.loops import LOOP_REPEATS, LOOP_WORDS, without_loops

_ZERO_WIDTH = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]")
_JOINERS = re.compile("[\u200c\u200d]")
_LETTER_OR_MARK = re.compile(r"[^\W\d_]")
_SPACED = re.compile(r"(?<=\s)[.,]+(?=\s|$)")
_ATTACHED = re.compile(r"(?<=\w)[.,](?=\s|$)")
_ODD = ("Cc", "Co", "Cn", "Cs", "So")
_PUNCTUATION = str.maketrans("", "", ".,;:!?…\"'’«»()-")

Finder = Callable[[str, str], str]


def holds_word(text: str) -> bool:
    """Whether there is a letter or a digit."""
    return any(character.isalnum() for character in text)


def language_of(utterance: Utterance) -> str:
    """The language that the text is written in: English where it is a translation."""
    return "en" if utterance.task == "translate" else utterance.language


def check_texts(ledger: Ledger, *, silence_is_meant: bool) -> None:
    """Every text by itself.

    Args:
        ledger: takes what is found.
        silence_is_meant: the corpus was prepared to take an empty text as silence.
    """
    finders = [(code, find) for code, find in FINDERS.items() if ledger.runs(code)]
    limit = ledger.threshold("foreign_characters")
    for index, utterance in enumerate(ledger.utterances):
        text, language = utterance.text, language_of(utterance)
        if not holds_word(text):
            if not text and silence_is_meant:
                ledger.add("silence", index, "")
            else:
                ledger.add("empty_text", index, repr(text))
        if not text:
            continue
        for code, find in finders:
            if value := find(text, language):
                ledger.add(code, index, value)
        foreign = foreign_letters(text, language)
        if foreign and len(foreign) > limit * len(_LETTER_OR_MARK.findall(text)):
            ledger.add("foreign_characters", index, " ".join(dict.fromkeys(foreign)), len(foreign))


def check_spacing(ledger: Ledger) -> None:
    """Full stops and commas that stand alone, if they are more than a share of all of them."""
    if not ledger.runs("spaced_punctuation"):
        return
    n_attached, spaced = 0, list[tuple[int, int]]()
    for index, utterance in enumerate(ledger.utterances):
        n_attached += len(_ATTACHED.findall(utterance.text))
        if n := len(_SPACED.findall(utterance.text)):
            spaced.append((index, n))
    n_spaced = sum(n for _, n in spaced)
    if n_spaced > ledger.threshold("spaced_punctuation") * (n_spaced + n_attached):
        for index, n in spaced:
            ledger.add("spaced_punctuation", index, ledger.utterances[index].text[:120], n)


def odd_symbols(text: str, language: str) -> str:
    """Control and private characters, emoji, musical notes."""
    if text.isascii() and text.isprintable():
        return ""
    odd = [
        c
        for c in dict.fromkeys(text)
        if unicodedata.category(c) in ("Cc", "Co", "Cn", "Cs", "So") and c not in "\ufffd°©®™№℃"
    ]
    return " ".join(f"U+{ord(c):04X}" for c in odd)


def decomposed(text: str, language: str) -> str:
    """The first word that is not in NFC."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return ""
    return next((word for word in text.split() if not unicodedata.is_normalized("NFC", word)), text[:20])


def zero_width(text: str, language: str) -> str:
    """What cannot be seen, by its code points."""
    if text.isascii():
        return ""
    found = _ZERO_WIDTH.findall(text) + ([] if language in NEEDS_JOINERS else _JOINERS.findall(text))
    return " ".join(f"U+{ord(c):04X}" for c in dict.fromkeys(found))


def looping(text: str, language: str) -> str:
    """The text without its loop, if it has one."""
    words = text.translate(_PUNCTUATION).lower().split()
    doubled = len(words) - len(set(words))
    # all but the first round of a loop is there twice
    if words and doubled < LOOP_WORDS * (LOOP_REPEATS - 1) // LOOP_REPEATS and max(map(len, words)) <= 30:
        return ""
    shorter = without_loops(text)
    return "" if shorter == text else f"without it: {shorter[:80]}"


def personal(text: str, language: str) -> str:
    """The kinds of personal data found, never the data themselves."""
    return ", ".join(dict.fromkeys(one.kind for one in find_personal(text, language)))


FINDERS: dict[str, Finder] = {
    "mojibake": mojibake,
    "odd_symbols": odd_symbols,
    "decomposed_accents": decomposed,
    "zero_width": zero_width,
    "annotation_residue": residue,
    "word_loop": looping,
    "personal_data": personal,
}
