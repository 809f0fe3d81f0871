"""What is asked for of an utterance in an epoch: with phrase times or without, behind the text said before or not.

Whisper was trained on all four, and runtimes ask for any of them; a model tuned on one alone forgets the others. Which
it is follows from seed, epoch and id alone, as everything that is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parlure.training.windows import Item
from parlure.whisper.prompt import SpecialTokens, without_previous


@dataclass(frozen=True)
class Targets:
    """Shares of the utterances that have phrase times, or a text before them, that are trained with it.

    Attributes:
        timestamps: 0 to 1.
        prompts: 0 to 1.
        seed: the recipe's.
        special: ids of the model's vocabulary.
    """

    timestamps: float
    prompts: float
    seed: int
    special: SpecialTokens

    def of_epoch(self, items: Sequence[Item], epoch: int) -> list[Item]:
        """The same items with the labels of this epoch."""
        return [self._drawn(item, epoch) for item in items]

    def _drawn(self, item: Item, epoch: int) -> Item:
        has_previous = item.labels.inputs[0] == self.special.previous
        if item.plain is None and not has_previous:
            return item
        rng = random.Random(f"targets {self.seed} {epoch} {item.id}")
        stamped, prompted = rng.random() < self.timestamps, rng.random() < self.prompts
        labels = item.labels if stamped or item.plain is None else item.plain
        if has_previous and not prompted:
            labels = without_previous(labels, self.special)
        return replace(item, labels=labels, plain=None)
