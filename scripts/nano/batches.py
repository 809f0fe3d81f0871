"""Utterances → training batches for nano: light augmentation, windows, label ids, phonemes.

Two kinds of 30 s window come, since runtimes make both: silence in the waveform up to 30 s (Hugging Face,
openai-whisper) and 0.0 after the log-mels (faster-whisper 1.2.1). Short input is either the beginning of a window or
a slice out of its midst: the encoder is then told where the slice stands, and timestamps count from the window's start.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from transformers import WhisperTokenizer

from nano import vocabulary as v
from nano.silence import SILENCES, hush, noise
from nano.supply import Spoken
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import HOP_LENGTH, N_WINDOW_FRAMES, N_WINDOW_SAMPLES, WINDOW_S, log_mel
from parlure.speech.telephone import telephone
from parlure.whisper.prompt import IGNORED

Window = Literal["short", "full"]

# The characters of espeak-ng's mnemonics that stand for sound (not for stress, pauses and words); 0 is the blank
PHONEME_UNITS = "artEsilnI@~kdmepvzOfubAo2wjyZS3UgWVD0hNTYLR5"

_TAIL_S = 0.5  # s of silence after the longest utterance of a short batch
_LONGEST_LOOP = 120  # label ids with all rounds: what Whisper writes until its limit would only cost time


@dataclass(frozen=True)
class Example:
    """One window.

    Attributes:
        samples: at 16 kHz.
        labels: the decoder's ids from its first input to the end.
        n_given: how many of them, from the front, are not asked for.
        phonemes: espeak-ng's mnemonics of all that is said.
        first_position: where in the window the sound begins, in encoder positions of 20 ms.
    """

    samples: Samples
    labels: list[int]
    n_given: int = 1
    phonemes: str = ""
    first_position: int = 0


@dataclass(frozen=True)
class Batch:
    """``features``: ``(n_utterances, 80, n_frames)``; ``inputs`` and ``targets``: ``(n_utterances, n_tokens)``;
    ``first_positions``, ``n_phonemes`` and ``n_positions`` (of sound): ``(n_utterances,)``; ``phonemes``: all rows'
    units, end to end."""

    features: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    first_positions: torch.Tensor
    phonemes: torch.Tensor
    n_phonemes: torch.Tensor
    n_positions: torch.Tensor


@dataclass(frozen=True)
class Mixture:
    """What a stage's examples look like, as shares of all examples."""

    silence: float = 0.0  # no speech at all
    disturbed: float = 0.0  # tilted, made noisy, at another level
    telephone: float = 0.0  # through a telephone line, in place of the disturbance
    several: float = 0.0  # two or more utterances with pauses
    most: int = 4  # of the several
    max_pause_s: float = 2.0  # between them
    overflowing: float = 0.0  # of the several: the last utterance runs past the window's end
    previous: float = 0.0  # what was said before is given as a prompt
    sliced: float = 0.0  # stand somewhere in the window instead of at its beginning; short input only
    paired: float = 0.0  # French with its translation; half of them are to be translated, half transcribed
    timestamps: float = 0.0  # of the single utterances; of the several, three in four
    warped: float = 0.0  # of the utterances, played slower or faster: more voices than the synthesiser has
    misled: float = 0.0  # of the text tokens that the decoder is given, replaced by others: it has to listen
    looped: float = 0.0  # of the batches of a full stage: short input, whose text goes round in circles
    spec_augment: float = 0.0
    max_onset_s: float = 0.3


def _warp(one: Spoken, rng: np.random.Generator) -> Spoken:
    """The utterance played up to 15 % slower or faster: rate, pitch and formants move together (speed perturbation:
    Ko et al. 2015)."""
    places = np.arange(0, len(one.samples) - 1, rng.uniform(0.87, 1.15))
    return replace(one, samples=np.interp(places, np.arange(len(one.samples)), one.samples).astype(np.int16))


