"""An encoder that takes log-mels shorter than 30 s: Whisper's own layers on the first of its positions.

Whisper was trained on 30 s windows only and falls apart on shorter input until it is tuned on it
(futo-org/whisper-acft; CTranslate2 issue 2100). Whoever shortens the input must have tuned for it.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.whisper.modeling_whisper import WhisperEncoder


def allow_short_input(model: WhisperForConditionalGeneration) -> None:
    """Let the model's encoder take any even number of frames up to its window.

    At the full window the output is bit for bit that of the stock encoder. ``layerdrop`` is not applied.
    """
    encoder = model.model.encoder
    encoder.forward = types.MethodType(_forward, encoder)


def _forward(
    self: WhisperEncoder,
    input_features: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    first_positions: torch.Tensor | None = None,
    **kwargs: Any,
) -> BaseModelOutput:
    """``input_features``: shape ``(n_utterances, n_mels, n_frames)``; half as many positions come out.

    ``first_positions``: where in the window each row begins, shape ``(n_utterances,)``; at 0 unless given.
    """
    hidden = nn.functional.gelu(self.conv1(input_features))
    hidden = nn.functional.gelu(self.conv2(hidden)).permute(0, 2, 1)
    if first_positions is None:
        hidden = hidden + self.embed_positions.weight[: hidden.shape[1]]
    else:
        places = first_positions[:, None] + torch.arange(hidden.shape[1], device=hidden.device)
        # past the window's end stands only the padding of a batch
        hidden = hidden + self.embed_positions(places.clamp(max=self.embed_positions.num_embeddings - 1))
    hidden = nn.functional.dropout(hidden, p=self.dropout, training=self.training)
    for layer in self.layers:
        output = layer(hidden, None)
        hidden = output[0] if isinstance(output, tuple) else output
    return BaseModelOutput(last_hidden_state=self.layer_norm(hidden))
