"""How it was measured: models, decoding, normalisers, statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.scoring.normalize import PROFILES
from parlure.scoring.page.marks import NO_NUMBER, table
from parlure.scoring.significance import MIN_BLOCKS


def method_section(report: Mapping[str, Any]) -> str:
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
        "<p>Errors and reference words are summed over all utterances, empty references included. Intervals are "
        "jackknife intervals over independent groups (linked by speaker or session) with Student’s t; p is a two-sided "
        f"sign-flip test over the same groups. A verdict needs both, and {MIN_BLOCKS} groups.</p>"
        + table(["system", "model", "hash", "decoding"], systems, 4)
        + "<p></p>"
        + table(["profile", "what it does", "version", "hash"], normalizers, 4)
    )