def _disturb(samples: Samples, rng: np.random.Generator) -> Samples:
    """Random tilt, mild noise (10 to 40 dB under the speech) and level."""
    if rng.random() < 0.5:
        tilt = rng.uniform(-0.4, 0.4)
        samples = samples - tilt * np.concatenate([samples[:1], samples[:-1]])
    if rng.random() < 0.6:
        power, slope = np.sqrt(np.mean(samples**2)), rng.choice([0.0, rng.uniform(0.0, 0.95)])
        samples = samples + noise(len(samples), rng, slope) * power * 10 ** (-rng.uniform(10, 40) / 20)
    gain = 10 ** (-rng.uniform(0, 25) / 20) / max(1.0, float(np.abs(samples).max()))
    return (samples * gain).astype(np.float32)


def _through_telephone(samples: Samples, rng: np.random.Generator) -> Samples:
    """300 to 3400 Hz, µ-law, at some level over some line noise."""
    return telephone(samples, rng, level_db=rng.uniform(-32, -18), line_noise_db=rng.uniform(-65, -42))


def _stamp(time_s: float) -> int:
    return v.TIMESTAMP_BEGIN + round(time_s / 0.02)


def _silence(rng: np.random.Generator, is_window: bool) -> Example:
    """No speech and no text: without a prompt, under one with a language, and under one with timestamps."""
    sound = hush(rng.uniform(0.5, 20 if is_window else 6), str(rng.choice(SILENCES)), rng)
    language = v.language_id(["fr", "en"][int(rng.integers(2))])
    task = v.TRANSLATE if rng.random() < 0.15 else v.TRANSCRIBE
    if (chance := rng.random()) < 0.4:
        return Example(sound, [v.START_OF_TRANSCRIPT, v.NO_SPEECH, v.END_OF_TEXT])
    if chance < 0.75:
        return Example(sound, [v.START_OF_TRANSCRIPT, language, task, v.NO_TIMESTAMPS, v.END_OF_TEXT], 4)
    return Example(sound, [v.START_OF_TRANSCRIPT, language, task, v.TIMESTAMP_BEGIN, v.END_OF_TEXT], 3)


def _draw_several(draw: Callable[[], Spoken], n: int) -> list[Spoken]:
    """Utterances of one language."""
    spoken = [draw()]
    while len(spoken) < n:
        if (other := draw()).language == spoken[0].language:
            spoken.append(other)
    return spoken


@dataclass(frozen=True)
class _Row:
    """Utterances one after the other: as many as a window holds."""

    samples: Samples
    spoken: list[Spoken]
    spans: list[tuple[float, float]]  # s, of each
    cut_start_s: float | None  # where one begins of which the window's end cuts off a part


def _line_up(spoken: list[Spoken], mixture: Mixture, keep_cut: bool, rng: np.random.Generator) -> _Row:
    """Lay them out with pauses. The first that does not fit is left out, or cut off at the window's end."""
    clock_s = rng.uniform(0, mixture.max_onset_s)
    pieces = [np.zeros(int(clock_s * SAMPLE_RATE), np.float32)]
    spans: list[tuple[float, float]] = []
    cut_start_s = None
    for one in spoken:
        gap_s = rng.uniform(0.3, mixture.max_pause_s) if spans else 0.0
        fits = clock_s + gap_s + one.duration_s < WINDOW_S
        cut = not fits and keep_cut and clock_s + gap_s < WINDOW_S - 0.2
        if fits or cut:
            pieces += [np.zeros(int(gap_s * SAMPLE_RATE), np.float32), one.samples.astype(np.float32) / 32768.0]
        if not fits:
            cut_start_s = clock_s + gap_s if cut else None
            break
        spans.append((clock_s + gap_s, clock_s := clock_s + gap_s + one.duration_s))
    return _Row(np.concatenate(pieces)[:N_WINDOW_SAMPLES], spoken[: len(spans)], spans, cut_start_s)


