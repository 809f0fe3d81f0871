"""Recording → how its channels relate: the same sound, one of them silent, inverted, or different (two parties)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from parlure.speech.audio import blocks_of, probe

Layout = Literal["one", "silent", "one_sided", "identical", "inverted", "different"]

BLOCK_S = 0.5  # s, how much two channels are compared at a time
_SILENT_DB = 40.0  # dB under the loudest block of the file: a channel that never rises above it says nothing
_LOUD_DB = 30.0  # dB under the loudest block: quieter blocks hold line noise, which always differs
_GAIN_DB = 6.0  # dB by which one channel's level over another's may vary: more, and each of them has a voice of its own
_SAME_CORRELATION = 0.97  # below it, two channels carry different sound; below its negative, one is inverted


def channel_layout(path: str | Path) -> Layout:
    """How the channels of a recording relate.

    - ``one``: there is one channel.
    - ``silent``: no channel holds any sound.
    - ``one_sided``: all but one are silent (their loudest half second is 40 dB under the loudest of the file).
    - ``identical``: those that are not silent correlate by 0.97 or more in every loud half second, and one is louder
      than the other by the same 6 dB or so throughout. Where two parties hear each other through the line (cross-talk)
      and take turns, channels correlate too, but now the one is louder and now the other.
    - ``inverted``: the same, but that one correlates by -0.97 or less with another: their mean cancels the speech.
    - ``different``: as soon as one loud half second is neither. Two parties of a call are, but also two microphones of
      one room: a person has to choose.

    Raises:
        AudioError: missing file or undecodable audio.
    """
    if probe(path).n_channels < 2:
        return "one"
    return layout_of([block @ block.T for block in blocks_of(path, BLOCK_S)])


def layout_of(products: Sequence[npt.NDArray[Any]]) -> Layout:
    """As :func:`channel_layout`, from blocks of two channels or more that have been read already.

    Args:
        products: of each block of :data:`BLOCK_S`, every channel with every channel, shape ``(C, C)``.
    """
    grams = np.array(products, dtype=np.float64)  # energies on the diagonal, products of two channels beside it
    if not len(grams) or not grams.any():
        return "silent"
    energy = np.diagonal(grams, axis1=1, axis2=2)
    audible = np.flatnonzero(energy.max(axis=0) > energy.max() * 10 ** (-_SILENT_DB / 10)).tolist()
    if len(audible) == 1:
        return "one_sided"
    found = {_pair(grams, energy, one, other) for one, other in combinations(audible, 2)}
    worst: tuple[Layout, ...] = ("different", "inverted", "identical")
    return next(layout for layout in worst if layout in found)


def _pair(grams: npt.NDArray[np.float64], energy: npt.NDArray[np.float64], one: int, other: int) -> Layout:
    """How two channels relate where either is loud."""
    loud = np.maximum(energy[:, one], energy[:, other]) > energy.max() * 10 ** (-_LOUD_DB / 10)
    norm = np.sqrt(energy[loud, one] * energy[loud, other])
    product = grams[loud, one, other]
    if not norm.all():
        return "different"
    gain_db = 10.0 * np.log10(energy[loud, one] / energy[loud, other])
    if np.ptp(gain_db) > _GAIN_DB:
        return "different"
    if (product >= _SAME_CORRELATION * norm).all():
        return "identical"
    return "inverted" if (product <= -_SAME_CORRELATION * norm).all() else "different"
