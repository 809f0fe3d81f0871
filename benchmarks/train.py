"""How many utterances a second are trained on: parlure's ways beside the recipe that people use, on the same work.

    python benchmarks/train.py --model tiny                       # five rounds of each way, in turn
    python benchmarks/train.py --model base --mean 5.3 --json
    python benchmarks/train.py --model medium --device cuda --whole short_bf16,best
    taskset -c 0 python benchmarks/train.py --model tiny          # one core: CPU seconds are compared

Whispers have random weights, utterances are noise as long as telephone utterances are (``workload.py``).

    reference    Seq2SeqTrainer, 30 s log-mels on disk, LoRA on q and v, batches of 16 (``reference.py``)
    short_fp32   parlure, the same adapters, every utterance in its own window
    short_bf16   the same in bf16 autocast
    default      the same adapters in fp32, windows as parlure's recipe has them unless told otherwise
    cached       adapters in the decoder alone, encoder outputs kept from the first epoch
    best         parlure's recipe as it is: adapters on all linear layers

parlure plans an epoch over 2,000 utterances, so that its batches are as full as in real life, and does some steps of
it: of many draws the one that is nearest to the whole plan in utterances a second of encoder input, and in audio. The
reference takes some of the utterances of short_fp32's steps: each costs it 30 s. Features, reading and collating are
in every way's time. ``useful``: what the adapters of that way need at exact lengths (``flops.py``), at the speed of a
plain matrix product here, over the time it took.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import reference
import torch
from flops import ALL_LINEAR, Q_V, Tuning, training_flops
from results import as_json, keep, memory, product_flops, section, table
from sampling import representative
from shapes import SHAPES, Shape, random_whisper
from turns import Outcome, Turn, Way, in_turn
from workload import SPREADS, Speech, draw, items_of, record

from parlure.recipe import parse_recipe
from parlure.sections import Recipe
from parlure.training.batches import MicroBatch
from parlure.training.plan import Plan
from parlure.training.team import Team
from parlure.training.trainee import Trainee, optimisation_step
from parlure.training.windows import Item, Window
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import SpecialTokens

N_CORPUS, N_JOB, EPOCHS = 2_000, 10_189, 3
TUTORIAL = {"r": reference.RANK, "alpha": reference.ALPHA, "dropout": reference.DROPOUT,
            "targets": reference.TARGETS}  # fmt: skip
# way → what of parlure's recipe is not its default
WAYS: dict[str, dict[str, dict[str, object]]] = {
    "short_fp32": {"adapter": TUTORIAL, "training": {"full_window_share": 0.0, "precision": "fp32"}},
    "short_bf16": {"adapter": TUTORIAL, "training": {"full_window_share": 0.0, "precision": "bf16"}},
    "default": {"adapter": TUTORIAL, "training": {"precision": "fp32"}},
    "cached": {
        "adapter": TUTORIAL | {"parts": "decoder"},
        "training": {"full_window_share": 0.0, "precision": "fp32", "encoder_cache_gb": 8.0},
    },
    "best": {},
}
TUNINGS = {"best": Tuning(targets=ALL_LINEAR), "cached": Tuning(parts="decoder", cached=True)}

Steps = list[tuple[MicroBatch, ...]]


@dataclass(frozen=True)
class Work:
    """What is measured: the shape, the corpus, and how much of it."""

    shape: Shape
    speeches: Sequence[Speech]
    n_steps: int
    whole: bool = False


def recipe_of(way: str) -> Recipe:
    """The recipe of one of parlure's ways."""
    return parse_recipe({"data": {"corpus": "none"}} | WAYS[way], way)


def items_in(batch: MicroBatch) -> list[Item]:
    """The utterances of a forward pass."""
    return [item for window in batch.windows for item in window.items]


