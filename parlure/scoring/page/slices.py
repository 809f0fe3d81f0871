"""Whom the average hides: error rates by speaker, length, channel, noise and whatever else the test set tells."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.scoring.page.marks import interval_text, percent, table
from parlure.scoring.page.plots import MAX_ROWS, kinds_legend, length_plot, slice_plot, speaker_plot

_NAMES = {
    "speaker": "speaker",
    "session": "call",
    "channel": "channel",
    "duration_s": "utterance length, s",
    "level_db": "level, dBFS",
    "snr_db": "signal to noise, dB",
    "speech_rate": "words a second",
    "tags": "tag",
    "language": "language",
}


def _systems(report: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(report["systems"])
    return ("base", "tuned") if {"base", "tuned"} <= set(names) else names[-1:]


def _legend(systems: tuple[str, ...]) -> str:
    colours = ("base", "tuned")[-len(systems) :]
    return "".join(
        f'<span><i class="dot" style="background:var(--{colour})"></i>{escape(name)}</span>'
        for name, colour in zip(systems, colours, strict=True)
    )


def speakers_section(report: Mapping[str, Any]) -> str:
    """An arrow for each speaker, and how the worst fare."""
    systems = _systems(report)
    speakers = report["slices"]["speaker"]
    svg = speaker_plot(speakers, systems)
    if not svg:
        return ""
    worse = '<span><i class="dot" style="background:var(--worse)"></i>tuned, worse</span>' if len(systems) > 1 else ""
    shown = "" if len(speakers) <= MAX_ROWS else f" The {MAX_ROWS} of {len(speakers)} speakers with the most words."
    return (
        f'<h2 id="speakers">Speaker by speaker</h2><figure class="card"><p class="legend">{_legend(systems)}{worse}</p>'
        f"{svg}<figcaption>Word error rate of each speaker; left is better.{shown}</figcaption></figure>"
        + _summary(report.get("slice_summary", {}).get("speaker", {}), systems)
    )


def slices_section(report: Mapping[str, Any]) -> str:
    """A figure and a table for each dimension that tells utterances apart; the kinds of error by length first."""
    parts = []
    systems = _systems(report)
    for key, values in report["slices"].items():
        if key == "speaker" or all(name.startswith("(") for name in values) or len(values) < 2:
            continue
        summary = report.get("slice_summary", {}).get(key, {})
        parts.append(_dimension(_NAMES.get(key, key.removeprefix("tag:")), values, systems, summary))
    lengths = {name: one for name, one in report["slices"]["duration_s"].items() if not name.startswith("(")}
    if kinds := length_plot(lengths, systems):
        faint = " Base pale, tuned strong." if len(systems) > 1 else ""
        parts.insert(
            0,
            f'<figure class="card"><p class="legend">{kinds_legend()}</p>{kinds}'
            f"<figcaption>Kinds of error by utterance length.{faint}</figcaption></figure>",
        )
    return '<h2 id="slices">Slice by slice</h2>' + "".join(parts) if parts else ""


def _summary(summary: Mapping[str, Any], systems: tuple[str, ...]) -> str:
    """Macro average and worst decile of each system, in a sentence."""
    told = [
        f"{escape(system)}: macro average {percent(one['macro'])}, worst tenth {percent(one['worst_decile'])} "
        f"({escape(', '.join(one['worst'][:5]))}{'…' if len(one['worst']) > 5 else ''})"
        for system in systems
        if (one := summary.get(system)) and one["n_values"] > 1
    ]
    return f'<p class="note">{"; ".join(told)}.</p>' if told else ""


def _dimension(name: str, values: Mapping[str, Any], systems: tuple[str, ...], summary: Mapping[str, Any]) -> str:
    rows = []
    for value, data in values.items():
        rates = "".join(
            f"<td>{percent(data['wer'][system]['rate'])} {interval_text(data['wer'][system].get('ci95'))}</td>"
            for system in systems
        )
        n_words = data["wer"][systems[-1]]["N"]
        rows.append(f'<tr><th scope="row">{escape(value)}</th><td>{data["n"]}</td><td>{n_words}</td>{rates}</tr>')
    head = [escape(name), "utterances", "words", *(f"{escape(system)}: WER [95 %]" for system in systems)]
    figure = ""
    told = any(one["wer"][systems[-1]].get("ci95") for one in values.values())  # dots alone tell less than the table
    if told and len(values) <= MAX_ROWS and (svg := slice_plot(values, systems, name)):
        figure = f'<figure><p class="legend">{_legend(systems)}</p>{svg}</figure>'
    return (
        f'<details class="card"><summary>By {escape(name)}</summary>{figure}{_summary(summary, systems)}'
        + table(head, rows)
        + '<p class="note">No interval is given over too few independent speakers or calls.</p></details>'
    )
