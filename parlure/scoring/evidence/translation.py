"""Translations into English: chrF (Popović 2015) and BLEU (Papineni et al. 2002), as sacrebleu computes them.

Rows have ``language`` (spoken), ``reference`` and ``hypotheses`` (``{SYSTEM: text}``). Neither measure is a mean over
sentences: both are a function of sums of n-gram counts. So blocks are left out, and exchanged between two systems, by
their sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from parlure.errors import missing_extra
from parlure.scoring.significance import MIN_BLOCKS, t_quantile

Sums = npt.NDArray[np.int64]  # of n-gram counts, (n_blocks, n_statistics)
Measure = Callable[[Sums], float]  # sums over all blocks → score

_EXACT_BLOCKS = 10  # 2^10 exchanges of blocks are all tried, of more so many are drawn:
_DRAWS = 2000


def translation_skills(rows: Sequence[Mapping[str, Any]], systems: Sequence[str]) -> dict[str, Any]:
    """``translation`` (chrF, the headline: no tokenizer decides it) and ``translation.bleu``.

    Raises:
        ParlureError: sacrebleu is not installed.
    """
    bleu, chrf = _metrics()
    present = [system for system in systems if system in rows[0]["hypotheses"]]
    texts = {system: [row["hypotheses"][system] for row in rows] for system in present}
    references, blocks = [row["reference"] for row in rows], [row["block"] for row in rows]
    return {
        name: _judged(metric, unit, texts, references, blocks)
        for name, metric, unit in (
            ("translation", chrf, "chrF, 0 to 100"),
            ("translation.bleu", bleu, "BLEU, 0 to 100"),
        )
    }


def needs_sacrebleu() -> None:
    """Raise unless sacrebleu is there, before anything is decoded.

    Raises:
        ParlureError: it is not installed.
    """
    _metrics()


def _metrics() -> tuple[Any, Any]:
    try:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise missing_extra("sacrebleu", "score", "scoring translations") from error
    return BLEU(), CHRF()


def _judged(
    metric: Any, unit: str, texts: Mapping[str, Sequence[str]], references: Sequence[str], blocks: Sequence[int]
) -> dict[str, Any]:
    def measure(sums: Sums) -> float:
        return float(metric._compute_score_from_stats(sums.tolist()).score)

    # sacrebleu's own paired tests work on these two methods too (sacrebleu/significance.py); their sum is its score
    sums = {
        system: _by_block(metric._extract_corpus_statistics(own, [references]), blocks) for system, own in texts.items()
    }
    skill: dict[str, Any] = {"unit": unit, "better": "higher"}
    for system, own in sums.items():
        interval = _jackknife(own[:, :, None], lambda parts: measure(parts[:, 0]))
        clamped = interval and [max(0.0, interval[0]), min(100.0, interval[1])]
        skill[system] = {"value": measure(own.sum(axis=0)), "n": len(references), "ci95": clamped}
    skill["verdict"] = None
    if {"base", "tuned"} <= set(sums):
        skill |= _compared(sums["base"], sums["tuned"], measure)
    return skill | {"how": f"sacrebleu {metric.get_signature()}"}


def _by_block(statistics: Sequence[Sequence[int]], blocks: Sequence[int]) -> Sums:
    numbers = {block: number for number, block in enumerate(dict.fromkeys(blocks))}
    sums = np.zeros((len(numbers), len(statistics[0])), np.int64)
    np.add.at(sums, [numbers[block] for block in blocks], np.asarray(statistics, np.int64))
    return sums


def _jackknife(sums: npt.NDArray[np.int64], measure: Callable[[npt.NDArray[np.int64]], float]) -> list[float] | None:
    """The delete-one-block jackknife interval with Student's t; None for one block.

    These measures are no quotient of sums, so that the sign flips of word error rates cannot be inverted for them. With
    few blocks the jackknife is too narrow (docs/scoring.md): hence a verdict needs the exchange test besides.
    """
    n_blocks = len(sums)
    if n_blocks < 2:
        return None
    total = sums.sum(axis=0)
    without = np.array([measure(total - one) for one in sums])
    variance = (n_blocks - 1) / n_blocks * np.square(without - without.mean()).sum()
    half = t_quantile(0.975, n_blocks - 1) * math.sqrt(variance)
    estimate = measure(total)
    return [estimate - half, estimate + half]


def _compared(base: Sums, tuned: Sums, measure: Measure) -> dict[str, Any]:
    """Verdict and comparison: the interval excludes zero *and* p < 0.05, which together are conservative."""
    both = np.stack([base, tuned], axis=-1)
    interval = _jackknife(both, lambda parts: measure(parts[:, 1]) - measure(parts[:, 0]))
    difference = measure(tuned.sum(axis=0)) - measure(base.sum(axis=0))
    p_value = _exchange_p_value(base, tuned, measure)
    verdict = "no evidence"
    if len(base) < MIN_BLOCKS or interval is None:
        verdict = "too few speakers"
    elif p_value < 0.05 and interval[0] > 0:
        verdict = "better"
    elif p_value < 0.05 and interval[1] < 0:
        verdict = "worse"
    comparison = {"difference": difference, "ci95": interval, "p_value": p_value, "n_blocks": len(base)}
    return {"verdict": verdict, "comparison": comparison}


def _exchange_p_value(base: Sums, tuned: Sums, measure: Measure) -> float:
    """Two-sided p-value of the difference when blocks change sides (approximate randomisation, Riezler & Maxwell 2005).

    Exact to 10 blocks that differ; of more, 2000 seeded draws, the observed one among them.
    """
    differ = (base != tuned).any(axis=1)
    fixed_base, fixed_tuned = base[~differ].sum(axis=0), tuned[~differ].sum(axis=0)
    base, tuned = base[differ], tuned[differ]
    observed = abs(measure(fixed_tuned + tuned.sum(axis=0)) - measure(fixed_base + base.sum(axis=0))) - 1e-9
    n_blocks = len(base)
    if n_blocks <= _EXACT_BLOCKS:
        sides = (np.arange(2**n_blocks)[:, None] >> np.arange(n_blocks) & 1).astype(bool)
    else:
        sides = np.random.default_rng(0).random((_DRAWS, n_blocks)) < 0.5
    extreme = 0
    for exchanged in sides:
        change = (tuned - base)[exchanged].sum(axis=0)
        left = fixed_base + base.sum(axis=0) + change
        right = fixed_tuned + tuned.sum(axis=0) - change
        extreme += abs(measure(right) - measure(left)) >= observed
    if n_blocks <= _EXACT_BLOCKS:
        return extreme / len(sides)
    return (1 + extreme) / (_DRAWS + 1)
