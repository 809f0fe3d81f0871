"""What an utterance may go through before it is heard, one class a kind: each draws for one utterance of one epoch."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np

from parlure.corpus.manifest import Utterance
from parlure.corpus.voices import OtherVoices
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, AudioError, Samples, read_audio
from parlure.speech.channel.background import Voice
from parlure.speech.channel.expression import Channel, generator
from parlure.speech.features import WINDOW_S
from parlure.speech.room import at_speed, beside_noise, in_room
from parlure.training.windows import Item
from parlure.whisper.prompt import SpecialTokens, at_another_speed


class Change(Protocol):
    """A kind of change."""

    def drawn(self, item: Item, key: str, rng: random.Random) -> Item:
        """The utterance as it will be heard.

        Args:
            item: the utterance, with what it goes through before.
            key: of seed, epoch and id.
            rng: seeded by the kind and the key.
        """
        ...


@dataclass(frozen=True)
class Speed:
    """Said faster or slower; one that would not fit into Whisper's window any more stays as it is."""

    speeds: tuple[float, ...]
    special: SpecialTokens

    def drawn(self, item: Item, key: str, rng: random.Random) -> Item:
        speed = rng.choice(self.speeds)
        n_samples = round(round(item.duration_s * SAMPLE_RATE) / speed)
        if n_samples > WINDOW_S * SAMPLE_RATE:
            return item
        labels, plain = (one and at_another_speed(one, speed, self.special) for one in (item.labels, item.plain))
        assert labels is not None
        read = partial(_changed, item.read, partial(at_speed, speed=speed))
        return replace(item, duration_s=n_samples / SAMPLE_RATE, labels=labels, plain=plain, read=read)


@dataclass(frozen=True)
class Room:
    """In one of several rooms."""

    responses: tuple[Path, ...]

    def drawn(self, item: Item, key: str, rng: random.Random) -> Item:
        return replace(item, read=partial(_reverberated, item.read, rng.choice(self.responses)))


@dataclass(frozen=True)
class Noise:
    """Beside one of several noises, at a signal-to-noise ratio out of a span."""

    recordings: tuple[Path, ...]
    snr_db: tuple[float, float]

    def drawn(self, item: Item, key: str, rng: random.Random) -> Item:
        recording, snr_db = rng.choice(self.recordings), rng.uniform(*self.snr_db)
        return replace(item, read=partial(_noisy, item.read, recording, snr_db, key))


@dataclass(frozen=True)
class Gain:
    """Louder or quieter."""

    span_db: tuple[float, float]

    def drawn(self, item: Item, key: str, rng: random.Random) -> Item:
        factor = np.float32(10.0 ** (rng.uniform(*self.span_db) / 20.0))
        return replace(item, read=partial(_changed, item.read, partial(np.multiply, factor)))


@dataclass(frozen=True)
class Telephone:
    """Through one of several channels.

    Attributes:
        channels: one of which is drawn.
        utterances: of the train split, by id.
        voices: of those who speak in cross-talk; None where no channel has any.
    """

    channels: tuple[Channel, ...]
    utterances: Mapping[str, Utterance]
    voices: OtherVoices | None

    def drawn(self, item: Item, key: str, rng: random.Random) -> Item:
        channel = rng.choice(self.channels)
        voice = None if self.voices is None else self.voices.than(self.utterances[item.id])
        return replace(item, read=partial(_sent, item.read, channel, key, voice))


def recordings_in(folder: str, field: str) -> tuple[Path, ...]:
    """The files of a folder, at any depth, in the order of their names; hidden ones left out.

    Raises:
        ParlureError: there is none, or one of them cannot be heard or holds nothing but silence.
    """
    if not folder:
        raise ParlureError(
            f"augmentation.{field} asks for recordings, and augmentation.{field}_folder names none",
            f"--set augmentation.{field}_folder=FOLDER",
        )
    found = sorted(path for path in Path(folder).rglob("*") if path.is_file() and not path.name.startswith("."))
    if not found:
        raise ParlureError(
            f"augmentation.{field}_folder: there is no file in {folder}", "put recordings there, of any common format"
        )
    for path in found:
        try:
            is_silent = not np.any(_recording(path))
        except AudioError as error:
            raise ParlureError(
                f"augmentation.{field}_folder: {error.message}", "leave only recordings in the folder"
            ) from error
        if is_silent:
            raise ParlureError(f"augmentation.{field}_folder: {path} is silent", "take it out of the folder")
    return tuple(found)


@cache
def _recording(path: Path) -> Samples:
    """Kept: few files, each heard thousands of times."""
    return read_audio(path)


def _changed(read: Callable[[], Samples], change: Callable[[Samples], Samples]) -> Samples:
    return change(read())


def _reverberated(read: Callable[[], Samples], response: Path) -> Samples:
    return in_room(read(), _recording(response))


def _noisy(read: Callable[[], Samples], recording: Path, snr_db: float, key: str) -> Samples:
    return beside_noise(read(), _recording(recording), snr_db, generator(key, "noise of the folder"))


def _sent(read: Callable[[], Samples], channel: Channel, key: str, voice: Voice | None) -> Samples:
    return channel.send(read(), key, voice)
