"""A recording of any length → its sequential windows, one at a time: for whoever cannot wait for the last.

The procedure is that of :mod:`.longform` (Radford et al. 2022, §4.5). A window also says what OpenAI's API tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from transformers import WhisperTokenizer

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import HOP_LENGTH, N_WINDOW_FRAMES, N_WINDOW_SAMPLES
from parlure.transcribing.decode import LOGPROB_THRESHOLD, DecodingOptions, ids_before, text_of
from parlure.transcribing.engines.phrases import Phrase, cut
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.longform import of_phrases
from parlure.whisper.prompt import SpecialTokens, prompt_ids


@dataclass(frozen=True)
class TimedPhrase:
    """A phrase: ``start`` and ``end`` in seconds from the recording's start, tokens with the timestamps around them."""

    start: float
    end: float
    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where a window is, in frames of 10 ms: where it begins, how many it holds, where the next one begins."""

    start: int
    n_frames: int
    next: int


@dataclass(frozen=True)
class HeardWindow:
    """What one window of 30 s gave.

    Attributes:
        place: where it is.
        language: that it was decoded in.
        phrases: those that end within it, some perhaps without a text; none where the model takes it for silent.
        no_speech_prob: probability of ``<|nospeech|>`` right after the start token, 0 to 1.
        avg_logprob: mean log-probability of the window's tokens, timestamps and the end included.
    """

    place: Place
    language: str
    phrases: tuple[TimedPhrase, ...]
    no_speech_prob: float
    avg_logprob: float

    @property
    def text_tokens(self) -> tuple[int, ...]:
        """Of all phrases, timestamps included."""
        return tuple(token for phrase in self.phrases for token in phrase.tokens)

    def sound(self, samples: Samples) -> Samples:
        """What it heard of the recording, at most 30 s."""
        first = self.place.start * HOP_LENGTH
        return samples[first : first + min(self.place.n_frames * HOP_LENGTH, N_WINDOW_SAMPLES)]

    def is_last(self, samples: Samples) -> bool:
        """Whether the next window would begin behind the recording, in silence that was put there."""
        return self.place.next * HOP_LENGTH >= len(samples)


@dataclass(frozen=True)
class TimedRow:
    """Tokens of one window with timestamps among them, without prompt and end."""

    tokens: tuple[int, ...]
    no_speech_prob: float
    avg_logprob: float

    def is_doubtful(self, options: DecodingOptions) -> bool:
        """OpenAI's rule: what the model takes for silent and is unsure of is not said."""
        return self.no_speech_prob > options.no_speech_threshold and self.avg_logprob < LOGPROB_THRESHOLD


def padded(samples: Samples) -> torch.Tensor:
    """A recording as long windows want it: whole frames, 30 s at least; shape ``(1, n_samples)``."""
    n_samples = max(N_WINDOW_SAMPLES, -(-len(samples) // HOP_LENGTH) * HOP_LENGTH)
    wave = torch.zeros(1, n_samples)
    wave[0, : len(samples)] = torch.from_numpy(samples)
    return wave


def walk(
    n_frames: int,
    options: DecodingOptions,
    timestamp_begin: int,
    hear: Callable[[int, int], TimedRow],
) -> Iterator[tuple[Place, TimedRow, list[Phrase]]]:
    """Place the windows, each where the last phrase of the one before ended.

    Args:
        n_frames: of the recording.
        options: of decoding.
        timestamp_begin: id of ``<|0.00|>``.
        hear: the row of a window, by its first frame and the frames of the recording that it holds.

    Yields:
        Where it is, its row, and phrases with times from the window's start; none where the row is doubtful.
    """
    place = 0
    while place < n_frames:
        n_heard = min(N_WINDOW_FRAMES, n_frames - place)
        row = hear(place, n_heard)
        phrases, further = ([], n_heard) if row.is_doubtful(options) else cut(row.tokens, timestamp_begin, n_heard)
        yield Place(place, n_heard, place + further), row, phrases
        place += further


def prompts(tokenizer: WhisperTokenizer, language: str, options: DecodingOptions) -> tuple[list[int], list[int]]:
    """Prompt ids of the first window, which alone is read behind ``options.prompt``, and of the others.

    Raises:
        ParlureError: the prompt is longer than what Whisper reads, or the language or task is unknown.
    """
    spoken = prompt_ids(tokenizer, language, options.task, timestamps=True)
    first, others = ids_before(tokenizer, options), ids_before(tokenizer, replace(options, prompt=None))
    return [*first, *spoken], [*others, *spoken]


def window_at(features: np.ndarray, place: int) -> np.ndarray:
    """Log-mels ``(1, n_mels, n_frames)`` → those of the window at a frame, 0.0 after the recording's end."""
    window = features[:, :, place : place + N_WINDOW_FRAMES]
    return np.pad(window, ((0, 0), (0, 0), (0, N_WINDOW_FRAMES - window.shape[-1])))


def heard_window(
    tokenizer: WhisperTokenizer, language: str, place: Place, row: TimedRow, phrases: Sequence[Phrase]
) -> HeardWindow:
    """A window as :func:`walk` places it, with texts and times from the recording's start."""
    offset_s = place.start * HOP_LENGTH / SAMPLE_RATE
    timed = tuple(
        TimedPhrase(
            round(offset_s + one.start, 2), round(offset_s + one.end, 2), text_of(tokenizer, one.tokens), one.tokens
        )
        for one in phrases
    )
    return HeardWindow(place, language, timed, row.no_speech_prob, row.avg_logprob)


def text_ids(tokenizer: WhisperTokenizer, tokens: Sequence[int]) -> list[int]:
    """Tokens without timestamps and other control tokens."""
    end = SpecialTokens.of(tokenizer).end
    return [token for token in tokens if token < end]


def joined(tokenizer: WhisperTokenizer, name: str, windows: Iterable[HeardWindow]) -> Hypothesis:
    """A recording's windows as one hypothesis, in the language of the first."""
    heard = list(windows)
    phrases = [(one.start, one.end, one.tokens) for window in heard for one in window.phrases]
    return of_phrases(tokenizer, name, heard[0].language, phrases)
