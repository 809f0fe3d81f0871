"""A table of untuned models → ``baseline.html``: answer, rates with intervals, rates against cost, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from parlure.scoring.page.document import document
from parlure.scoring.page.drawing import BASE, CAUTION, MUTED, TEXT, TUNED, drawing, short
from parlure.scoring.page.evidence import evidence_section
from parlure.scoring.page.marks import NO_NUMBER, interval_text, percent, points, table
from parlure.scoring.utterances import ScoredUtterance

_HEADLINES = {"tune": "Tuning has something to gain", "do not tune": "Do not tune", "undecided": "Not decided yet"}


def baseline_page(utterances: Sequence[ScoredUtterance], found: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        utterances: with a hypothesis of every system.
        found: as :func:`parlure.scoring.skills.baseline.baseline` returns it.
    """
    said, systems = found["answer"], found["systems"]
    headline = _HEADLINES[said["verdict"]]
    data = found["data"]
    told = (
        f"{data['corpus']}, {data['split']} split, {found['n_utterances']} utterances, {data['hours']:.2f} hours, "
        f"{found['n_blocks']} independent groups of speakers, profile {found['profile']}."
    )
    cautions = "".join(f"<li>{escape(one)}</li>" for one in found["warnings"])
    sections = (
        f'<p class="eyebrow">parlure baseline</p><h1>{escape(headline)}</h1>'
        f'<p class="lede">{escape(said["sentence"])}</p><p class="note">{escape(told)}</p>',
        f'<div class="cautions"><ul>{cautions}</ul></div>' if cautions else "",
        f'<h2>Error rates</h2><figure class="card">{rates_plot(found)}<figcaption>Word error rates with 95 % '
        f"intervals{'; the dotted line: two people' if found['floor'] else ''}.</figcaption></figure>",
        _cost_section(systems),
        _rows(found),
        evidence_section(list(utterances), tuple(systems), found["profile"], None, frozenset()),
    )
    return document(
        headline, said["sentence"], sections, "The numbers are in baseline.json, the evidence in utterances.jsonl."
    )


def rates_plot(found: Mapping[str, Any]) -> str:
    """A bar for each system with its interval, the lowest on top, what is to be taken strong; the floor is a line."""
    rows = [(name, row["wer"]) for name, row in found["systems"].items() if row["wer"]["rate"] is not None][::-1]
    with drawing(4.6, 0.8 + 0.36 * len(rows), "Word error rate of each system", "baseline rates") as drawn:
        axes = drawn.axes
        for height, (name, wer) in enumerate(rows):
            colour = TUNED if name == found["answer"]["take"] else BASE
            axes.barh(height, wer["rate"], height=0.62, color=colour)
            if wer["ci95"]:
                axes.plot(wer["ci95"], [height, height], color=TEXT, linewidth=1.4)
        if found["floor"] and found["floor"]["wer"]["rate"] is not None:
            axes.axvline(found["floor"]["wer"]["rate"], color=CAUTION, linewidth=1.4, linestyle=":")
        axes.set_yticks(range(len(rows)), [_label(name) for name, _ in rows], color=TEXT, parse_math=False)
        axes.set_ylim(-0.65, len(rows) - 0.35)
        axes.set_xlim(left=0)
        axes.set_xlabel("WER, %", color=MUTED)
        axes.grid(visible=False, axis="y")
    return drawn.svg


