"""Audio read ahead: while one step is computed, threads read and decode what the next one takes.

Reading, decoding and resampling are C code that leaves Python's lock, so threads do.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from parlure.training.batches import MicroBatch, Tensors, collate


class Feeder:
    """Gives the tensors of forward passes, begun beforehand or not."""

    def __init__(self, end_id: int, n_threads: int = 2) -> None:
        """See :func:`parlure.training.batches.collate` for ``end_id``."""
        self._end_id = end_id
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="feeder")
        self._begun: dict[int, tuple[MicroBatch, Future[Tensors]]] = {}

    def begin(self, batches: Iterable[MicroBatch]) -> None:
        """Start to read what will be taken soon."""
        for batch in batches:
            self._begun[id(batch)] = (batch, self._pool.submit(collate, batch, self._end_id))

    def take(self, batch: MicroBatch) -> Tensors:
        """The tensors of a forward pass.

        Raises:
            AudioError: a recording cannot be read.
        """
        _, begun = self._begun.pop(id(batch), (batch, None))
        return collate(batch, self._end_id) if begun is None else begun.result()

    def close(self) -> None:
        """Read nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._begun.clear()
