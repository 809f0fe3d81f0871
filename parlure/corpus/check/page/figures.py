"""Distributions → figures, as inline SVG in the page's own colours; an empty text where there is nothing to draw."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from parlure.corpus.check.numbers import Distributions
from parlure.scoring.page.drawing import BASE, CAUTION, MUTED, TEXT, TUNED, drawing, short

_SIZE = (4.2, 2.1)  # inches
_BINS = 40
_COLOURS = {"train": BASE, "dev": CAUTION, "test": TUNED}
_MAX_SPEAKERS = 20
_MAX_CHARACTERS = 20


def figures(found: Distributions) -> list[tuple[str, str]]:
    """``(caption, SVG)`` of each that there is something to draw for."""
    drawn = [
        ("Duration by split, s (grey train, amber dev, blue test)", durations(found.duration_s)),
        ("Characters a second", histogram("characters a second", found.rate)),
        ("Level, dB of full scale (RMS)", histogram("level", found.level_db)),
        ("Signal to noise, dB (80th over 10th percentile of 20 ms frames)", histogram("signal to noise", found.snr_db)),
        ("Bandwidth, Hz (50 dB under the loudest band)", histogram("bandwidth", found.bandwidth_hz)),
        ("Hours by speaker", speakers(found.speaker_h)),
        ("Rarest characters, and how often each is written", characters(found.characters)),
    ]  # fmt: skip
    return [(caption, svg) for caption, svg in drawn if svg]


def histogram(label: str, values: Sequence[float]) -> str:
    """One distribution, what is beyond its 1st and 99th percentiles in the outermost bars."""
    if not values:
        return ""
    shown = np.clip(values, *np.percentile(values, (1, 99)))
    with drawing(*_SIZE, f"Distribution: {label}", f"check {label}") as drawn:
        drawn.axes.hist(shown, bins=_BINS, color=TUNED)
        _counted(drawn.axes.set_ylabel)
    return drawn.svg


def durations(by_split: Mapping[str, Sequence[float]]) -> str:
    """Durations of each split, as shares of it, since train dwarfs the others."""
    there = {split: values for split, values in by_split.items() if values}
    if not there:
        return ""
    longest = min(40.0, max(max(values) for values in there.values()))
    with drawing(*_SIZE, "Distribution: duration by split", "check durations") as drawn:
        for split, values in there.items():
            weights = np.full(len(values), 100.0 / len(values))
            drawn.axes.hist(
                np.minimum(values, longest), bins=_BINS, range=(0.0, longest or 1.0), weights=weights,
                histtype="step", linewidth=1.8, color=_COLOURS[split],
            )  # fmt: skip
        drawn.axes.set_ylabel("% of the split", color=MUTED)
    return drawn.svg


def speakers(hours: Mapping[str, float]) -> str:
    """Those with the most hours, the most on top."""
    rows = sorted(hours.items(), key=lambda row: (-row[1], row[0]))[:_MAX_SPEAKERS][::-1]
    return _bars("Hours by speaker", [(short(name), value) for name, value in rows])


def characters(counts: Mapping[str, int]) -> str:
    """The rarest, by name where they have no shape of their own."""
    rows = sorted(counts.items(), key=lambda row: (row[1], row[0]))[:_MAX_CHARACTERS][::-1]
    return _bars("Rarest characters", [(_named(character), float(n)) for character, n in rows])


def _named(character: str) -> str:
    visible = character.isprintable() and not character.isspace() and not unicodedata.combining(character)
    return character if visible else f"U+{ord(character):04X}"


def _bars(label: str, rows: Sequence[tuple[str, float]]) -> str:
    if not rows:
        return ""
    with drawing(_SIZE[0], 0.6 + 0.2 * len(rows), label, f"check {label}") as drawn:
        drawn.axes.barh(range(len(rows)), [value for _, value in rows], color=TUNED, height=0.7)
        drawn.axes.set_yticks(range(len(rows)), [name for name, _ in rows], color=TEXT, parse_math=False)
        drawn.axes.set_ylim(-0.6, len(rows) - 0.4)
        drawn.axes.grid(visible=False, axis="y")
    return drawn.svg


def _counted(name: Callable[..., object]) -> None:
    name("utterances", color=MUTED)
