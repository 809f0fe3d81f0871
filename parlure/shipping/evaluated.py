"""A report → what a model card says of it to machines (``model-index``) and to people (the table of skills)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TASK = {"type": "automatic-speech-recognition", "name": "Automatic speech recognition"}


def model_index(report: Path | None, name: str, dataset: str) -> dict[str, Any]:
    """The front matter's ``model-index``, or nothing where there is no report.

    One result for each profile of the report: the tuned model's WER in per cent with its S, D, I, N, the normaliser and
    how it was decoded; of the headline profile the interval too, where there are speakers enough for one.

    Args:
        report: a report folder.
        name: of the model.
        dataset: what to call the data: a hub id, or words.
    """
    if report is None:
        return {}
    content = json.loads((report / "report.json").read_text(encoding="utf-8"))
    results = [_result(profile, systems["tuned"]["wer"], content, dataset) for profile, systems in _scored(content)]
    return {"metrics": ["wer"], "model-index": [{"name": name, "results": results}]} if results else {}


def skills(report: Path | None) -> list[str]:
    """The table of what the model does before and after, each with its interval."""
    if report is None:
        return []
    content = json.loads((report / "report.json").read_text(encoding="utf-8"))
    rows = content.get("skills") or {}
    if not rows:
        return []
    lines = ["", "| skill | base | tuned | verdict | unit |", "| --- | --- | --- | --- | --- |"]
    for name, skill in rows.items():
        cells = [_cell(skill.get(system)) for system in ("base", "tuned")]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {skill['verdict'] or ''} | {skill['unit']} |")
    return lines


def _scored(content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    profiles = content["profiles"].items()
    return [(name, systems) for name, systems in profiles if systems["tuned"]["wer"]["rate"] is not None]


def _result(profile: str, wer: Mapping[str, Any], content: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    decoded = content.get("systems", {}).get("tuned", {}).get("decode") or {}
    args = {"normalizer": profile, **{key: wer[key] for key in "SDIN"}}
    if interval := _interval(profile, content):
        args["ci95"] = [round(end, 2) for end in interval]
    if plain := {key: value for key, value in decoded.items() if isinstance(value, str | int | float | bool)}:
        args["decoding"] = plain
    kind = dataset if "/" in dataset else "private"
    metric = {"type": "wer", "value": round(wer["rate"], 2), "name": f"Test WER in per cent, profile {profile}"}
    return {
        "task": _TASK,
        "dataset": {"type": kind, "name": dataset, "split": "test"},
        "metrics": [metric | {"args": args}],
    }


def _interval(profile: str, content: Mapping[str, Any]) -> list[float] | None:
    """Of the tuned model's WER: the skill that is the same figure has one."""
    for name, skill in (content.get("skills") or {}).items():
        if name.startswith("transcription.") and skill.get("profile") == profile:
            return (skill.get("tuned") or {}).get("ci95")
    return None


def _cell(data: Mapping[str, Any] | None) -> str:
    if data is None or data["value"] is None:
        return "–"
    return f"{data['value']:.1f}" + ("" if data["ci95"] is None else " [{:.1f}, {:.1f}]".format(*data["ci95"]))
