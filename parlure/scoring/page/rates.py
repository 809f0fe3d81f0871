"""Error rates under every profile, and by speaker and length."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.scoring.page.marks import interval_text, percent, points, table
from parlure.scoring.page.plots import MAX_ROWS, speaker_plot


def rates_section(report: Mapping[str, Any]) -> str:
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
            ]
            tail = ""
            if paired:
                comparison = block.get("comparison")
                tail = "<td></td>" * 3
                if comparison and system == "tuned":
                    verdict = comparison["verdict"]
                    tail = (
                        f"<td>{points(comparison['difference'], sign=True)} "
                        f"{interval_text(comparison['ci95'], sign=True)}</td><td>{comparison['p_value']:.3f}</td>"
                        f'<td class="verdict-{verdict.replace(" ", "-")}">{verdict}</td>'
                    )
            css = ("headline " if profile == report["headline_profile"] else "") + ("again" if index else "")
            rows.append(f'<tr class="{css}">{first}{"".join(f"<td>{cell}</td>" for cell in cells)}{tail}</tr>')
    head = ["profile", "system", "WER", "S", "D", "I", "N", "CER"]
    head += ["difference [95 %]", "p", "verdict"] if paired else []
    return (
        "<h2>Error rates</h2>"
        + table(head, rows, 2)
        + '<p class="note">S substitutions, D deletions, I insertions, N reference words; differences are in points, '
        "below zero is better. Rates under different profiles cannot be compared.</p>"
    )


def speakers_section(report: Mapping[str, Any]) -> str:
    names = tuple(report["systems"])
    paired = {"base", "tuned"} <= set(names)
    systems = ("base", "tuned") if paired else names[-1:]
    speakers = report["slices"]["speaker"]
    svg = speaker_plot(speakers, systems)
    if not svg:
        return ""
    legend = f'<span><i class="dot" style="background:var(--tuned)"></i>{escape(systems[-1])}</span>'
    if paired:
        legend = (
            '<span><i class="dot" style="background:var(--base)"></i>base</span>'
            '<span><i class="dot" style="background:var(--tuned)"></i>tuned, no worse</span>'
            '<span><i class="dot diamond" style="background:var(--worse)"></i>tuned, worse</span>'
        )
    shown = "" if len(speakers) <= MAX_ROWS else f" The {MAX_ROWS} of {len(speakers)} speakers with the most words."
    return (
        f'<h2>Speaker by speaker</h2><figure class="card"><p class="legend">{legend}</p>{svg}'
        f"<figcaption>Word error rate of each speaker; left is better.{shown}</figcaption></figure>"
    )


def durations_section(report: Mapping[str, Any]) -> str:
    slices = report["slices"]["duration_s"]
    if not slices or list(slices) == ["(unknown)"]:
        return ""
    rows = []
    for name, data in slices.items():
        rates = "".join(f"<td>{percent(data['wer'][system]['rate'])}</td>" for system in report["systems"])
        label = name if name.startswith("(") else f"{name.replace('-', '–').replace('>=', '≥ ').replace('<', '< ')} s"
        n_words = data["wer"][next(iter(report["systems"]))]["N"]
        rows.append(f'<tr><th scope="row">{escape(label)}</th><td>{data["n"]}</td><td>{n_words}</td>{rates}</tr>')
    head = ["utterance length", "utterances", "words", *(f"{escape(name)}: WER" for name in report["systems"])]
    return "<h2>By length</h2>" + table(head, rows)