def make_example(
    draw: Callable[[], Spoken],
    draw_paired: Callable[[], Spoken],
    tokenizer: WhisperTokenizer,
    mixture: Mixture,
    rng: np.random.Generator,
) -> Example:
    """One example of a stage's mixture; ``draw_paired`` gives utterances that have a translation."""
    chance = rng.random()
    if chance < mixture.silence:
        return _silence(rng, is_window=mixture.sliced == 0)
    is_several = chance < mixture.silence + mixture.several
    if rng.random() < mixture.paired:
        draw = draw_paired
    spoken = _draw_several(draw, int(rng.integers(2, mixture.most + 1)) if is_several else 1)
    spoken = [_warp(one, rng) if rng.random() < mixture.warped else one for one in spoken]
    is_stamped = rng.random() < (0.75 if is_several else mixture.timestamps)
    # half: what is to be transcribed cannot be told from the sentence
    is_translated = all(one.translation for one in spoken) and rng.random() < 0.5

    def text_ids(one: Spoken) -> list[int]:
        return tokenizer.encode(f" {one.translation if is_translated else one.text}", add_special_tokens=False)  # type: ignore[no-any-return]

    row = _line_up(spoken, mixture, is_stamped and rng.random() < mixture.overflowing, rng)
    first_position = 0
    if rng.random() < mixture.sliced:
        first_position = int(rng.integers(0, max(1, int((WINDOW_S - 1 - row.spans[-1][1]) * 50))))
    shift_s = first_position * 0.02
    body: list[int] = []
    for one, (start_s, end_s) in zip(row.spoken, row.spans, strict=True):
        ids = text_ids(one)
        body += [_stamp(start_s + shift_s), *ids, _stamp(end_s + shift_s)] if is_stamped else ids
    if row.cut_start_s is not None:  # openai/whisper: of a phrase that is only partly inside, the start alone
        body.append(_stamp(row.cut_start_s + shift_s))
    task = v.TRANSLATE if is_translated else v.TRANSCRIBE
    prompt = [v.START_OF_TRANSCRIPT, v.language_id(spoken[0].language), task] + (
        [] if is_stamped else [v.NO_TIMESTAMPS]
    )
    given: list[int] = []
    if rng.random() < mixture.previous:
        given = [v.START_OF_PREVIOUS, *text_ids(draw())]
    sound = row.samples
    if (chance := rng.random()) < mixture.disturbed:
        sound = _disturb(sound, rng)
    elif chance < mixture.disturbed + mixture.telephone:
        sound = _through_telephone(sound, rng)
    return Example(
        sound,
        [*given, *prompt, *body, v.END_OF_TEXT],
        len(given) + 1,
        "".join(one.phonemes for one in row.spoken),
        first_position,
    )


