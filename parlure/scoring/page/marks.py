"""Numbers, tables and tags for the eye: what every section of the page is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NO_NUMBER = "–"


def in_order(systems: Iterable[str]) -> tuple[str, ...]:
    """Base, tuned, then the others as they come: before stands before after."""
    first = ("base", "tuned")
    return tuple(sorted(systems, key=lambda name: first.index(name) if name in first else len(first)))


def points(value: float | None, *, sign: bool = False) -> str:
    """A rate or difference for the eye: one decimal, a real minus, ``–`` where there is none."""
    if value is None:
        return NO_NUMBER
    text = f"{value:+.1f}" if sign else f"{value:.1f}"
    return ("0.0" if float(text) == 0 else text).replace("-", "−")


def percent(value: float | None) -> str:
    return NO_NUMBER if value is None else f"{points(value)} %"


def interval_text(interval: Sequence[float] | None, *, sign: bool = False) -> str:
    return "" if interval is None else f"[{points(interval[0], sign=sign)}, {points(interval[1], sign=sign)}]"


def p_value(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", " ")


def table(head: Sequence[str], rows: Sequence[str], n_left: int = 1) -> str:
    cells = "".join(
        f'<th scope="col"{" class=left" if index < n_left else ""}>{name}</th>' for index, name in enumerate(head)
    )
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
