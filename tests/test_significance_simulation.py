"""The simulation behind docs/scoring.md, small: verdicts keep their level where rivals do not, and find gains."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "significance.py"
RUNS = 1_000  # two standard errors of a share of 5 % are 1.4 points


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("simulated_speakers", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there for their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize("n_speakers", [8, 12, 24])
def test_false_alarms(simulation, n_speakers):
    found = simulation.shares(simulation.told, simulation.chunks(RUNS, n_speakers, "no difference", seed=1))
    assert 0.030 < found["sign flips, inverted"] < 0.064
    assert found["jackknife with t"] > 0.055 and found["block bootstrap"] > 0.07
    assert found["utterances as independent"] > 0.4
    assert found["both at once"] < found["sign flips, inverted"]


def test_power_and_coverage(simulation):
    found = simulation.shares(
        lambda sets: simulation.told(sets) | simulation.covered(sets),
        simulation.chunks(RUNS, 12, "gain of 4 points", seed=1),
    )
    assert 0.60 < found["sign flips, inverted"] < 0.70
    assert found["sign flips, inverted"] > found["both at once"] + 0.05
    assert 0.935 < found["difference by sign flips"] < 0.97
    assert 0.935 < found["base's rate by sign flips"] < 0.97
    assert found["difference by jackknife"] < found["difference by sign flips"]
