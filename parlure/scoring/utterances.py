"""References and hypotheses → one scored record per utterance, and its line in ``utterances.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import Counts, count_characters, count_words


@dataclass(frozen=True)
class TextCounts:
    """The errors of one hypothesis under one profile, by word and by character."""

    words: Counts
    characters: Counts


@dataclass(frozen=True)
class ScoredUtterance:
    """One utterance with everything the report says about it.

    Attributes:
        id: as in the corpus.
        speaker: who speaks; None where unknown.
        session: which conversation; None where unknown.
        duration_s: seconds; None where unknown.
        language: a code such as ``fr``; None where unknown.
        task: ``transcribe`` or ``translate``; word errors are summed over ``transcribe`` only.
        tags: free strings of the corpus.
        reference: the raw reference; empty means no speech.
        hypotheses: the raw text of each system.
        counts: profile → system → errors.
        extra: further fields of the line that other measures draw on (times, no-speech, decoding flags).
    """

    id: str
    speaker: str | None
    session: str | None
    duration_s: float | None
    language: str | None
    task: str
    tags: tuple[str, ...]
    reference: str
    hypotheses: Mapping[str, str]
    counts: Mapping[str, Mapping[str, TextCounts]]
    extra: Mapping[str, Any] = field(default_factory=dict)


_FIELDS = ("id", "speaker", "session", "duration_s", "language", "task", "tags", "reference", "hypotheses", "counts")


def score_text(profile: str, reference: str, hypothesis: str) -> TextCounts:
    """Normalise both texts with one profile and count.

    Raises:
        ParlureError: there is no such profile.
    """
    chosen = get_profile(profile)
    said, heard = chosen.normalize(reference), chosen.normalize(hypothesis)
    return TextCounts(count_words(said, heard), count_characters(chosen.characters(said), chosen.characters(heard)))


def _record(row: Mapping[str, Any], counts: Mapping[str, Mapping[str, TextCounts]]) -> ScoredUtterance:
    return ScoredUtterance(
        id=row["id"],
        speaker=row.get("speaker"),
        session=row.get("session"),
        duration_s=row.get("duration_s"),
        language=row.get("language"),
        task=row.get("task") or "transcribe",
        tags=tuple(row.get("tags") or ()),
        reference=row["reference"],
        hypotheses=dict(row["hypotheses"]),
        counts=counts,
        extra={name: value for name, value in row.items() if name not in _FIELDS},
    )


def score_utterances(rows: Iterable[Mapping[str, Any]], profiles: Sequence[str]) -> list[ScoredUtterance]:
    """Score rows ``{"id", "reference", "hypotheses": {SYSTEM: text}}`` under each profile, in their order.

    Optional keys are the other fields of :class:`ScoredUtterance`; unknown keys are kept in ``extra``.

    Raises:
        ParlureError: there is no such profile, an id comes twice, or the rows differ in their systems.
    """
    scored: list[ScoredUtterance] = []
    seen: set[str] = set()
    for row in rows:
        if row["id"] in seen:
            raise ParlureError(f"utterance {row['id']} is scored twice", "ids must be unique")
        seen.add(row["id"])
        if scored and set(row["hypotheses"]) != set(scored[0].hypotheses):
            raise ParlureError(
                f"utterance {row['id']} has hypotheses of {_names(row['hypotheses'])}, "
                f"but {scored[0].id} of {_names(scored[0].hypotheses)}",
                "every system must decode every utterance",
            )
        counts = {
            profile: {system: score_text(profile, row["reference"], text) for system, text in row["hypotheses"].items()}
            for profile in profiles
        }
        scored.append(_record(row, counts))
    return scored


def _names(systems: Iterable[str]) -> str:
    return ", ".join(sorted(systems)) or "no system"


def counts_to_json(counts: Counts) -> dict[str, Any]:
    """``{"S", "D", "I", "N"}``."""
    return {"S": counts.S, "D": counts.D, "I": counts.I, "N": counts.N}


def _counts_from_json(data: Mapping[str, Any]) -> Counts:
    return Counts(data["S"], data["D"], data["I"], data["N"])


def utterance_to_json(utterance: ScoredUtterance) -> dict[str, Any]:
    """The object of one line of ``utterances.jsonl``."""
    line = {name: getattr(utterance, name) for name in _FIELDS if name not in ("tags", "hypotheses", "counts")}
    counts = {
        profile: {
            system: counts_to_json(text.words) | {"cer": counts_to_json(text.characters)}
            for system, text in systems.items()
        }
        for profile, systems in utterance.counts.items()
    }
    return line | {
        "tags": list(utterance.tags),
        "hypotheses": dict(utterance.hypotheses),
        "counts": counts,
        **utterance.extra,
    }


def utterance_from_json(line: Mapping[str, Any]) -> ScoredUtterance:
    """The inverse of :func:`utterance_to_json`; counts are taken as stored, not counted again."""
    counts = {
        profile: {
            system: TextCounts(_counts_from_json(data), _counts_from_json(data["cer"])) for system, data in by.items()
        }
        for profile, by in line["counts"].items()
    }
    return _record(line, counts)


def read_jsonl(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with their line numbers from 1; blank lines are skipped.

    Raises:
        ParlureError: the file is missing or unreadable, no UTF-8, or a line is no JSON object.
    """
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ParlureError(f"{path}, line {number}: not JSON ({error.msg})", "one JSON object a line") from error
        if not isinstance(row, dict):
            raise ParlureError(f"{path}, line {number}: not a JSON object", 'such as {"id": "a1", "text": "bonjour"}')
        rows.append((number, row))
    return rows


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text file, without their ends.

    Raises:
        ParlureError: the file is missing or unreadable, or no UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return [line.rstrip("\n") for line in file]
    except OSError as error:
        raise ParlureError(f"cannot read {path}: {error.strerror}", "check the path") from error
    except UnicodeDecodeError as error:
        raise ParlureError(f"{path} is not UTF-8 text (byte {error.start})", "convert it to UTF-8") from error
