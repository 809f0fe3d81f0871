"""The first screen: verdict, rates, what to know before believing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from parlure.scoring.page.marks import interval_text, percent, plural, points
from parlure.scoring.page.verdict import advice, verdict_sentence
from parlure.scoring.utterances import ScoredUtterance


def _tile(label: str, value: str, below: str = "") -> str:
    tail = f"<span>{escape(below)}</span>" if below else ""
    return f'<div class="tile"><span>{escape(label)}</span><b>{escape(value)}</b>{tail}</div>'


def hero_section(utterances: Sequence[ScoredUtterance], report: Mapping[str, Any]) -> str:
    headline, sentence, css = verdict_sentence(report)
    profile = report["headline_profile"]
    block = report["profiles"][profile]
    seconds = sum(utterance.duration_s or 0.0 for utterance in utterances)
    length = f", {seconds / 3600:.1f} h" if seconds >= 3600 else f", {seconds / 60:.1f} min" if seconds else ""
    tiles = [
        _tile(f"{name}: WER", percent(block[name]["wer"]["rate"]), f"CER {percent(block[name]['cer']['rate'])}")
        for name in report["systems"]
    ]
    if "comparison" in block:
        comparison = block["comparison"]
        below = f"95 %: {interval_text(comparison['ci95'], sign=True)}" if comparison["ci95"] else "no interval"
        tiles.append(_tile("difference, points", points(comparison["difference"], sign=True), below))
    words = next(iter(block.values()))["wer"]["N"]
    tiles.append(_tile("reference", plural(words, "word"), f"{plural(len(utterances), 'utterance')}{length}"))
    told = advice(report)
    return (
        f'<p class="eyebrow">parlure report · profile {escape(profile)}</p>'
        f'<h1 class="{css}">{escape(headline)}</h1><p class="lede">{escape(sentence)}</p>'
        f"{f'<p>{escape(told)}</p>' if told else ''}"
        f'<div class="tiles">{"".join(tiles)}</div>'
    )


def broken_section(report: Mapping[str, Any]) -> str:
    """What tuning broke, where skills were measured before and after."""
    broken = report.get("broken", ())
    if not broken:
        return ""
    items = []
    for name in broken:
        skill = report["skills"][name]
        before, after = (points((skill.get(system) or {}).get("value")) for system in ("base", "tuned"))
        items.append(f"<li><b>{escape(name)}</b>: {before} → {after} ({escape(str(skill.get('unit', '')))})</li>")
    return f'<aside class="broken"><b>Tuning made worse</b><ul>{"".join(items)}</ul></aside>'


def cautions_section(report: Mapping[str, Any]) -> str:
    if not report["warnings"]:
        return ""
    items = "".join(f"<li>{escape(str(warning))}</li>" for warning in report["warnings"])
    return f'<aside class="cautions"><b>Before you believe it</b><ul>{items}</ul></aside>'