def _mixture(steps: Sequence[tuple[MicroBatch, ...]]) -> tuple[float, float]:
    """Utterances, and seconds of audio, for a second of encoder input."""
    batches = list(chain.from_iterable(steps))
    encoded_s = sum(len(batch.windows) * batch.length_s for batch in batches)
    return sum(len(items_in(batch)) for batch in batches) / encoded_s, sum(b.audio_s for b in batches) / encoded_s


def sample(way: str, work: Work, recording: Path) -> Steps:
    """The steps that a way does in one round."""
    tokenizer = load_tokenizer(str(NANO))
    plan = Plan(items_of(work.speeches, tokenizer, recording), recipe_of(way).training, SpecialTokens.of(tokenizer))
    if work.whole:
        return list(chain.from_iterable(plan.epoch(number) for number in range(EPOCHS)))
    return representative(plan.epoch(0), work.n_steps, _mixture)


def steady(way: str, work: Work, folder: Path) -> tuple[Steps, int]:
    """:func:`sample`, its audio written to ``folder``; and the bytes of that."""
    chosen = {item.id for step in sample(way, work, folder) for batch in step for item in items_in(batch)}
    kept = replace(work, speeches=[speech for speech in work.speeches if speech.id in chosen])
    recording = folder / "audio.wav"
    record(kept.speeches, recording)
    there = {item.id: item for item in items_of(kept.speeches, load_tokenizer(str(NANO)), recording)}
    steps = sample(way, work, recording)
    placed = [tuple(replace(batch, windows=tuple(_placed(window, there) for window in batch.windows)) for batch in step)
              for step in steps]  # fmt: skip
    return placed, recording.stat().st_size


def _placed(window: Window, there: dict[str, Item]) -> Window:
    return replace(window, items=tuple(there[item.id] for item in window.items))


def parlures(turn: Turn, *, way: str, work: Work, profile: Path | None) -> None:
    """A way of :mod:`turns`: parlure's own steps on a sample of its own plan."""
    recipe, tokenizer = recipe_of(way), load_tokenizer(str(NANO))
    bf16 = recipe.training.precision == "bf16" or (recipe.training.precision == "auto" and turn.device == "cuda")
    team = Team.assemble("bf16" if bf16 else "no")
    trainee = Trainee.of(recipe, random_whisper(work.shape), tokenizer, torch.device(turn.device), bf16=bf16)
    with tempfile.TemporaryDirectory() as folder:
        steps, n_bytes = steady(way, work, Path(folder))
        batches = list(chain.from_iterable(steps))
        items, audio_s = list(chain.from_iterable(map(items_in, batches))), sum(batch.audio_s for batch in batches)

        def step(number: int) -> None:
            rate, limit = recipe.training.learning_rate, recipe.training.max_grad_norm
            trainee.begin(steps[(number + 1) % len(steps)])  # as the training loop reads ahead
            optimisation_step(trainee, team, steps[number], rate, limit, f"1 {number}")

        for number in range(1 if trainee.cache is None else len(steps)):  # a cache is filled by the first epoch
            step(number)
        if profile:
            _trace(partial(step, 0), profile / f"train-{way}.json")
        while turn.next():
            for number in range(len(steps)):
                step(number)
            turn.worked(len(items), audio_s, bytes=n_bytes / len({item.id for item in items}))


