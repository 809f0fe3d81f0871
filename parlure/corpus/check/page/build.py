"""What a check found → ``check.html``: one file that a person reads, with its figures and sound inside."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.corpus.check.check import Checked
from parlure.corpus.check.findings import Finding, duration
from parlure.corpus.check.page.figures import figures
from parlure.corpus.check.page.suspects import prose, suspects_section
from parlure.corpus.manifest import SPLITS
from parlure.scoring.page.document import document
from parlure.scoring.page.marks import NO_NUMBER, plural, table

_COLOUR = {"error": "verdict-worse", "warning": "", "note": ""}


def check_page(checked: Checked, forecast: Mapping[str, Any] | None, *, with_sound: bool = True) -> str:
    """The whole page.

    Args:
        checked: as :func:`parlure.corpus.check.check.check` returns it.
        forecast: as ``parlure.forecast`` makes it, or None.
        with_sound: whether examples get players.
    """
    utterances = {one.id: one for one in checked.corpus.utterances if one.id in _shown(checked.findings)}
    n_errors = checked.count("error")
    headline = plural(n_errors, "error") if n_errors else "No errors"
    sentence = (
        f"{plural(checked.count('warning'), 'warning')} and {plural(checked.count('note'), 'note')} "
        f"in {plural(len(checked.corpus.utterances), 'utterance')}."
    )
    sections = (
        _hero(checked, headline, sentence),
        _findings(checked.findings),
        suspects_section(checked.findings, utterances, with_sound=with_sound),
        _distributions(checked),
        _forecast(forecast),
        _left_out(checked.left_out),
    )
    return document(headline, sentence, sections, "Every reason is in reasons.csv, the numbers in check.json.")


def _shown(findings: tuple[Finding, ...]) -> set[str]:
    return {example.id for finding in findings for example in finding.examples}


def _hero(checked: Checked, headline: str, sentence: str) -> str:
    utterances = checked.corpus.utterances
    tiles = []
    for split in SPLITS:
        own = [one for one in utterances if one.split == split]
        n_speakers = len({one.speaker for one in own} - {None})
        below = f"{plural(len(own), 'utterance')}, {plural(n_speakers, 'speaker')}"
        hours = sum(one.duration_s for one in own) / 3600
        tiles.append(f'<div class="tile"><span>{split}</span><b>{duration(hours)}</b><span>{below}</span></div>')
    css = "worse" if checked.count("error") else "better"
    return (
        f'<p class="eyebrow">parlure check · <code>{escape(str(checked.corpus.folder))}</code></p>'
        f'<h1 class="{css}">{escape(headline)}</h1><p class="lede">{escape(sentence)}</p>'
        f'<div class="tiles">{"".join(tiles)}</div>'
    )


def _findings(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return ""
    rows = [
        f'<tr><th scope="row"><a href="#{escape(one.rule.code)}">{escape(one.rule.code)}</a></th>'
        f'<td class="left {_COLOUR[one.rule.severity]}">{one.rule.severity}</td>'
        f'<td class="left wrap">{prose(one.rule.explanation)}</td>'
        f"<td>{one.n}</td><td>{duration(one.hours)}</td><td>{duration(one.hours_left)}</td></tr>"
        for one in findings
    ]
    head = ["rule", "severity", "what is wrong", "n", "of it", "without it"]
    return '<h2 id="findings">What was found</h2>' + table(head, rows, 3)


def _distributions(checked: Checked) -> str:
    drawn = figures(checked.distributions)
    if not drawn:
        return ""
    cells = "".join(
        f'<figure class="card"><figcaption>{escape(caption)}</figcaption>{svg}</figure>' for caption, svg in drawn
    )
    return f'<h2 id="distributions">What the corpus is like</h2><div class="columns">{cells}</div>'


def _forecast(forecast: Mapping[str, Any] | None) -> str:
    if forecast is None:
        return ""
    tokens = forecast["label_tokens_per_epoch"]
    n_tokens = (
        f"{tokens['least']:,}" if tokens["least"] == tokens["most"] else f"{tokens['least']:,} to {tokens['most']:,}"
    )
    lede = (
        f"{forecast['hours']:.2f} h in {forecast['utterances']:,} training utterances are about "
        f"{forecast['encoder_windows_per_epoch']:,} encoder windows ({forecast['encoder_hours_per_epoch']:.2f} h of "
        f"encoder input) and {n_tokens} label tokens an epoch; {forecast['epochs']:g} epochs of the default recipe are "
        f"{forecast['optimiser_steps']:,} optimiser steps."
    )
    cards = list(forecast["models"][0]["gpus"])
    rows = []
    for model in forecast["models"]:
        cells = "".join(f"<td>{_hours(model['gpus'][card])}</td>" for card in cards)
        need = f"{model['gpus'][cards[-1]]['memory_gb']:.1f}"
        rows.append(
            f'<tr><th scope="row">{escape(model["model"].removeprefix("openai/"))}</th>'
            f"<td>{model['petaflop']:.3g}</td><td>{need}</td><td>{_hours(model['here'])}</td>{cells}</tr>"
        )
    head = ["LoRA on", "PFLOP", "GB in bf16", "here", *map(escape, cards)]
    basis = "".join(f"<li>{escape(sentence)}</li>" for sentence in forecast["basis"])
    return (
        f'<h2 id="forecast">What tuning will take</h2><p>{escape(lede)}</p>{table(head, rows)}'
        f'<p class="note">Time of the default recipe, from counted operations; memory is estimated; – does not fit.</p>'
        f'<div class="note"><ul>{basis}</ul></div>'
    )


def _hours(cell: Mapping[str, Any]) -> str:
    if not cell["fits"] or cell["hours"] is None:
        return NO_NUMBER
    hours = float(cell["hours"])
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min" if hours >= 0.1 / 60 else "&lt;0.1 min"


def _left_out(left_out: Mapping[str, str]) -> str:
    if not left_out:
        return ""
    rows = [
        f'<tr><th scope="row">{escape(code)}</th><td class="left">{escape(why)}</td></tr>'
        for code, why in left_out.items()
    ]
    return '<h2 id="not-run">Rules that did not run</h2>' + table(["rule", "why"], rows, 2)
