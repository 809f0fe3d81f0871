"""What a search has found → ``tune.html``: dev WER over trials and against every value that was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parlure.scoring.page.document import document
from parlure.scoring.page.drawing import BASE, MUTED, TEXT, TUNED, WORSE, drawing
from parlure.scoring.page.marks import NO_NUMBER, percent, plural, table
from parlure.search.found import Found, shown
from parlure.search.space import Choice, Span
from parlure.search.trial import Outcome
from parlure.sections import Recipe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TIMES_BASE = 1.25  # trials above so much of the base's WER stand at the figures' upper edge


def search_page(found: Found, recipe: Recipe, out: Path) -> str:
    """The whole page.

    Args:
        found: the search.
        recipe: that it was begun with.
        out: its folder.
    """
    best = found.best
    headline = "No trial can be recommended" if best is None else f"{percent(best.wer)} dev WER in trial {best.number}"
    judged = [one for one in found.trials if one.wer is not None]
    sections = (
        _hero(found, recipe, out, headline),
        _over_trials(judged, found) if judged else "",
        _against_values(judged, found) if judged else "",
        _trials(found),
    )
    told = found.sentences()[0]
    return document(headline, told, sections, "The numbers are in trials.json, every trial's own in its folder.")


def _hero(found: Found, recipe: Recipe, out: Path, headline: str) -> str:
    best = found.best
    base = next((one.base_wer for one in found.trials if one.base_wer is not None), None)
    is_better = best is not None and best.wer is not None and base is not None and best.wer < base
    luck = found.flattery
    flattered = NO_NUMBER if luck is None or luck.n_blocks < 2 else f"{luck.low:.1f}–{luck.high:.1f}"
    minutes = sum(one.work_s for one in found.trials) / 60
    tiles = [
        ("base", percent(base), escape(recipe.model.base)),
        ("best trial", NO_NUMBER if best is None else percent(best.wer), "chosen on dev"),
        ("flattered by", flattered, "points, on average"),
        ("trials", str(len(found.trials)), f"{minutes:.0f} min of work"),
    ]
    cells = "".join(
        f'<div class="tile"><span>{name}</span><b>{value}</b><span>{below}</span></div>' for name, value, below in tiles
    )
    told = "".join(f"<p>{escape(sentence[0].upper() + sentence[1:])}.</p>" for sentence in found.sentences())
    css = "better" if is_better else "worse"
    return (
        f'<p class="eyebrow">parlure tune · <code>{escape(str(out))}</code></p>'
        f'<h1 class="{css}">{escape(headline)}</h1>{told}<div class="tiles">{cells}</div>'
    )


def _legend() -> str:
    names = (("tuned", "went to its end"), ("base", "stopped early"), ("worse", "harmed a guard"))
    dots = "".join(f'<span><i class="dot" style="background:var(--{css})"></i>{name}</span>' for css, name in names)
    return f'<p class="legend">{dots}<span>diamond: the best</span></p>'


def _over_trials(judged: Sequence[Outcome], found: Found) -> str:
    from matplotlib.ticker import MaxNLocator

    with drawing(5.2, 2.3, "Dev word error rate of every trial", "trials") as drawn:
        axes = drawn.axes
        _points(axes, judged, [one.number for one in judged], found)
        fine = [one for one in judged if one.can_be_best]
        lowest = [min(float(one.wer or 0) for one in fine[: n + 1]) for n in range(len(fine))]
        axes.step([one.number for one in fine], lowest, where="post", color=TUNED, linewidth=1.2, alpha=0.6)
        axes.set_xlabel("trial", color=MUTED)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return (
        f'<h2 id="trials">Trial after trial</h2><figure class="card">{_legend()}{drawn.svg}<figcaption>The line is the '
        "lowest so far, the dotted one the base. A trial stopped early stands at the lowest that it came to, "
        "one far above the base at the edge, as a triangle."
        "</figcaption></figure>"
    )


def _against_values(judged: Sequence[Outcome], found: Found) -> str:
    cells = []
    for key, one in found.space.items():
        name = key.partition(".")[2]
        with drawing(3.4, 2.3, f"Dev word error rate against {name}", key) as drawn:
            axes = drawn.axes
            if isinstance(one, Span):
                at: list[Any] = [trial.draw[key] for trial in judged]
                if one.log:
                    axes.set_xscale("log")
            else:
                at = _places(axes, one, judged, key)
            _points(axes, judged, at, found)
            axes.set_xlabel(name, color=MUTED)
        cells.append(f'<figure class="card"><figcaption>{escape(key)}</figcaption>{drawn.svg}</figure>')
    return f'<h2 id="values">Against what was drawn</h2><div class="columns">{"".join(cells)}</div>'


def _places(axes: Axes, choice: Choice, judged: Sequence[Outcome], key: str) -> list[float]:
    """Side by side where several trials chose the same."""
    names = list(choice.values)
    axes.set_xticks(range(len(names)), [shown(name) for name in names], color=TEXT, parse_math=False)
    axes.set_xlim(-0.5, len(names) - 0.5)
    spread = max(1, len(judged) - 1)
    return [names.index(one.draw[key]) + 0.3 * (2 * n / spread - 1) for n, one in enumerate(judged)]


def _points(axes: Axes, judged: Sequence[Outcome], at: Sequence[float], found: Found) -> None:
    """Every trial at its WER; far above the base, at the edge."""
    base = max((one.base_wer for one in judged if one.base_wer is not None), default=100.0)
    top = max(base, min(_TIMES_BASE * base, max(float(one.wer or 0) for one in judged)))
    for one, x in zip(judged, at, strict=True):
        y = float(one.wer or 0)
        is_best, beyond = one == found.best, y > top
        colour = WORSE if one.harmed else BASE if one.state == "pruned" else TUNED
        marker = "D" if is_best else "^" if beyond else "o"
        axes.plot(x, min(y, top), marker, color=colour, markersize=7 if is_best else 5, zorder=4 if is_best else 3)
    axes.axhline(base, color=MUTED, linewidth=1, linestyle=":")
    low = min(min(float(one.wer or 0) for one in judged), base)
    margin = 0.08 * max(top - low, 1.0)
    axes.set_ylim(max(0.0, low - margin), top + margin)
    axes.set_ylabel("dev WER, %", color=MUTED)


def _trials(found: Found) -> str:
    rows = []
    for one in sorted(found.trials, key=lambda one: (not one.can_be_best, one.wer is None, one.wer or 0, one.number)):
        state = "harmed a guard" if one.harmed else one.state
        cells = "".join(f"<td>{escape(shown(one.draw.get(key)))}</td>" for key in found.space)
        css = ' class="headline"' if one == found.best else ""
        rows.append(
            f'<tr{css}><th scope="row">{one.number}</th><td class="left">{state}</td><td>{percent(one.wer)}</td>'
            f"<td>{NO_NUMBER if one.step is None else one.step}</td><td>{one.work_s / 60:.1f}</td>{cells}"
            f'<td class="left wrap">{escape(one.why)}</td></tr>'
        )
    names = [escape(key.partition(".")[2]) for key in found.space]
    n_done = plural(len(found.trials), "trial")
    return f'<h2 id="table">{n_done}, the best first</h2>' + table(
        ["trial", "state", "dev WER", "step", "min", *names, ""], rows, 2
    )
