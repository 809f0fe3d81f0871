"""Scored utterances → the commonest confusions, and the words that one system hears and the other misses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from parlure.scoring.align import align
from parlure.scoring.normalize import get_profile
from parlure.scoring.utterances import ScoredUtterance


@dataclass(frozen=True)
class Heard:
    """How often a reference word was heard right.

    Attributes:
        word: as the profile writes it.
        n: times in the references.
        base: of these, right in base.
        tuned: of these, right in tuned.
    """

    word: str
    n: int
    base: int
    tuned: int


def confusions(utterances: Iterable[ScoredUtterance], profile: str, system: str) -> Counter[tuple[str, str]]:
    """(said, heard) → times; a missed word is heard as ``""``, an inserted one was said as ``""``."""
    words = get_profile(profile).words
    found: Counter[tuple[str, str]] = Counter()
    for one in utterances:
        for op in align(words(one.reference), words(one.hypotheses[system])):
            if op.kind != "equal":
                found[op.reference or "", op.hypothesis or ""] += 1
    return found


def _right(utterance: ScoredUtterance, profile: str, system: str) -> Counter[str]:
    words = get_profile(profile).words
    steps = align(words(utterance.reference), words(utterance.hypotheses[system]))
    return Counter(op.reference for op in steps if op.kind == "equal" and op.reference is not None)


def gained_and_lost(utterances: Sequence[ScoredUtterance], profile: str, n: int) -> tuple[list[Heard], list[Heard]]:
    """The words that tuned hears right more often than base, and those it hears right less often.

    Args:
        utterances: with the systems ``base`` and ``tuned``.
        profile: under which words are compared.
        n: at most so many each way, the largest changes first.
    """
    said: Counter[str] = Counter()
    right: dict[str, Counter[str]] = {"base": Counter(), "tuned": Counter()}
    for one in utterances:
        said.update(get_profile(profile).words(one.reference))
        for system, counter in right.items():
            counter.update(_right(one, profile, system))
    heard = [Heard(word, count, right["base"][word], right["tuned"][word]) for word, count in said.items()]
    ordered = sorted(heard, key=lambda one: (one.base - one.tuned, one.word))
    gained = [one for one in ordered if one.tuned > one.base][:n]
    lost = [one for one in sorted(heard, key=lambda one: (one.tuned - one.base, one.word)) if one.tuned < one.base][:n]
    return gained, lost
