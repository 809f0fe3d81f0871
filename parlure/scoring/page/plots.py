"""The page's figures: speakers before and after, slices with their intervals, kinds of error by length, training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from parlure.scoring.page.drawing import BASE, BETTER, CAUTION, MUTED, TEXT, TUNED, WORSE, drawing, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROWS = 30  # speakers drawn: those with the most reference words


def _drawn(speakers: Mapping[str, Any], systems: tuple[str, ...]) -> list[tuple[str, list[float]]]:
    """The (speaker, rates in points) of those with reference words, worst first system's rate on top."""
    heard = [(name, data["wer"]) for name, data in speakers.items() if data["wer"][systems[-1]]["N"]]
    largest = sorted(heard, key=lambda one: (-one[1][systems[-1]]["N"], one[0]))[:MAX_ROWS]
    rows = [(name, [wer[system]["rate"] for system in systems]) for name, wer in largest]
    return sorted(rows, key=lambda row: (-row[1][0], row[0]), reverse=True)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """A name a row, from the bottom up, over an axis of WER that begins at zero."""
    axes.set_yticks(range(len(names)), [short(name) for name in names], color=TEXT, parse_math=False)
    axes.set_xlim(left=0)
    axes.set_ylim(-0.65, len(names) - 0.35)
    axes.set_xlabel("WER, %", color=MUTED)
    axes.grid(visible=False, axis="y")


def speaker_plot(speakers: Mapping[str, Any], systems: tuple[str, ...]) -> str:
    """An SVG element with one row per speaker: an arrow from the first system's rate to the last one's.

    Args:
        speakers: the report's ``slices.speaker``.
        systems: one system, or ``("base", "tuned")``.

    Returns:
        The element, or an empty string if no speaker has reference words.
    """
    rows = _drawn(speakers, systems)
    if not rows:
        return ""
    with drawing(4.4, 0.7 + 0.24 * len(rows), "Word error rate of each speaker", "speakers") as drawn:
        axes = drawn.axes
        for height, (_, rates) in enumerate(rows):
            colour = WORSE if rates[-1] > rates[0] else TUNED
            if len(rates) == 2 and rates[0] != rates[1]:
                arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6, "shrinkA": 2, "shrinkB": 0}
                axes.annotate("", (rates[1], height), (rates[0], height), arrowprops=arrow)
                axes.plot(rates[0], height, "o", markersize=5, color=BASE, zorder=3)
            else:
                axes.plot(rates[-1], height, "o", markersize=6, color=colour, zorder=4)
        _name_rows(axes, [name for name, _ in rows])
        axes.set_xlim(0, max(max(rates) for _, rates in rows) * 1.04 + 1)
    return drawn.svg


def slice_plot(values: Mapping[str, Any], systems: tuple[str, ...], label: str) -> str:
    """Rates of one dimension's slices with their 95 % intervals, a dot per system; empty without any rate.

    Args:
        values: one dimension of the report's ``slices``, in the order in which they are read.
        systems: one system or two; the first is drawn paler.
        label: the dimension's name, for a screen reader.
    """
    rows = [(name, data["wer"]) for name, data in values.items() if data["wer"][systems[-1]]["N"]][::-1]
    if not rows:
        return ""
    colours = (BASE, TUNED)[-len(systems) :]
    with drawing(4.4, 0.7 + 0.34 * len(rows), f"Word error rate by {label}", f"slice {label}") as drawn:
        axes = drawn.axes
        for height, (_, wer) in enumerate(rows):
            for place, (system, colour) in enumerate(zip(systems, colours, strict=True)):
                at = height + (0.14 if place == 0 and len(systems) > 1 else -0.14 if len(systems) > 1 else 0)
                if interval := wer[system].get("ci95"):
                    axes.plot(interval, [at, at], color=colour, linewidth=2, alpha=0.55)
                axes.plot(wer[system]["rate"], at, "o", markersize=5.5, color=colour)
        _name_rows(axes, [name for name, _ in rows])
    return drawn.svg


_KINDS = (("S", "substituted", CAUTION), ("D", "missed", WORSE), ("I", "inserted", BETTER))


