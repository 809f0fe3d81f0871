"""Things to be found → how many were, as counts that add: terms, numbers, marks, capitals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def per_cent(part: int, whole: int) -> float | None:
    """100 · part / whole; None of nothing."""
    return 100.0 * part / whole if whole else None


@dataclass(frozen=True)
class Hits:
    """What is in the references against what is in the hypotheses.

    Attributes:
        n_right: in both, and in the right place.
        n_reference: in the references.
        n_hypothesis: in the hypotheses.
    """

    n_right: int = 0
    n_reference: int = 0
    n_hypothesis: int = 0

    def __add__(self, other: Hits) -> Hits:
        return Hits(
            self.n_right + other.n_right,
            self.n_reference + other.n_reference,
            self.n_hypothesis + other.n_hypothesis,
        )

    def to_json(self) -> dict[str, Any]:
        """The counts, and ``recall``, ``precision``, ``f1`` in per cent: null where there is nothing to divide by."""
        return {
            "n_right": self.n_right,
            "n_reference": self.n_reference,
            "n_hypothesis": self.n_hypothesis,
            "recall": per_cent(self.n_right, self.n_reference),
            "precision": per_cent(self.n_right, self.n_hypothesis),
            "f1": per_cent(2 * self.n_right, self.n_reference + self.n_hypothesis),
        }
