"""How the parts of a step are dealt out to processes, and that several do what one does."""

import json
import subprocess
import sys

import pytest
import torch
from accelerate import Accelerator
from hypothesis import given
from hypothesis import strategies as st
from test_loop import recipe, trained_weights

from parlure.errors import ParlureError
from parlure.recipe import dump_recipe
from parlure.training.loop import train
from parlure.training.team import dealt

COSTS = st.lists(st.floats(0.1, 100.0), max_size=20)


@given(COSTS, st.integers(1, 5))
def test_every_part_once_in_order_and_nobody_much_dearer(costs, n_hands):
    hands = dealt(costs, n_hands)
    assert len(hands) == n_hands
    assert sorted(index for hand in hands for index in hand) == list(range(len(costs)))
    assert all(hand == sorted(hand) for hand in hands)
    best = max([sum(costs) / n_hands, *costs])  # no deal can be better than this
    loads = [sum(costs[index] for index in hand) for hand in hands]
    assert max(loads) <= best + max([*costs, 0.0]) * (1 - 1 / n_hands) + 1e-9


def test_the_dearest_part_is_left_alone():
    assert dealt([30.0, 9.0, 11.0, 10.0], 2) == [[0], [1, 2, 3]]
    assert dealt([1.0], 3) == [[0], [], []]


def test_more_processes_than_forward_passes_are_refused(corpus_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(Accelerator, "num_processes", property(lambda self: 2))
    with pytest.raises(
        ParlureError, match="2 processes would share a step of 1: some would have nothing to do"
    ) as caught:
        train(recipe(corpus_folder), tmp_path / "run")
    assert caught.value.hint.startswith("--set training.accumulation=2, and batch_seconds so much lower")


def test_two_processes_do_what_one_does(corpus_folder, tmp_path):
    """Dropout, unequal lengths, a share of dev each: the same curve, the same WER, nearly the same weights."""
    settings = recipe(corpus_folder, training={"accumulation": 3, "batch_seconds": 8.0})
    train(settings, tmp_path / "one")
    (tmp_path / "recipe.toml").write_text(dump_recipe(settings))
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "parlure.cli", "train", "recipe.toml"]
    result = subprocess.run(
        [sys.executable, *command, "--out", "two"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("dev WER") == 4  # three evaluations and the summary, said by one process
    one, two = ([json.loads(line) for line in (tmp_path / name / "metrics.jsonl").open()] for name in ("one", "two"))
    for alone_row, together_row in zip(one, two, strict=True):
        assert alone_row.keys() == together_row.keys()
        for key in ("step", "loss", "grad_norm", "wer"):
            if key in alone_row:
                assert together_row[key] == pytest.approx(alone_row[key], rel=1e-4), (alone_row["step"], key)
    first, second = trained_weights(tmp_path / "one"), trained_weights(tmp_path / "two")
    assert all(torch.allclose(first[name], second[name], atol=1e-4) for name in first)
