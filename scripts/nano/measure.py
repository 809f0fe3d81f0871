"""A packed nano → what it can do, skill by skill, on voices and sentences it never met, with parlure's own decoding.

Every figure is a row of the card: a value, what it was counted from, and the wanted value where there is one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import sacrebleu
import torch

from nano import supply
from nano.silence import SILENCES, hush
from parlure.scoring.evidence.timestamps import COLLAR_S, boundary_errors
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import Counts, count_words
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import log_mel
from parlure.transcribing.decode import Clip, DecodingOptions, decode, identify_language, window_waves
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.longform import decode_long
from parlure.whisper.load import LoadedModel


@dataclass(frozen=True)
class Row:
    """A line of the card."""

    skill: str
    value: str
    counted: str
    wanted: str = ""

    def __str__(self) -> str:
        return f"| {self.skill} | {self.value} | {self.wanted} | {self.counted} |"


@dataclass(frozen=True)
class Recording:
    """Several utterances with pauses between them; ``phrases``: (start s, end s, text)."""

    samples: Samples
    phrases: tuple[tuple[float, float, str], ...]
    language: str

    @property
    def text(self) -> str:
        return " ".join(text for _, _, text in self.phrases)


def _sound(one: supply.Spoken) -> Samples:
    return one.samples.astype(np.float32) / 32768.0


def _decode(loaded: LoadedModel, sounds: Sequence[Samples], options: DecodingOptions) -> list[Hypothesis]:
    clips = [Clip(str(i), len(sound) / SAMPLE_RATE, lambda sound=sound: sound) for i, sound in enumerate(sounds)]  # type: ignore[misc]
    return decode(loaded.model, loaded.tokenizer, clips, options)


def _errors(language: str, references: Sequence[str], hypotheses: Sequence[str]) -> Counts:
    normalize = get_profile(headline_profile(language)).normalize
    total = Counts.zero()
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        total += count_words(normalize(reference), normalize(hypothesis))
    return total


def _wer(skill: str, counts: Counts, counted: str, wanted: str = "") -> Row:
    edits = f"S {counts.S}, D {counts.D}, I {counts.I}, N {counts.N}"
    return Row(skill, f"{counts.rate:.1f} % WER", f"{counted}; {edits}", wanted)


def transcription(
    loaded: LoadedModel, sentences: list[supply.Spoken], words: list[supply.Spoken], n: int
) -> Iterator[Row]:
    """WER on sentences and on random word strings, and on input cut to the utterance where 30 s are what it knows."""
    for language in ("fr", "en"):
        full = DecodingOptions(language=language)
        for what, source, options, wanted in (
            ("sentences", sentences, full, "≤ 10 %"),
            ("random word strings", words, full, ""),
            ("sentences, input cut to length + 0.5 s", sentences, replace(full, window="short"), ""),
        ):
            own = [one for one in source if one.language == language][:n]
            found = _decode(loaded, [_sound(one) for one in own], options)
            counts = _errors(language, [one.text for one in own], [h.text for h in found])
            yield _wer(f"transcribe {language}: {what}", counts, f"{len(own)} utterances", wanted)


def translation(loaded: LoadedModel, paired: list[supply.Spoken], n: int) -> Iterator[Row]:
    """French into English, by chrF and BLEU (sacrebleu's defaults)."""
    own = paired[:n]
    found = _decode(loaded, [_sound(one) for one in own], DecodingOptions(language="fr", task="translate"))
    hypotheses, references = [h.text for h in found], [[str(one.translation) for one in own]]
    chrf = sacrebleu.corpus_chrf(hypotheses, references).score
    bleu = sacrebleu.corpus_bleu(hypotheses, references).score
    yield Row("translate fr → en", f"{chrf:.1f} chrF, {bleu:.1f} BLEU", f"{len(own)} utterances")


@torch.inference_mode()
def language_identification(loaded: LoadedModel, sentences: list[supply.Spoken], n: int) -> Iterator[Row]:
    """Of utterances of at least 2 s."""
    own = [one for one in sentences if one.duration_s >= 2][:n]
    right = 0
    for start in range(0, len(own), 16):
        part = own[start : start + 16]
        encoded = loaded.model.model.encoder(log_mel(window_waves(map(_sound, part)))).last_hidden_state
        found = identify_language(loaded.model, loaded.tokenizer, encoded)
        right += sum(code == one.language for code, one in zip(found, part, strict=True))
    yield Row("identify the language, ≥ 2 s", f"{100 * right / len(own):.1f} %", f"{right} of {len(own)}", "≥ 98 %")


def silence(loaded: LoadedModel, n: int) -> Iterator[Row]:
    """Clips without speech, of every kind in turn; how many get no text, with and without a language in the prompt."""
    rng = np.random.default_rng(9)
    sounds = [hush(rng.uniform(1, 20), SILENCES[i % len(SILENCES)], rng) for i in range(n)]
    for language in (None, "fr", "en"):
        found = _decode(loaded, sounds, DecodingOptions(language=language))
        quiet = sum(not h.text for h in found)
        prompt = f"prompt pinned to {language}" if language else "language to be identified"
        yield Row(f"silence and noise: no text, {prompt}", f"{100 * quiet / n:.0f} %", f"{quiet} of {n}", "all")


def recordings(spoken: list[supply.Spoken], n: int, n_phrases: tuple[int, int], seed: int) -> Iterator[Recording]:
    """Several utterances of one language in a row, pauses of 0.5 to 2 s."""
    rng = random.Random(seed)
    for number in range(n):
        language = ("fr", "en")[number % 2]
        chosen = rng.sample([one for one in spoken if one.language == language], rng.randint(*n_phrases))
        clock_s, pieces, phrases = 0.0, [], []
        for one in chosen:
            pause = np.zeros(
                int(rng.uniform(0.5, 2.0) * SAMPLE_RATE if pieces else rng.uniform(0, 1) * SAMPLE_RATE), np.float32
            )
            start_s = clock_s + len(pause) / SAMPLE_RATE
            pieces += [pause, _sound(one)]
            clock_s = start_s + one.duration_s
            phrases.append((start_s, clock_s, one.text))
        yield Recording(np.concatenate(pieces), tuple(phrases), language)


def timestamps(loaded: LoadedModel, sentences: list[supply.Spoken], n: int) -> Iterator[Row]:
    """Two to four phrases in a window."""
    errors: list[float] = []
    windows = [one for one in recordings(sentences, 2 * n, (2, 4), 5) if len(one.samples) <= 30 * SAMPLE_RATE][:n]
    for one in windows:
        options = DecodingOptions(language=one.language)
        found = decode_long(loaded.model, loaded.tokenizer, "", one.samples, options).segments or ()
        pairs = boundary_errors(one.phrases, [(s.start, s.end, s.text) for s in found])
        errors += [abs(error) for pair in pairs for error in pair or (math.inf, math.inf)]
    near = sum(error <= COLLAR_S for error in errors)
    median = float(np.median(errors))
    yield Row(
        "timestamps: boundaries within 0.2 s", f"{100 * near / len(errors):.1f} %",
        f"{near} of {len(errors)} in {len(windows)} windows of 2 to 4 phrases; median error {median:.2f} s", "≥ 80 %",
    )  # fmt: skip


def long_form(loaded: LoadedModel, sentences: list[supply.Spoken], n: int) -> Iterator[Row]:
    """Recordings of several windows, decoded sequentially by their phrase timestamps."""
    found: dict[str, list[tuple[str, str]]] = {"fr": [], "en": []}
    length_s = []
    for one in recordings(sentences, n, (22, 30), 6):
        length_s.append(len(one.samples) / SAMPLE_RATE)
        options = DecodingOptions(language=one.language)
        hypothesis = decode_long(loaded.model, loaded.tokenizer, "", one.samples, options)
        found[one.language].append((one.text, hypothesis.text))
    for language, pairs in found.items():
        counts = _errors(language, *map(list, zip(*pairs, strict=True)))
        counted = f"{len(pairs)} recordings of {min(length_s):.0f} to {max(length_s):.0f} s"
        yield _wer(f"long form {language}", counts, counted)


def measure(loaded: LoadedModel, folder: Path, n: int) -> Iterator[Row]:
    """Every skill on ``n`` test utterances of ``folder`` (a supply)."""
    sentences, words, paired = (
        supply.read_shard(folder / f"{kind}-00000.npz") for kind in ("test", "test-random", "test-paired")
    )
    yield from transcription(loaded, sentences, words, n)
    yield from translation(loaded, paired, n)
    yield from language_identification(loaded, sentences, 2 * n)
    yield from silence(loaded, max(60, n // 2))
    yield from timestamps(loaded, sentences, max(10, n // 4))
    yield from long_form(loaded, sentences, 8)
