"""``parity.json`` → ``parity.html``: verdict, figures of every part, speed and size, and every text that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from parlure.scoring.align import align
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.page.cards import difference_html
from parlure.scoring.page.document import document
from parlure.scoring.page.marks import NO_NUMBER, interval_text, percent, points, table
from parlure.scoring.parity.figures import SYSTEMS

MAX_SHOWN = 200  # utterances a part, those with the most changes first


def parity_page(report: Mapping[str, Any]) -> str:
    """The whole page, of what :func:`parlure.scoring.parity.report.build_parity` returns."""
    data, tolerance = report["data"], report["tolerance"]
    headline = "The export is still the model" if report["passed"] else "The export is not the model any more"
    judged = [part for part in report["parts"] if not part["timed"]]
    sentence = " ".join(f"On {part['name']}: {part['because']}." for part in judged)
    left_out = data["n_translations_left_out"]
    told = (
        f"{data['model']} → {data['export']} ({data['format']}, {data['quantize']}). {data['corpus']}, {data['split']} "
        f"split, {data['n_utterances']} utterances{f', {left_out} translations left out' if left_out else ''}."
    )
    asked = "" if tolerance["min_same"] is None else f"at least {tolerance['min_same']:g} % of texts the same, and "
    rule = (
        f"Asked of {tolerance['precision']}: {asked}a loss of WER of at most {tolerance['max_loss']:g} (points), by "
        f"the upper end of the 95 % interval over independent speakers and calls. {tolerance['reason'].capitalize()}."
    )
    css = "better" if report["passed"] else "worse"
    sections = [
        f'<p class="eyebrow">parlure parity</p><h1 class="{css}">{headline}</h1><p class="lede">{escape(sentence)}</p>'
        f'<p class="note">{escape(told)} {escape(rule)}</p>',
        _figures(report["parts"]),
        _work(report["parts"]),
        *(_differences(part, report["utterances"]) for part in report["parts"]),
    ]
    return document(headline, sentence, sections, "Every number is in parity.json, and can be recomputed from it.")


def _figures(parts: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for part in parts:
        wers = [
            f"{percent(one['rate'])} <span class='muted'>S {one['S']} D {one['D']} I {one['I']}</span>"
            for one in (part[system] for system in SYSTEMS)
        ]
        difference = part["comparison"]
        verdict = "not judged" if part["timed"] else "passed" if part["passed"] else "failed"
        css = {"passed": "verdict-better", "failed": "verdict-worse"}.get(verdict, "muted")
        cells = [
            f"{part['texts']['n_same']} of {part['texts']['n']}",
            f"{part['tokens']['share']:.2f} %",
            *wers,
            f"{points(difference['difference'], sign=True)} {interval_text(difference['ci95'], sign=True)}",
            _drift(part["drift"]),
        ]
        rows.append(
            f'<tr><th scope="row">{escape(part["name"])}</th><td class="left {css}">{verdict}</td>'
            + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        )  # fmt: skip
    n_words = parts[0]["original"]["N"]
    note = (
        f"{n_words} reference words. Tokens: the share that no edit touches. Times: how far phrase boundaries move, "
        "median and 95th percentile, where both have as many phrases."
    )
    head = [
        "",
        "",
        "texts the same",
        "tokens the same",
        "WER, model",
        "WER, export",
        "points lost [95 %]",
        "times move",
    ]
    return "<h2>What they say</h2>" + table(head, rows, 2) + f'<p class="note">{note}</p>'


def _drift(drift: Mapping[str, Any] | None) -> str:
    if drift is None or drift["median_s"] is None:
        return NO_NUMBER
    other = f", {drift['n_other']} left out" if drift["n_other"] else ""
    return f"{drift['median_s']:.2f} s, {drift['p95_s']:.2f} s{other}"


def _work(parts: Sequence[Mapping[str, Any]]) -> str:
    """Who listened, how fast, and in what versions."""
    rows, versions = [], dict[str, None]()
    for part in parts:
        for system in SYSTEMS:
            how = part[system]["listened"]
            pace = how["work_s_per_audio_hour"]
            told = [f"{name} {value}" for name, value in how.items() if _is_version(value)]
            versions[f"{how['engine']}: {', '.join(told)}"] = None
            names = [part["name"], f"{how['engine']} on {how['device']}", how["compute_type"]]
            numbers = [
                NO_NUMBER if pace is None else f"{pace:.0f} s",
                f"{how['work_s']:.1f} s of {how['audio_s']:.0f} s",
                f"{how['n_bytes'] / 1e6:.1f} MB",
            ]
            rows.append(
                f'<tr><th scope="row">{system}</th>'
                + "".join(f'<td class="left">{escape(name)}</td>' for name in names)
                + "".join(f"<td>{number}</td>" for number in numbers) + "</tr>"
            )  # fmt: skip
    head = ["", "part", "engine", "numbers", "work an hour of sound", "work of sound", "on disk"]
    note = (
        "One after the other on one machine, with whatever else ran on it. A system that hears two parts by the same "
        f"engine in the same window heard them once. Versions of {'; of '.join(versions)}."
    )
    return "<h2>What they take</h2>" + table(head, rows, 4) + f'<p class="note">{escape(note)}</p>'


def _is_version(value: object) -> bool:
    return isinstance(value, str) and value[:1].isdigit() and "." in value


def _differences(part: Mapping[str, Any], utterances: Sequence[Mapping[str, Any]]) -> str:
    """The utterances whose texts differ in a part."""
    cards = []
    for row in utterances:
        texts = row["parts"].get(part["name"], {"texts": ("", "")})["texts"]
        if texts[0] == texts[1]:
            continue
        steps = align(texts[0].split(), texts[1].split())
        n_changes = sum(step.kind != "equal" for step in steps)
        words = get_profile(headline_profile(row["language"])).words
        alike = " · the same as the profile compares them" if words(texts[0]) == words(texts[1]) else ""
        reference = escape(row["reference"]) or "<i>(no speech)</i>"
        cards.append(
            (
                -n_changes,
                f'<article class="card utterance"><header><code>{escape(row["id"])}</code><span class="muted">'
                f"{escape(row['speaker'] or '')} {row['duration_s']:.1f} s{alike}</span></header><dl>"
                f"<dt>reference</dt><dd>{reference}</dd>"
                f"<dt>model</dt><dd>{escape(texts[0]) or '<i>(nothing)</i>'}</dd>"
                f"<dt>export</dt><dd>{difference_html(steps) or '<i>(nothing)</i>'}</dd></dl></article>",
            )
        )
    title = f"<h2>Texts that differ: {escape(part['name'])}</h2>"
    if not cards:
        return f"{title}<p>None of {part['texts']['n']}.</p>"
    shown = [card for _, card in sorted(cards, key=lambda one: one[0])[:MAX_SHOWN]]
    rest = f" The {len(shown)} with the most changes are here, the others in parity.json." * (len(cards) > len(shown))
    note = (
        f"{len(cards)} of {part['texts']['n']}.{rest} From the model's text to the export's: <ins>added</ins>, "
        '<del>gone</del>, <span class="sub"><del>before</del> <ins>now</ins></span>.'
    )
    return f'{title}<p class="note">{note}</p>{"".join(shown)}'
