"""Two token lists → the edits of one shortest alignment, for counting and for showing differences.

The number of edits is unique; how it divides into substitutions, deletions and insertions is not, and differs
between scorers (jiwer, kaldialign and sclite give three divisions of one total). Ours is rapidfuzz's, jiwer's too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["equal", "substitute", "delete", "insert"]


@dataclass(frozen=True)
class Op:
    """One step of an alignment.

    Attributes:
        kind: what happened to the reference token.
        reference: the reference token; None for an insertion.
        hypothesis: the hypothesis token; None for a deletion.
    """

    kind: Kind
    reference: str | None
    hypothesis: str | None


def edit_operations(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[Kind, int, int]]:
    """The steps that are not "equal", as (kind, position in the reference, position in the hypothesis)."""
    from rapidfuzz.distance import Levenshtein

    # Numbered rather than hashed: exact, and the same alignment in every process whatever PYTHONHASHSEED is.
    numbers: dict[str, int] = {}
    left = [numbers.setdefault(token, len(numbers)) for token in reference]
    right = [numbers.setdefault(token, len(numbers)) for token in hypothesis]
    kinds: dict[str, Kind] = {"replace": "substitute", "delete": "delete", "insert": "insert"}
    return [(kinds[op.tag], op.src_pos, op.dest_pos) for op in Levenshtein.editops(left, right)]


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Op]:
    """One alignment with the fewest edits, every token of both sides in its order.

    Args:
        reference: what was said, as words (or as characters).
        hypothesis: what was recognised, cut the same way.
    """
    steps: list[Op] = []
    position = 0
    for kind, in_reference, in_hypothesis in edit_operations(reference, hypothesis):
        steps += [Op("equal", token, token) for token in reference[position:in_reference]]
        said = None if kind == "insert" else reference[in_reference]
        heard = None if kind == "delete" else hypothesis[in_hypothesis]
        steps.append(Op(kind, said, heard))
        position = in_reference + (kind != "insert")
    steps += [Op("equal", token, token) for token in reference[position:]]
    return steps
