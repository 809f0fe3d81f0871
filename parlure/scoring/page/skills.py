"""The skills table: before and after, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.scoring.page.marks import NO_NUMBER, interval_text, points, table


def skills_section(report: Mapping[str, Any]) -> str:
    if not report["skills"]:
        return ""
    rows = []
    for name, skill in report["skills"].items():
        cells = ""
        for system in report["systems"]:
            data = skill.get(system) or {}
            cells += f"<td>{points(data.get('value'))} {interval_text(data.get('ci95'))}</td>"
        verdict = skill.get("verdict") or NO_NUMBER
        cells += f'<td class="verdict-{escape(verdict.replace(" ", "-"))}">{escape(verdict)}</td>'
        unit = f"{skill.get('unit', '')}, {skill.get('better', '')} is better"
        heading = f'{escape(name)}<br><span class="unit">{escape(unit)}</span>'
        rows.append(f'<tr><th scope="row" class="wrap">{heading}</th>{cells}</tr>')
    systems = [f"{escape(name)} [95 %]" for name in report["systems"]]
    return '<h2 id="skills">Skills</h2>' + table(["skill", *systems, "verdict"], rows)
