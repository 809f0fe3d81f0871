"""A person's list of terms → how many of them are heard, and how many of those heard were said.

Names, products and a trade's words are few among all words, so an error rate hardly moves with them. What counts is
what was written: a term is heard if its words, normalised like everything else, stand in the hypothesis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.hits import Hits
from parlure.scoring.normalize import get_profile
from parlure.scoring.utterances import ScoredUtterance, read_lines

_COMMENT = re.compile(r"(?:^|\s)#.*")  # C# is a term


@dataclass(frozen=True)
class Term:
    """A word or several, as the person wrote them.

    Attributes:
        text: the term.
        seen: whether a training text holds it; None where no training texts were given.
    """

    text: str
    seen: bool | None = None


def read_terms(path: Path) -> list[Term]:
    """A term list: UTF-8, a term of one word or more a line; ``#`` begins a comment, blank lines are skipped.

    Raises:
        ParlureError: the file cannot be read, names no term, or a line holds no word, a tab or a term that was there
            before.
    """
    lines: dict[str, int] = {}
    terms: list[Term] = []
    for number, line in enumerate(read_lines(path), 1):
        text = _COMMENT.sub("", line).strip()
        if not text:
            continue
        if "\t" in text:
            raise ParlureError(
                f"{path}, line {number}: a tab within a term", "a term list is plain text, a term a line"
            )
        if not any(c.isalnum() for c in text):
            raise ParlureError(f"{path}, line {number}: {text} has no letter and no digit", "a term is made of words")
        text = " ".join(text.split())
        if (first := lines.setdefault(text.casefold(), number)) != number:
            raise ParlureError(f"{path}, line {number}: {text} is in line {first} already", "name each term once")
        terms.append(Term(text))
    if not terms:
        raise ParlureError(f"{path} names no term", "a term a line, such as Saint-Hyacinthe")
    return terms


def spaced(text: str, profile: str) -> str:
    """The words of a text under a profile, each between two spaces of its own: ``" le  chat "``."""
    return f" {'  '.join(get_profile(profile).words(text))} "


def mark_seen(terms: Iterable[Term], training_texts: Iterable[str], profile: str) -> list[Term]:
    """The terms, each with whether any of the training texts holds it under a profile; without texts, as they are."""
    listed, training_texts = list(terms), list(training_texts)
    if not training_texts:
        return listed
    missing = {term.text: spaced(term.text, profile) for term in listed}
    for text in training_texts:
        if not missing:
            break
        words = spaced(text, profile)
        missing = {term: sought for term, sought in missing.items() if not occurrences(sought, words)}
    return [Term(term.text, term.text not in missing) for term in listed]


def occurrences(term: str, text: str) -> int:
    """How often a term stands in a text, whole words, not overlapping; both as :func:`spaced` makes them."""
    return text.count(term) if term.strip() else 0


def _hits(term: str, said: Sequence[str], heard: Sequence[str]) -> Hits:
    total = Hits()
    for reference, hypothesis in zip(said, heard, strict=True):
        pair = occurrences(term, reference), occurrences(term, hypothesis)
        if any(pair):
            total += Hits(min(pair), *pair)
    return total


def term_accuracy(
    utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str], terms: Sequence[Term]
) -> dict[str, Any] | None:
    """The report's ``terms``: recall, precision and F1 of the list as a whole, of its parts and of each term.

    Returns:
        ``{"n_terms", "systems": {SYSTEM: {"all": hits, "seen": hits, "unseen": hits}}, "terms": [{"term", "seen",
        "systems": {SYSTEM: hits}}]}``, hits being those of :class:`Hits`; ``seen`` and ``unseen`` only where the terms
        say so; None without terms. A term within a longer one (``carte`` in ``carte de crédit``) counts for both; two
        spellings that the profile makes one (``Saint-Jean``, ``St-Jean``) count once in the sums.
    """
    if not terms:
        return None
    said = [spaced(one.reference, profile) for one in utterances]
    heard = {system: [spaced(one.hypotheses[system], profile) for one in utterances] for system in systems}
    hits = {
        system: {term: _hits(spaced(term.text, profile), said, heard[system]) for term in terms} for system in systems
    }
    different = list({spaced(term.text, profile): term for term in reversed(terms)}.values())[::-1]
    parts: dict[str, list[Term]] = {"all": different}
    if all(term.seen is not None for term in terms):
        parts |= {"seen": [t for t in different if t.seen], "unseen": [t for t in different if not t.seen]}
    return {
        "n_terms": len(terms),
        "systems": {
            system: {part: sum((hits[system][t] for t in those), Hits()).to_json() for part, those in parts.items()}
            for system in systems
        },
        "terms": [
            {"term": t.text, "seen": t.seen, "systems": {system: hits[system][t].to_json() for system in systems}}
            for t in terms
        ],
    }


def terms_of_report(block: dict[str, Any] | None) -> list[Term]:
    """The terms that a report's ``terms`` was made with."""
    return [] if block is None else [Term(one["term"], one["seen"]) for one in block["terms"]]
