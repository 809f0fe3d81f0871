"""How much the best of several trials owes to having been chosen on the very utterances that its WER is of.

Two bootstraps over blocks of dev, between which the truth lies in simulations (docs/LOG.md). If trials differ as much
as they seem to: the optimism of a choice (Efron 1983, "Estimating the error rate of a prediction rule", applied to a
minimum): the trial that is lowest on a draw is looked up on dev itself, and what it loses on average is what the choice
flatters. If they are all equally good: the lowest of their deviations in a draw from what they have on dev.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from parlure.scoring.blocks import block_numbers, block_sums

_DRAWS = 2_000


@dataclass(frozen=True)
class Flattery:
    """Points by which the lowest of several WERs is too low on average, because it was chosen.

    Attributes:
        low: if the trials differ as they seem to.
        high: if they are all equally good.
        n_blocks: over which this was estimated; with one it cannot be, and both are 0.
    """

    low: float
    high: float
    n_blocks: int


def flattery(errors: npt.NDArray[np.int64], words: npt.NDArray[np.int64], seed: int = 0) -> Flattery:
    """Estimate it.

    Args:
        errors: shape (n_trials, n_blocks).
        words: reference words of the blocks, shape (n_blocks,); some draw must hold one.
        seed: of the draws.
    """
    n_blocks = len(words)
    times = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), _DRAWS).T
    times = times[:, words @ times > 0]
    rates = 100 * (errors @ times) / (words @ times)
    on_dev = 100 * errors.sum(axis=1, keepdims=True) / words.sum()
    best, draws = rates.argmin(axis=0), np.arange(rates.shape[1])
    low = float(np.mean(on_dev[best, 0] - rates[best, draws]))
    high = float(np.mean(-(rates - on_dev).min(axis=0)))
    return Flattery(max(0.0, min(low, high)), max(0.0, high), n_blocks)


def flattery_of(runs: Sequence[Path], name: str) -> Flattery | None:
    """The same for runs by their file ``name`` of errors by utterance; a block is what shares a speaker or a session.

    None if there are no files, or they are not of the same utterances.
    """
    rows = [_rows(run / name) for run in runs if (run / name).exists()]
    ids = [[row["id"] for row in one] for one in rows]
    if not rows or any(one != ids[0] for one in ids):
        return None
    blocks = block_numbers([row["speaker"] for row in rows[0]], [row["session"] for row in rows[0]])
    errors = np.stack([block_sums([int(row["errors"]) for row in one], blocks) for one in rows])
    return flattery(errors, block_sums([int(row["words"]) for row in rows[0]], blocks))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
