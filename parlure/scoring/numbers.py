"""Numbers in references → how many stand in the hypotheses, whole and in their place.

A telephone number with one digit wrong is wrong, however little it adds to an error rate. So a number is a maximal run
of number words after normalising, and it is found if the same run, no longer and no shorter, is aligned with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from parlure.scoring.align import aligned
from parlure.scoring.hits import Hits
from parlure.scoring.normalize import get_profile
from parlure.scoring.utterances import ScoredUtterance

HOW = (
    "A number is a maximal run of number words (French, English) or of words with a digit (any language) under the "
    "headline profile, un, une and one alone left out. It is found if the same run, no longer, is aligned with it."
)
SHOWN_IDS = 10


@dataclass(frozen=True)
class Lexicon:
    """The number words of a language.

    Attributes:
        words: of which numbers are made.
        articles: among them those that alone are none.
        joints: a word, and the words between which it is inside a number.
        signs: two words in a row of which the second is no number.
    """

    words: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()
    joints: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = ()
    signs: frozenset[tuple[str, str]] = frozenset()


_FRENCH_WORDS = (
    "zéro un une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt vingts "
    "trente quarante cinquante soixante septante huitante octante nonante cent cents mille million millions milliard "
    "milliards unième deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième "
    "douzième treizième quatorzième quinzième seizième vingtième trentième quarantième cinquantième soixantième "
    "septantième huitantième nonantième centième millième millionième"
)
_ENGLISH_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million millions billion "
    "billions"
)
_FRENCH, _ENGLISH = frozenset(_FRENCH_WORDS.split()), frozenset(_ENGLISH_WORDS.split())
LEXICONS = {
    "fr": Lexicon(
        _FRENCH,
        frozenset({"un", "une"}),
        (("et", _FRENCH, frozenset({"un", "une", "onze", "unième", "onzième"})), ("virgule", _FRENCH, _FRENCH)),
        frozenset({("pour", "cent")}),
    ),
    "en": Lexicon(
        _ENGLISH,
        frozenset({"one"}),
        (("and", frozenset({"hundred", "thousand", "million"}), _ENGLISH), ("point", _ENGLISH, _ENGLISH)),
    ),
}
_ANY = Lexicon()


def lexicon_of(language: str | None) -> Lexicon:
    """The number words of a language code such as ``fr`` or ``fr-CA``; none but digits for most."""
    return LEXICONS.get((language or "").lower().replace("_", "-").split("-")[0], _ANY)


def _is_number(word: str, lexicon: Lexicon) -> bool:
    return word in lexicon.words or any(c.isnumeric() for c in word)


def number_spans(words: Sequence[str], lexicon: Lexicon) -> list[tuple[int, int]]:
    """The numbers in normalised words, as positions of their first word and behind their last."""
    inside = [
        _is_number(word, lexicon) and (before, word) not in lexicon.signs
        for before, word in zip(["", *words], words, strict=False)
    ]
    for position in range(1, len(words) - 1):
        for joint, before, behind in lexicon.joints:
            if words[position] == joint and words[position - 1] in before and words[position + 1] in behind:
                inside[position] = True
    spans: list[tuple[int, int]] = []
    for position, number in enumerate(inside):
        if not number:
            continue
        if spans and spans[-1][1] == position:
            spans[-1] = (spans[-1][0], position + 1)
        else:
            spans.append((position, position + 1))
    return [(start, end) for start, end in spans if not lexicon.articles.issuperset(words[start:end])]


def number_hits(reference: Sequence[str], hypothesis: Sequence[str], lexicon: Lexicon) -> Hits:
    """The numbers of one utterance, from normalised words."""
    said, heard = number_spans(reference, lexicon), number_spans(hypothesis, lexicon)
    if not said or not heard:
        return Hits(0, len(said), len(heard))
    opposite = dict(aligned(reference, hypothesis))
    whole = set(heard)
    right = 0
    for start, end in said:
        there = [opposite.get(position) for position in range(start, end)]
        first = there[0]
        if first is None or (first, first + end - start) not in whole:
            continue
        in_place = there == list(range(first, first + end - start))
        right += in_place and reference[start:end] == hypothesis[first : first + end - start]
    return Hits(right, len(said), len(heard))


def _may_hold_numbers(text: str, lexicon: Lexicon) -> bool:
    """Whether it is worth normalising: most utterances of a conversation hold no number."""
    return any(c.isnumeric() for c in text) or not lexicon.words.isdisjoint(re.findall(r"\w+", text.casefold()))


def _of_system(
    utterances: Sequence[ScoredUtterance], system: str, words: Callable[[str], list[str]], profile: str
) -> tuple[Hits, list[str]]:
    total, missed = Hits(), []
    for one in utterances:
        lexicon = lexicon_of(one.language or profile)
        said, heard = one.reference, one.hypotheses[system]
        if _may_hold_numbers(said, lexicon) or _may_hold_numbers(heard, lexicon):
            hits = number_hits(words(said), words(heard), lexicon)
            total += hits
            if hits.n_right < hits.n_reference:
                missed.append(one.id)
    return total, sorted(missed)


def number_accuracy(
    utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str]
) -> dict[str, Any] | None:
    """The report's ``numbers``.

    Returns:
        ``{"how", "systems": {SYSTEM: hits and "ids"}}``: :meth:`parlure.scoring.hits.Hits.to_json` (``recall`` is the
        accuracy: the share of the references' numbers that were found) and up to 10 utterances in which one was
        missed; None where neither side holds a number.
    """
    words = lru_cache(maxsize=None)(get_profile(profile).words)  # a reference is asked for once a system
    found = {system: _of_system(utterances, system, words, profile) for system in systems}
    if all(hits == Hits() for hits, _ in found.values()):
        return None
    return {
        "how": HOW,
        "systems": {system: hits.to_json() | {"ids": missed[:SHOWN_IDS]} for system, (hits, missed) in found.items()},
    }
