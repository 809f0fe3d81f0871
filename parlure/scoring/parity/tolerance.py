"""How much an export may differ from its model, by the numbers that it is stored and multiplied in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from parlure.errors import ParlureError

Precision = Literal["float32", "float16", "fewer bits"]


@dataclass(frozen=True)
class Tolerance:
    """Of one precision.

    Attributes:
        min_same: at least this share of texts is the same on the same features, in per cent; None: not asked for.
        max_loss: points of WER that may be lost at most, with 95 % confidence.
        reason: why.
    """

    min_same: float | None
    max_loss: float
    reason: str


TOLERANCES: Mapping[Precision, Tolerance] = {
    "float32": Tolerance(
        99.5, 1.0, "the same numbers in another order of sums: only two tokens of equal probability may change places"
    ),
    "float16": Tolerance(
        98.0, 1.0, "11 bits of a number are kept: a token that was chosen by a hair may be another one"
    ),
    "fewer bits": Tolerance(
        None, 1.0, "weights are rounded to 8 bits or fewer: texts change, errors may not become more"
    ),
}


def precision_of(*numbers: str) -> Precision:
    """The coarsest of the numbers that weights are stored in and multiplied in, however a runtime calls them."""
    kinds = {
        "float32" if one in ("float32", "f32") else "float16" if one in ("float16", "f16", "bfloat16") else "fewer bits"
        for one in numbers
    }
    coarse: tuple[Precision, ...] = ("fewer bits", "float16", "float32")
    return next(one for one in coarse if one in kinds)


def tolerance_for(precision: Precision, *, min_same: float | None = None, max_loss: float | None = None) -> Tolerance:
    """The default of a precision, or what the person says instead.

    Raises:
        ParlureError: a limit is no share, or below zero.
    """
    if min_same is not None and not 0 <= min_same <= 100:
        raise ParlureError(f"--min-same {min_same:g} is no share of texts", "give per cent, such as --min-same 99.5")
    if max_loss is not None and max_loss < 0:
        raise ParlureError(
            f"--max-loss {max_loss:g} asks for a gain", "give points of WER that may be lost, such as --max-loss 1"
        )
    found = TOLERANCES[precision]
    if min_same is not None:
        found = replace(found, min_same=min_same)
    return found if max_loss is None else replace(found, max_loss=max_loss)
