"""A learning curve → ``curve.html``: the sentence, the curve with what lies beyond it, the points."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from parlure.scoring.page.document import document
from parlure.scoring.page.drawing import BASE, MUTED, TUNED, drawing
from parlure.scoring.page.marks import NO_NUMBER, interval_text, percent, points, table


def curve_page(found: Mapping[str, Any]) -> str:
    """The whole page, of what :func:`parlure.scoring.skills.curve.curve` returns."""
    data = found["data"]
    told = (
        f"{data['corpus']}, {data['split']} split, {data['n_utterances']} utterances, {data['hours']:.2f} hours; "
        f"{found['model']} trained on parts of whole {found['unit']}, each within the next; profile {found['profile']}."
    )
    cautions = "".join(f"<li>{escape(one)}</li>" for one in found["warnings"])
    hours = found["points"][-1]["hours"]
    sections = (
        f'<p class="eyebrow">parlure curve</p><h1>What {hours:.2f} hours bring, and more might</h1>'
        f'<p class="lede">{escape(found["sentence"])}</p><p class="note">{escape(told)}</p>',
        f'<div class="cautions"><ul>{cautions}</ul></div>' if cautions else "",
        '<h2>Word error rate by hours</h2><figure class="card"><p class="legend">'
        '<span><i class="dot" style="background:var(--tuned)"></i>measured, 95 % interval</span>'
        '<span><i class="dot" style="background:var(--base)"></i>base, 0 hours; extrapolated</span></p>'
        f"{curve_plot(found)}<figcaption>Hours of training data, doubling by doubling; the base stands at the left "
        "edge.</figcaption></figure>",
        _rows(found),
    )
    return document("Learning curve", found["sentence"], sections, "The numbers are in curve.json.")


def curve_plot(found: Mapping[str, Any]) -> str:
    """Rates by hours on a scale of doublings, the base at the left edge, what is extrapolated behind a dashed line."""
    base, *trained = found["points"]
    edge = trained[0]["hours"] / 2
    ahead = list((found["extrapolation"].get("predictions") or {}).values())
    with drawing(5.4, 3.0, "Word error rate by hours of training data", "curve") as drawn:
        axes = drawn.axes
        for row, at, colour in [(base, edge, BASE), *((row, row["hours"], TUNED) for row in trained)]:
            if row["wer"]["ci95"]:
                axes.plot([at, at], row["wer"]["ci95"], color=colour, linewidth=2, alpha=0.55)
            axes.plot(at, row["wer"]["rate"], "o", markersize=6, color=colour)
        measured = [(row["hours"], row["wer"]["rate"]) for row in trained]
        axes.plot(*zip(*measured, strict=True), color=TUNED, linewidth=1.6)
        if ahead:
            line = [measured[-1], *((one["hours"], one["rate"]) for one in ahead)]
            axes.plot(*zip(*line, strict=True), color=BASE, linewidth=1.4, linestyle="--")
            last = trained[-1]["wer"]["rate"]
            low, high = ([last, *(one["ci95"][end] for one in ahead)] for end in (0, 1))
            axes.fill_between([at for at, _ in line], low, high, color=BASE, alpha=0.25, linewidth=0)
        marks = [edge, *(row["hours"] for row in trained), *(one["hours"] for one in ahead)]
        axes.set_xscale("log", base=2)
        axes.set_xticks(marks, ["0", *(f"{at:.2g}" for at in marks[1:])])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel("hours of training data", color=MUTED)
        axes.set_ylabel("WER, %", color=MUTED)
    return drawn.svg


def _rows(found: Mapping[str, Any]) -> str:
    rows = []
    for row in found["points"]:
        wer, other = row["wer"], row["comparison"]
        cells = [f"{row['hours']:.2f}", str(row["n_units"]), f"{percent(wer['rate'])} {interval_text(wer['ci95'])}"]
        cells += [f"{wer[key]:,}".replace(",", " ") for key in "SDI"]
        difference, verdict = NO_NUMBER, ""
        if other:
            difference = f"{points(other['difference'], sign=True)} {interval_text(other['ci95'], sign=True)}"
            verdict = other["verdict"]
        rows.append(
            f'<tr><th scope="row">{escape(row["name"])}</th>' + "".join(f"<td>{cell}</td>" for cell in cells)
            + f'<td>{difference}</td><td class="verdict-{verdict.replace(" ", "-")}">{verdict}</td></tr>'
        )  # fmt: skip
    for factor, one in (found["extrapolation"].get("predictions") or {}).items():
        gain = f"{points(one['gain'], sign=True)} {interval_text(one['gain95'], sign=True)}"
        told = f"about {percent(one['rate'])} {interval_text(one['ci95'])}"
        rows.append(
            f'<tr><th scope="row">{factor} times the hours</th><td>{one["hours"]:.2f}</td><td></td><td>{told}</td>'
            f"<td></td><td></td><td></td><td>{gain}</td><td>extrapolated</td></tr>"
        )
    head = ["", "hours", "units", "WER [95 %]", "S", "D", "I", "to the one before [95 %]", "verdict"]
    note = (
        "What is extrapolated is set against the most hours trained on: the mean of two lines (a power law that ends "
        "at zero, and a fixed gain for each doubling), with an interval that holds both under a bootstrap over "
        "speakers, widened by what the same estimate from the smaller amounts missed the largest by."
    )
    return "<h2>Every amount</h2>" + table(head, rows) + f'<p class="note">{note}</p>'
