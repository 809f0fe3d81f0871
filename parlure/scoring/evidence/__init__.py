"""What models did when they were put to the test of each skill → the report's ``skills``, without a model.

``skills.jsonl`` holds one row a line: a clip of silence, a translated utterance, a recording of several windows, and
what each system made of it. Its numbers are computed here and nowhere else, so a report can be computed again from its
folder. Every row has ``skill`` (which of :data:`SKILLS` it bears on) and ``block`` (independent units have different
numbers; see :mod:`parlure.scoring.significance`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from parlure.scoring.evidence.error_rates import guard_skills, long_form_skills
from parlure.scoring.evidence.language import language_skills
from parlure.scoring.evidence.silence import silence_skills
from parlure.scoring.evidence.timestamps import timestamp_skills
from parlure.scoring.evidence.translation import translation_skills
from parlure.scoring.utterances import read_jsonl

EVIDENCE = "skills.jsonl"
Rows = Sequence[Mapping[str, Any]]

SKILLS: Mapping[str, Callable[[Rows, Sequence[str]], dict[str, Any]]] = {
    "translation": translation_skills,
    "language_identification": language_skills,
    "silence": silence_skills,
    "timestamps": timestamp_skills,
    "long_form": long_form_skills,
    "guard": guard_skills,
}


def skills_of(rows: Iterable[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    """The report's skills but for transcription, each as ``{"unit", "better", SYSTEM: {...}, "verdict", …}``.

    Args:
        rows: of ``skills.jsonl``, in any order of skills.
        systems: the report's; one that a skill was not put to is left out there.

    Raises:
        ParlureError: there are translations and sacrebleu is not installed.
    """
    by_skill: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_skill.setdefault(row["skill"], []).append(row)
    found: dict[str, Any] = {}
    for name, skills in SKILLS.items():
        if name in by_skill:
            found |= skills(by_skill[name], systems)
    return found


def write_evidence(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write ``skills.jsonl`` into a report's folder, which is there."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / EVIDENCE).write_text("".join(lines), encoding="utf-8")


def read_evidence(folder: Path) -> list[dict[str, Any]]:
    """The rows of a report's ``skills.jsonl``; none where it has no such file, as a report of ``parlure score``.

    Raises:
        ParlureError: the file is no JSON lines.
    """
    path = folder / EVIDENCE
    return [row for _, row in read_jsonl(path)] if path.exists() else []
