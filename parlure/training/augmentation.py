"""Training utterances through telephone channels: which ones, through which, drawn by seed, epoch and id alone.

What an utterance sounds like in an epoch depends on nothing else, so order, batches, processes and a resume do not
matter. Labels and lengths stay: a channel keeps both length and place in time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.voices import OtherVoices
from parlure.errors import ParlureError
from parlure.recipe import Recipe
from parlure.speech.audio import Samples
from parlure.speech.channel.background import Voice
from parlure.speech.channel.expression import Channel, parse_channels
from parlure.training.windows import Item


@dataclass(frozen=True)
class Augmentation:
    """How often which channels are gone through.

    Attributes:
        share: of the utterances of an epoch.
        channels: one of which is drawn.
        seed: the recipe's.
        utterances: of the train split, by id.
        voices: of those who speak in cross-talk; None where no channel has any.
    """

    share: float
    channels: tuple[Channel, ...]
    seed: int
    utterances: Mapping[str, Utterance]
    voices: OtherVoices | None

    @classmethod
    def of(cls, recipe: Recipe, corpus: Corpus) -> Augmentation | None:
        """What a recipe asks for; None where that is nothing.

        Raises:
            ParlureError: a condition is none, there is none, encoder outputs are kept, or there is cross-talk and all
                utterances are of one speaker.
        """
        asked = recipe.augmentation
        channels = parse_channels(asked.conditions)  # what is switched off is looked at too
        if not asked.telephone:
            return None
        if not channels:
            raise ParlureError(
                f"augmentation.telephone is {asked.telephone:g}, and augmentation.conditions is empty",
                "name one: --set 'augmentation.conditions=[\"gsm\"]'",
            )
        if recipe.training.encoder_cache_gb:
            raise ParlureError(
                "training.encoder_cache_gb keeps what an encoder gave, and augmentation.telephone gives it another "
                "sound every epoch",
                "--set training.encoder_cache_gb=0, or --set augmentation.telephone=0",
            )
        train = {utterance.id: utterance for utterance in corpus.select("train")}
        needs_voice = any(channel.needs_voice for channel in channels)
        voices = OtherVoices(train.values()) if needs_voice else None
        return cls(asked.telephone, channels, recipe.training.seed, train, voices)

    def of_epoch(self, items: Sequence[Item], epoch: int) -> list[Item]:
        """The same items, some of which will sound otherwise."""
        return [self._drawn(item, epoch) for item in items]

    def _drawn(self, item: Item, epoch: int) -> Item:
        key = f"{self.seed} {epoch} {item.id}"
        rng = random.Random(f"telephone {key}")
        if rng.random() >= self.share:
            return item
        channel = rng.choice(self.channels)
        voice = None if self.voices is None else self.voices.than(self.utterances[item.id])
        return replace(item, read=partial(_sent, item.read, channel, key, voice))


def _sent(read: Callable[[], Samples], channel: Channel, key: str, voice: Voice | None) -> Samples:
    return channel.send(read(), key, voice)
