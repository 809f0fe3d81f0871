"""Where a model says that phrases begin and end, against where they do.

Rows are utterances: ``reference`` (``[[start s, end s, text], …]``) and ``segments`` (``{SYSTEM: [[start, end, text],
…]}``). A phrase is compared with the segment that overlaps it longest. A boundary is found if it lies within
:data:`COLLAR_S` of the reference's; a phrase that no segment overlaps has lost both of its boundaries, so that one
segment over three phrases, or none at all, is never a good answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from parlure.scoring.evidence.judging import success_share
from parlure.scoring.rates import Counts

COLLAR_S = 0.2  # s, the collar of the field since the NIST evaluations of word times
_ROUNDING_S = 1e-6  # s: 1.2 − 1.0 is a little more than 0.2 in floating point

Phrase = Sequence[Any]  # start s, end s, text


def timestamp_skills(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    """``timestamps``: the share of boundaries found.

    Each system also has ``start_error_s`` and ``end_error_s`` (the median distance, over phrases that a segment
    overlaps), ``missed`` (per cent of the phrases that none does) and ``in_order`` (per cent of the utterances whose
    segments neither end before they start nor start before an earlier one does).
    """
    present = [system for system in systems if system in rows[0]["segments"]]
    errors = {
        system: [boundary_errors(row["reference"], row["segments"][system]) for row in rows] for system in present
    }
    failures = {system: [_failures(one) for one in own] for system, own in errors.items()}
    skill = success_share(failures, [row["block"] for row in rows], f"boundaries within {COLLAR_S:g} s, per cent")
    for system in present:
        found = [error for own in errors[system] for error in own if error is not None]
        n_phrases = sum(len(own) for own in errors[system])
        n_in_order = sum(in_order(row["segments"][system]) for row in rows)
        skill[system] |= {
            "start_error_s": _median(abs(start) for start, _ in found),
            "end_error_s": _median(abs(end) for _, end in found),
            "missed": 100.0 * (n_phrases - len(found)) / n_phrases if n_phrases else None,
            "in_order": 100.0 * n_in_order / len(rows),
        }
    return {"timestamps": skill}


def boundary_errors(reference: Sequence[Phrase], segments: Sequence[Phrase]) -> list[tuple[float, float] | None]:
    """For each phrase with words, how much too late its start and its end are, in seconds; None where it is missed."""
    errors: list[tuple[float, float] | None] = []
    for start, end, text in (phrase[:3] for phrase in reference):
        if not text.strip():
            continue
        overlaps = [min(end, segment[1]) - max(start, segment[0]) for segment in segments]
        longest = max(overlaps, default=0.0)
        if longest <= 0.0:
            errors.append(None)
        else:
            best = segments[overlaps.index(longest)]
            errors.append((best[0] - start, best[1] - end))
    return errors


def in_order(segments: Sequence[Phrase]) -> bool:
    """Whether each segment ends after it starts, and none starts before the one that stands before it."""
    starts = [segment[0] for segment in segments]
    return starts == sorted(starts) and all(segment[0] <= segment[1] for segment in segments)


def _failures(errors: Sequence[tuple[float, float] | None]) -> Counts:
    lost = sum(2 for error in errors if error is None)
    wide = sum(abs(distance) > COLLAR_S + _ROUNDING_S for error in errors if error is not None for distance in error)
    return Counts(S=wide, D=lost, N=2 * len(errors))


def _median(values: Any) -> float | None:
    known = list(values)
    return float(median(known)) if known else None
