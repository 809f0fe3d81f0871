"""The decoder of an ONNX folder, a few tokens at a time: what :mod:`parlure.transcribing.stepping` is to torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from parlure.transcribing.stepping import gaps_filled

_MAX_IDS = 32  # read at once: the graph scores every id, and a long prompt's scores would fill the memory


class OnnxStepper:
    """A decoder graph and what it has heard and read of each row, as :class:`parlure.transcribing.stepping.Stepping`.

    The graph knows rows alone: the beams of an utterance have a copy each of what was heard.
    """

    def __init__(self, session: Any, heard: Sequence[np.ndarray]) -> None:
        """Before anything was read.

        Args:
            session: onnxruntime's, of the decoder.
            heard: the encoder's outputs, in their order.
        """
        self._session, self._heard = session, list(heard)
        names = [one.name for one in session.get_inputs()]
        self._past_names = [name for name in names if name.startswith("past_")]
        self._cross_names = [name for name in names if name.startswith("cross_")]
        self._n_utterances = len(self._heard[0])
        self._past: list[np.ndarray] = []
        self.restart()

    def __call__(self, ids: torch.Tensor, at: Sequence[int] | None = None) -> torch.Tensor:
        """Read ids ``(n_rows, n_ids)`` and score what may follow them, or those ``at`` some places among them.

        Returns:
            Logits, shape ``(n_rows, n_scored, n_vocabulary)``.
        """
        n_ids = ids.shape[1]
        wanted = [place % n_ids for place in (range(n_ids) if at is None else at)]
        scored: dict[int, np.ndarray] = {}
        for start in range(0, n_ids, _MAX_IDS):
            scores = self._read(ids[:, start : start + _MAX_IDS].numpy())
            scored |= {place: scores[:, place - start] for place in wanted if start <= place < start + _MAX_IDS}
        if len(wanted) == 1:
            return torch.from_numpy(scored[wanted[0]])[:, None]
        return torch.from_numpy(np.stack([scored[place] for place in wanted], 1))

    def _read(self, ids: np.ndarray) -> np.ndarray:
        fed = {"ids": ids, **dict(zip(self._past_names, self._past, strict=True))}
        scores, *self._past = self._session.run(None, fed | dict(zip(self._cross_names, self._heard, strict=True)))
        return np.asarray(scores)

    def restart(self) -> None:
        """Forget what was read, not what was heard."""
        n_rows, n_heads, d_head, _ = self._heard[0].shape
        self._past = [np.zeros((n_rows, n_heads, 0, d_head), self._heard[0].dtype) for _ in self._past_names]

    def keep(self, places: Sequence[int]) -> list[int]:
        """Go on with some of the utterances; the place that each of them had, in the order that they now have."""
        order, _, _ = gaps_filled(places)
        n_beams = len(self._heard[0]) // self._n_utterances
        rows = [place * n_beams + beam for place in order for beam in range(n_beams)]
        self._heard = [one[rows] for one in self._heard]
        self._past = [one[rows] for one in self._past]
        self._n_utterances = len(order)
        return order

    def spread(self, n_beams: int) -> None:
        """Make as many rows of each utterance, which stand next to each other."""
        self._heard = [one.repeat(n_beams, 0) for one in self._heard]
        self._past = [one.repeat(n_beams, 0) for one in self._past]

    def follow(self, rows: torch.Tensor) -> None:
        """Let every row go on from what another row of its utterance has read, ``rows`` of shape ``(n_rows,)``."""
        self._past = [one[rows.numpy()] for one in self._past]
