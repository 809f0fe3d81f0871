"""Killed at any moment (SIGKILL: no chance to clean up), the same command goes on to the undisturbed result.

A moment lies between the first thing that the command writes and its end. Five kills here; ``PARLURE_KILLS=20`` does as
many as it says.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from replica import write_talkbank

from parlure.recipe import load_recipe

N_KILLS = int(os.environ.get("PARLURE_KILLS", "5"))
RECIPE = """
[model]
base = "nano"
[data]
corpus = "corpus"
[adapter]
r = 4
alpha = 8.0
dropout = 0.1
[training]
max_steps = 6
learning_rate = 1e-3
warmup_steps = 1
batch_seconds = 6
accumulation = 1
full_window_share = 0
[evaluation]
every_steps = 2
max_utterances = 2
[decoding]
max_new_tokens = 8
"""


@dataclass(frozen=True)
class Stage:
    """A command, what is added to go on with it, the folder it writes, and what has to be the same in the end."""

    arguments: tuple[str, ...]
    going_on: tuple[str, ...]
    out: str
    result: Callable[[Path], Any]


def lines(path: Path, *, without: str = "") -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in row.items() if key != without} for row in rows]


def prepared(folder: Path) -> Any:
    info = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    warnings = [warning for warning in info.pop("warnings") if "not whole" not in warning]
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return info, warnings, left, lines(folder / "manifest.jsonl"), lines(folder / "rejected.jsonl")


def trained(folder: Path) -> Any:
    weights = (folder / "adapter/adapter_model.safetensors").read_bytes()
    last = (folder / "checkpoints/step-000006/trainable.safetensors").read_bytes()
    recipe = load_recipe(folder / "recipe.toml", corpus="wherever")
    return weights, last, lines(folder / "metrics.jsonl", without="work_s"), recipe


def evaluated(folder: Path) -> Any:
    profiles = json.loads((folder / "report.json").read_text(encoding="utf-8"))["profiles"]
    return profiles, lines(folder / "hypotheses/tuned/hyps.jsonl"), lines(folder / "utterances.jsonl")


COLUMNS = ("--text", "transcript", "--speaker", "speaker_id", "--session", "transcript_filename", "--language", "fr")
STAGES = {  # in the order in which each finds what it needs
    "prepare": Stage(
        ("prepare", "talk?config=fr&split=segment", "--out", "corpus", "--ratios", "0.6,0.2,0.2", *COLUMNS),
        (), "corpus", prepared,
    ),
    "train": Stage(("train", "recipe.toml", "--out", "run"), ("--resume",), "run", trained),
    "evaluate": Stage(
        ("evaluate", "corpus", "--model", "nano", "--against", "nano", "--out", "report"), (), "report", evaluated
    ),
}  # fmt: skip
KILLED = ("train", "evaluate", "prepare")  # in turn


def start(folder: Path, arguments: tuple[str, ...]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "parlure.cli", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(folder: Path, arguments: tuple[str, ...], out: str) -> float:
    """Run a command to its end; returns the seconds from its first writing on."""
    process = start(folder, arguments)
    wait_until_it_writes(process, folder / out)
    clock = time.monotonic()
    _, said = process.communicate()
    assert process.returncode == 0, said
    return time.monotonic() - clock


def wait_until_it_writes(process: "subprocess.Popen[str]", out: Path) -> None:
    while not out.exists() and process.poll() is None:
        time.sleep(0.005)


def is_killed(folder: Path, stage: Stage, after_s: float) -> bool:
    """Kill the command some seconds after it began to write; False if it had ended by then."""
    process = start(folder, stage.arguments)
    wait_until_it_writes(process, folder / stage.out)
    time.sleep(after_s)
    process.kill()
    _, said = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """A folder in which every stage has run, and the seconds that each wrote."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_talkbank(folder / "talk", n_rows=60, n_shards=3, n_calls=12)
    (folder / "recipe.toml").write_text(RECIPE)
    return folder, {name: finish(folder, stage.arguments, stage.out) for name, stage in STAGES.items()}


@pytest.mark.parametrize("number", range(N_KILLS))
def test_a_kill_at_a_random_moment(undisturbed: tuple[Path, dict[str, float]], tmp_path: Path, number: int) -> None:
    folder, seconds = undisturbed
    name = KILLED[number % 3]
    stage = STAGES[name]
    work = tmp_path / "work"
    shutil.copytree(folder, work)  # with the stages before this one
    shutil.rmtree(work / stage.out)
    after_s = random.Random(number).uniform(0.0, 1.0) * seconds[name]
    while not is_killed(work, stage, after_s):
        shutil.rmtree(work / stage.out)
        after_s *= 0.7
    finish(work, stage.arguments + stage.going_on, stage.out)
    assert stage.result(work / stage.out) == stage.result(folder / stage.out)
