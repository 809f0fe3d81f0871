"""Raw texts → punctuation and casing as scores of their own, apart from the words.

Under a profile that drops marks and case nobody sees them; under ``raw`` they drown in it. Here the words are aligned
without either, and then the marks behind aligned words and the case of right ones are compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parlure.scoring.align import aligned
from parlure.scoring.hits import Hits, per_cent
from parlure.scoring.utterances import ScoredUtterance

MARKS = (".", ",", "?", "!", ":", ";", "…")
# the marks of other scripts, as the ones they stand for
_SAME: Mapping[str, str] = {
    **dict.fromkeys("。．।", "."),
    **dict.fromkeys("，、،", ","),
    **dict.fromkeys("？؟", "?"),
    "！": "!",
    "：": ":",
    **dict.fromkeys("；؛", ";"),
}
# Everything between words that is no mark: ASCII and general punctuation, quotes, brackets, dashes, apostrophes.
_BETWEEN = r"\s!-/:-@\[-`{-~¡¿«»·،؛؟।॥\u2000-\u206f\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # kana and Chinese characters: each a word
_TOKEN = re.compile(
    rf"(?P<word>\d+(?:[.,:]\d+)+|[{_UNSPACED}]|[^{_BETWEEN}{_UNSPACED}]+)"
    rf"|(?P<mark>\.{{2,}}|[{re.escape(''.join(MARKS) + ''.join(_SAME))}])"
)


@dataclass(frozen=True)
class Written:
    """A word as it was written, and the marks between it and the next word."""

    word: str
    marks: frozenset[str]


def written_words(text: str) -> list[Written]:
    """The words of a raw text with the marks behind each, however they are spaced: ``bon.`` and ``bon .`` are alike.

    Apostrophes and hyphens part words. A point, comma or colon between digits belongs to the number. Marks before the
    first word, quotes, brackets and dashes are left out; ``...`` is ``…``.
    """
    words: list[str] = []
    marks: list[set[str]] = []
    for token in _TOKEN.finditer(unicodedata.normalize("NFC", text)):
        if token["word"]:
            words.append(token["word"])
            marks.append(set())
        elif words:
            mark = token["mark"]
            marks[-1].add("…" if len(mark) > 1 else _SAME.get(mark, mark))
    return [Written(word, frozenset(those)) for word, those in zip(words, marks, strict=True)]


@dataclass(frozen=True)
class Writing:
    """Counts of one text or many.

    Attributes:
        n_aligned: words that stand against one of the other side.
        marks: mark → behind aligned words; only marks that there are.
        n_words: words that are right but for their case.
        n_same_case: of those, written letter for letter as in the reference.
        capitals: of those, with a capital letter.
    """

    n_aligned: int
    marks: Mapping[str, Hits]
    n_words: int
    n_same_case: int
    capitals: Hits

    @classmethod
    def zero(cls) -> Writing:
        """The counts of nothing."""
        return cls(0, {}, 0, 0, Hits())

    def __add__(self, other: Writing) -> Writing:
        return Writing(
            self.n_aligned + other.n_aligned,
            {**self.marks, **{mark: self.marks.get(mark, Hits()) + hits for mark, hits in other.marks.items()}},
            self.n_words + other.n_words,
            self.n_same_case + other.n_same_case,
            self.capitals + other.capitals,
        )


def _hits(pairs: Sequence[tuple[bool, bool]]) -> Hits:
    return Hits(sum(a and b for a, b in pairs), sum(a for a, _ in pairs), sum(b for _, b in pairs))


def _has_capital(word: str) -> bool:
    return word != word.lower()


def count_writing(reference: str, hypothesis: str) -> Writing:
    """The marks and capitals of one utterance, from raw texts."""
    said, heard = written_words(reference), written_words(hypothesis)
    folded = [[one.word.casefold() for one in side] for side in (said, heard)]
    pairs = [(said[i], heard[j]) for i, j in aligned(*folded)]
    right = [(one.word, other.word) for one, other in pairs if one.word.casefold() == other.word.casefold()]
    marks = {mark for pair in pairs for one in pair for mark in one.marks}
    return Writing(
        len(pairs),
        {mark: _hits([(mark in one.marks, mark in other.marks) for one, other in pairs]) for mark in marks},
        len(right),
        sum(one == other for one, other in right),
        _hits([(_has_capital(one), _has_capital(other)) for one, other in right]),
    )


def _of_system(total: Writing, has_marks: bool, has_capitals: bool) -> dict[str, Any]:
    punctuation = casing = None
    if has_marks:
        punctuation = {"all": sum(total.marks.values(), Hits()).to_json()}
        punctuation |= {mark: total.marks[mark].to_json() for mark in MARKS if mark in total.marks}
    if has_capitals:
        accuracy = per_cent(total.n_same_case, total.n_words)
        capitals = total.capitals.to_json()
        casing = {"n": total.n_words, "n_right": total.n_same_case, "accuracy": accuracy, "capitals": capitals}
    return {"n_aligned": total.n_aligned, "punctuation": punctuation, "casing": casing}


def writing(utterances: Sequence[ScoredUtterance], systems: Sequence[str]) -> dict[str, Any] | None:
    """The report's ``writing``.

    Returns:
        ``{"systems": {SYSTEM: {"n_aligned", "punctuation": {"all": hits, MARK: hits}, "casing": {"n", "n_right",
        "accuracy", "capitals": hits}}}}``, hits being :meth:`parlure.scoring.hits.Hits.to_json` and rates in per cent;
        ``punctuation`` null where no reference has a mark, ``casing`` null where none has a capital letter; None where
        both are.
    """
    has_marks = any(word.marks for one in utterances for word in written_words(one.reference))
    has_capitals = any(_has_capital(one.reference) for one in utterances)
    if not has_marks and not has_capitals:
        return None
    totals = {
        system: sum((count_writing(one.reference, one.hypotheses[system]) for one in utterances), Writing.zero())
        for system in systems
    }
    return {"systems": {system: _of_system(total, has_marks, has_capitals) for system, total in totals.items()}}
