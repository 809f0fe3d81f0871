"""Sentences → a corpus in which synthetic voices say them through a telephone; for benchmarks on nano.

The engine repeats itself only as the first thing that a process does with it, in one fixed order.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parlure.corpus.prepare import prepare
from parlure.speech.audio import write_audio
from parlure.speech.calls import VARIANTS
from parlure.speech.synth import Voice, synthesize
from parlure.speech.telephone import TELEPHONE_RATE, telephone_8khz

_SPLITS = {"train": VARIANTS[0::2], "dev": VARIANTS[1::6], "test": [*VARIANTS[3::6], *VARIANTS[5::6]]}
N_PITCHES = 4  # a variant at another pitch and rate is another speaker


@dataclass(frozen=True)
class Line:
    """A sentence, in which split it is said, and in which language."""

    text: str
    split: str
    language: str = "fr"


def speak(folder: Path, lines: Sequence[Line], seed: int) -> Path:
    """Say the lines, prepare them, and return the corpus's folder; what is there already is left as it is.

    No variant of the engine's voice is in two splits, and nano has met none of them.
    """
    corpus = folder / "corpus"
    if (corpus / "corpus.json").exists():
        return corpus
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    rows = []
    for number, line in enumerate(lines):
        variant, pitch = rng.choice(_SPLITS[line.split]), rng.randrange(N_PITCHES)
        voice = Voice(f"{line.language}+{variant}", 150 + 12 * pitch, 30 + 12 * pitch, rng.randint(25, 75))
        wave = telephone_8khz(
            np.pad(synthesize(line.text, voice), 1_600),
            noise,
            level_db=rng.uniform(-30, -20),
            line_noise_db=rng.uniform(-62, -50),
        )
        path = folder / "audio" / f"{line.language}-{number:05d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, wave, TELEPHONE_RATE)
        rows.append(
            (path.relative_to(folder), line.text, f"{line.language} {variant} {pitch}", line.split, line.language)
        )
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("audio", "text", "speaker", "split", "language"), *rows])
    prepare([folder / "manifest.csv"], corpus)
    return corpus