def length_plot(durations: Mapping[str, Any], systems: tuple[str, ...]) -> str:
    """Substitutions, deletions, insertions per hundred reference words by utterance length, stacked, a bar a system."""
    rows = [(name, data["wer"]) for name, data in durations.items() if data["wer"][systems[-1]]["N"]]
    if not rows:
        return ""
    width = 0.8 / len(systems)
    with drawing(5.2, 2.3, "Kinds of error by utterance length", "lengths") as drawn:
        axes = drawn.axes
        for place, system in enumerate(systems):
            bottoms = [0.0] * len(rows)
            at = [index + (place - (len(systems) - 1) / 2) * width for index in range(len(rows))]
            for key, _, colour in _KINDS:
                heights = [100 * wer[system][key] / wer[system]["N"] if wer[system]["N"] else 0.0 for _, wer in rows]
                faint = 0.45 if place == 0 and len(systems) > 1 else 0.95
                axes.bar(at, heights, width * 0.92, bottom=bottoms, color=colour, alpha=faint)
                bottoms = [low + height for low, height in zip(bottoms, heights, strict=True)]
        axes.set_xticks(range(len(rows)), [f"{name} s" for name, _ in rows], color=TEXT, parse_math=False)
        axes.set_ylabel("errors per 100 words", color=MUTED)
        axes.grid(visible=False, axis="x")
    return drawn.svg


def kinds_legend() -> str:
    """The colours of :func:`length_plot`, as legend entries."""
    names = {WORSE: "worse", BETTER: "better", CAUTION: "caution"}
    return "".join(
        f'<span><i class="dot" style="background:var(--{names[colour]})"></i>{name}</span>'
        for _, name, colour in _KINDS
    )


def training_plot(
    steps: Sequence[Mapping[str, float]], evaluations: Sequence[Mapping[str, float]], best_step: int | None = None
) -> str:
    """Loss by step (pale) and dev WER by step (dots), on two axes; empty without either.

    Args:
        steps: ``{"step", "loss"}`` each.
        evaluations: ``{"step", "wer"}`` each, in points.
        best_step: which of them was kept; None is that of the lowest WER.
    """
    if not steps or not evaluations:
        return ""
    with drawing(5.2, 2.3, "Training loss and dev word error rate by step", "training") as drawn:
        axes = drawn.axes
        losses = axes.twinx()
        losses.plot([one["step"] for one in steps], [one["loss"] for one in steps], color=BASE, linewidth=1, alpha=0.7)
        losses.set_ylabel("loss", color=MUTED)
        losses.patch.set_visible(False)
        losses.grid(visible=False)
        losses.tick_params(colors=MUTED, length=0)
        for side in losses.spines.values():
            side.set_visible(False)
        at, rates = [one["step"] for one in evaluations], [one["wer"] for one in evaluations]
        axes.plot(at, rates, "o-", color=TUNED, linewidth=1.8, markersize=4)
        best = at.index(best_step) if best_step in at else min(range(len(rates)), key=rates.__getitem__)
        axes.plot(at[best], rates[best], "D", color=TUNED, markersize=7)
        axes.set_zorder(losses.get_zorder() + 1)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("step", color=MUTED)
        axes.set_ylabel("dev WER, %", color=MUTED)
        axes.grid(visible=False, axis="x")
    return drawn.svg


def systems_plot(systems: Mapping[str, Any]) -> str:
    """The rate of each system with its interval, the lowest on top; empty without any rate."""
    rows = [(name, one["wer"]) for name, one in systems.items() if one["wer"]["rate"] is not None]
    rows.sort(key=lambda row: (-row[1]["rate"], row[0]))
    if not rows:
        return ""
    with drawing(4.4, 0.7 + 0.34 * len(rows), "Word error rate of each system", "systems") as drawn:
        axes = drawn.axes
        for height, (_, wer) in enumerate(rows):
            if wer["ci95"]:
                axes.plot(wer["ci95"], [height, height], color=TUNED, linewidth=2, alpha=0.55)
            axes.plot(wer["rate"], height, "o", markersize=6, color=TUNED)
        _name_rows(axes, [name for name, _ in rows])
    return drawn.svg


def calibration_plot(systems: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Share of utterances without an error by mean confidence, a line a system, the last one strong; empty without any.

    Args:
        systems: each system's ``bins`` of the report's ``calibration``.
    """
    lines = [[one for one in bins if one["n"]] for bins in systems.values()]
    if not any(lines):
        return ""
    with drawing(4.4, 2.7, "Share of utterances that are right by confidence", "calibration") as drawn:
        axes = drawn.axes
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
        for place, bins in enumerate(lines):
            colour = TUNED if place == len(lines) - 1 else BASE
            sure, right = [one["mean_confidence"] for one in bins], [one["accuracy"] for one in bins]
            axes.plot(sure, right, "o-", color=colour, linewidth=1.6, markersize=4)
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("confidence", color=MUTED)
        axes.set_ylabel("right", color=MUTED)
    return drawn.svg
