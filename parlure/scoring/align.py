"""Two token lists → the edits of one shortest alignment, for counting and for showing differences.

The number of edits is unique; how it divides into substitutions, deletions and insertions is not, and differs
between scorers (jiwer, kaldialign and sclite give three divisions of one total). Ours is rapidfuzz's, jiwer's too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rapidfuzz.distance import Editops

Kind = Literal["equal", "substitute", "delete", "insert"]

_KINDS: dict[str, Kind] = {"replace": "substitute", "delete": "delete", "insert": "insert"}


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


def _editops(reference: Sequence[str], hypothesis: Sequence[str]) -> Editops:
    from rapidfuzz.distance import Levenshtein

    if not (isinstance(reference, str) and isinstance(hypothesis, str)):
        # Numbered rather than hashed: exact, and the same alignment in every process whatever PYTHONHASHSEED is.
        # As characters, because rapidfuzz reads a string's memory and a list's items one by one.
        numbers: dict[str, int] = {}
        reference = "".join([chr(numbers.setdefault(token, len(numbers))) for token in reference])
        hypothesis = "".join([chr(numbers.setdefault(token, len(numbers))) for token in hypothesis])
    return Levenshtein.editops(reference, hypothesis)


def edit_operations(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[Kind, int, int]]:
    """The steps that are not "equal", as (kind, position in the reference, position in the hypothesis)."""
    return [(_KINDS[op.tag], op.src_pos, op.dest_pos) for op in _editops(reference, hypothesis)]


def edit_counts(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int, int]:
    """How many substitutions, deletions and insertions :func:`edit_operations` has; much faster than counting them.

    Insertions less deletions is the difference in length, whatever the alignment. So if there are at most as many
    edits as that and one more, there is no room for a deletion beside an insertion, and nothing is left to look up.
    """
    if reference == hypothesis:
        return 0, 0, 0
    steps = _editops(reference, hypothesis)
    total, surplus = len(steps), len(hypothesis) - len(reference)
    deletions = max(-surplus, 0)
    if total - abs(surplus) >= 2:
        deletions = [tag for tag, _, _ in steps.as_list()].count("delete")
    insertions = deletions + surplus
    return total - deletions - insertions, deletions, insertions


def aligned(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[int, int]]:
    """The positions of the words that stand against each other, right or substituted, in the same alignment."""
    pairs: list[tuple[int, int]] = []
    left = right = 0
    for kind, in_reference, in_hypothesis in edit_operations(reference, hypothesis):
        pairs += zip(range(left, in_reference), range(right, in_hypothesis), strict=True)
        if kind == "substitute":
            pairs.append((in_reference, in_hypothesis))
        left, right = in_reference + (kind != "insert"), in_hypothesis + (kind != "delete")
    return pairs + list(zip(range(left, len(reference)), range(right, len(hypothesis)), strict=True))


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
