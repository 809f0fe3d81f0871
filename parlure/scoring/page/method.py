"""How it was measured: models, decoding, normalisers, statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.scoring.normalize import PROFILES
from parlure.scoring.page.marks import NO_NUMBER, table


def _rule(report: Mapping[str, Any]) -> str:
    """The verdict's rule, and what the field's older test says."""
    comparison = report["profiles"][report["headline_profile"]].get("comparison")
    if not comparison:
        return ""
    text = f"Verdict: {comparison['rule']}."
    segments = comparison.get("mapsswe") or {}
    if segments.get("z") is not None:
        text += (
            f" MAPSSWE, which takes segments between words that both systems have right for independent: "
            f"{segments['n_segments']} segments, Z = {segments['z']:.2f}, p = {segments['p_value']:.3g}."
        )
    return f"<p>{escape(text)}</p>"


def _data(data: Mapping[str, Any] | None) -> str:
    """Which utterances these are, so that another can ask for the same."""
    if not data:
        return ""
    return (
        f"<p>Data: the {escape(data['split'])} split of <code>{escape(data['corpus'])}</code>, "
        f"{data['n_utterances']} utterances, {data['hours']:.2f} h; SHA-256 of their ids, texts and places "
        f"<code>{escape(data['utterances_sha256'])}</code>.</p>"
    )


def method_section(report: Mapping[str, Any]) -> str:
    """Models, decoding and normalisers, each with its hash, and the statistics in words."""
    systems = []
    for name, system in report["systems"].items():
        decode = system.get("decode") or {}
        options = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in decode.items())
        model = escape(str(system.get("model") or NO_NUMBER))
        systems.append(
            f'<tr><th scope="row">{escape(name)}</th><td class="left wrap">{model}'
            f'</td><td class="left wrap"><code>{escape(str(system.get("hash") or NO_NUMBER))}</code></td>'
            f'<td class="left wrap"><code>{escape(options or NO_NUMBER)}</code></td></tr>'
        )
    normalizers = []
    for name, normalizer in report["normalizers"].items():
        description = PROFILES[name].description if name in PROFILES else NO_NUMBER
        normalizers.append(
            f'<tr><th scope="row">{escape(name)}</th><td class="left wrap">{escape(description)}</td>'
            f'<td class="left">{escape(normalizer["version"])}</td>'
            f'<td class="left"><code>{escape(normalizer["hash"])}</code></td></tr>'
        )
    return (
        '<h2 id="method">How it was measured</h2>'
        "<p>Errors and reference words are summed over all utterances, empty references included. Groups of utterances "
        "that share speakers or conversations are what is independent; intervals are the rates that a permutation test "
        "over these groups (sign flips) does not reject.</p>"
        + _rule(report)
        + _data(report.get("data"))
        + table(["system", "model", "hash", "decoding"], systems, 4)
        + "<p></p>"
        + table(["profile", "what it does", "version", "hash"], normalizers, 4)
    )
