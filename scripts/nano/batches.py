"""Utterances → training batches for nano: light augmentation, windows, label ids.

Two kinds of window come in the last stage, since runtimes make both: silence in the waveform up to 30 s (Hugging Face,
openai-whisper) and 0.0 after the log-mels (faster-whisper 1.2.1).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from transformers import WhisperTokenizer

from nano import vocabulary as v
from nano.supply import MAX_S, Spoken
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import HOP_LENGTH, N_WINDOW_FRAMES, N_WINDOW_SAMPLES, log_mel
from parlure.speech.telephone import telephone
from parlure.whisper.prompt import IGNORED

Window = Literal["short", "full"]

_TAIL_S = 0.5  # s of silence after the longest utterance of a short batch
_SEVERAL_S = 24.0  # s: utterances are added up to here


@dataclass(frozen=True)
class Example:
    """``samples`` at 16 kHz; ``labels`` after the start-of-transcript, the first ``n_unscored`` bear no loss."""

    samples: Samples
    labels: list[int]
    n_unscored: int = 0


@dataclass(frozen=True)
class Batch:
    """``features``: ``(n_utterances, 80, n_frames)``; ``inputs`` and ``targets``: ``(n_utterances, n_tokens)``."""

    features: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor


@dataclass(frozen=True)
class Mixture:
    """What a stage's examples look like, as shares of all examples."""

    silence: float = 0.0  # no speech at all
    disturbed: float = 0.0  # tilted, made noisy, at another level
    telephone: float = 0.0  # through a telephone line, in place of the disturbance
    several: float = 0.0  # two or more utterances with pauses
    most: int = 4  # of the several
    max_pause_s: float = 2.0  # between them
    paired: float = 0.0  # French with its translation; half of them are to be translated, half transcribed
    timestamps: float = 0.0  # of the single utterances; of the several, three in four
    spec_augment: float = 0.0
    max_onset_s: float = 0.3


def _noise(n_samples: int, rng: np.random.Generator) -> Samples:
    """White to brownish noise of unit power."""
    white = rng.standard_normal(n_samples).astype(np.float32)
    slope = rng.uniform(0.0, 0.95)
    coloured = np.convolve(white, slope ** np.arange(24), mode="same") if rng.random() < 0.5 else white
    return (coloured / (np.sqrt(np.mean(coloured**2)) + 1e-9)).astype(np.float32)


def _disturb(samples: Samples, rng: np.random.Generator) -> Samples:
    """Random tilt, mild noise (10 to 40 dB under the speech) and level."""
    if rng.random() < 0.5:
        tilt = rng.uniform(-0.4, 0.4)
        samples = samples - tilt * np.concatenate([samples[:1], samples[:-1]])
    if rng.random() < 0.6:
        power = np.sqrt(np.mean(samples**2))
        samples = samples + _noise(len(samples), rng) * power * 10 ** (-rng.uniform(10, 40) / 20)
    gain = 10 ** (-rng.uniform(0, 25) / 20) / max(1.0, float(np.abs(samples).max()))
    return (samples * gain).astype(np.float32)


def _through_telephone(samples: Samples, rng: np.random.Generator) -> Samples:
    """300 to 3400 Hz, µ-law, at some level over some line noise."""
    return telephone(samples, rng, level_db=rng.uniform(-32, -18), line_noise_db=rng.uniform(-65, -42))


def _stamp(time_s: float) -> int:
    return v.TIMESTAMP_BEGIN + round(time_s / 0.02)


