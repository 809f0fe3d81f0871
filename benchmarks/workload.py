"""Synthetic work: utterances as long as telephone utterances are, with as many tokens, of noise and random text.

Lengths are log-normal between 1 and 30 s. With a mean of 3.3 s the median is 2.5 s and the 99th percentile 14 s; with
5.3 s, 3.5 s and 25 s. A transcript has 3.64 text tokens a second: 17 labels at 3.3 s, five control tokens included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import soundfile
from shapes import END
from transformers import WhisperTokenizer

from parlure.speech.audio import SAMPLE_RATE, read_audio
from parlure.training.windows import Item
from parlure.whisper.prompt import IGNORED, Labels, SpecialTokens, prompt_ids

SPREADS = {3.3: 0.82, 5.3: 1.15}  # mean length in s → standard deviation of its logarithm before truncation
SHORTEST_S, LONGEST_S = 1.0, 30.0
TOKENS_PER_S = 3.64
_LOUDNESS = 0.05  # of the noise, full scale is 1


@dataclass(frozen=True)
class Speech:
    """An utterance that nobody said: its length and its text tokens."""

    id: str
    duration_s: float
    text: tuple[int, ...]


def draw(n: int, mean_s: float, seed: int = 1) -> list[Speech]:
    """Utterances; the same for the same seed. ``mean_s`` is one of :data:`SPREADS`."""
    random = np.random.default_rng(seed)
    mu, sigma = _location(mean_s), SPREADS[mean_s]
    normal = NormalDist(mu, sigma)
    lowest, highest = normal.cdf(math.log(SHORTEST_S)), normal.cdf(math.log(LONGEST_S))
    places = lowest + (highest - lowest) * random.random(n)
    utterances = []
    for number, place in enumerate(places):
        duration_s = round(math.exp(normal.inv_cdf(float(place))) * SAMPLE_RATE) / SAMPLE_RATE
        text = random.integers(0, END, max(1, round(TOKENS_PER_S * duration_s)))
        utterances.append(Speech(f"u{number:06}", duration_s, tuple(text.tolist())))
    return utterances


def _location(mean_s: float) -> float:
    """The logarithm's mean before truncation that makes the mean length ``mean_s`` after it."""
    sigma, standard = SPREADS[mean_s], NormalDist()
    low, high = -3.0, 4.0
    while high - low > 1e-9:
        mu = (low + high) / 2
        a, b = ((math.log(bound) - mu) / sigma for bound in (SHORTEST_S, LONGEST_S))
        share = (standard.cdf(b - sigma) - standard.cdf(a - sigma)) / (standard.cdf(b) - standard.cdf(a))
        low, high = (mu, high) if math.exp(mu + sigma**2 / 2) * share < mean_s else (low, mu)
    return low


def noise(speech: Speech) -> npt.NDArray[np.int16]:
    """The utterance's samples, noise and three tones at 16 kHz; they follow from its id."""
    random = np.random.default_rng([ord(letter) for letter in speech.id])
    times = np.arange(round(speech.duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    sound = random.normal(0.0, _LOUDNESS, len(times))
    for frequency in random.uniform(200, 3_400, 3):  # Hz; so that utterances sound different
        sound += 2 * _LOUDNESS * np.sin(2 * np.pi * frequency * times)
    return (np.clip(sound, -1, 1) * 32_767).astype(np.int16)


def sequence(speech: Speech, tokenizer: WhisperTokenizer) -> list[int]:
    """Prompt, text and end."""
    return [*prompt_ids(tokenizer, "fr", "transcribe"), *speech.text, SpecialTokens.of(tokenizer).end]


def items_of(speeches: Sequence[Speech], tokenizer: WhisperTokenizer, recording: Path) -> list[Item]:
    """What parlure trains on: spans of one recording, which :func:`record` has to write before they are read."""
    items, start_s = [], 0.0
    n_given = len(prompt_ids(tokenizer, "fr", "transcribe")) - 1
    for speech in speeches:
        tokens = sequence(speech, tokenizer)
        labels = Labels(tuple(tokens[:-1]), (*[IGNORED] * n_given, *tokens[1 + n_given :]))
        end_s = start_s + speech.duration_s
        read = partial(read_audio, recording, start_s, end_s, None)
        items.append(Item(speech.id, speech.duration_s, labels, read))
        start_s = end_s
    return items


def record(speeches: Sequence[Speech], recording: Path) -> None:
    """Write utterances one after the other, as 16-bit PCM at 16 kHz."""
    with soundfile.SoundFile(recording, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        for speech in speeches:
            file.write(noise(speech))
