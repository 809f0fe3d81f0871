"""Who speaks to nano: espeak-ng's variants, parted into those it learns from and those it is tested on."""

from __future__ import annotations

import hashlib
import random

from parlure.speech.synth import Voice, variants

# Robots, whispers and echoes: no voice that a person could have.
_NOT_HUMAN = (
    "robosoft", "UniRobot", "anikaRobot", "Demonic", "fast", "whisper", "kaukovalta", "AnxiousAndy", "Tweaky", "croak",
)  # fmt: skip
_N_TRAIN = 60
_ACCENTS = {
    "fr": ("fr", "fr", "fr", "fr-be", "fr-ch"),
    "en": ("en-us", "en-us", "en", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc"),
}


def voice_names() -> tuple[list[str], list[str]]:
    """The variants to train on and those held out, parted by the hash of their names."""
    human = [name for name in variants() if not name.startswith(_NOT_HUMAN)]
    ranked = sorted(human, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return sorted(ranked[:_N_TRAIN]), sorted(ranked[_N_TRAIN:])


def draw_voice(language: str, names: list[str], rng: random.Random) -> Voice:
    """A variant at some rate, pitch and liveliness."""
    return Voice(
        name=f"{rng.choice(_ACCENTS[language])}+{rng.choice(names)}",
        rate_wpm=rng.randint(130, 200),
        pitch=rng.randint(25, 75),
        pitch_range=rng.randint(25, 75),
    )
