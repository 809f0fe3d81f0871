"""A large supply of synthetic utterances on disk, in shards that are each made by a process of their own.

A shard is one ``.npz``: samples (int16, 16 kHz, end to end), their ends, texts, languages, translations and phonemes.
Its content depends on the seed, its kind and its number alone: espeak-ng repeats itself only for the same calls in a
fresh process.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nano import english, french
from nano.grammar import draw_sentence, draw_words
from nano.translation import draw_pair
from nano.voices import draw_voice, voice_names
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.synth import phonemes, synthesize

UTTERANCES_PER_SHARD = 1000
MAX_S = 9.0  # s; what lasts longer is left out, so that the batches stay small
_GRAMMARS = (french.GRAMMAR, english.GRAMMAR)
_SHARE_RANDOM = 0.4
_SWITCH = re.compile(r"\(\w+\)")  # espeak-ng marks a foreign word with the name of its language


@dataclass(frozen=True)
class Spoken:
    """One synthetic utterance: ``samples`` int16 at 16 kHz, shape ``(n_samples,)``."""

    samples: np.ndarray
    text: str
    language: str
    translation: str | None  # in English
    phonemes: str  # espeak-ng's mnemonics, what the encoder is helped to hear

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def _draw_text(kind: str, rng: random.Random, lexicons: dict[str, list[str]]) -> tuple[str, str, str | None]:
    """Text, its language and, of the kinds that have one, its translation."""
    if kind.endswith("paired"):
        text, translation = draw_pair(rng, held_out=kind.startswith("test"))
        return text, "fr", translation
    grammar = rng.choice(_GRAMMARS)
    held_out = kind.startswith("test")
    if kind == "words":
        return draw_words(lexicons[grammar.language], rng, rng.randint(1, 3), held_out), grammar.language, None
    is_random = kind.endswith("random") or (kind == "full" and rng.random() < _SHARE_RANDOM)
    if is_random:
        return draw_words(lexicons[grammar.language], rng, rng.randint(2, 9), held_out), grammar.language, None
    return draw_sentence(grammar, rng, held_out), grammar.language, None


def _path(folder: Path, kind: str, number: int) -> Path:
    return folder / f"{kind}-{number:05d}.npz"


def make_shard(folder: Path, kind: str, number: int, seed: int, n_utterances: int) -> None:
    """Synthesise one shard of a kind.

    Kinds: ``words`` (1–3 random words), ``full`` (sentences and word strings), ``random`` (word strings alone),
    ``paired`` (French with its translation); of held-out voices and sentences ``test`` (sentences), ``test-random``,
    ``test-paired``.
    """
    target = _path(folder, kind, number)
    rng = random.Random(f"{seed} {kind} {number}")
    names = voice_names()[1 if kind.startswith("test") else 0]
    lexicons = {grammar.language: grammar.lexicon() for grammar in _GRAMMARS}
    samples, rows = [], []
    while len(rows) < n_utterances:
        text, language, translation = _draw_text(kind, rng, lexicons)
        voice = draw_voice(language, names, rng)
        try:
            sound = synthesize(text, voice)
        except ParlureError:
            continue
        if 0.2 <= len(sound) / SAMPLE_RATE <= MAX_S:
            peak = max(float(np.abs(sound).max()), 1e-3)
            samples.append((sound / peak * 30_000).astype(np.int16))
            rows.append((text, language, translation, _SWITCH.sub("", phonemes(text, voice.name))))
    part = target.with_suffix(".part.npz")
    np.savez(part, samples=np.concatenate(samples), ends=np.cumsum([len(s) for s in samples]),
             meta=np.array(json.dumps(rows)))  # fmt: skip
    part.replace(target)


def make_supply(folder: Path, plan: dict[str, int], seed: int, n_processes: int) -> None:
    """Make every shard of a plan (kind → number of shards) that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (folder, kind, number, seed, UTTERANCES_PER_SHARD)
        for kind, n in plan.items()
        for number in range(n)
        if not _path(folder, kind, number).exists()
    ]
    if not jobs:
        return
    # maxtasksperchild: a fresh process a shard, see the module's docstring
    with multiprocessing.get_context("spawn").Pool(n_processes, maxtasksperchild=1) as pool:
        pool.starmap(make_shard, jobs, chunksize=1)


def read_shard(path: Path) -> list[Spoken]:
    """The utterances of one shard."""
    with np.load(path) as shard:
        rows = json.loads(str(shard["meta"]))
        pieces = np.split(shard["samples"], shard["ends"][:-1])
    return [Spoken(samples, *row) for samples, row in zip(pieces, rows, strict=True)]


def stream(folder: Path, kinds: str, seed: int) -> Iterator[Spoken]:
    """Endless utterances of a kind or of several (``full+random``), the order of shards fixed by the seed."""
    rng = random.Random(seed)
    while True:
        shards = sorted(path for kind in kinds.split("+") for path in folder.glob(f"{kind}-[0-9]*.npz"))
        shards = [path for path in shards if not path.name.endswith(".part.npz")]
        for path in rng.sample(shards, len(shards)):
            yield from rng.sample(spoken := read_shard(path), len(spoken))
