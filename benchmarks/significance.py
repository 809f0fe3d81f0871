"""How often a verdict is wrong, and how often a true gain is found: simulated speakers, constructions side by side.

    python benchmarks/significance.py                 # 10,000 runs a column
    python benchmarks/significance.py --runs 1000

A run is a test set of 8, 12 or 24 speakers. How long they talk is log-normal (σ = 1, median 60 utterances of ten
words): of eight, the longest talks some 17 times as long as the shortest and makes 36 % of the set. Each has an error
rate of their own (33 ± 13 points), each utterance is harder or easier by 10 points for both systems, and each speaker
suits one of the systems better, by a difference of standard deviation 4 points. Words are then right or wrong by
chance. Without a true difference these differences have mean zero: whatever is called better or worse is a false
alarm. With a true gain their mean is −4 points. *Skewed*: they are exponential (skewness 2), the mean still zero, which
is not what sign flips suppose.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parlure.scoring.bootstrap import bootstrap_interval
from parlure.scoring.rates import Counts
from parlure.scoring.signflips import sign_flip_test
from parlure.scoring.significance import compare
from parlure.scoring.student import t_quantile

SPEAKERS = (8, 12, 24)
EFFECT = 0.04  # standard deviation of a speaker's difference between the systems, in errors a word
GAIN = 0.04
SCENARIOS = {"no difference": (0.0, False), "gain of 4 points": (GAIN, False), "no difference, skewed": (0.0, True)}
_CHUNK = 50  # runs at a time

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Interval = tuple[Floats, Floats]


@dataclass(frozen=True)
class TestSets:
    """Some runs: errors and words by speaker, shape (runs, n_speakers), and z over utterances, shape (runs,)."""

    __test__ = False  # no class of tests, whatever its name looks like

    base: Integers
    tuned: Integers
    words: Integers
    z_of_utterances: Floats


def simulate(random: np.random.Generator, runs: int, n_speakers: int, gain: float, *, skewed: bool) -> TestSets:
    """Draw test sets.

    Args:
        random: where chance comes from.
        runs: how many test sets.
        n_speakers: in each.
        gain: by how much tuned is better in the mean over speakers, in errors a word.
        skewed: exponential rather than normal speaker effects.
    """
    shape = (runs, n_speakers)
    utterances = np.maximum(2, np.rint(random.lognormal(np.log(60), 1.0, shape))).astype(np.int64)
    rates = random.beta(4, 8, shape)
    effects = random.exponential(EFFECT, shape) - EFFECT if skewed else random.normal(0.0, EFFECT, shape)
    speaker = np.repeat(np.arange(runs * n_speakers), utterances.ravel())
    words = 1 + random.poisson(9, len(speaker))
    difficulty = rates.ravel()[speaker] + random.normal(0.0, 0.1, len(speaker))
    half = (effects - gain).ravel()[speaker] / 2
    base, tuned = (random.binomial(words, np.clip(difficulty + side * half, 0.01, 0.95)) for side in (-1, 1))

    def by_speaker(values: Integers) -> Integers:
        return np.bincount(speaker, values, runs * n_speakers).reshape(shape).astype(np.int64)

    run, change = speaker // n_speakers, tuned - base
    count = np.bincount(run)
    mean = np.bincount(run, change) / count
    variance = np.bincount(run, change**2) / count - mean**2
    return TestSets(by_speaker(base), by_speaker(tuned), by_speaker(words), mean / np.sqrt(variance / count))


def jackknife_interval(errors: Integers, words: Integers) -> Interval:
    """The delete-one-speaker jackknife and Student's t, speakers − 1 degrees of freedom (Efron & Tibshirani 1993)."""
    n_speakers = errors.shape[-1]
    totals = errors.sum(-1, keepdims=True), words.sum(-1, keepdims=True)
    without = (totals[0] - errors) / (totals[1] - words)
    spread = np.square(without - without.mean(-1, keepdims=True)).sum(-1)
    half = t_quantile(0.975, n_speakers - 1) * np.sqrt((n_speakers - 1) / n_speakers * spread)
    estimate = (totals[0] / totals[1])[..., 0]
    return estimate - half, estimate + half


