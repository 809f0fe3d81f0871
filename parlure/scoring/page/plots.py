"""The speakers' slice of a report → one inline SVG: a row per speaker, its rate before and after.

Drawn with placeholder colours that are then replaced by CSS variables, so the page's light and dark themes apply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from typing import Any

MAX_ROWS = 30  # speakers drawn: those with the most reference words
_NAME_LENGTH = 16
_PLACEHOLDERS = {
    "#010203": "currentColor",
    "#010204": "var(--muted)",
    "#010205": "var(--line)",
    "#010206": "var(--base)",
    "#010207": "var(--tuned)",
    "#010208": "var(--worse)",
}
_TEXT, _MUTED, _LINE, _BASE, _TUNED, _WORSE = _PLACEHOLDERS


def _drawn(speakers: Mapping[str, Any], systems: tuple[str, ...]) -> list[tuple[str, list[float]]]:
    """The (speaker, rates in points) of those with reference words, worst last system's rate on top."""
    heard = [(name, data["wer"]) for name, data in speakers.items() if data["wer"][systems[-1]]["N"]]
    largest = sorted(heard, key=lambda one: (-one[1][systems[-1]]["N"], one[0]))[:MAX_ROWS]
    rows = [(name, [wer[system]["rate"] for system in systems]) for name, wer in largest]
    return sorted(rows, key=lambda row: (-row[1][0], row[0]), reverse=True)


def _clean(svg: str) -> str:
    """Only the ``<svg>`` element, themed, named for a screen reader, without metadata or fixed size."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: [^;\"]*?([0-9.]+)px[^;\"]*", r"font-size: \1px", svg)  # the page's own font family
    for placeholder, colour in _PLACEHOLDERS.items():
        svg = svg.replace(placeholder, colour)
    view_box = re.search(r'viewBox="[^"]*"', svg)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {view_box[0] if view_box else ""} role="img" '
    return re.sub(r"<svg[^>]*>", opening + 'aria-label="Word error rate of each speaker">', svg, count=1)


def speaker_plot(speakers: Mapping[str, Any], systems: tuple[str, ...]) -> str:
    """An SVG element with one row per speaker: a dot per system, joined by a line.

    Args:
        speakers: the report's ``slices.speaker``.
        systems: one system, or ``("base", "tuned")``.

    Returns:
        The element, or an empty string if no speaker has reference words.

    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = _drawn(speakers, systems)
    if not rows:
        return ""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "parlure", "font.size": 8.5}):
        figure = Figure(figsize=(4.4, 0.7 + 0.24 * len(rows)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for height, (_, rates) in enumerate(rows):
            colour = _WORSE if rates[-1] > rates[0] else _TUNED
            axes.plot(rates, [height] * len(rates), color=colour, linewidth=1.8, alpha=0.55, zorder=2)
            if len(rates) == 2:
                axes.plot(rates[0], height, "o", markersize=5, color=_BASE, zorder=3)
            axes.plot(rates[-1], height, "D" if rates[-1] > rates[0] else "o", markersize=6, color=colour, zorder=4)
        names = [name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…" for name, _ in rows]
        axes.set_yticks(range(len(rows)), names, color=_TEXT, parse_math=False)  # a name may hold $
        axes.set_xlim(0, max(max(rates) for _, rates in rows) * 1.04 + 1)
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlabel("WER, %", color=_MUTED)
        axes.tick_params(axis="x", colors=_MUTED, length=0)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=_LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        for side in axes.spines.values():
            side.set_visible(False)
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return _clean(out.getvalue())
