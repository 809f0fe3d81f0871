"""Whisper as two graphs without hidden state, plain enough for any exporter: sound → keys and values, ids → logits.

The layers' own weights do the work, in the order and with the scaling of transformers' ``WhisperModel`` (whose own code
builds masks and cache objects that exporters stumble over). The encoder's graph goes on to what every layer of the
decoder attends to, so that this is projected once an utterance; the decoder's takes what it has read so far as tensors
and gives them back, longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration


class EncoderGraph(nn.Module):
    """Log-mels → what each layer of the decoder attends to."""

    def __init__(self, model: WhisperForConditionalGeneration) -> None:
        """Take the weights of a model in evaluation mode, adapters merged."""
        super().__init__()
        self.encoder: Any = model.model.encoder
        self.cross: Any = nn.ModuleList([layer.encoder_attn for layer in model.model.decoder.layers])

    def forward(self, input_features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Shape ``(n, n_mels, n_frames)`` → keys and values of each decoder layer in turn.

        Keys are ``(n, n_heads, d_head, n_positions)``, as every step multiplies them; values
        ``(n, n_heads, n_positions, d_head)``; half as many positions as frames.
        """
        encoder, found = self.encoder, list[torch.Tensor]()
        hidden = nn.functional.gelu(encoder.conv1(input_features))
        hidden = nn.functional.gelu(encoder.conv2(hidden)).permute(0, 2, 1)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        for layer in encoder.layers:
            own, normed = layer.self_attn, layer.self_attn_layer_norm(hidden)
            keys, values = _by_head(own.k_proj(normed), own), _by_head(own.v_proj(normed), own)
            hidden = hidden + _attend(own, normed, keys.transpose(2, 3), values)
            hidden = hidden + _feed_forward(layer, hidden)
        encoded = encoder.layer_norm(hidden)
        for attention in self.cross:
            found.append(_by_head(attention.k_proj(encoded), attention).transpose(2, 3))
            found.append(_by_head(attention.v_proj(encoded), attention))
        return tuple(found)


class DecoderGraph(nn.Module):
    """Ids and what was read before them → logits, and what was read with them."""

    def __init__(self, model: WhisperForConditionalGeneration) -> None:
        """Take the weights of a model in evaluation mode, adapters merged."""
        super().__init__()
        self.decoder: Any = model.model.decoder
        self.to_scores: Any = model.proj_out

    def forward(
        self, ids: torch.Tensor, past: Sequence[torch.Tensor], cross: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, ...]:
        """Score what may follow each id.

        Args:
            ids: shape ``(n, n_ids)``.
            past: keys and values of each layer in turn, ``(n, n_heads, n_past, d_head)``; at first of no position.
            cross: what :class:`EncoderGraph` gives.

        Returns:
            Logits ``(n, n_ids, n_vocabulary)``, then keys and values of each layer, longer by ``n_ids``.
        """
        decoder, n_past, n_ids = self.decoder, past[0].shape[2], ids.shape[1]
        reads = torch.arange(n_past, n_past + n_ids, device=ids.device)
        hidden = decoder.embed_tokens(ids) + decoder.embed_positions.weight[reads]
        # an id sees those before it, and itself
        behind = torch.arange(n_past + n_ids, device=ids.device)[None, :] > reads[:, None]
        bias = torch.where(behind, torch.finfo(hidden.dtype).min, 0.0).to(hidden.dtype)
        read: list[torch.Tensor] = []
        for number, layer in enumerate(decoder.layers):
            own, normed = layer.self_attn, layer.self_attn_layer_norm(hidden)
            keys = torch.cat((past[2 * number], _by_head(own.k_proj(normed), own)), dim=2)
            values = torch.cat((past[2 * number + 1], _by_head(own.v_proj(normed), own)), dim=2)
            read += [keys, values]
            hidden = hidden + _attend(own, normed, keys.transpose(2, 3), values, bias)
            normed = layer.encoder_attn_layer_norm(hidden)
            hidden = hidden + _attend(layer.encoder_attn, normed, cross[2 * number], cross[2 * number + 1])
            hidden = hidden + _feed_forward(layer, hidden)
        return (self.to_scores(decoder.layer_norm(hidden)), *read)


def _by_head(hidden: torch.Tensor, attention: Any) -> torch.Tensor:
    """``(n, length, d)`` → ``(n, n_heads, length, d_head)``."""
    n, length, _ = hidden.shape
    return hidden.view(n, length, attention.num_heads, attention.head_dim).transpose(1, 2)


def _attend(
    attention: Any, hidden: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """``(n, length, d)`` → the same shape; ``keys`` with their positions last, ``bias`` is added to the weights."""
    weights = _by_head(attention.q_proj(hidden) * attention.scaling, attention) @ keys
    if bias is not None:
        weights = weights + bias
    attended = weights.softmax(-1) @ values
    projected: torch.Tensor = attention.out_proj(attended.transpose(1, 2).flatten(2))
    return projected


def _feed_forward(layer: Any, hidden: torch.Tensor) -> torch.Tensor:
    widened = layer.activation_fn(layer.fc1(layer.final_layer_norm(hidden)))
    narrowed: torch.Tensor = layer.fc2(widened)
    return narrowed
