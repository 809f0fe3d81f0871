"""Speakers and sessions → blocks, the independent units of all intervals and tests.

Errors of one speaker, and of one conversation, resemble each other; utterances are not independent observations. A
block is a connected component of "same speaker or same session" (the blockwise view of Bisani & Ney 2004 and of
Liu & Peng 2020, arXiv 1912.09508).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt


def block_numbers(speakers: Sequence[str | None], sessions: Sequence[str | None]) -> list[int]:
    """Number each utterance's block: 0, 1, … in order of appearance.

    Two utterances share a block when a chain of common speakers and common sessions links them. An utterance with
    neither speaker nor session is a block of its own, which is optimistic: reports warn about it.
    """
    parents: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    for index, (speaker, session) in enumerate(zip(speakers, sessions, strict=True)):
        utterance: Hashable = ("utterance", index)
        if speaker is not None:
            parents[root(utterance)] = root(("speaker", speaker))
        if session is not None:
            parents[root(utterance)] = root(("session", session))
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(root(("utterance", index)), len(numbers)) for index in range(len(speakers))]


def block_sums(values: Sequence[int], blocks: Sequence[int]) -> npt.NDArray[np.int64]:
    """Sum integers by block, shape (n_blocks,)."""
    sums = np.zeros(max(blocks, default=-1) + 1, np.int64)
    np.add.at(sums, np.asarray(blocks, np.intp), np.asarray(values, np.int64))
    return sums
