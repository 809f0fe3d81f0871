"""What two systems heard → the content of ``parity.json``, and the lines that a command prints of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from parlure.scoring.parity.figures import SYSTEMS, Part, figures_of, judge
from parlure.scoring.parity.tolerance import Precision, Tolerance

SCHEMA_VERSION = 1


def build_parity(
    utterances: Sequence[Mapping[str, Any]],
    parts: Sequence[Part],
    listened: Mapping[str, Mapping[str, Mapping[str, Any]]],
    data: Mapping[str, Any],
    precision: Precision,
    tolerance: Tolerance,
) -> dict[str, Any]:
    """The whole report.

    Args:
        utterances: as :mod:`.figures` describes them.
        parts: that they were heard in.
        listened: system → part → how: model, hash, sizes, versions, seconds of sound and of work.
        data: what they are from.
        precision: of the export.
        tolerance: that it is judged by.
    """
    told = []
    for part in parts:
        figures = figures_of(part, utterances)
        passed, because = judge(part, figures, tolerance)
        for system in SYSTEMS:
            how = listened[system][part.name]
            figures[system] |= {"listened": {**how, "work_s_per_audio_hour": _pace(how)}}
        told.append(asdict(part) | {"name": part.name, "passed": passed, "because": because} | figures)
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": all(one["passed"] is not False for one in told),
        "data": dict(data),
        "tolerance": {"precision": precision, **asdict(tolerance)},
        "parts": told,
        "utterances": list(utterances),
    }


def _pace(how: Mapping[str, Any]) -> float | None:
    return 3600 * how["work_s"] / how["audio_s"] if how["audio_s"] else None


def lines_of(report: Mapping[str, Any]) -> list[str]:
    """For a person: each part's figures, speed and size."""
    lines = []
    for part in report["parts"]:
        texts, tokens = part["texts"], part["tokens"]
        same = f"{texts['n_same']} of {texts['n']} texts the same, {tokens['share']:.2f} % of tokens"
        if part["timed"]:
            lines.append(f"{part['name']}: {_drift_line(part['drift'])}, {same}")
        else:
            verdict = "passed" if part["passed"] else "FAILED"
            lines.append(f"{part['name']}: {_wer_line(part)}, {same}: {verdict}, {part['because']}")
        lines.append(f"  {' → '.join(speed_line(part[system]['listened']) for system in SYSTEMS)}")
    return lines


def speed_line(how: Mapping[str, Any]) -> str:
    """Engine, numbers, speed and size."""
    pace = how["work_s_per_audio_hour"]
    speed = "no sound" if pace is None else f"{pace:.0f} s of work an hour of sound"
    return f"{how['engine']} {how['compute_type']}, {speed}, {how['n_bytes'] / 1e6:.1f} MB"


def _wer_line(part: Mapping[str, Any]) -> str:
    def counts(system: str) -> str:
        own = part[system]
        rate = "–" if own["rate"] is None else f"{own['rate']:.1f} %"
        return f"{rate} (S {own['S']}, D {own['D']}, I {own['I']}, N {own['N']})"

    interval = part["comparison"]["ci95"]
    bounds = f"{interval[0]:+.1f} to {interval[1]:+.1f} points" if interval else "too few speakers for an interval"
    return f"WER {counts('original')} → {counts('exported')}, {bounds}"


def _drift_line(drift: Mapping[str, Any]) -> str:
    other = f", {drift['n_other']} utterances with another number of phrases left out" if drift["n_other"] else ""
    if drift["median_s"] is None:
        return f"no phrase to compare{other}"
    return (
        f"boundaries move by {drift['median_s']:.2f} s (median) and {drift['p95_s']:.2f} s (95th percentile) of "
        f"{drift['n_boundaries']}{other}"
    )