def make_example(
    draw: Callable[[], Spoken],
    draw_paired: Callable[[], Spoken],
    tokenizer: WhisperTokenizer,
    mixture: Mixture,
    rng: np.random.Generator,
) -> Example:
    """One example of a stage's mixture; ``draw_paired`` gives utterances that have a translation."""
    chance = rng.random()
    if rng.random() < mixture.paired:
        draw = draw_paired
    if chance < mixture.silence:
        hush = _noise(int(rng.uniform(1, 8) * SAMPLE_RATE), rng) * (10 ** (-rng.uniform(20, 70) / 20))
        if rng.random() < 0.5:
            return Example(hush.astype(np.float32), [v.NO_SPEECH, v.END_OF_TEXT])
        language = v.language_id(["fr", "en"][int(rng.integers(2))])
        return Example(hush.astype(np.float32), [language, v.TRANSCRIBE, v.NO_TIMESTAMPS, v.END_OF_TEXT], 3)
    spoken = [draw()]
    if chance < mixture.silence + mixture.several:
        wanted = int(rng.integers(2, mixture.most + 1))
        while len(spoken) < wanted and sum(one.duration_s for one in spoken) < _SEVERAL_S - MAX_S:
            if (other := draw()).language == spoken[0].language:
                spoken.append(other)
        stamped = rng.random() < 0.75
    else:
        stamped = rng.random() < mixture.timestamps
    # half: what is to be transcribed cannot be told from the sentence
    translated = all(one.translation for one in spoken) and rng.random() < 0.5
    clock = rng.uniform(0, mixture.max_onset_s)
    pieces, labels = [np.zeros(int(clock * SAMPLE_RATE), np.float32)], []
    for index, one in enumerate(spoken):
        if index:
            gap = rng.uniform(0.4, mixture.max_pause_s)
            pieces.append(np.zeros(int(gap * SAMPLE_RATE), np.float32))
            clock += gap
        pieces.append(one.samples.astype(np.float32) / 32768.0)
        text = tokenizer.encode(f" {one.translation if translated else one.text}", add_special_tokens=False)
        end = clock + one.duration_s
        labels += [_stamp(clock), *text, _stamp(end)] if stamped else text
        clock = end
    task = v.TRANSLATE if translated else v.TRANSCRIBE
    prompt = [v.language_id(spoken[0].language), task] + ([] if stamped else [v.NO_TIMESTAMPS])
    sound = np.concatenate(pieces)[:N_WINDOW_SAMPLES]
    if (chance := rng.random()) < mixture.disturbed:
        sound = _disturb(sound, rng)
    elif chance < mixture.disturbed + mixture.telephone:
        sound = _through_telephone(sound, rng)
    return Example(sound, [*prompt, *labels, v.END_OF_TEXT])


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
    """Pad the labels; shift them right behind the start token to make the decoder's inputs."""
    length = max(len(example.labels) for example in examples)
    inputs = torch.full((len(examples), length), v.END_OF_TEXT)
    targets = torch.full((len(examples), length), IGNORED)
    for row, example in enumerate(examples):
        n = len(example.labels)
        inputs[row, 0] = v.START_OF_TRANSCRIPT
        inputs[row, 1:n] = torch.tensor(example.labels[:-1])
        targets[row, example.n_unscored : n] = torch.tensor(example.labels[example.n_unscored :])
    return Batch(features, inputs, targets)


def batches(
    source: Iterator[Spoken],
    paired: Iterator[Spoken],
    tokenizer: WhisperTokenizer,
    mixture: Mixture,
    batch_size: int,
    window: Window,
    seed: int,
) -> Iterator[Batch]:
    """Endless batches, of about one length each unless the window is full.

    Args:
        source: endless utterances.
        paired: endless utterances with their translation.
        tokenizer: nano's.
        mixture: what the examples are like.
        batch_size: utterances in one.
        window: ``short`` ends half a second after the longest utterance, ``full`` after 30 s.
        seed: of all that is drawn.
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
        chunks = [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
        for chunk in order.sample(chunks, len(chunks)):
            sounds = [example.samples for example in chunk]
            silence_in_waveform = window == "short" or rng.random() < 0.5
            n_frames = short_frames(sounds) if window == "short" else N_WINDOW_FRAMES
            features = features_of(sounds, n_frames, silence_in_waveform)
            _spec_augment(features, [len(sound) // 160 for sound in sounds], mixture.spec_augment, rng)
            yield collate(chunk, features)
