"""The verdict in words: what the page, the command and the model card say first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parlure.scoring.page.marks import interval_text, p_value, percent, plural, points
from parlure.scoring.significance import MIN_BLOCKS

_HEADLINES = {
    "better": "Tuned is better",
    "worse": "Tuned is worse",
    "no evidence": "No evidence of a difference",
    "too few speakers": "Too few speakers to tell",
}


def verdict_sentence(report: Mapping[str, Any]) -> tuple[str, str, str]:
    """The verdict as (headline, figures in one sentence, CSS class); unescaped plain text."""
    block = report["profiles"][report["headline_profile"]]
    if "comparison" not in block:
        names = list(report["systems"])
        rates = [percent(block[name]["wer"]["rate"]) for name in names]
        headline = " · ".join(f"{name}: WER {rate}" for name, rate in zip(names, rates, strict=True))
        nothing = "Nothing to compare with: no base system was scored."
        spoken = [skill for skill in report["skills"].values() if skill.get("profile") == report["headline_profile"]]
        if len(names) > 1 or len(spoken) != 1 or not spoken[0][names[0]]["ci95"]:
            return headline, nothing, ""
        return f"WER {rates[0]}", f"95 % interval {interval_text(spoken[0][names[0]]['ci95'])}. {nothing}", ""
    comparison = block["comparison"]
    rates = [percent(block[name]["wer"]["rate"]) for name in ("base", "tuned")]
    interval = f" {interval_text(comparison['ci95'], sign=True)}" if comparison["ci95"] else ""
    sentence = (
        f"WER {rates[0]} → {rates[1]}, {points(comparison['difference'], sign=True)} points{interval}, "
        f"{p_value(comparison['p_value'])}, {plural(comparison['n_speakers'], 'speaker')}"
    )
    if comparison["n_blocks"] != comparison["n_speakers"]:
        sentence += f" in {plural(comparison['n_blocks'], 'independent group')}"
    if comparison["verdict"] == "too few speakers":
        sentence += f" (a verdict takes {MIN_BLOCKS})"
    css = comparison["verdict"] if comparison["verdict"] in ("better", "worse") else ""
    return _HEADLINES[comparison["verdict"]], sentence + ".", css


def advice(report: Mapping[str, Any]) -> str:
    """What follows from a comparison of tuned with base, in a sentence; empty where there is none.

    A model that is not shown to be better is none to deploy: it has cost, and the base is known.
    """
    comparison = report["profiles"][report["headline_profile"]].get("comparison")
    if comparison is None:
        return ""
    broken, verdict = report.get("broken", ()), comparison["verdict"]
    if verdict == "worse":
        return "Do not deploy: the base is better."
    if verdict == "no evidence":
        return "Do not deploy: nothing shows that tuning helped."
    if verdict == "too few speakers":
        return "Nothing to decide by: test on more speakers."
    if broken:
        return f"Do not deploy before you have looked at what tuning made worse: {', '.join(broken)}."
    return "Deploy, if the test is what it will meet: better, and nothing that was measured got worse."
