"""MAPSSWE: the matched-pairs sentence-segment word error test, NIST's for comparing two recognisers.

Gillick & Cox 1989 (ICASSP, "Some statistical issues in the comparison of speech recognition algorithms") and
Pallett, Fisher & Fiscus 1990 (ICASSP, "Tools for the analysis of benchmark speech recognition tests"); the segments are
those of SCTK's ``sc_stats``. An utterance is cut wherever both systems have two words in a row right with nothing
inserted between them; what is left are segments with an error of either system. Their differences of errors are taken
as independent.

Two right words in a row outlast the memory of a trigram, which is why the authors could do so; an attention decoder
sees further, and segments of one speaker resemble each other anyway. At best the test says that the difference would
hold on more speech of *these* speakers. It stands in reports beside the verdict and has no part in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from parlure.scoring.align import edit_operations

BOUNDARY_WORDS = 2  # right in both systems, SCTK's default


@dataclass(frozen=True)
class Mapsswe:
    """What the test found; differences are tuned − base, so below zero is better.

    Attributes:
        n_segments: with an error of either system. The normal approximation wants some fifty.
        mean: difference of errors a segment; None without a segment.
        sd: its standard deviation over segments; None below two segments.
        z: the mean by its standard error; None where sd is zero or None.
        p_value: two-sided, of the standard normal; None where z is.
    """

    n_segments: int
    mean: float | None
    sd: float | None
    z: float | None
    p_value: float | None


def _errors_by_place(reference: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    """Words inserted before the first word, whether the first is wrong (0 or 1), words inserted before the second, …"""
    errors = [0] * (2 * len(reference) + 1)
    for kind, place, _ in edit_operations(reference, hypothesis):
        errors[2 * place + (kind != "insert")] += 1
    return errors


def segment_errors(reference: Sequence[str], base: Sequence[str], tuned: Sequence[str]) -> list[tuple[int, int]]:
    """The errors of base and of tuned in each segment of one utterance, in its order; no pair is (0, 0).

    Args:
        reference: the words that were said.
        base: the words that the one system recognised.
        tuned: the words that the other recognised.
    """
    segments = []
    in_base = in_tuned = right = 0
    errors = zip(_errors_by_place(reference, base), _errors_by_place(reference, tuned), strict=True)
    for place, (base_errors, tuned_errors) in enumerate(errors):
        if base_errors or tuned_errors:
            in_base, in_tuned, right = in_base + base_errors, in_tuned + tuned_errors, 0
        elif place % 2:  # a word, and both have it right
            right += 1
            if right == BOUNDARY_WORDS and (in_base or in_tuned):
                segments.append((in_base, in_tuned))
                in_base = in_tuned = 0
    if in_base or in_tuned:
        segments.append((in_base, in_tuned))
    return segments


def mapsswe(segments: Iterable[tuple[int, int]]) -> Mapsswe:
    """Test whether two systems have equally many errors a segment.

    Args:
        segments: :func:`segment_errors` of all utterances, one after the other.
    """
    differences = [tuned - base for base, tuned in segments]
    n_segments, total = len(differences), sum(differences)
    mean = total / n_segments if n_segments else None
    if n_segments < 2:
        return Mapsswe(n_segments, mean, None, None, None)
    # Σ(d − mean)² in whole numbers, so that equal differences have a deviation of exactly zero
    squares = n_segments * sum(difference * difference for difference in differences) - total * total
    sd = math.sqrt(squares / (n_segments * (n_segments - 1)))
    if sd == 0.0:
        return Mapsswe(n_segments, mean, sd, None, None)
    z = total / n_segments / (sd / math.sqrt(n_segments))
    return Mapsswe(n_segments, mean, sd, z, math.erfc(abs(z) / math.sqrt(2.0)))
