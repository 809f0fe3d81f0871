"""How training went: loss and dev WER by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parlure.scoring.page.plots import training_plot


def training_section(report: Mapping[str, Any]) -> str:
    """The curve; empty where the model is no run of parlure."""
    training = report.get("training") or {}
    svg = training_plot(training.get("steps", ()), training.get("evaluations", ()), training.get("best_step"))
    if not svg:
        return ""
    return (
        '<h2 id="training">How training went</h2><figure class="card"><p class="legend">'
        '<span><i class="dot" style="background:var(--tuned)"></i>dev WER</span>'
        '<span><i class="dot" style="background:var(--base)"></i>loss of a step</span></p>'
        f"{svg}<figcaption>The diamond is the checkpoint that was kept.</figcaption></figure>"
    )