def _trace(work: partial[None], path: Path) -> None:
    """Write a trace for chrome://tracing or Perfetto."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.profiler.profile() as profiler:
        work()
    profiler.export_chrome_trace(str(path))
    print(profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=30), file=sys.stderr)


def floor_flops(speeches: Sequence[Speech], shape: Shape, tuning: Tuning) -> float:
    """Operations of an utterance in the mean, at exact lengths: its audio, its tokens, logits where loss is."""
    counts = [training_flops(shape, s.duration_s, len(s.text) + 4, tuning, len(s.text) + 1).total for s in speeches]
    return sum(counts) / len(counts)


def rows_of(outcomes: dict[str, Outcome], work: Work, device: str) -> list[list[str]]:
    """One row of the table for each way."""
    half = torch.float16 if device == "cuda" else torch.bfloat16
    speeds = {dtype: product_flops(device, dtype) for dtype in (torch.float32, half)}
    rows = []
    for way, outcome in outcomes.items():
        in_half = way == "short_bf16" or (device == "cuda" and way in ("reference", "best"))
        floor = floor_flops(work.speeches[:500], work.shape, TUNINGS.get(way, Tuning(targets=Q_V)))
        useful = floor * outcome.per_s / speeds[half if in_half else torch.float32]
        round_ = outcome.rounds[0]
        hours = outcome.per_s * round_.audio_s / round_.utterances
        rows.append([
            way, f"{outcome.per_s:.2f}", f"{hours:.1f}", f"{outcome.ratio(outcomes['reference']):.2f}",
            memory(outcome), f"{round_.facts['bytes'] / 1e3:.0f}", f"{100 * useful:.0f} %",
            f"{N_JOB * EPOCHS / outcome.per_s:.0f}",
        ])  # fmt: skip
    return rows


HEAD = ["way", "utterances/s", "audio h/h", "× reference", "peak GB (above imports)", "kB/utterance on disk", "useful",
        f"s for {N_JOB:,} × {EPOCHS}"]  # fmt: skip


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=SHAPES, default="tiny")
    parser.add_argument("--mean", type=float, choices=SPREADS, default=3.3, help="mean length in seconds")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--ways", default=",".join(WAYS), help="which of parlure's, by commas")
    parser.add_argument("--quick", action="store_true", help="one round of one step: to see that it runs")
    parser.add_argument("--whole", default="", help="ways that do the tutorial's whole job, in one round")
    parser.add_argument("--json", action="store_true", help="print JSON; nothing is kept")
    parser.add_argument("--profile", type=Path, help="folder for a torch.profiler trace of each of parlure's ways")
    arguments = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    shape, repeats = SHAPES[arguments.model], 1 if arguments.quick else arguments.repeats
    work = Work(shape, draw(N_CORPUS, arguments.mean), n_steps=1 if arguments.quick else 2)
    ids = {item.id for step in sample("short_fp32", work, Path("unread"))
           for batch in step for item in items_in(batch)}  # fmt: skip
    theirs = [speech for speech in work.speeches if speech.id in ids]
    random.Random(1).shuffle(theirs)
    n_steps = 1 if arguments.quick or arguments.model not in ("toy", "tiny") else 2
    taken = theirs[: n_steps * reference.BATCH]
    ways: dict[str, Way] = {"reference": partial(reference.train, shape=shape, speeches=taken, n_steps=n_steps)}
    for way in filter(None, arguments.ways.split(",")):
        ways[way] = partial(parlures, way=way, work=work, profile=arguments.profile)
    outcomes = in_turn(ways, repeats, arguments.device, say)
    printed = table(HEAD, rows_of(outcomes, work, arguments.device))
    notes = [f"Medians of {repeats}; ratios are medians of each round's."]
    if arguments.whole:
        job = replace(work, speeches=draw(N_JOB, arguments.mean), whole=True)
        whole: dict[str, Way] = {way: partial(parlures, way=way, work=job, profile=None)
                                 for way in arguments.whole.split(",")}  # fmt: skip
        for way, outcome in in_turn(whole, 1, arguments.device, say).items():
            notes.append(f"The whole job, {N_JOB:,} × {EPOCHS}, {way}: {outcome.rounds[0].clock_s:.1f} s by the clock.")
    if arguments.json:
        print(as_json(outcomes, "reference", notes))
        return
    print("\n\n".join([*notes, printed]))
    if not arguments.quick:
        title = f"train.py, {arguments.model}, mean {arguments.mean:g} s, {arguments.device}"
        keep(title, section(arguments.device, notes, printed))


if __name__ == "__main__":
    main()