def _go_round(example: Example, rng: np.random.Generator) -> Example:
    """The example with the last words of its text said again and again, as Whisper does on input that it never met."""
    *body, end = example.labels
    words = body[-int(rng.integers(3, 11)) :]  # more than a full stop
    if any(id_ >= v.N_TEXT for id_ in words):
        return example
    n_rounds = min(int(rng.integers(2, 9)), (_LONGEST_LOOP - len(body)) // len(words))
    return replace(example, labels=[*body, *words * n_rounds, end])


def _padded(sounds: list[Samples], n_samples: int) -> torch.Tensor:
    waves = np.zeros((len(sounds), n_samples), np.float32)
    for row, sound in zip(waves, sounds, strict=True):
        row[: len(sound)] = sound[:n_samples]
    return torch.from_numpy(waves)


def features_of(sounds: list[Samples], n_frames: int, silence_in_waveform: bool) -> torch.Tensor:
    """Log-mels of a window in one of the two ways in which runtimes fill it, shape ``(n_utterances, 80, n_frames)``."""
    if silence_in_waveform:
        return log_mel(_padded(sounds, n_frames * HOP_LENGTH))
    features = torch.zeros(len(sounds), 80, n_frames)
    for row, sound in zip(features, sounds, strict=True):
        mel = log_mel(_padded([sound], len(sound) + HOP_LENGTH))[0, :, :n_frames]
        row[:, : mel.shape[1]] = mel
    return features


def short_frames(sounds: list[Samples]) -> int:
    """The longest utterance and a tail: an even number of frames, at most the window's."""
    return min(N_WINDOW_FRAMES, int((max(map(len, sounds)) / SAMPLE_RATE + _TAIL_S) * 50) * 2)


def _spec_augment(features: torch.Tensor, n_frames: list[int], share: float, rng: np.random.Generator) -> None:
    """Mask up to 10 mel bands and two stretches of up to 100 ms in a share of the rows (Park et al. 2019), in place."""
    for row, n in zip(features, n_frames, strict=True):
        if rng.random() < share:
            band = int(rng.integers(0, 70))
            row[band : band + int(rng.integers(1, 11)), :n] = 0.0
            for start in rng.integers(0, max(1, n - 10), size=2):
                row[:, start : start + int(rng.integers(1, 11))] = 0.0


def collate(examples: list[Example], features: torch.Tensor) -> Batch:
    """Pad the labels; shift them right to make the decoder's inputs."""
    length = max(len(example.labels) for example in examples) - 1
    inputs = torch.full((len(examples), length), v.END_OF_TEXT)
    targets = torch.full((len(examples), length), IGNORED)
    heard = []
    for row, example in enumerate(examples):
        n = len(example.labels) - 1
        inputs[row, :n] = torch.tensor(example.labels[:-1])
        first = example.n_given - 1
        targets[row, first:n] = torch.tensor(example.labels[example.n_given :])
        heard.append([place + 1 for unit in example.phonemes if (place := PHONEME_UNITS.find(unit)) >= 0])
    n_positions = features.shape[-1] // 2
    return Batch(
        features,
        inputs,
        targets,
        torch.tensor([example.first_position for example in examples]),
        torch.tensor([unit for row in heard for unit in row]),
        torch.tensor([len(row) for row in heard]),
        torch.tensor([min(n_positions, len(example.samples) // (2 * HOP_LENGTH) + 5) for example in examples]),
    )


def _mislead(inputs: torch.Tensor, share: float, rng: np.random.Generator) -> None:
    """Replace a share of the text tokens by others of the batch, in place (word dropout: Bowman et al. 2016)."""
    is_text = inputs < v.N_TEXT
    chosen = is_text & torch.from_numpy(rng.random(inputs.shape) < share)
    known = inputs[is_text]
    inputs[chosen] = known[torch.from_numpy(rng.integers(0, max(1, len(known)), size=int(chosen.sum())))]


def _chunks(pool: list[Example], batch_size: int, most_s: float) -> list[list[Example]]:
    """Neighbours together, as many as the limits let; ``pool`` runs from short to long."""
    chunks: list[list[Example]] = [[]]
    for example in pool:
        full = len(chunks[-1]) == batch_size or len(example.samples) / SAMPLE_RATE * (len(chunks[-1]) + 1) > most_s
        if full and chunks[-1]:
            chunks.append([])
        chunks[-1].append(example)
    return chunks


def batches(
    source: Iterator[Spoken],
    paired: Iterator[Spoken],
    tokenizer: WhisperTokenizer,
    mixture: Mixture,
    batch_size: int,
    window: Window,
    seed: int,
    most_s: float = math.inf,
) -> Iterator[Batch]:
    """Endless batches, of about one length each unless the window is full.

    Args:
        source: endless utterances.
        paired: endless utterances with their translation.
        tokenizer: nano's.
        mixture: what the examples are like.
        batch_size: utterances in one, at most.
        window: ``short`` ends half a second after the longest utterance, ``full`` after 30 s.
        seed: of all that is drawn.
        most_s: seconds in one batch, padding included, at most.
    """
    rng = np.random.default_rng(seed)
    order = random.Random(seed)
    while True:
        pool = [
            make_example(lambda: next(source), lambda: next(paired), tokenizer, mixture, rng)
            for _ in range(batch_size * 16)
        ]
        if window != "full":
            pool.sort(key=lambda example: len(example.samples))
        chunks = _chunks(pool, batch_size, most_s)
        by_length = sorted(pool, key=lambda example: len(example.samples))
        for chunk in order.sample(chunks, len(chunks)):
            looped = rng.random() < mixture.looped
            if looped:
                first = order.randrange(len(pool) - batch_size + 1)
                chunk = [_go_round(example, rng) for example in by_length[first : first + batch_size]]
            sounds = [example.samples for example in chunk]
            is_short = looped or window == "short"
            silence_in_waveform = is_short or rng.random() < 0.5
            n_frames = short_frames(sounds) if is_short else N_WINDOW_FRAMES
            features = features_of(sounds, n_frames, silence_in_waveform)
            _spec_augment(features, [len(sound) // 160 for sound in sounds], mixture.spec_augment, rng)
            batch = collate(chunk, features)
            _mislead(batch.inputs, mixture.misled, rng)
            yield batch
