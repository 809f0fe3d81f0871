"""A text and the sound it is of → what the decoder listens to while it reads each token.

Nothing of decoding changes: the stepper that decodes reads the whole text at once, and its cross-attention weights,
which the fused kernel never shows, are computed beside it for the heads that follow the sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import log_mel
from parlure.transcribing.decode import window_waves
from parlure.transcribing.stepping import Stepper
from parlure.transcribing.warping import POSITION_S, token_positions
from parlure.whisper.prompt import SpecialTokens, prompt_ids

Head = tuple[int, int]  # layer and head


def alignment_heads(model: WhisperForConditionalGeneration) -> list[Head]:
    """The heads that follow the sound: the model's own list, or all of the later half of the decoder's layers.

    OpenAI lists them for each of its checkpoints, and falls back on the same for any other (whisper/model.py).
    """
    listed = getattr(model.generation_config, "alignment_heads", None)
    if listed:
        return [(int(layer), int(head)) for layer, head in listed]
    layers = model.config.decoder_layers
    heads = model.config.decoder_attention_heads
    return [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]


@dataclass(frozen=True)
class ReadAlong:
    """What reading a text gave, for T tokens.

    Attributes:
        logprobs: of each token, shape ``(T,)``.
        end_logprobs: of the end of the text instead of each token, and after the last, shape ``(T + 1,)``.
        weights: attention while each token, and the end, is predicted, shape ``(n_heads, T + 1, n_positions)``; each
            row sums to 1 over the positions that hold sound.
    """

    logprobs: torch.Tensor
    end_logprobs: torch.Tensor
    weights: torch.Tensor


class _Listener(Stepper):
    """A stepper that keeps the cross-attention weights of some heads."""

    def __init__(self, model: WhisperForConditionalGeneration, encoded: torch.Tensor, heads: Sequence[Head]) -> None:
        super().__init__(model, encoded)
        self._kept = list(heads)
        self.weights: dict[Head, torch.Tensor] = {}

    def _attend_to_heard(self, number: int, attention: Any, hidden: torch.Tensor) -> torch.Tensor:
        mine = [head for layer, head in self._kept if layer == number]
        if mine:
            query = self._by_head((attention.q_proj(hidden) * attention.scaling)[:1])
            scores = query[0, mine].float() @ self._heard[number][0][0, mine].float().transpose(-1, -2)
            self.weights.update(zip([(number, head) for head in mine], scores, strict=True))
        return super()._attend_to_heard(number, attention, hidden)


@torch.inference_mode()
def read_along(
    model: WhisperForConditionalGeneration,
    encoded: torch.Tensor,
    prompt: Sequence[int],
    tokens: Sequence[int],
    end: int,
    n_positions: int,
) -> ReadAlong:
    """Read a text to the decoder and note how probable each token is and what is listened to meanwhile.

    Args:
        model: in evaluation mode.
        encoded: one window's encoder output, shape ``(1, n, d)``.
        prompt: ids from the start token on, without timestamps.
        tokens: the text's; with the prompt at most 448.
        end: id of the end.
        n_positions: of the encoder output, those that hold sound: 50 a second.
    """
    listener = _Listener(model, encoded, alignment_heads(model))
    ids = torch.tensor([[*prompt, *tokens]], device=encoded.device)
    places = range(len(prompt) - 1, ids.shape[1])  # whose next token is one of the text's, or the end
    scores = listener(ids, list(places))[0].log_softmax(-1)
    chosen = scores[:-1].gather(-1, ids[0, len(prompt) :, None])[:, 0]
    stacked = torch.stack(list(listener.weights.values()))[:, places.start :, :n_positions]
    return ReadAlong(chosen.cpu(), scores[:, end].cpu(), stacked.softmax(-1).cpu())


@torch.inference_mode()
def token_starts(
    model: WhisperForConditionalGeneration,
    tokenizer: WhisperTokenizer,
    sound: Samples,
    tokens: Sequence[int],
    language: str,
    task: str,
) -> list[float]:
    """When each token of a text begins, and when it ends: seconds from the sound's start, ``len(tokens) + 1`` of them.

    Args:
        model: in evaluation mode.
        tokenizer: the model's.
        sound: 16 kHz, at most 30 s.
        tokens: the text's, without timestamps, at least one.
        language: Whisper's code.
        task: of the prompt.
    """
    features = log_mel(window_waves([sound]).to(model.device), model.config.num_mel_bins).to(model.dtype)
    encoded = model.model.encoder(features).last_hidden_state
    n_positions = max(1, min(encoded.shape[1], int(len(sound) / SAMPLE_RATE / POSITION_S)))
    prompt = prompt_ids(tokenizer, language, task)
    read = read_along(model, encoded, prompt, tokens, SpecialTokens.of(tokenizer).end, n_positions)
    return [float(position) * POSITION_S for position in token_positions(read.weights.numpy())]
