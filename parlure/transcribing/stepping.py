"""Whisper's decoder, a few tokens at a time, on one batch of encoder output: nothing is computed twice.

The layers' own modules do the work, in the order and with the scaling of transformers' ``WhisperDecoder``, so that
adapters and any number format stay as they are; what is left out is what that decoder builds anew for every token:
masks, positions, cache objects. The encoder output's keys and values are projected once. A row that has ended costs
nothing more, and the beams of an utterance share its keys and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import WhisperForConditionalGeneration

_ROOM = 64  # positions that the memory of what was written grows by: most utterances need no second helping


class Stepping(Protocol):
    """A decoder of whatever library, as the searches use it: see :class:`Stepper` for what each method means."""

    def __call__(self, ids: torch.Tensor, at: Sequence[int] | None = None) -> torch.Tensor: ...

    def restart(self) -> None: ...

    def keep(self, places: Sequence[int]) -> list[int]: ...

    def spread(self, n_beams: int) -> None: ...

    def follow(self, rows: torch.Tensor) -> None: ...


class Stepper:
    """A decoder that remembers what it has read of each row.

    Rows are utterances until :meth:`spread` makes several beams of each.

    Attributes:
        n_read: positions read so far, the same for every row.
    """

    def __init__(self, model: WhisperForConditionalGeneration, encoded: torch.Tensor) -> None:
        """Project the encoder output.

        Args:
            model: in evaluation mode; adapters may be inside.
            encoded: its encoder's output, shape ``(n_utterances, n_positions, d)``.
        """
        self._decoder, self._to_scores = model.model.decoder, model.proj_out
        self._n_heads: int = self._decoder.layers[0].encoder_attn.num_heads
        # contiguous, for every token reads all of it
        self._heard = [
            (
                self._by_head(layer.encoder_attn.k_proj(encoded)).contiguous(),
                self._by_head(layer.encoder_attn.v_proj(encoded)).contiguous(),
            )
            for layer in self._decoder.layers
        ]
        self._written: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.n_read = 0

    def __call__(self, ids: torch.Tensor, at: Sequence[int] | None = None) -> torch.Tensor:
        """Read ids and score what may follow them.

        Args:
            ids: the next of each row, shape ``(n_rows, n_ids)``; several only before anything was read.
            at: places among them, if not all are to be scored.

        Returns:
            Logits in fp32, shape ``(n_rows, n_scored, n_vocabulary)``.
        """
        decoder = self._decoder
        hidden = decoder.embed_tokens(ids) + decoder.embed_positions(ids, past_key_values_length=self.n_read)
        for number, layer in enumerate(decoder.layers):
            attended = self._attend_to_written(number, layer.self_attn, layer.self_attn_layer_norm(hidden))
            hidden = hidden + attended
            attended = self._attend_to_heard(number, layer.encoder_attn, layer.encoder_attn_layer_norm(hidden))
            hidden = hidden + attended
            hidden = hidden + layer.fc2(layer.activation_fn(layer.fc1(layer.final_layer_norm(hidden))))
        self.n_read += ids.shape[1]
        scores: torch.Tensor = self._to_scores(decoder.layer_norm(hidden if at is None else hidden[:, at])).float()
        return scores

    def restart(self) -> None:
        """Forget what was read, not what was heard."""
        self.n_read = 0

    def keep(self, places: Sequence[int]) -> list[int]:
        """Go on with some of the utterances.

        The last ones move into the gaps, so that only they are copied.

        Args:
            places: of those that go on, ascending.

        Returns:
            The place that each of them had, in the order that they now have.
        """
        n_kept, (order, gaps, movers) = len(places), gaps_filled(places)
        n_utterances = len(self._heard[0][0])

        def kept(memory: torch.Tensor) -> torch.Tensor:
            by_utterance = memory.view(n_utterances, -1, *memory.shape[1:])
            if gaps:
                by_utterance[gaps] = by_utterance[movers]
            return by_utterance[:n_kept].flatten(0, 1)

        self._heard = [(kept(keys), kept(values)) for keys, values in self._heard]
        self._written = [(kept(keys), kept(values)) for keys, values in self._written]
        return order

    def spread(self, n_beams: int) -> None:
        """Make as many rows of each utterance, which stand next to each other."""
        self._written = [
            (keys.repeat_interleave(n_beams, 0), values.repeat_interleave(n_beams, 0)) for keys, values in self._written
        ]

    def follow(self, rows: torch.Tensor) -> None:
        """Let every row go on from what another row of its utterance has read, ``rows`` of shape ``(n_rows,)``."""
        for memory in (memory for pair in self._written for memory in pair):
            memory[:, :, : self.n_read] = memory[rows, :, : self.n_read]

    def _by_head(self, hidden: torch.Tensor) -> torch.Tensor:
        """``(n, length, d)`` → ``(n, n_heads, length, d / n_heads)``."""
        return hidden.view(*hidden.shape[:2], self._n_heads, -1).transpose(1, 2)

    def _attend_to_written(self, number: int, attention: Any, hidden: torch.Tensor) -> torch.Tensor:
        """Self-attention of one layer, ``(n_rows, n_ids, d)`` → the same; the rows' keys and values are kept."""
        start, end = self.n_read, self.n_read + hidden.shape[1]
        fresh = self._by_head(attention.k_proj(hidden)), self._by_head(attention.v_proj(hidden))
        if number == len(self._written):
            self._written.append((_room_for(fresh[0], end), _room_for(fresh[1], end)))
        elif end > self._written[number][0].shape[2]:
            keys, values = self._written[number]
            more = _room_for(keys, end - keys.shape[2])  # after a restart many may come at once
            self._written[number] = torch.cat((keys, more), 2), torch.cat((values, more), 2)
        keys, values = self._written[number]
        keys[:, :, start:end], values[:, :, start:end] = fresh
        query = self._by_head(attention.q_proj(hidden) * attention.scaling)
        attended = scaled_dot_product_attention(
            query, keys[:, :, :end], values[:, :, :end], is_causal=end - start > 1, scale=1.0
        )
        return _projected(attention, attended)

    def _attend_to_heard(self, number: int, attention: Any, hidden: torch.Tensor) -> torch.Tensor:
        """Cross-attention of one layer; an utterance's beams are so many queries of the same keys."""
        keys, values = self._heard[number]
        query = (attention.q_proj(hidden) * attention.scaling).reshape(len(keys), -1, hidden.shape[-1])
        attended = scaled_dot_product_attention(self._by_head(query), keys, values, scale=1.0)
        return _projected(attention, attended).view_as(hidden)


def gaps_filled(places: Sequence[int]) -> tuple[list[int], list[int], Sequence[int]]:
    """How some of many close up with few moves: those in the last places go into the gaps.

    Args:
        places: of those that go on, ascending.

    Returns:
        The place that each of them had, in the order that they then have; the gaps; who moves into each.
    """
    n_kept, staying = len(places), set(places)
    gaps = [place for place in range(n_kept) if place not in staying]
    order, movers = list(range(n_kept)), places[n_kept - len(gaps) :]
    for gap, mover in zip(gaps, movers, strict=True):
        order[gap] = mover
    return order, gaps, movers


def _projected(attention: Any, attended: torch.Tensor) -> torch.Tensor:
    """``(n, n_heads, length, d / n_heads)`` → the layer's output, ``(n, length, d)``."""
    projected: torch.Tensor = attention.out_proj(attended.transpose(1, 2).flatten(2))
    return projected


def _room_for(like: torch.Tensor, n_positions: int) -> torch.Tensor:
    """Memory for positions, rounded up, of the rows and heads of another."""
    shape = (*like.shape[:2], -(-n_positions // _ROOM) * _ROOM, like.shape[3])
    return like.new_empty(shape)
