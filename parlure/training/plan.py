"""What a run computes, step by step: it follows from the training utterances and the recipe alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from parlure.sections import TargetsSection, TrainingSection
from parlure.training.augmentation import Augmentation
from parlure.training.batches import MicroBatch, plan_epoch
from parlure.training.replay import Replay
from parlure.training.targets import Targets
from parlure.training.termlists import TermLists
from parlure.training.windows import Item, WindowPolicy
from parlure.whisper.prompt import SpecialTokens


@dataclass(frozen=True)
class Plan:
    """The steps of every epoch.

    Attributes:
        items: the training utterances.
        training: the recipe's section.
        special: ids of the model's vocabulary.
        augmentation: what they go through before they are heard.
        targets: what is asked for of them.
        replay: what of a general corpus stands among them.
        terms: which terms windows stand behind.
    """

    items: Sequence[Item]
    training: TrainingSection
    special: SpecialTokens
    augmentation: Augmentation | None = None
    targets: TargetsSection = TargetsSection()  # noqa: RUF009  frozen
    replay: Replay | None = None
    terms: TermLists | None = None

    def epoch(self, number: int) -> list[tuple[MicroBatch, ...]]:
        """The steps of one epoch, 0-based."""
        training = self.training
        policy = WindowPolicy(
            training.full_window_share, training.utterances_per_window, self.targets.timestamps,
            fixed=training.encoder_cache_gb > 0,
        )  # fmt: skip
        items = self.items if self.augmentation is None else self.augmentation.of_epoch(self.items, number)
        asked = Targets(self.targets.timestamps, self.targets.prompts, training.seed, self.special)
        if self.replay is not None:
            items = [*items, *self.replay.of_epoch(len(items), number)]
        items = asked.of_epoch(items, number)
        return plan_epoch(
            items, policy, self.special, epoch=number, seed=training.seed,
            batch_seconds=training.batch_seconds, accumulation=training.accumulation,
            prompted=None if self.terms is None else partial(self.terms.before, epoch=number),
        )  # fmt: skip

    def count_steps(self) -> int:
        """Optimiser steps of the whole run."""
        training = self.training
        if training.max_steps:
            return training.max_steps
        whole = int(training.epochs)
        n = sum(len(self.epoch(number)) for number in range(whole))
        if training.epochs > whole:
            n += round(len(self.epoch(whole)) * (training.epochs - whole))
        return max(1, n)

    def steps(self, epoch: int, step_in_epoch: int) -> Iterator[tuple[int, int, tuple[MicroBatch, ...]]]:
        """Endless steps from one on, each with where it leaves a run: epoch, and steps done in it."""
        while True:
            plan = self.epoch(epoch)
            for place in range(step_in_epoch, len(plan)):
                yield epoch, place + 1, plan[place]
            epoch, step_in_epoch = epoch + 1, 0
