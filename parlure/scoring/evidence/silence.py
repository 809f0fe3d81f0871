"""How often a model writes words where nobody speaks.

Rows are clips: ``kind``, ``duration_s``, ``language`` (the one pinned), ``hypotheses`` (``{SYSTEM: {"pinned": text,
"free": text}}``) and ``identified`` (``{SYSTEM: code}``, the language that the free prompt takes). A text counts if it
has a word under the profile ``basic``: a full stop or a note sign is no word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parlure.scoring.evidence.judging import failure_share
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import Counts

PROMPTS = {"silence": "pinned", "silence.free": "free"}  # skill → which of a row's texts it counts


def silence_skills(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    """``silence`` (the language pinned, as in deployment) and ``silence.free`` (the language left to the model).

    Beside the share of clips with words, each system has ``words_per_minute``, and ``kinds`` says what clips they were.
    """
    present = [system for system in systems if system in rows[0]["hypotheses"]]
    minutes = sum(row["duration_s"] for row in rows) / 60.0
    skills = {}
    for name, prompt in PROMPTS.items():
        words = {system: [_n_words(row["hypotheses"][system][prompt]) for row in rows] for system in present}
        failures = {system: [Counts(I=int(n > 0), N=1) for n in own] for system, own in words.items()}
        skill = failure_share(failures, [row["block"] for row in rows], "clips without speech that got words, per cent")
        for system in present:
            skill[system]["words_per_minute"] = sum(words[system]) / minutes if minutes else None
        skills[name] = skill | {"how": f"language {prompt}", "kinds": _by_kind(rows, words)}
    return skills


def _n_words(text: str) -> int:
    return len(get_profile("basic").words(text))


def _by_kind(rows: Sequence[Mapping[str, Any]], words: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """``{KIND: {"n", SYSTEM: clips with words}}``."""
    kinds: dict[str, Any] = {}
    for index, row in enumerate(rows):
        kind = kinds.setdefault(row["kind"], {"n": 0, **dict.fromkeys(words, 0)})
        kind["n"] += 1
        for system, own in words.items():
            kind[system] += int(own[index] > 0)
    return kinds
