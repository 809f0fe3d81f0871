"""matplotlib's figures as inline SVG in the page's own colours and font.

Drawn with placeholder colours that are then replaced by CSS variables, so the page's light and dark themes apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLACEHOLDERS = {
    "#010203": "currentColor",
    "#010204": "var(--muted)",
    "#010205": "var(--line)",
    "#010206": "var(--base)",
    "#010207": "var(--tuned)",
    "#010208": "var(--worse)",
    "#010209": "var(--better)",
    "#01020a": "var(--caution)",
}
TEXT, MUTED, LINE, BASE, TUNED, WORSE, BETTER, CAUTION = _PLACEHOLDERS
_NAME_LENGTH = 18


@dataclass
class Drawing:
    """Axes to draw on; ``svg`` holds the element once the block is left."""

    axes: Axes
    svg: str = ""


def short(name: str) -> str:
    """A name that fits beside an axis."""
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…"


def _clean(svg: str, label: str) -> str:
    """Only the ``<svg>`` element, themed, named for a screen reader, without metadata or fixed size."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: [^;\"]*?([0-9.]+)px[^;\"]*", r"font-size: \1px", svg)  # the page's own font family
    for placeholder, colour in _PLACEHOLDERS.items():
        svg = svg.replace(placeholder, colour)
    view_box = re.search(r'viewBox="[^"]*"', svg)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {view_box[0] if view_box else ""} role="img" '
    return re.sub(r"<svg[^>]*>", lambda _: f'{opening}aria-label="{escape(label)}">', svg, count=1)


@contextmanager
def drawing(width: float, height: float, label: str, salt: str = "parlure") -> Iterator[Drawing]:
    """Draw on the axes given; afterwards ``svg`` is the element.

    Args:
        width: of the figure in inches, like ``height``; the page scales it.
        height: of the figure.
        label: what a screen reader says of it.
        salt: told apart from the page's other figures by it, since their inner ids must differ.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": 8.5}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        drawn = Drawing(axes := figure.add_subplot())
        axes.tick_params(axis="both", colors=MUTED, length=0)
        axes.grid(color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        for side in axes.spines.values():
            side.set_visible(False)
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        yield drawn
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        drawn.svg = _clean(out.getvalue(), label)
