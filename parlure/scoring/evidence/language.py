"""Which language a model takes an utterance for, before it writes a word.

Rows have ``language`` (what the corpus says) and ``identified`` (``{SYSTEM: code}``): utterances with words of at
least two seconds, for shorter ones say little even to people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parlure.scoring.evidence.judging import success_share
from parlure.scoring.rates import Counts

MIN_DURATION_S = 2.0


def language_skills(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    """``language_identification``: the share of utterances identified; in ``languages`` by language."""
    present = [system for system in systems if system in rows[0]["identified"]]
    failures = {system: [_failure(row, system) for row in rows] for system in present}
    skill = success_share(failures, [row["block"] for row in rows], "utterances identified, per cent")
    languages: dict[str, Any] = {}
    for code in sorted({row["language"] for row in rows}):
        own = [row for row in rows if row["language"] == code]
        right = {system: sum(row["identified"][system] == code for row in own) for system in present}
        languages[code] = {"n": len(own), **{system: 100.0 * n / len(own) for system, n in right.items()}}
    return {"language_identification": skill | {"languages": languages}}


def _failure(row: Mapping[str, Any], system: str) -> Counts:
    return Counts(S=int(row["identified"][system] != row["language"]), N=1)
