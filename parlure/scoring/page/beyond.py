"""What an error rate does not show: invented text, terms, numbers, punctuation and casing, confidences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from parlure.scoring.page.marks import NO_NUMBER, percent, table
from parlure.scoring.page.plots import calibration_plot

_SIGNS = {
    "any": "any of these",
    "loop": "loops",
    "insertion_burst": "bursts of insertions",
    "too_long": "much longer than the reference",
    "phantom_phrase": "known phantom phrases",
    "token_limit": "stopped by the token limit",
}
_SHOWN_TERMS = 40


def beyond_section(report: Mapping[str, Any]) -> str:
    """One heading over all measures that the report has."""
    systems = tuple(report["systems"])
    parts = [
        _invented(report.get("hallucination"), systems),
        _silent(report.get("false_text"), systems),
        _terms(report.get("terms"), systems),
        _correct(report, systems),
        _confidence(report.get("calibration"), systems),
    ]
    parts = [part for part in parts if part]
    return '<h2 id="beyond">Beyond the error rate</h2>' + "".join(parts) if parts else ""


def _heads(systems: Sequence[str], *first: str) -> list[str]:
    return [*first, *(escape(system) for system in systems)]


def _row(label: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{escape(label)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _of(part: Mapping[str, Any] | None) -> str:
    """Count and share of utterances."""
    return NO_NUMBER if part is None else f"{part['count']} ({percent(part['share'])})"


def _invented(block: Mapping[str, Any] | None, systems: Sequence[str]) -> str:
    if not block:
        return ""
    rows = [_row(name, [_of(block["systems"][system][sign]) for system in systems]) for sign, name in _SIGNS.items()]
    rates = [
        f"{percent(one['wer']['rate'])} → {percent(one['wer_without_loops']['rate'])}"
        for one in (block["systems"][system] for system in systems)
    ]
    rows.append(_row("WER as decoded → with loops collapsed", rates))
    rules = "; ".join(f"{_SIGNS[sign]}: {rule}" for sign, rule in block["rules"].items())
    head = _heads(systems, f"utterances of {block['n']} with")
    return f'<h3>Invented text</h3>{table(head, rows)}<p class="note">{escape(rules)}.</p>'


def _silent(block: Mapping[str, Any] | None, systems: Sequence[str]) -> str:
    if not block:
        return ""
    rows = []
    for name, part in {"all": block, **block["tags"]}.items():
        cells = [
            f"{_of(one)}, {one['words_per_minute']:.1f} words a minute"
            if one["words_per_minute"] is not None
            else _of(one)
            for one in (part["systems"][system] for system in systems)
        ]
        rows.append(_row(f"{name} ({part['n']})", cells))
    return f"<h3>Words where nothing is said</h3>{table(_heads(systems, 'utterances without speech'), rows)}"


def _hits(hits: Mapping[str, Any]) -> str:
    """``recall (right of said), precision``."""
    said = f"{percent(hits['recall'])} ({hits['n_right']} of {hits['n_reference']})"
    return f"{said}, precision {percent(hits['precision'])}"


def _terms(block: Mapping[str, Any] | None, systems: Sequence[str]) -> str:
    if not block:
        return ""
    parts = next(iter(block["systems"].values()))
    names = {"all": "all terms", "seen": "seen in training", "unseen": "not seen in training"}
    rows = [_row(names[part], [_hits(block["systems"][system][part]) for system in systems]) for part in parts]
    # the commonest first: those are what people look for
    each = sorted(block["terms"], key=lambda one: -one["systems"][systems[-1]]["n_reference"])[:_SHOWN_TERMS]
    rows += [_row(one["term"], [_hits(one["systems"][system]) for system in systems]) for one in each]
    left = "" if len(each) == len(block["terms"]) else f"{_SHOWN_TERMS} of {len(block['terms'])} terms are shown. "
    note = f'<p class="note">{left}Recall: of those said, how many were heard; precision: the other way round.</p>'
    return f"<h3>Terms</h3>{table(_heads(systems, 'recall and precision'), rows)}{note}"


def _correct(report: Mapping[str, Any], systems: Sequence[str]) -> str:
    """Numbers, punctuation and casing, in one table."""
    rows = []
    numbers, writing = report.get("numbers"), report.get("writing")
    if numbers:
        rows.append(_row("numbers", [_hits(numbers["systems"][system]) for system in systems]))
    if writing:
        marks = next(iter(writing["systems"].values()))["punctuation"] or {}
        for mark in marks:
            name = "punctuation, all marks" if mark == "all" else f"punctuation: {mark}"
            hits = [(writing["systems"][system]["punctuation"] or {}).get(mark) for system in systems]
            rows.append(_row(name, [_hits(one) if one else NO_NUMBER for one in hits]))
        casings = [writing["systems"][system]["casing"] for system in systems]
        if all(casings):
            cells = [f"{percent(one['accuracy'])} ({one['n_right']} of {one['n']})" for one in casings]
            rows.append(_row("casing of the words that are right", cells))
    if not rows:
        return ""
    how = f'<p class="note">{escape(numbers["how"])}</p>' if numbers else ""
    return f"<h3>Numbers, punctuation, casing</h3>{table(_heads(systems, 'recall and precision'), rows)}{how}"


def _confidence(block: Mapping[str, Any] | None, systems: Sequence[str]) -> str:
    if not block:
        return ""
    known = [system for system in systems if system in block["systems"]]
    blocks = [block["systems"][system] for system in known]
    rows = [
        _row("utterances without an error", [percent(100 * one["accuracy"]) for one in blocks]),
        _row("mean confidence", [percent(100 * one["mean_confidence"]) for one in blocks]),
        _row("expected calibration error", [f"{one['ece']:.3f}" for one in blocks]),
        _row(
            "right told from wrong (AUC)", [NO_NUMBER if one["auc"] is None else f"{one['auc']:.3f}" for one in blocks]
        ),
    ]
    svg = calibration_plot({system: block["systems"][system]["bins"] for system in known})
    figure = (
        f'<figure class="card">{svg}<figcaption>How often an utterance is right, by how sure the model is; on the line '
        "the two agree.</figcaption></figure>"
    )
    return f"<h3>Can its confidence be believed?</h3>{table(_heads(known, ''), rows)}{figure if svg else ''}"
