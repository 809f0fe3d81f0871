"""Error rates under every profile."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.scoring.page.marks import interval_text, percent, points, table


def rates_section(report: Mapping[str, Any]) -> str:
    """A line a profile and system, the headline's tinted; of a pair, difference, p and verdict."""
    rows = []
    paired = any("comparison" in block for block in report["profiles"].values())
    for profile, block in report["profiles"].items():
        for index, system in enumerate(report["systems"]):
            wer, cer = block[system]["wer"], block[system]["cer"]
            first = (
                f'<th scope="row">{escape(profile) if index == 0 else ""}</th><td class="left">{escape(system)}</td>'
            )
            cells = [
                percent(wer["rate"]),
                *(f"{wer[key]:,}".replace(",", " ") for key in "SDIN"),
                percent(cer["rate"]),
                *(percent(rate) for rate in (block[system]["mer"], block[system]["wil"], block[system]["ser"]["rate"])),
            ]
            tail = ""
            if paired:
                comparison = block.get("comparison")
                tail = "<td></td>" * 3
                if comparison and system == "tuned":
                    verdict = comparison["verdict"]
                    p = "&lt; 0.001" if comparison["p_value"] < 0.001 else f"{comparison['p_value']:.3f}"
                    tail = (
                        f"<td>{points(comparison['difference'], sign=True)} "
                        f"{interval_text(comparison['ci95'], sign=True)}</td><td>{p}</td>"
                        f'<td class="verdict-{verdict.replace(" ", "-")}">{verdict}</td>'
                    )
            css = ("headline " if profile == report["headline_profile"] else "") + ("again" if index else "")
            rows.append(f'<tr class="{css}">{first}{"".join(f"<td>{cell}</td>" for cell in cells)}{tail}</tr>')
    head = ["profile", "system", "WER", "S", "D", "I", "N", "CER", "MER", "WIL", "SER"]
    head += ["difference [95 %]", "p", "verdict"] if paired else []
    return (
        '<h2 id="rates">Error rates</h2>'
        + table(head, rows, 2)
        + '<p class="note">S substitutions, D deletions, I insertions, N reference words; MER match errors, WIL '
        "word information lost, SER utterances with an error. Differences are in points, below zero is better. "
        "Rates under different profiles cannot be compared.</p>"
    )
