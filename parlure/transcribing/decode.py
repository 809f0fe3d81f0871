"""Utterances of at most 30 s → hypotheses: greedy or by beam search, batched, each in a window of its own.

A hypothesis does not depend on its neighbours: a window is 30 s or follows from the utterance alone, a batch holds
windows of one length, each row has its own end, and a row that has ended leaves the batch's work. In the 30 s window
tokens are those of Hugging Face's ``generate`` (tested).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, Protocol

import numpy as np
import torch
from transformers import GenerationConfig, WhisperForConditionalGeneration, WhisperTokenizer

from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import WINDOW_S, log_mel, short_window_s
from parlure.transcribing.beam import beam_search
from parlure.transcribing.greedy import greedy
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.rows import Row, Rules, most_probable, suppression
from parlure.transcribing.stepping import Stepper, Stepping
from parlure.whisper.languages import language_ids
from parlure.whisper.prompt import MAX_TOKENS, SpecialTokens, previous_ids, prompt_ids
from parlure.whisper.terms import terms_prompt

# openai/whisper transcribe.py: a window is silent if <|nospeech|> is this probable and its text is not to be trusted
NO_SPEECH_THRESHOLD = 0.6
LOGPROB_THRESHOLD = -1.0  # mean log-probability of a token


@dataclass(frozen=True)
class Clip:
    """Something to decode: ``duration_s`` orders the work, ``read`` gives 16 kHz samples of at most 30 s."""

    id: str
    duration_s: float
    read: Callable[[], Samples]


@dataclass(frozen=True)
class DecodingOptions:
    """How to decode; what was used is kept beside the hypotheses.

    Where the model takes the window for silent and would have ended at once, or doubts what it wrote (openai/whisper's
    rule), there is no text. Else the first token is never the end (the models' own ``begin_suppress_tokens``).

    Raises:
        ParlureError: there is no beam.
    """

    language: str | None = None  # Whisper's code, or None to identify it from each utterance
    task: str = "transcribe"  # or translate: English text whatever the language
    window: Literal["full", "short"] = "full"  # 30 s, as Whisper was trained, or the utterance and a short tail
    batch_size: int = 16  # 30 s windows decoded together, twice as many short ones; never changes a hypothesis
    max_new_tokens: int = 224  # openai/whisper's limit, half of the decoder's positions
    no_speech_threshold: float = NO_SPEECH_THRESHOLD  # above it, text that the model doubts becomes none; 1: keep all
    beam_size: int = 1  # 1: the most probable token at every step; more: so many beginnings of every text at once
    identify: bool = False  # name the language that the model takes it for even if one is given
    loop_guard: bool = False  # stop a row that goes round in circles; off, for it changes what a model's WER is
    prompt: str | None = None  # read as if said just before each clip; a long recording's windows are without it
    terms: tuple[str, ...] = ()  # that the model is told of before every window, in the prompt's place

    def __post_init__(self) -> None:
        if self.beam_size < 1:
            raise ParlureError(f"a search with {self.beam_size} beams finds nothing", "1 is greedy, 5 is usual")

    @property
    def identifies(self) -> bool:
        """Whether the language is asked for."""
        return self.identify or self.language is None


class Listener(Protocol):
    """A Whisper whose decoder goes a step at a time, whatever library runs it.

    Attributes:
        tokenizer: the model's own.
        settings: its own: tokens that are never written, or never first.
        n_vocabulary: logits of a step.
        device: where they come to lie.
    """

    @property
    def tokenizer(self) -> WhisperTokenizer: ...

    @property
    def settings(self) -> GenerationConfig: ...

    @property
    def n_vocabulary(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    def hear(self, waves: torch.Tensor) -> Stepping:
        """The decoder before sound, 16 kHz samples ``(n_utterances, n_samples)``, of which it has read nothing."""
        ...


@dataclass(frozen=True)
class TorchListener:
    """A model in torch, in evaluation mode, as a :class:`Listener`."""

    model: WhisperForConditionalGeneration
    tokenizer: WhisperTokenizer

    @property
    def settings(self) -> GenerationConfig:
        return self.model.generation_config

    @property
    def n_vocabulary(self) -> int:
        return int(self.model.config.vocab_size)

    @property
    def device(self) -> torch.device:
        return torch.device(self.model.device)

    def hear(self, waves: torch.Tensor) -> Stepper:
        features = log_mel(waves.to(self.device), self.model.config.num_mel_bins).to(self.model.dtype)
        return Stepper(self.model, self.model.model.encoder(features).last_hidden_state)


def decode(
    model: WhisperForConditionalGeneration,
    tokenizer: WhisperTokenizer,
    clips: Sequence[Clip],
    options: DecodingOptions,
    progress: Callable[[int], None] | None = None,
) -> list[Hypothesis]:
    """Decode clips, longest first; the hypotheses come back in the clips' order.

    Args:
        model: in evaluation mode.
        tokenizer: the model's.
        clips: each at most 30 s; what is longer is refused, never cut.
        options: how.
        progress: called with the number of clips each batch has finished.

    Raises:
        ValueError: a clip is longer than 30 s.
        ParlureError: an unknown language or task, more terms than a prompt holds, or audio that cannot be read.
    """
    return decode_by(TorchListener(model, tokenizer), clips, options, progress)


@torch.inference_mode()
def decode_by(
    listener: Listener,
    clips: Sequence[Clip],
    options: DecodingOptions,
    progress: Callable[[int], None] | None = None,
) -> list[Hypothesis]:
    """The same by whatever library runs the model."""
    found: dict[int, Hypothesis] = {}
    for window_s, chosen in batches_of(clips, options):
        waves = window_waves([clips[index].read() for index in chosen], window_s)
        rows = _decode_batch(listener, waves, [clips[index].id for index in chosen], options)
        found.update(zip(chosen, rows, strict=True))
        if progress:
            progress(len(chosen))
    return [found[index] for index in range(len(clips))]


def batches_of(clips: Sequence[Clip], options: DecodingOptions) -> Iterator[tuple[float, list[int]]]:
    """Window in seconds and the indices of the clips decoded in it together."""

    def window_s(index: int) -> float:
        return WINDOW_S if options.window == "full" else short_window_s(clips[index].duration_s)

    order = sorted(range(len(clips)), key=lambda index: (-clips[index].duration_s, index))
    for length_s, group in groupby(order, key=window_s):
        members = list(group)
        # a step of the decoder costs little more for more rows; at 30 s the memory of their encoder outputs decides
        size = options.batch_size if length_s == WINDOW_S else 2 * options.batch_size
        for start in range(0, len(members), size):
            yield length_s, members[start : start + size]


def window_waves(sounds: Iterable[Samples], window_s: float = WINDOW_S) -> torch.Tensor:
    """Utterances followed by silence up to the window's end, shape ``(n_utterances, n_samples)``.

    Raises:
        ValueError: one does not fit; it is never cut.
    """
    n_samples, rows = round(window_s * SAMPLE_RATE), []
    for sound in sounds:
        if len(sound) > n_samples:
            raise ValueError(f"a clip of {len(sound) / SAMPLE_RATE:.1f} s does not fit a window of {window_s:g} s")
        rows.append(np.pad(sound, (0, n_samples - len(sound))))
    return torch.from_numpy(np.stack(rows))


def text_of(tokenizer: WhisperTokenizer, tokens: Iterable[int]) -> str:
    """The text that tokens spell, control tokens and timestamps left out by their ids.

    The tokenizer's own ``decode`` deletes by its looks whatever resembles a timestamp, said or not.
    """
    end = SpecialTokens.of(tokenizer).end  # every id from it on is a control token or a timestamp
    return str(tokenizer.backend_tokenizer.decode([id_ for id_ in tokens if id_ < end])).strip()


def identify_language(
    model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, encoded: torch.Tensor
) -> list[str]:
    """The most probable language of each row of encoder output ``(n_utterances, n_positions, d)``."""
    return identified_by(Stepper(model, encoded), tokenizer, len(encoded), encoded.device)


def identified_by(stepper: Stepping, tokenizer: WhisperTokenizer, n_rows: int, device: torch.device) -> list[str]:
    """By a stepper that has read nothing, and has then read nothing again."""
    start = torch.full((n_rows, 1), SpecialTokens.of(tokenizer).start, device=device)
    scores = stepper(start)[:, 0]
    stepper.restart()
    return most_probable(language_ids(tokenizer), scores)


def _decode_batch(
    listener: Listener, waves: torch.Tensor, names: Sequence[str], options: DecodingOptions
) -> list[Hypothesis]:
    tokenizer, device = listener.tokenizer, listener.device
    stepper = listener.hear(waves)
    before = ids_before(tokenizer, options)
    identified = None
    # what a model is told of must not tell it the language: it is asked before
    if options.language is None or (before and options.identifies):
        identified = identified_by(stepper, tokenizer, len(names), device)
    languages = [options.language] * len(names) if options.language is not None else identified or []
    asked = [[*before, *prompt_ids(tokenizer, code, options.task)] for code in languages]
    prompts = torch.tensor(asked, device=device)
    found = search(stepper, prompts, _rules(listener, prompts.shape[1], len(before), options), options.beam_size)
    for row in found:
        if row.no_speech_prob > options.no_speech_threshold and row.avg_logprob < LOGPROB_THRESHOLD:
            row.fall_silent()
    for row, code in zip(found, identified or (), strict=False):
        row.identified = code
    return [
        Hypothesis(
            id=name,
            text=text_of(tokenizer, row.tokens),
            language=language,
            segments=None,
            no_speech_prob=row.no_speech_prob,
            avg_logprob=row.avg_logprob,
            tokens=tuple(row.tokens),
            truncated=not (row.ended or row.looped),
            identified=row.identified if options.identifies else None,
            looped=row.looped,
        )
        for name, language, row in zip(names, languages, found, strict=True)
    ]


def ids_before(tokenizer: WhisperTokenizer, options: DecodingOptions) -> tuple[int, ...]:
    """What stands before the start token: a text as if said just before, or else terms.

    Raises:
        ParlureError: it is longer than what Whisper reads there.
    """
    return tuple(previous_ids(tokenizer, options.prompt)) if options.prompt else terms_prompt(tokenizer, options.terms)


def search(stepper: Stepping, prompts: torch.Tensor, rules: Rules, beam_size: int) -> list[Row]:
    """Greedily with one beam, else by beam search."""
    return greedy(stepper, prompts, rules) if beam_size == 1 else beam_search(stepper, prompts, rules, beam_size)


def _rules(listener: Listener, n_prompt: int, n_before: int, options: DecodingOptions) -> Rules:
    """Without times: the model's own lists, and every timestamp, are never written."""
    special, n_vocabulary, settings = SpecialTokens.of(listener.tokenizer), listener.n_vocabulary, listener.settings
    never = {*(settings.suppress_tokens or []), *range(special.no_timestamps, n_vocabulary)}
    return Rules(
        end=special.end,
        no_speech=special.no_speech,
        languages=language_ids(listener.tokenizer),
        never=suppression(n_vocabulary, sorted(never - {special.end}), listener.device),
        never_first=suppression(n_vocabulary, settings.begin_suppress_tokens or [], listener.device),
        n_tokens=min(options.max_new_tokens, MAX_TOKENS - n_prompt),
        no_speech_threshold=options.no_speech_threshold,
        loop_guard=options.loop_guard,
        n_before=n_before,
    )
