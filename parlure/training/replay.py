"""Training utterances of a general corpus among those of one's own, against forgetting (experience replay).

How many stand in an epoch follows from the share; which ones is drawn anew every epoch, by seed and id alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

from transformers import WhisperTokenizer

from parlure.corpus.manifest import Corpus
from parlure.sections import Recipe
from parlure.training.items import training_items
from parlure.training.windows import Item


@dataclass(frozen=True)
class Replay:
    """What is mixed in.

    Attributes:
        items: all that may be.
        share: of an epoch's utterances.
        seed: the recipe's.
    """

    items: tuple[Item, ...]
    share: float
    seed: int

    @classmethod
    def of(cls, recipe: Recipe, tokenizer: WhisperTokenizer) -> Replay | None:
        """What a recipe asks for; None where that is nothing.

        Raises:
            ParlureError: the corpus cannot be used.
        """
        asked = recipe.replay
        if not asked.corpus:
            return None
        items = training_items(Corpus.load(Path(asked.corpus)), tokenizer)
        # both corpora may have an utterance of the same id, and what is drawn is drawn by id
        renamed = tuple(replace(one, id=f"replay/{one.id}", group=f"replay/{one.group}") for one in items)
        return cls(renamed, asked.share, recipe.training.seed)

    def of_epoch(self, n_own: int, epoch: int) -> list[Item]:
        """What stands beside so many utterances of one's own: all as often as they fit, some once more."""
        n = round(n_own * self.share / (1 - self.share))
        rng = random.Random(f"replay {self.seed} {epoch}")
        ordered = sorted(self.items, key=lambda item: item.id)
        whole, rest = divmod(n, len(ordered))
        found = [replace(one, id=f"{one.id}/{again}") for again in range(whole) for one in ordered]
        return found + [replace(one, id=f"{one.id}/{whole}") for one in rng.sample(ordered, rest)]
