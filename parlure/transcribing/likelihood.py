"""Transcripts and their sound → how probable each is to a model, token by token, as training has it read them.

The decoder is given the transcript itself (teacher forcing) and asked at every position for the token that comes next.
The sum of what that costs, in nats, is what a search would have paid for the same text: it can be held against the
log-probability of the text that the search has found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.speech.audio import Samples
from parlure.speech.features import WINDOW_S, log_mel
from parlure.transcribing.decode import window_waves
from parlure.whisper.prompt import IGNORED, Labels, SpecialTokens


@dataclass(frozen=True)
class Likelihood:
    """What a transcript costs a model.

    Attributes:
        nats: the sum of the negative log-probabilities of its tokens, the end included.
        n_tokens: how many they are.
        worst: the word with the least probable token, as it is written; empty where nobody speaks.
        worst_probability: of that token, 0 to 1.
    """

    nats: float
    n_tokens: int
    worst: str
    worst_probability: float


@torch.inference_mode()
def likelihoods(
    model: WhisperForConditionalGeneration,
    tokenizer: WhisperTokenizer,
    sounds: Sequence[Samples],
    labels: Sequence[Labels],
    window_s: float = WINDOW_S,
) -> list[Likelihood]:
    """One for each transcript, in its order; all of them go through the model together.

    Args:
        model: in evaluation mode.
        tokenizer: the model's.
        sounds: none longer than the window.
        labels: the transcripts, as :func:`parlure.whisper.prompt.encode_labels` makes them.
        window_s: seconds that the encoder is fed; less than 30 only for a model that was tuned on such.

    Raises:
        ValueError: a sound does not fit into the window.
    """
    end = SpecialTokens.of(tokenizer).end
    longest = max(len(one.inputs) for one in labels)
    inputs = torch.tensor([[*one.inputs, *[end] * (longest - len(one.inputs))] for one in labels])
    features = log_mel(window_waves(sounds, window_s).to(model.device), model.config.num_mel_bins).to(model.dtype)
    hidden = model.model.decoder(
        input_ids=inputs.to(model.device),
        encoder_hidden_states=model.model.encoder(features).last_hidden_state,
        use_cache=False,
    ).last_hidden_state
    return [_likelihood(model, tokenizer, row, one) for row, one in zip(hidden, labels, strict=True)]


def _likelihood(
    model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, hidden: torch.Tensor, labels: Labels
) -> Likelihood:
    """Of one row of the decoder's output, ``(n_positions, d)``; what stands behind its own tokens is not looked at."""
    places = [place for place, target in enumerate(labels.targets) if target != IGNORED]
    targets = torch.tensor([labels.targets[place] for place in places], device=hidden.device)
    shares = model.proj_out(hidden[places]).float().log_softmax(dim=-1)  # (n_scored, n_vocabulary)
    costs = (-shares.gather(1, targets[:, None])[:, 0]).tolist()
    word, cost = _worst_word(tokenizer, targets.tolist(), costs)
    return Likelihood(sum(costs), len(costs), word, math.exp(-cost))


def _worst_word(tokenizer: WhisperTokenizer, ids: Sequence[int], costs: Sequence[float]) -> tuple[str, float]:
    """The word that holds the dearest token, and what that costs; without words the dearest token's cost alone."""
    end = SpecialTokens.of(tokenizer).end
    spell = tokenizer.backend_tokenizer.decode
    words: list[tuple[list[int], float]] = []
    for id_, cost in zip(ids, costs, strict=True):
        if id_ >= end:  # the end, or <|nospeech|>
            continue
        if not words or spell([id_]).startswith(" "):
            words.append(([id_], cost))
        else:
            tokens, dearest = words[-1]
            words[-1] = [*tokens, id_], max(dearest, cost)
    if not words:
        return "", max(costs)
    tokens, dearest = max(words, key=lambda one: one[1])
    return spell(tokens).strip(), dearest
