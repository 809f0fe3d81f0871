"""Texts of all speakers and sources → where they are written by different rules: case, punctuation, numbers."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable

from parlure.corpus.check.findings import Ledger
from parlure.corpus.check.text import language_of
from parlure.corpus.manifest import Utterance

_MIN_TEXTS = 10  # of a speaker or folder, of at least so many words each: fewer show no rule
_MIN_WORDS = 3
_RULE_SHARE = 0.05  # of a group's texts that may break its rule
_PUNCTUATED = re.compile(r"[.,!?;:…。，！？،؟।]")
_DIGIT = re.compile(r"\d")
# Names of numbers that are nothing else; from two on, for "one" is an article in many languages. Up to ten, behind the
# bar, they are written in words beside digits by whoever writes well: several in one text are a dictation.
_NUMBER_WORDS = {
    "fr": "onze douze treize quatorze quinze seize vingt trente quarante cinquante soixante cent mille"
    "|deux trois quatre cinq six sept huit neuf dix",
    "en": "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty "
    "seventy eighty ninety hundred thousand|two three four five six seven eight nine ten",
    "es": "once doce trece catorce quince veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien "
    "ciento mil|dos tres cuatro cinco seis siete ocho nueve diez",
    "de": "elf zwölf zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend"
    "|zwei drei vier fünf sechs sieben acht neun zehn",
    "it": "undici dodici venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento mille"
    "|due tre quattro cinque sei sette otto nove dieci",
    "pt": "onze doze vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem cento mil"
    "|dois duas três quatro cinco seis sete oito nove dez",
    "nl": "elf twaalf twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd duizend"
    "|twee drie vier vijf zes zeven acht negen tien",
}
_DICTATED = 3  # small numbers in words


def _any_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(words.split())})(?!\w)", re.IGNORECASE)


_SAID = {
    language: (_any_of(large), _any_of(small))
    for language, (large, _, small) in ((language, words.partition("|")) for language, words in _NUMBER_WORDS.items())
}


def check_writing(ledger: Ledger) -> None:
    """Case and punctuation by speaker and by folder, numbers by language."""
    groups = _groups(ledger)
    _check_policy(ledger, groups, "mixed_casing", _casing)
    _check_policy(ledger, groups, "mixed_punctuation", _punctuation)
    if ledger.runs("mixed_numbers"):
        _check_numbers(ledger)


def _groups(ledger: Ledger) -> dict[str, list[int]]:
    """Utterances long enough to show a rule, by speaker and by the recording's folder, language by language."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, utterance in enumerate(ledger.utterances):
        if utterance.text.count(" ") + 1 < _MIN_WORDS:
            continue
        language = language_of(utterance)
        if utterance.speaker is not None:
            groups[f"{language}\0speaker {utterance.speaker}"].append(index)
        groups[f"{language}\0folder {os.path.dirname(utterance.recording)}"].append(index)  # noqa: PTH120
    return {name: indices for name, indices in groups.items() if len(indices) >= _MIN_TEXTS}


def _check_policy(
    ledger: Ledger, groups: dict[str, list[int]], code: str, policy_of: Callable[[list[str]], str | None]
) -> None:
    """Groups whose rule is not that of most utterances of their language."""
    if not ledger.runs(code):
        return
    policies = {name: policy_of([ledger.utterances[i].text for i in indices]) for name, indices in groups.items()}
    for language in {name.partition("\0")[0] for name in groups}:
        rules: Counter[str] = Counter()
        for name, policy in policies.items():
            if policy is not None and name.startswith(f"{language}\0"):
                rules[policy] += len(groups[name])
        if len(rules) < 2:
            continue
        usual = rules.most_common(1)[0][0]
        other = {
            index: f"{name.partition(chr(0))[2]}: {policy}, others {usual}"
            for name, policy in policies.items()
            if policy not in (None, usual) and name.startswith(f"{language}\0")
            for index in groups[name]
        }
        if len(other) > ledger.threshold(code) * len(ledger.utterances):
            for index, value in sorted(other.items()):
                ledger.add(code, index, value)


def _casing(texts: list[str]) -> str | None:
    """The rule by which a group writes capitals; None where it has none, or its script has no case."""
    cased = [text for text in texts if text.lower() != text.upper()]
    if len(cased) < _MIN_TEXTS:
        return None
    lower = sum(text == text.lower() for text in cased) / len(cased)
    upper = sum(text == text.upper() for text in cased) / len(cased)
    if lower >= 1 - _RULE_SHARE:
        return "lower case"
    if upper >= 1 - _RULE_SHARE:
        return "capitals throughout"
    return "capitals and lower case" if lower + upper < 0.5 else None


def _punctuation(texts: list[str]) -> str | None:
    share = sum(bool(_PUNCTUATED.search(text)) for text in texts) / len(texts)
    if share <= _RULE_SHARE:
        return "no punctuation"
    return "punctuation" if share > 0.5 else None


def _check_numbers(ledger: Ledger) -> None:
    by_language: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for index, utterance in enumerate(ledger.utterances):
        written, said = by_language[language_of(utterance)]
        if _DIGIT.search(utterance.text):
            written.append(index)
        elif _names_number(utterance):
            said.append(index)
    for written, said in by_language.values():
        fewer, how = (written, "digits, others words") if len(written) <= len(said) else (said, "words, others digits")
        if len(fewer) > ledger.threshold("mixed_numbers") * (len(written) + len(said)):
            for index in fewer:
                ledger.add("mixed_numbers", index, how)


def _names_number(utterance: Utterance) -> bool:
    """Whether a number from eleven on, or several smaller ones, are in words."""
    if language_of(utterance) not in _SAID:
        return False
    large, small = _SAID[language_of(utterance)]
    return large.search(utterance.text) is not None or len(small.findall(utterance.text)) >= _DICTATED
