"""A general corpus for nano: all that it was trained to do, for replay in training and to see what is forgotten.

English and French sentences, French with its translation into English, clips without speech, and windows of several
phrases whose times are known, from the grammars in ``scripts/nano``. The voices are those that nano learnt from, parted
among the splits; the sentences of dev and test are those it was never given.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from parlure.corpus.prepare import prepare
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.synth import synthesize

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from nano import english, french
from nano.grammar import draw_sentence
from nano.silence import SILENCES, hush
from nano.translation import draw_pair
from nano.voices import draw_voice, voice_names

__all__ = ["SILENCES", "hush", "make_general"]
Row = dict[str, Any]
_VOICES = {"train": slice(0, 24), "dev": slice(24, 34), "test": slice(34, 60)}  # of nano's 60
_MAX_S = 9.0
_PHRASES = (2, 4)
_MARGIN_S = 1.0  # of a window that phrases leave free


def make_general(work: Path, sizes: dict[str, int], seed: int = 11) -> Path:
    """``work/general``: a corpus in three splits.

    Args:
        work: a folder; what is there is not made again.
        sizes: split → sentences of each language, and translations; half as many clips without speech and a quarter as
            many windows of phrases.
        seed: of everything that is drawn.
    """
    corpus = work / "general"
    if (corpus / "corpus.json").exists():
        return corpus
    jobs = [(work, split, n, seed) for split, n in sizes.items()]
    # espeak-ng repeats itself only for the same calls in a fresh process
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        rows = [row for own in pool.starmap(_make_split, jobs, chunksize=1) for row in own]
    manifest = work / "general.jsonl"
    manifest.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    prepare([manifest], corpus, empty_text="no-speech")
    return corpus


def _make_split(work: Path, split: str, n: int, seed: int) -> list[Row]:
    return list(_rows(work / "general-audio", split, n, seed))


def _rows(audio: Path, split: str, n: int, seed: int) -> Iterator[Row]:
    audio.mkdir(parents=True, exist_ok=True)
    voices, held_out = voice_names()[0][_VOICES[split]], split != "train"
    rng, noise = random.Random(f"{seed} {split}"), np.random.default_rng([seed, n])

    def written(name: str, samples: Samples, **fields: Any) -> Row:
        path = audio / f"{split}-{name}.flac"
        soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
        return {"audio": f"{audio.name}/{path.name}", "split": split, "task": "transcribe", **fields}

    said: dict[str, list[tuple[str, str, Samples]]] = {"fr": [], "en": []}  # (voice, text, sound)
    for grammar in (french.GRAMMAR, english.GRAMMAR):
        own = said[grammar.language]
        while len(own) < n:
            spoken = _spoken(
                lambda grammar=grammar: draw_sentence(grammar, rng, held_out), grammar.language, voices, rng
            )  # type: ignore[misc]
            own.append(spoken)
            voice, text, samples = spoken
            yield written(
                f"{grammar.language}-{len(own):04d}", samples, text=text, language=grammar.language, speaker=voice
            )
    for number in range(n):
        pair = ["", ""]

        def french_side(pair: list[str] = pair) -> str:
            pair[:] = draw_pair(rng, held_out)
            return pair[0]

        voice, _, samples = _spoken(french_side, "fr", voices, rng)
        yield written(
            f"translate-{number:04d}", samples, text=pair[1], language="fr", speaker=voice
        ) | {"task": "translate"}  # fmt: skip
    for number in range(n // 2):
        language = ("fr", "en")[number % 2]
        samples = hush(float(noise.uniform(1, 15)), SILENCES[number % len(SILENCES)], noise)
        yield written(f"silence-{number:04d}", samples, text="", language=language)
    for number in range(n // 4):
        language = ("fr", "en")[number % 2]
        yield _window(
            said[language], language, rng, lambda s, number=number, **f: written(f"phrases-{number:04d}", s, **f)
        )  # type: ignore[misc]


def _spoken(draw: Callable[[], str], language: str, voices: list[str], rng: random.Random) -> tuple[str, str, Samples]:
    while True:
        text, name = draw(), rng.choice(voices)
        try:
            samples = synthesize(text, draw_voice(language, [name], rng))
        except ParlureError:
            continue
        if 0.2 <= len(samples) / SAMPLE_RATE <= _MAX_S:
            return name, text, (samples / max(float(np.abs(samples).max()), 1e-3) * 0.9).astype(np.float32)


def _window(
    said: list[tuple[str, str, Samples]], language: str, rng: random.Random, written: Callable[..., Row]
) -> Row:
    """Phrases of one voice behind each other, in the split's own sentences."""
    voice = rng.choice(sorted({one[0] for one in said}))
    own = [one for one in said if one[0] == voice]
    chosen = rng.sample(own, min(len(own), rng.randint(*_PHRASES)))
    clock_s, pieces, segments = 0.0, [], []
    for _, text, samples in chosen:
        pause_s = round(rng.uniform(0.5, 2.0) if pieces else rng.uniform(0, 1), 2)
        start_s = clock_s + pause_s
        end_s = start_s + len(samples) / SAMPLE_RATE
        if end_s > 30 - _MARGIN_S:
            break
        pieces += [np.zeros(round(pause_s * SAMPLE_RATE), np.float32), samples]
        segments.append([round(start_s, 3), round(end_s, 3), text])
        clock_s = end_s
    text = " ".join(text for _, _, text in segments)
    return written(np.concatenate(pieces), text=text, language=language, speaker=voice, segments=segments)
