"""A comparison of several runs → ``comparison.html``: rates with their intervals, verdicts, every utterance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from parlure.scoring.page.document import document
from parlure.scoring.page.evidence import evidence_section
from parlure.scoring.page.marks import NO_NUMBER, interval_text, percent, points, table
from parlure.scoring.page.plots import systems_plot
from parlure.scoring.utterances import ScoredUtterance


def comparison_page(utterances: Sequence[ScoredUtterance], comparison: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        utterances: with a hypothesis of every system.
        comparison: as :func:`parlure.scoring.comparing.compare_reports` returns it.
    """
    systems = comparison["systems"]
    best = min(systems, key=lambda name: (systems[name]["wer"]["rate"] is None, systems[name]["wer"]["rate"] or 0.0))
    lede = (
        f"{len(systems)} systems on the same {comparison['n_utterances']} utterances, profile {comparison['profile']}, "
        f"each compared with {comparison['against']}."
    )
    counted = [one for one in utterances if one.task == "transcribe"]
    sections = (
        f'<p class="eyebrow">parlure comparison</p><h1>Lowest WER: {escape(best)}</h1>'
        f'<p class="lede">{escape(lede)}</p>',
        f'<figure class="card">{systems_plot(systems)}'
        "<figcaption>Word error rates with 95 % intervals.</figcaption></figure>",
        _systems_table(comparison),
        evidence_section(counted, tuple(systems), comparison["profile"], None, frozenset()),
    )
    return document(f"{len(systems)} runs compared", lede, sections, "The numbers are in comparison.json.")


def _systems_table(comparison: Mapping[str, Any]) -> str:
    rows = []
    for name, row in comparison["systems"].items():
        wer, against = row["wer"], row.get("comparison")
        cells = [percent(wer["rate"]) + " " + interval_text(wer["ci95"])]
        cells += [f"{wer[key]:,}".replace(",", " ") for key in "SDIN"]
        if against:
            cells += [
                f"{points(against['difference'], sign=True)} {interval_text(against['ci95'], sign=True)}",
                f"{against['p_value']:.3f}",
                f"{against['p_holm']:.3f}",
            ]
        else:
            cells += [NO_NUMBER] * 3
        verdict = against["verdict"] if against else "compared with"
        rows.append(
            f'<tr><th scope="row">{escape(name)}</th><td class="left wrap">{escape(str(row["model"]))}</td>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + f'<td class="verdict-{verdict.replace(" ", "-")}">{verdict}</td></tr>'
        )
    rule = next(
        (row["comparison"].get("rule", "") for row in comparison["systems"].values() if "comparison" in row), ""
    )
    head = ["system", "model", "WER [95 %]", "S", "D", "I", "N", "difference [95 %]", "p", "p, Holm", "verdict"]
    return (
        "<h2>Against each other</h2>"
        + table(head, rows, 2)
        + f'<p class="note">{escape(rule)} The more runs one looks at, the likelier one of them shines by chance: p by '
        "Holm’s method accounts for it, the verdict of a single pair does not.</p>"
    )
