"""Utterances → what ``corpus.json`` says of how much there is of what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from parlure.corpus.manifest import SPLITS, Utterance


def tallies(utterances: Sequence[Utterance]) -> dict[str, Any]:
    """What ``corpus.json`` says of how much there is of what."""
    return {
        "hours": hours(utterances),
        "by_split": {name: _tally(u for u in utterances if u.split == name) for name in SPLITS},
        "by_language": _tallies(utterances, "language"),
        "by_speaker": _tallies(utterances, "speaker"),
    }


def _tallies(utterances: Sequence[Utterance], attribute: str) -> dict[str, dict[str, float]]:
    """Hours and counts by an attribute, in alphabetical order; utterances where it is not known are left out."""
    by_value: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        value = getattr(utterance, attribute)
        if value is not None:
            by_value[value].append(utterance)
    return {value: _tally(by_value[value]) for value in sorted(by_value)}


def _tally(utterances: Iterable[Utterance]) -> dict[str, float]:
    counted = list(utterances)
    speakers = {utterance.speaker for utterance in counted} - {None}
    return {"hours": hours(counted), "utterances": len(counted), "speakers": len(speakers)}


def hours(utterances: Iterable[Utterance]) -> float:
    """Of sound."""
    return round(sum(utterance.duration_s for utterance in utterances) / 3600, 6)
