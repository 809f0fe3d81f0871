"""Training utterances that sound otherwise: which ones, and how, drawn by seed, epoch and id alone.

What an utterance sounds like in an epoch depends on nothing else, so order, batches, processes and a resume do not
matter. Labels stay, but for phrase times at another speed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from parlure.corpus.manifest import Corpus
from parlure.corpus.voices import OtherVoices
from parlure.errors import ParlureError
from parlure.sections import AugmentationSection, Recipe
from parlure.speech.channel.expression import parse_channels
from parlure.training.changes import Change, Gain, Noise, Room, Speed, Telephone, recordings_in
from parlure.training.windows import Item
from parlure.whisper.prompt import SpecialTokens


@dataclass(frozen=True)
class Augmentation:
    """How often which changes are made.

    Attributes:
        changes: (name, share of the utterances of an epoch, what happens to them), in their order.
        seed: the recipe's.
    """

    changes: tuple[tuple[str, float, Change], ...]
    seed: int

    @classmethod
    def of(cls, recipe: Recipe, corpus: Corpus, special: SpecialTokens) -> Augmentation | None:
        """What a recipe asks for; None where that is nothing.

        Raises:
            ParlureError: a condition is none, a folder has no recordings, a number is out of its range, encoder
                outputs are kept, or there is cross-talk and all utterances are of one speaker.
        """
        asked = recipe.augmentation
        _check(asked)
        shares = {  # in the order in which it happens to a voice
            "speed": asked.speed,
            "reverberation": asked.reverberation,
            "noise": asked.noise,
            "gain": asked.gain,
            "telephone": asked.telephone,
        }
        if recipe.training.encoder_cache_gb:
            _refuse_cache(shares | {"spec_augment": asked.spec_augment})
        changes = [(kind, share, _change(kind, asked, corpus, special)) for kind, share in shares.items() if share]
        return cls(tuple(changes), recipe.training.seed) if changes else None

    def of_epoch(self, items: Sequence[Item], epoch: int) -> list[Item]:
        """The same items, some of which will sound otherwise."""
        return [self._drawn(item, epoch) for item in items]

    def _drawn(self, item: Item, epoch: int) -> Item:
        key = f"{self.seed} {epoch} {item.id}"
        for name, share, change in self.changes:
            rng = random.Random(f"{name} {key}")
            if rng.random() < share:
                item = change.drawn(item, key, rng)
        return item


def slowest(asked: AugmentationSection) -> float:
    """How many times as long as recorded an utterance may become."""
    return max(1.0, *(1.0 / speed for speed in asked.speeds)) if asked.speed else 1.0


def _check(asked: AugmentationSection) -> None:
    """What is switched off is looked at too."""
    parse_channels(asked.conditions)
    if wrong := [speed for speed in asked.speeds if not 0.5 <= speed <= 2.0]:
        raise ParlureError(f"augmentation.speeds holds {wrong[0]:g}", "speeds are 0.5 to 2; 0.9 and 1.1 are usual")
    for field, (low, high) in (("noise_snr_db", asked.noise_snr_db), ("gain_db", asked.gain_db)):
        if not -60.0 <= low <= high <= 60.0:
            raise ParlureError(f"augmentation.{field} is {low:g} to {high:g}", "give two numbers, low to high, in dB")


def _refuse_cache(shares: dict[str, float]) -> None:
    for kind, share in shares.items():
        if share:
            raise ParlureError(
                f"training.encoder_cache_gb keeps what an encoder gave, and augmentation.{kind} gives it another sound "
                "every epoch",
                f"--set training.encoder_cache_gb=0, or --set augmentation.{kind}=0",
            )


def _change(kind: str, asked: AugmentationSection, corpus: Corpus, special: SpecialTokens) -> Change:
    if kind == "speed":
        if not asked.speeds:
            raise ParlureError("augmentation.speeds is empty", "--set 'augmentation.speeds=[0.9, 1.1]'")
        return Speed(asked.speeds, special)
    if kind == "reverberation":
        return Room(recordings_in(asked.reverberation_folder, kind))
    if kind == "noise":
        return Noise(recordings_in(asked.noise_folder, kind), asked.noise_snr_db)
    if kind == "gain":
        return Gain(asked.gain_db)
    channels = parse_channels(asked.conditions)
    if not channels:
        raise ParlureError(
            f"augmentation.telephone is {asked.telephone:g}, and augmentation.conditions is empty",
            "name one: --set 'augmentation.conditions=[\"gsm\"]'",
        )
    train = {utterance.id: utterance for utterance in corpus.select("train")}
    needs_voice = any(channel.needs_voice for channel in channels)
    return Telephone(channels, train, OtherVoices(train.values()) if needs_voice else None)
