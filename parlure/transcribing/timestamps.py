"""One window in torch, greedy, with timestamps among the tokens: the rules of openai/whisper ``ApplyTimestampRules``.

Tokens are those of transformers' ``generate`` (tested); what is ours is that windows come one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.speech.audio import Samples
from parlure.speech.features import N_WINDOW_FRAMES, log_mel
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.longform import first_language
from parlure.transcribing.rows import suppression
from parlure.transcribing.stepping import Stepper
from parlure.transcribing.windows import HeardWindow, TimedRow, heard_window, padded, prompts, walk, window_at
from parlure.whisper.prompt import MAX_TOKENS, SpecialTokens


@dataclass(frozen=True)
class TimestampRules:
    """What may be written next.

    Attributes:
        special: ids.
        never: what is added to scores, 0 or -inf, shape ``(n_vocabulary,)``.
        last_initial: the latest timestamp that may come first, an id; None: any.
    """

    special: SpecialTokens
    never: torch.Tensor
    last_initial: int | None

    @classmethod
    def of(cls, model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer) -> TimestampRules:
        """The model's own."""
        settings, special = model.generation_config, SpecialTokens.of(tokenizer)
        never = sorted({*(settings.suppress_tokens or []), special.no_timestamps} - {special.end})
        latest = getattr(settings, "max_initial_timestamp_index", None)
        return cls(
            special,
            suppression(model.config.vocab_size, never, model.device),
            None if latest is None else special.timestamp_begin + int(latest),
        )

    def logprobs(self, scores: torch.Tensor, tokens: Sequence[int]) -> torch.Tensor:
        """Log-probabilities among what may follow the tokens written so far, shape ``(n_vocabulary,)``."""
        end, begin = self.special.end, self.special.timestamp_begin
        scores = scores + self.never
        if not tokens:  # a phrase begins with its time
            scores[:begin] = -torch.inf
            if self.last_initial is not None:
                scores[self.last_initial + 1 :] = -torch.inf
        elif tokens[-1] >= begin:
            if len(tokens) < 2 or tokens[-2] >= begin:  # two times stand side by side, never three
                scores[begin:] = -torch.inf
            else:  # a phrase has ended: the next one's time, or the end
                scores[:end] = -torch.inf
        times = [token for token in tokens if token >= begin]
        if times:  # they never decrease, and a phrase lasts
            ends_phrase = tokens[-1] >= begin and len(tokens) >= 2 and tokens[-2] < begin
            scores[begin : times[-1] + (not ends_phrase)] = -torch.inf
        logprobs = scores.log_softmax(-1)
        if logprobs[begin:].logsumexp(-1) > logprobs[:begin].max():  # times together are likelier than any word
            scores[:begin] = -torch.inf
            logprobs = scores.log_softmax(-1)
        return logprobs


def windows(
    model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, samples: Samples, options: DecodingOptions
) -> Iterator[HeardWindow]:
    """Decode a recording of any length, window after window.

    Args:
        model: in evaluation mode.
        tokenizer: the model's.
        samples: 16 kHz, mono.
        options: how; beams and the loop guard have no part.

    Raises:
        ParlureError: an unknown language or task, or a prompt longer than what Whisper reads.
    """
    wave = padded(samples)
    features = log_mel(wave.to(model.device), model.config.num_mel_bins).cpu().numpy()
    language = options.language or first_language(model, tokenizer, samples)
    first, others = prompts(tokenizer, language, options)
    rules, n_frames = TimestampRules.of(model, tokenizer), features.shape[-1]

    def hear(place: int, n_heard: int) -> TimedRow:
        prompt = others if place else first
        limit = min(options.max_new_tokens if n_frames > N_WINDOW_FRAMES else MAX_TOKENS, MAX_TOKENS - len(prompt))
        return _greedy(model, window_at(features, place), prompt, rules, limit)

    for place, row, phrases in walk(n_frames, options, rules.special.timestamp_begin, hear):
        yield heard_window(tokenizer, language, place, row, phrases)


@torch.inference_mode()
def _greedy(
    model: WhisperForConditionalGeneration, window: np.ndarray, prompt: Sequence[int], rules: TimestampRules, limit: int
) -> TimedRow:
    """The most probable token at every step, ``limit`` of them at most, the end included."""
    features = torch.from_numpy(window).to(model.device, model.dtype)
    stepper, special = Stepper(model, model.model.encoder(features).last_hidden_state), rules.special
    read = stepper(torch.tensor([list(prompt)], device=model.device), (prompt.index(special.start), -1))[0]
    no_speech_prob = float(read[0].softmax(-1)[special.no_speech])
    scores, tokens, total = read[1], list[int](), 0.0
    for n_written in range(1, limit + 1):
        best = rules.logprobs(scores, tokens).max(-1)
        total, token = total + float(best.values), int(best.indices)
        if token == special.end:
            break
        tokens.append(token)
        if n_written < limit:
            scores = stepper(torch.tensor([[token]], device=model.device))[0, 0]
    return TimedRow(tuple(tokens), no_speech_prob, total / n_written)
