"""Scored utterances → signs of text that nobody said, the rate with and without loops, and text on silence.

A word error rate hides hallucinations: a few long ones are few utterances, and a fluent sentence costs no more than
as many slips. Each sign is a rule about reference and hypothesis, and says how many utterances show it and which.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from parlure.scoring.align import edit_operations
from parlure.scoring.loops import compresses, without_loops
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import Counts
from parlure.scoring.utterances import ScoredUtterance, counts_to_json, score_text

BURST = 5  # insertions in a row
MORE_WORDS = 5  # and twice as many words as the reference
SHOWN_IDS = 10

SIGNS: Mapping[str, str] = {
    "loop": "the same words at least 4 times in a row over at least 8 words, or 600 characters that compress more than "
    "2.4 times (openai/whisper's compression_ratio_threshold), where the reference does neither; "
    "or the loop guard stopped it",
    "insertion_burst": "at least 5 inserted words in a row",
    "too_long": "more than twice the reference's words, and more than 5 words above them",
    "phantom_phrase": "a phrase that Whisper is known to write over silence, and the reference has not",
    "token_limit": "the decoder was stopped by its limit of tokens",
}

# What Whisper learnt from the ends of subtitled videos: openai/whisper discussion 928, Barański et al. 2025 (arXiv
# 2501.11378), issues of whisper.cpp. Looked for in every language: a French call may end in English thanks.
PHANTOMS: Mapping[str, tuple[str, ...]] = {
    "any": ("amara.org", "mooji.org"),
    "fr": (
        *("Sous-titrage ST' 501", "Sous-titrage Société Radio-Canada", "SousTitreur.com"),
        *("Merci d'avoir regardé", "Abonnez-vous à la chaîne", "N'oubliez pas de vous abonner"),
    ),
    "en": ("Thanks for watching", "Thank you for watching", "See you in the next video", "Like and subscribe"),
    "de": ("im Auftrag des ZDF", "Untertitelung des ZDF", "Vielen Dank fürs Zuschauen"),
    "es": ("Gracias por ver el vídeo", "Gracias por ver el video", "Suscríbete al canal"),
    "it": ("a cura di QTSS", "Grazie per la visione"),
    "ja": ("ご視聴ありがとうございました",),
    "ko": ("시청해주셔서 감사합니다",),
    "pt": ("Obrigado por assistir",),
    "ru": ("Субтитры сделал DimaTorzok", "Редактор субтитров"),
    "tr": ("Abone olmayı unutmayın",),
    "zh": ("请不吝点赞",),
}
_UNSPACED = ("ja", "zh")
_WORD = re.compile(r"[^\W_]+")


def _folded(text: str) -> str:
    """Words without case and punctuation, a space before and after each."""
    return f" {' '.join(_WORD.findall(unicodedata.normalize('NFC', text).casefold()))} "


_FOLDED_PHANTOMS = {
    phrase: _folded(phrase).strip() if language in _UNSPACED else _folded(phrase)
    for language, phrases in PHANTOMS.items()
    for phrase in phrases
}


def phantom_phrases(text: str) -> list[str]:
    """The known phantom phrases in a text, case and punctuation aside."""
    folded = _folded(text)
    return [phrase for phrase, looked_for in _FOLDED_PHANTOMS.items() if looked_for in folded]


def longest_burst(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """The most words inserted in a row, in the alignment that the counts come from."""
    longest = run = 0
    last: tuple[int, int] | None = None
    for kind, in_reference, in_hypothesis in edit_operations(reference, hypothesis):
        if kind != "insert":
            last = None
            continue
        run = run + 1 if last == (in_reference, in_hypothesis - 1) else 1
        last = (in_reference, in_hypothesis)
        longest = max(longest, run)
    return longest


def _loops(text: str) -> bool:
    return compresses(text) or without_loops(text) != text


def signs(utterance: ScoredUtterance, profile: str, system: str) -> list[str]:
    """The names of the signs, of :data:`SIGNS`, that a hypothesis shows; words are those of ``profile``."""
    found = [
        sign
        for sign, flag in (("token_limit", "truncated"), ("loop", "looped"))
        if (utterance.extra.get(flag) or {}).get(system)
    ]
    counts = utterance.counts[profile][system].words
    if not counts.edits:
        return found  # every word was said
    reference, text = utterance.reference, utterance.hypotheses[system]
    words = get_profile(profile).words
    if _loops(text) and not _loops(reference):
        found.append("loop")
    if counts.I >= BURST and longest_burst(words(reference), words(text)) >= BURST:
        found.append("insertion_burst")
    if counts.n_hypothesis > 2 * counts.N and counts.n_hypothesis > counts.N + MORE_WORDS:
        found.append("too_long")
    if _unsaid_phantoms(utterance, system):
        found.append("phantom_phrase")
    return [name for name in SIGNS if name in found]


def _unsaid_phantoms(utterance: ScoredUtterance, system: str) -> list[str]:
    heard = phantom_phrases(utterance.hypotheses[system])
    said = phantom_phrases(utterance.reference) if heard else []
    return [phrase for phrase in heard if phrase not in said]


def _share(ids: Sequence[str], n_all: int) -> dict[str, Any]:
    """How many, which share of all in per cent, and the first ids of the alphabet."""
    return {"count": len(ids), "share": 100.0 * len(ids) / n_all if n_all else None, "ids": sorted(ids)[:SHOWN_IDS]}


def _guarded(utterance: ScoredUtterance, profile: str, system: str) -> Counts | None:
    """The word errors of a hypothesis once its loops are collapsed; None if there is no loop."""
    text = utterance.hypotheses[system]
    if (guarded := without_loops(text)) == text:
        return None
    return score_text(profile, utterance.reference, guarded).words


def _of_system(utterances: Sequence[ScoredUtterance], profile: str, system: str) -> dict[str, Any]:
    found = {one.id: signs(one, profile, system) for one in utterances}
    block: dict[str, Any] = {
        name: _share([id_ for id_, shown in found.items() if name in shown], len(utterances)) for name in SIGNS
    }
    if not any(system in (one.extra.get("truncated") or {}) for one in utterances):
        block["token_limit"] = None  # nobody said how decoding ended
    phrases = [
        phrase for one in utterances if "phantom_phrase" in found[one.id] for phrase in _unsaid_phantoms(one, system)
    ]
    block["phantom_phrase"]["phrases"] = {phrase: phrases.count(phrase) for phrase in sorted(set(phrases))}
    block["any"] = _share([id_ for id_, shown in found.items() if shown], len(utterances))
    stored = [one.counts[profile][system].words for one in utterances]
    guarded = [_guarded(one, profile, system) for one in utterances]
    after = Counts.total(old if new is None else new for new, old in zip(guarded, stored, strict=True))
    before = Counts.total(stored)
    block["wer"] = counts_to_json(before) | {"rate": before.rate}
    block["wer_without_loops"] = counts_to_json(after) | {"rate": after.rate}
    block["n_collapsed"] = sum(new is not None for new in guarded)
    return block


def hallucination(utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str]) -> dict[str, Any]:
    """The report's ``hallucination``.

    Returns:
        ``{"n", "rules": {SIGN: sentence}, "systems": {SYSTEM: {SIGN: {"count", "share", "ids"}, "any": {…}, "wer",
        "wer_without_loops", "n_collapsed"}}}``; shares in per cent of the ``n`` utterances, ``token_limit`` null where
        the lines do not say how decoding ended, ``n_collapsed`` the hypotheses in which a loop was collapsed.
    """
    return {
        "n": len(utterances),
        "rules": dict(SIGNS),
        "systems": {system: _of_system(utterances, profile, system) for system in systems},
    }


def _false_text(utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str]) -> dict[str, Any]:
    timed = [one for one in utterances if one.duration_s is not None]
    seconds = math.fsum(one.duration_s or 0.0 for one in timed)
    block: dict[str, Any] = {"n": len(utterances), "seconds": seconds, "systems": {}}
    for system in systems:
        n_words = {one.id: one.counts[profile][system].words.I for one in utterances}
        spoken = sum(n_words[one.id] for one in timed)
        block["systems"][system] = _share([id_ for id_, number in n_words.items() if number], len(utterances)) | {
            "words": sum(n_words.values()),
            "words_per_minute": 60.0 * spoken / seconds if seconds else None,
        }
    return block


def false_text(utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str]) -> dict[str, Any] | None:
    """The report's ``false_text``: words on utterances whose reference is empty, all of them and tag by tag.

    Returns:
        ``{"n", "seconds", "systems": {SYSTEM: {"count", "share", "ids", "words", "words_per_minute"}}, "tags": {TAG:
        the same}}``: a ``count`` of utterances with at least one word of ``profile``, their share in per cent; None
        where no reference is empty.
    """
    silent = [one for one in utterances if not one.reference.strip()]
    if not silent:
        return None
    tags = sorted({tag for one in silent for tag in one.tags})
    by_tag = {tag: _false_text([one for one in silent if tag in one.tags], profile, systems) for tag in tags}
    return _false_text(silent, profile, systems) | {"tags": by_tag}
