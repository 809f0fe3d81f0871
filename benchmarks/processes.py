"""Two processes on two cores against one on one: throughput, and how long each waits for the other.

    python benchmarks/processes.py --model tiny            # on two cores that nobody else uses
    python benchmarks/processes.py --model toy --steps 2   # seconds

Each process is pinned to a core of its own and computes with one thread. All take the same steps of the same plan of
2,000 utterances: a random-weight Whisper, parlure's recipe as it is. Busy is the share of the time in which a process
does not wait for the others' gradients; one step before is not timed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from shapes import SHAPES, random_whisper
from workload import draw, items_of, record

from parlure.recipe import parse_recipe
from parlure.training.plan import Plan
from parlure.training.team import Team
from parlure.training.trainee import Trainee, optimisation_step
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import SpecialTokens


class TimedTeam(Team):
    """Adds up the seconds that it waits for the others."""

    waited_s = 0.0

    def add_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """As the team's own, timed."""
        clock = time.monotonic()
        super().add_gradients(parameters)
        self.waited_s += time.monotonic() - clock


def work(model: str, n_steps: int, recording: Path) -> None:
    """One process: its share of the steps; says what it found in a line of JSON."""
    rank = int(os.environ.get("RANK", "0"))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.set_num_threads(1)
    recipe, tokenizer = parse_recipe({"data": {"corpus": "none"}}, "default"), load_tokenizer(str(NANO))
    speeches = draw(2_000, 3.3)
    if rank == 0:
        record(speeches, recording)
    team = TimedTeam.assemble("no")
    team.wait()
    training = recipe.training
    plan = Plan(items_of(speeches, tokenizer, recording), training, SpecialTokens.of(tokenizer)).epoch(0)
    trainee = Trainee.of(recipe, random_whisper(SHAPES[model]), tokenizer, torch.device("cpu"))
    n_utterances, clock = 0, 0.0
    for number, step in enumerate(plan[: n_steps + 1]):
        if number == 1:
            clock, team.waited_s, n_utterances = time.monotonic(), 0.0, 0
        trainee.begin(team.share(plan[number + 1], [batch.cost for batch in plan[number + 1]]))
        optimisation_step(trainee, team, step, training.learning_rate, training.max_grad_norm, f"1 {number}")
        n_utterances += sum(len(window.items) for batch in step for window in batch.windows)
    spent_s = time.monotonic() - clock
    trainee.feeder.close()
    print(json.dumps({"utterances": n_utterances, "s": spent_s, "busy": 1 - team.waited_s / spent_s}), flush=True)


def measured(model: str, n_steps: int, n_processes: int) -> list[dict[str, float]]:
    """What each of some processes found."""
    with tempfile.TemporaryDirectory() as folder:
        own = [str(Path(__file__)), "--model", model, "--steps", str(n_steps), "--work", f"{folder}/audio.wav"]
        launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(n_processes)] if n_processes > 1 else []
        told = subprocess.run([sys.executable, *launcher, *own], capture_output=True, text=True, check=False)
    if told.returncode:
        raise SystemExit(told.stderr)
    return [json.loads(line) for line in re.findall(r"\{[^}]*\}", told.stdout)]  # two may write on one line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=SHAPES, default="tiny")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1, help="rounds, in turn; medians are printed")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.model, options.steps, options.work)
        return
    ratios, busy = [], []
    for _ in range(options.repeats):
        (one,), two = (measured(options.model, options.steps, n) for n in (1, 2))
        alone, together = (found["utterances"] / found["s"] for found in (one, max(two, key=lambda own: own["s"])))
        ratios.append(together / alone)
        busy += [own["busy"] for own in two]
        shares = " and ".join(f"{100 * own['busy']:.0f} %" for own in two)
        print(f"{alone:.2f} → {together:.2f} utterances/s, {together / alone:.2f} times; busy {shares}", flush=True)
    print(json.dumps({"ratio": sorted(ratios)[len(ratios) // 2], "least_busy": min(busy)}))


if __name__ == "__main__":
    main()