def _cost_section(systems: Mapping[str, Any]) -> str:
    """WER against seconds of work; empty where fewer than two systems were timed."""
    rows = [
        (name, row["work_s_per_audio_hour"], row["wer"])
        for name, row in systems.items()
        if row["work_s_per_audio_hour"] and row["wer"]["rate"] is not None
    ]
    if len(rows) < 2:
        return ""
    with drawing(5.2, 3.0, "Word error rate against seconds of work for an hour of sound", "baseline cost") as drawn:
        axes = drawn.axes
        for number, (_, work_s, wer) in enumerate(rows, start=1):
            if wer["ci95"]:
                axes.plot([work_s, work_s], wer["ci95"], color=TUNED, linewidth=2, alpha=0.5)
            axes.plot(work_s, wer["rate"], "o", markersize=6, color=TUNED)
            axes.annotate(str(number), (work_s, wer["rate"]), (5, 4), textcoords="offset points", color=TEXT)
        axes.set_xscale("log")
        axes.set_xlim(min(row[1] for row in rows) / 1.6, max(row[1] for row in rows) * 1.6)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("s of work for an hour of sound", color=MUTED)
        axes.set_ylabel("WER, %", color=MUTED)
    names = "".join(f"<span>{number} {escape(name)}</span>" for number, (name, _, _) in enumerate(rows, start=1))
    return (
        f'<h2>What it costs</h2><figure class="card"><p class="legend">{names}</p>{drawn.svg}<figcaption>Further down '
        "and to the left is better. Timed on this machine while decoding, with whatever else ran on it.</figcaption>"
        "</figure>"
    )


def _label(name: str) -> str:
    """The end of a name tells systems apart: of a path the last part, and the setting."""
    model, plus, setting = name.partition(" + ")
    return short(model.rstrip("/").rpartition("/")[2]) + (f" + {setting}" if plus else "")


def _rows(found: Mapping[str, Any]) -> str:
    floor, priced = found["floor"], found["price_per_hour"] is not None
    rows = []
    for name, row in found["systems"].items():
        wer, other, seconds = row["wer"], row.get("comparison"), row["work_s_per_audio_hour"]
        cells = [
            f"{percent(wer['rate'])} {interval_text(wer['ci95'])}",
            *(f"{wer[key]:,}".replace(",", " ") for key in "SDI"),
        ]
        cells += [_difference(other), f"{other['p_holm']:.3f}"] if other else [NO_NUMBER] * 2
        verdict = other["verdict"] if other else "lowest"
        tail = [
            NO_NUMBER if seconds is None else f"{seconds:.0f} s",
            NO_NUMBER if not seconds else f"{3600 / seconds:.1f}",
        ]
        price = row["price_per_audio_hour"]
        tail += [NO_NUMBER if price is None else f"{price:.3f}"] * priced
        tail += [_difference(floor["systems"][name])] if floor else []
        tail.append(NO_NUMBER if row["n_parameters"] is None else f"{row['n_parameters'] / 1e6:.1f} M")
        tail.append(NO_NUMBER if row["n_bytes"] is None else f"{row['n_bytes'] / 1e6:.0f} MB")
        css = ' class="headline"' if name == found["answer"]["take"] else ""
        rows.append(
            f'<tr{css}><th scope="row">{escape(name)}</th>' + "".join(f"<td>{cell}</td>" for cell in cells)
            + f'<td class="verdict-{verdict.replace(" ", "-")}">{verdict}</td>'
            + "".join(f"<td>{cell}</td>" for cell in tail) + "</tr>"
        )  # fmt: skip
    head = [
        "system",
        "WER [95 %]",
        "S",
        "D",
        "I",
        "to the lowest [95 %]",
        "p, Holm",
        "verdict",
        "work an audio hour",
        "RTFx",
    ]
    head += ["price an audio hour"] * priced + ["to the annotators [95 %]"] * bool(floor) + ["parameters", "on disk"]
    people = ""
    if floor:
        wer = floor["wer"]
        people = (
            f" Two people: {percent(wer['rate'])} {interval_text(wer['ci95'])} on {floor['n_utterances']} utterances, "
            f"S {wer['S']}, D {wer['D']}, I {wer['I']}, N {wer['N']}; systems are set against them on these alone."
        )
    n_words = f"{next(iter(found['systems'].values()))['wer']['N']:,}".replace(",", " ")
    note = f"{n_words} reference words. RTFx: seconds of sound for one second of work.{people}"
    return "<h2>Every system</h2>" + table(head, rows) + f'<p class="note">{note}</p>'


def _difference(comparison: Mapping[str, Any]) -> str:
    text = points(comparison["difference"], sign=True)
    return f"{text} {interval_text(comparison['ci95'], sign=True)}".rstrip()
