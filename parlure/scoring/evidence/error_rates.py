"""Long recordings, and corpora of other domains: word error rates from the counts in the rows.

Rows have ``profile``, ``reference``, ``hypotheses`` and ``counts`` (``{SYSTEM: {"S", "D", "I", "N"}}``); those of guard
corpora also ``corpus``, those of long recordings ``made_from``, ``duration_s`` and ``utterances``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parlure.scoring.evidence.judging import error_rate
from parlure.scoring.rates import Counts, count_words

WER = "WER, points of per cent"


def long_form_skills(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    """``long_form``: WER on what is longer than Whisper's window."""
    seconds = sum(row["duration_s"] for row in rows)
    made_from = " and ".join(sorted({row["made_from"] for row in rows}))
    how = f"windows of 30 s in sequence, {len(rows)} pieces of {seconds / 60:.1f} minutes in all, from {made_from}"
    return {"long_form": _word_errors(rows, systems) | {"how": how}}


def guard_skills(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    """``guard.NAME`` for each corpus of another domain: WER, the headline profile of each row's own language."""
    by_corpus: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_corpus.setdefault(row["corpus"], []).append(row)
    return {f"guard.{name}": _word_errors(own, systems) for name, own in by_corpus.items()}


def _word_errors(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    counts = {
        system: [Counts(*(row["counts"][system][key] for key in "SDIN")) for row in rows]
        for system in systems
        if system in rows[0]["counts"]
    }
    profile = ", ".join(sorted({row["profile"] for row in rows}))
    return error_rate(counts, [row["block"] for row in rows], WER) | {"profile": profile}


def counted(profile: str, reference: str, hypotheses: Mapping[str, str]) -> dict[str, Any]:
    """``profile``, ``reference``, ``hypotheses`` and ``counts`` of a row.

    Raises:
        ParlureError: there is no such profile.
    """
    from parlure.scoring.normalize import get_profile

    normalize = get_profile(profile).normalize
    said = normalize(reference)
    counts = {system: count_words(said, normalize(text)) for system, text in hypotheses.items()}
    return {
        "profile": profile,
        "reference": reference,
        "hypotheses": dict(hypotheses),
        "counts": {system: {"S": c.S, "D": c.D, "I": c.I, "N": c.N} for system, c in counts.items()},
    }