def excludes(interval: Interval, value: float = 0.0) -> npt.NDArray[np.bool_]:
    """Where an interval lies above or below a value."""
    return (interval[0] > value) | (interval[1] < value)


def told(sets: TestSets) -> dict[str, npt.NDArray[np.bool_]]:
    """Construction → the runs in which it tells a difference, shape (runs,)."""
    change = sets.tuned - sets.base
    flips = sign_flip_test(change, sets.words)
    jackknife = excludes(jackknife_interval(change, sets.words))
    return {
        "sign flips, inverted": excludes(flips[1:]),
        "jackknife with t": jackknife,
        "both at once": jackknife & (flips[0] < 0.05),
        "block bootstrap": excludes(bootstrap_interval(change, sets.words)),
        "utterances as independent": np.abs(sets.z_of_utterances) > 1.96,
    }


def covered(sets: TestSets) -> dict[str, npt.NDArray[np.bool_]]:
    """What an interval is of → the runs with a true gain in which it holds the true value, shape (runs,)."""
    change, rate = sets.tuned - sets.base, 4 / 12 + GAIN / 2
    return {
        "difference by sign flips": ~excludes(sign_flip_test(change, sets.words)[1:], -GAIN),
        "difference by jackknife": ~excludes(jackknife_interval(change, sets.words), -GAIN),
        "base's rate by sign flips": ~excludes(sign_flip_test(sets.base, sets.words)[1:], rate),
        "base's rate by jackknife": ~excludes(jackknife_interval(sets.base, sets.words), rate),
    }


def verdict(sets: TestSets, run: int) -> str:
    """What parlure itself says of one run."""
    systems = [
        [Counts(S=int(errors), N=int(words)) for errors, words in zip(system[run], sets.words[run], strict=True)]
        for system in (sets.base, sets.tuned)
    ]
    speakers = [str(number) for number in range(len(sets.words[run]))]
    return compare(*systems, speakers, [None] * len(speakers)).verdict


def shares(
    measure: Callable[[TestSets], dict[str, npt.NDArray[np.bool_]]], chunks: Iterator[TestSets]
) -> dict[str, float]:
    """The share of runs in which each thing measured is so."""
    found = [measure(sets) for sets in chunks]
    return {name: float(np.concatenate([one[name] for one in found]).mean()) for name in found[0]}


def chunks(runs: int, n_speakers: int, scenario: str, seed: int) -> Iterator[TestSets]:
    """A scenario's runs, some at a time; of each portion's first run the package's own verdict is compared."""
    gain, skewed = SCENARIOS[scenario]
    random = np.random.default_rng([seed, n_speakers, list(SCENARIOS).index(scenario)])
    for start in range(0, runs, _CHUNK):
        sets = simulate(random, min(_CHUNK, runs - start), n_speakers, gain, skewed=skewed)
        assert told(sets)["sign flips, inverted"][0] == (verdict(sets, 0) in ("better", "worse"))
        yield sets


def _table(title: str, columns: dict[int, dict[str, float]], runs: int) -> None:
    def cell(share: float) -> str:
        return f"{100 * share:.1f} ± {196 * np.sqrt(share * (1 - share) / runs):.1f}"

    print(f"\n{title}, % of {runs:,} runs ± Monte-Carlo 95 %\n")
    print("| | " + " | ".join(f"{number} speakers" for number in columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for name in next(iter(columns.values())):
        print(f"| {name} | " + " | ".join(cell(column[name]) for column in columns.values()) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.process_time()
    for scenario, (gain, _) in SCENARIOS.items():
        _table(
            f"{'found' if gain else 'false alarms'}: {scenario}",
            {number: shares(told, chunks(options.runs, number, scenario, options.seed)) for number in SPEAKERS},
            options.runs,
        )
    scenario = "gain of 4 points"
    _table(
        f"intervals that hold the true value: {scenario}",
        {number: shares(covered, chunks(options.runs, number, scenario, options.seed)) for number in SPEAKERS},
        options.runs,
    )
    print(f"\n{time.process_time() - started:.0f} s of processor time")


if __name__ == "__main__":
    main()
