"""The report's skills as lines of text, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def skill_lines(report: Mapping[str, Any]) -> list[str]:
    """One line a skill: its name, each system's value with its interval, the verdict, the unit."""
    systems = [system for system in ("base", "tuned") if system in report["systems"]]
    rows = []
    for name, skill in report["skills"].items():
        cells = [_cell(skill.get(system)) for system in systems]
        rows.append([name, *cells, skill["verdict"] or "", skill["unit"]])
    rows.insert(0, ["skill", *systems, "verdict", "unit"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cell(data: Mapping[str, Any] | None) -> str:
    if data is None or data["value"] is None:
        return "–"
    interval = "" if data["ci95"] is None else " [{:.1f}, {:.1f}]".format(*data["ci95"])
    return f"{data['value']:.1f}{interval}"
