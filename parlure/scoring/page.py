"""A report → ``report.html``: one file that a person reads, with its figures, sound and style inside.

It asks nothing of a network or of another file. Every text that came from outside (transcripts, names, model paths)
goes through :func:`html.escape` on its way in. The evidence (utterances, players) is built in ``page_utterances``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from parlure.scoring.normalize import PROFILES
from parlure.scoring.page_style import STYLE
from parlure.scoring.page_utterances import utterances_section
from parlure.scoring.plot import MAX_ROWS, speaker_plot
from parlure.scoring.significance import MIN_BLOCKS
from parlure.scoring.utterances import ScoredUtterance
from parlure.speech.audio import Samples

_NO_NUMBER = "–"


def points(value: float | None, *, sign: bool = False) -> str:
    """A rate or difference for the eye: one decimal, a real minus, ``–`` where there is none."""
    if value is None:
        return _NO_NUMBER
    text = f"{value:+.1f}" if sign else f"{value:.1f}"
    return ("0.0" if float(text) == 0 else text).replace("-", "−")


def _percent(value: float | None) -> str:
    return _NO_NUMBER if value is None else f"{points(value)} %"


def _interval(interval: Sequence[float] | None, *, sign: bool = False) -> str:
    return "" if interval is None else f"[{points(interval[0], sign=sign)}, {points(interval[1], sign=sign)}]"


def _p_value(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", " ")


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
        rates = [_percent(block[name]["wer"]["rate"]) for name in names]
        headline = " · ".join(f"{name}: WER {rate}" for name, rate in zip(names, rates, strict=True))
        nothing = "Nothing to compare with: no base system was scored."
        spoken = [skill for skill in report["skills"].values() if skill.get("profile") == report["headline_profile"]]
        if len(names) > 1 or len(spoken) != 1 or not spoken[0][names[0]]["ci95"]:
            return headline, nothing, ""
        return f"WER {rates[0]}", f"95 % interval {_interval(spoken[0][names[0]]['ci95'])}. {nothing}", ""
    comparison = block["comparison"]
    rates = [_percent(block[name]["wer"]["rate"]) for name in ("base", "tuned")]
    sentence = (
        f"WER {rates[0]} → {rates[1]}, {points(comparison['difference'], sign=True)} points "
        f"{_interval(comparison['ci95'], sign=True)}, {_p_value(comparison['p_value'])}, "
        f"{_plural(comparison['n_speakers'], 'speaker')}"
    )
    if comparison["n_blocks"] != comparison["n_speakers"]:
        sentence += f" in {_plural(comparison['n_blocks'], 'independent group')}"
    if comparison["verdict"] == "too few speakers":
        sentence += f" (a verdict takes {MIN_BLOCKS})"
    css = comparison["verdict"] if comparison["verdict"] in ("better", "worse") else ""
    return _HEADLINES[comparison["verdict"]], sentence + ".", css


def _tile(label: str, value: str, below: str = "") -> str:
    tail = f"<span>{escape(below)}</span>" if below else ""
    return f'<div class="tile"><span>{escape(label)}</span><b>{escape(value)}</b>{tail}</div>'


def _hero(utterances: Sequence[ScoredUtterance], report: Mapping[str, Any]) -> str:
    headline, sentence, css = verdict_sentence(report)
    profile = report["headline_profile"]
    block = report["profiles"][profile]
    seconds = sum(utterance.duration_s or 0.0 for utterance in utterances)
    length = f", {seconds / 3600:.1f} h" if seconds >= 3600 else f", {seconds / 60:.1f} min" if seconds else ""
    tiles = [
        _tile(f"{name}: WER", _percent(block[name]["wer"]["rate"]), f"CER {_percent(block[name]['cer']['rate'])}")
        for name in report["systems"]
    ]
    if "comparison" in block:
        comparison = block["comparison"]
        below = f"95 %: {_interval(comparison['ci95'], sign=True)}" if comparison["ci95"] else "no interval"
        tiles.append(_tile("difference, points", points(comparison["difference"], sign=True), below))
    words = next(iter(block.values()))["wer"]["N"]
    tiles.append(_tile("reference", _plural(words, "word"), f"{_plural(len(utterances), 'utterance')}{length}"))
    return (
        f'<p class="eyebrow">parlure report · profile {escape(profile)}</p>'
        f'<h1 class="{css}">{escape(headline)}</h1><p class="lede">{escape(sentence)}</p>'
        f'<div class="tiles">{"".join(tiles)}</div>'
    )


def _cautions(report: Mapping[str, Any]) -> str:
    if not report["warnings"]:
        return ""
    items = "".join(f"<li>{escape(str(warning))}</li>" for warning in report["warnings"])
    return f'<aside class="cautions"><b>Before you believe it</b><ul>{items}</ul></aside>'


def _speakers(report: Mapping[str, Any]) -> str:
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


def _table(head: Sequence[str], rows: Sequence[str], n_left: int = 1) -> str:
    cells = "".join(
        f'<th scope="col"{" class=left" if index < n_left else ""}>{name}</th>' for index, name in enumerate(head)
    )
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _rates(report: Mapping[str, Any]) -> str:
    rows = []
    paired = any("comparison" in block for block in report["profiles"].values())
    for profile, block in report["profiles"].items():
        for index, system in enumerate(report["systems"]):
            wer, cer = block[system]["wer"], block[system]["cer"]
            first = (
                f'<th scope="row">{escape(profile) if index == 0 else ""}</th><td class="left">{escape(system)}</td>'
            )
            cells = [
                _percent(wer["rate"]),
                *(f"{wer[key]:,}".replace(",", " ") for key in "SDIN"),
                _percent(cer["rate"]),
            ]
            tail = ""
            if paired:
                comparison = block.get("comparison")
                tail = "<td></td>" * 3
                if comparison and system == "tuned":
                    verdict = comparison["verdict"]
                    tail = (
                        f"<td>{points(comparison['difference'], sign=True)} "
                        f"{_interval(comparison['ci95'], sign=True)}</td><td>{comparison['p_value']:.3f}</td>"
                        f'<td class="verdict-{verdict.replace(" ", "-")}">{verdict}</td>'
                    )
            css = ("headline " if profile == report["headline_profile"] else "") + ("again" if index else "")
            rows.append(f'<tr class="{css}">{first}{"".join(f"<td>{cell}</td>" for cell in cells)}{tail}</tr>')
    head = ["profile", "system", "WER", "S", "D", "I", "N", "CER"]
    head += ["difference [95 %]", "p", "verdict"] if paired else []
    return (
        "<h2>Error rates</h2>"
        + _table(head, rows, 2)
        + '<p class="note">S substitutions, D deletions, I insertions, N reference words; differences are in points, '
        "below zero is better. Rates under different profiles cannot be compared.</p>"
    )


def _durations(report: Mapping[str, Any]) -> str:
    slices = report["slices"]["duration_s"]
    if not slices or list(slices) == ["(unknown)"]:
        return ""
    rows = []
    for name, data in slices.items():
        rates = "".join(f"<td>{_percent(data['wer'][system]['rate'])}</td>" for system in report["systems"])
        label = name if name.startswith("(") else f"{name.replace('-', '–').replace('>=', '≥ ').replace('<', '< ')} s"
        n_words = data["wer"][next(iter(report["systems"]))]["N"]
        rows.append(f'<tr><th scope="row">{escape(label)}</th><td>{data["n"]}</td><td>{n_words}</td>{rates}</tr>')
    head = ["utterance length", "utterances", "words", *(f"{escape(name)}: WER" for name in report["systems"])]
    return "<h2>By length</h2>" + _table(head, rows)


def _skills(report: Mapping[str, Any]) -> str:
    if not report["skills"]:
        return ""
    rows = []
    for name, skill in report["skills"].items():
        cells = ""
        for system in report["systems"]:
            data = skill.get(system) or {}
            cells += f"<td>{points(data.get('value'))} {_interval(data.get('ci95'))}</td>"
        verdict = skill.get("verdict") or _NO_NUMBER
        cells += f'<td class="verdict-{escape(verdict.replace(" ", "-"))}">{escape(verdict)}</td>'
        unit = f"{skill.get('unit', '')}, {skill.get('better', '')} is better"
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}<td>{escape(unit)}</td></tr>')
    systems = [f"{escape(name)} [95 %]" for name in report["systems"]]
    return "<h2>Skills</h2>" + _table(["skill", *systems, "verdict", "unit"], rows)


def _measured(report: Mapping[str, Any]) -> str:
    systems = []
    for name, system in report["systems"].items():
        decode = system.get("decode") or {}
        options = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in decode.items())
        model = escape(str(system.get("model") or _NO_NUMBER))
        systems.append(
            f'<tr><th scope="row">{escape(name)}</th><td class="left wrap">{model}'
            f'</td><td class="left wrap"><code>{escape(str(system.get("hash") or _NO_NUMBER))}</code></td>'
            f'<td class="left wrap"><code>{escape(options or _NO_NUMBER)}</code></td></tr>'
        )
    normalizers = []
    for name, normalizer in report["normalizers"].items():
        description = PROFILES[name].description if name in PROFILES else _NO_NUMBER
        normalizers.append(
            f'<tr><th scope="row">{escape(name)}</th><td class="left wrap">{escape(description)}</td>'
            f'<td class="left">{escape(normalizer["version"])}</td>'
            f'<td class="left"><code>{escape(normalizer["hash"])}</code></td></tr>'
        )
    return (
        "<h2>How it was measured</h2>"
        "<p>Errors and reference words are summed over all utterances, empty references included. Intervals are "
        "jackknife intervals over independent groups (linked by speaker or session) with Student’s t; p is a two-sided "
        f"sign-flip test over the same groups. A verdict needs both, and {MIN_BLOCKS} groups.</p>"
        + _table(["system", "model", "hash", "decoding"], systems, 4)
        + "<p></p>"
        + _table(["profile", "what it does", "version", "hash"], normalizers, 4)
    )


def report_page(
    utterances: Sequence[ScoredUtterance], report: Mapping[str, Any], clip: Callable[[str], Samples] | None = None
) -> str:
    """The whole page.

    Args:
        utterances: what the report was built from.
        report: as :func:`parlure.scoring.report.build_report` returns it.
        clip: utterance id → its 16 kHz mono samples, embedded as players beside the utterances shown; None for none.

    Raises:
        ParlureError: matplotlib, or with ``clip`` soundfile, is not installed.
    """
    headline, sentence, _ = verdict_sentence(report)
    counted = [utterance for utterance in utterances if utterance.task == "transcribe"]
    sections = (
        _hero(counted, report),
        _cautions(report),
        _speakers(report),
        _rates(report),
        _skills(report),
        _durations(report),
        utterances_section(counted, tuple(report["systems"]), report["headline_profile"], clip),
        _measured(report),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(headline)} – parlure report</title>"
        f'<meta name="description" content="{escape(sentence)}"><style>{STYLE}</style></head>\n<body><main>'
        + "\n".join(section for section in sections if section)
        + "\n<footer>Made by parlure. The numbers are in report.json, the evidence in utterances.jsonl.</footer>"
        "</main></body></html>\n"
    )
