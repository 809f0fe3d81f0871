"""Which windows to train on: nano on telephone calls, every policy and seed, judged at 30 s and on its own lengths.

    python benchmarks/windows.py --work build/windows                 # hours; what is done is not done again
    python benchmarks/windows.py --work build/windows --quick         # one seed, two policies, few utterances
    python benchmarks/windows.py --work build/windows --only padded,default

Every run sees the same utterances equally often, in steps of about as many utterances, at the same learning rates; only
the windows differ. Differences are of the errors of all seeds together, with the interval of parlure's own comparison
over independent speakers and calls. nano is a miniature: this says which policy to try first, not what Whisper will do.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.prepare import prepare
from parlure.recipe import parse_recipe
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.significance import compare
from parlure.sections import Recipe
from parlure.speech.calls import make_calls
from parlure.training.items import training_items
from parlure.training.loop import train
from parlure.training.plan import Plan
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.load import NANO, load, load_tokenizer
from parlure.whisper.prompt import SpecialTokens

SEEDS = (1, 2, 3)
WINDOWS = ("full", "short")
PER_STEP = 12  # utterances of an optimiser step, about


@dataclass(frozen=True)
class Policy:
    """A way to feed utterances.

    Attributes:
        share: of utterances in 30 s windows.
        most: utterances in one of them.
        times: as many epochs as the others.
    """

    share: float
    most: int
    times: float = 1.0


POLICIES = {
    "padded": Policy(1.0, 1),
    "short only": Policy(0.0, 1),
    "5 % alone": Policy(0.05, 1),
    "10 % alone": Policy(0.1, 1),
    "10 % of up to 2": Policy(0.1, 2),
    "10 % of up to 4": Policy(0.1, 4),
    "20 % of up to 4": Policy(0.2, 4),
    "30 % of up to 4": Policy(0.3, 4),
    "10 % of up to 4 twice": Policy(0.1, 4, times=2.0),
    "packed": Policy(1.0, 99),
}


def recipe_of(policy: Policy, corpus: Path, seed: int, epochs: float, rate: float) -> Recipe:
    """Passes of about 15 s, or of one full window, so that most steps hold several lengths; as many as make a step."""
    tree = {
        "model": {"base": "nano"},
        "data": {"corpus": str(corpus)},
        "adapter": {"r": 32, "alpha": 64.0, "dropout": 0.0},
        "training": {
            "epochs": epochs * policy.times, "learning_rate": rate, "warmup_steps": 20, "accumulation": 1,
            "batch_seconds": 15.0, "seed": seed,
            "full_window_share": policy.share, "utterances_per_window": policy.most,
        },
        "evaluation": {"every_steps": 100_000, "max_utterances": 24},
    }  # fmt: skip
    recipe, tokenizer = parse_recipe(tree, "the benchmark's recipe"), load_tokenizer(str(NANO))
    items = training_items(Corpus.load(corpus), tokenizer)
    wanted = len(items) / PER_STEP
    ways = []  # the seconds of a pass are chosen so that steps are as many for every policy: WER follows their number
    for tenths in range(120, 200, 5):
        training = recipe.training.model_copy(update={"batch_seconds": tenths / 10})
        n_passes = len(Plan(items, training, SpecialTokens.of(tokenizer)).epoch(0))
        accumulation = max(1, round(n_passes / wanted))
        ways.append((abs(-(-n_passes // accumulation) - wanted), abs(tenths - 150), tenths / 10, accumulation))
    *_, seconds, accumulation = min(ways)
    training = recipe.training.model_copy(update={"batch_seconds": seconds, "accumulation": accumulation})
    return recipe.model_copy(update={"training": training})


def heard(model: str, utterances: Sequence[Utterance]) -> dict[str, list[list[int]]]:
    """Window → (S, D, I, N) of each utterance."""
    loaded, normalize = load(model), get_profile("fr").normalize
    found = {}
    for window in WINDOWS:
        options = DecodingOptions(language="fr", window=window, batch_size=32)
        texts = [h.text for h in decode(loaded.model, loaded.tokenizer, clips_of(utterances), options)]
        counts = [count_words(normalize(u.text), normalize(t)) for u, t in zip(utterances, texts, strict=True)]
        found[window] = [[c.S, c.D, c.I, c.N] for c in counts]
    return found


def run(work: Path, names: Sequence[str], seeds: Sequence[int], epochs: float, rate: float) -> Iterator[dict[str, Any]]:
    """Each policy and seed, and untuned nano; what is in ``results.jsonl`` is not done again."""
    path = work / "results.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(row["policy"], row["seed"]): row for row in rows}
    test = Corpus.load(work / "corpus").select("test")
    for seed in seeds:
        for name in ("untuned", *names):
            if name == "untuned" and seed != seeds[0]:
                continue
            if (name, seed) not in done:
                row: dict[str, Any] = {"policy": name, "seed": seed}
                model = "nano"
                if name != "untuned":
                    out = work / f"run-{name.replace(' ', '-').replace('%', 'pc')}-{seed}"
                    clock, model, steps = time.process_time(), str(out), []
                    recipe = recipe_of(POLICIES[name], work / "corpus", seed, epochs, rate)
                    train(recipe, out, resume=True, on_event=steps.append)
                    row |= {
                        "n_steps": sum(one["kind"] == "step" for one in steps),
                        "cpu_s": time.process_time() - clock,
                    }
                row["counts"] = heard(model, test)
                with path.open("a") as stream:
                    stream.write(json.dumps(row) + "\n")
                done[name, seed] = row
            yield done[name, seed]


def table(rows: Sequence[dict[str, Any]], test: Sequence[Utterance]) -> Iterator[str]:
    """Mean WER of each policy in both windows, and how much above the padded path's it is."""

    def errors(name: str, window: str) -> list[Counts]:
        of = [row["counts"][window] for row in rows if row["policy"] == name]
        return [Counts.total(Counts(*one) for one in same) for same in zip(*of, strict=True)]

    speakers, sessions = [u.speaker for u in test], [u.session for u in test]
    yield "| windows | seeds | steps | CPU s | WER at 30 s | − padded | WER, own length | − padded at 30 s |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name in dict.fromkeys(row["policy"] for row in rows):
        own = [row for row in rows if row["policy"] == name]
        cells = [name, str(len(own))]
        cells += [
            f"{sum(row[key] for row in own) / len(own):.0f}" if key in own[0] else "" for key in ("n_steps", "cpu_s")
        ]
        padded_seeds = [row["seed"] for row in rows if row["policy"] == "padded"]
        for window in WINDOWS:
            cells.append(f"{Counts.total(errors(name, window)).rate:.1f} %")
            if name == "untuned" or sorted(padded_seeds) != sorted(row["seed"] for row in own):
                cells.append("")
                continue
            found = compare(errors("padded", "full"), errors(name, window), speakers, sessions)
            assert found.difference is not None and found.ci95 is not None
            cells.append(f"{found.difference:+.1f} [{found.ci95[0]:+.1f}, {found.ci95[1]:+.1f}]")
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of calls, runs and results")
    parser.add_argument("--calls", type=int, default=280, help="telephone calls, of which a fifth is for testing")
    parser.add_argument("--epochs", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--only", default="", help=f"of {', '.join(POLICIES)}")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--quick", action="store_true", help="minutes: one seed, two policies, few utterances")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or list(POLICIES)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    if options.quick:
        options.calls, options.epochs, names, seeds = 12, 1.0, ["short only", "10 % of up to 4"], [1]
    corpus = options.work / "corpus"
    if not (corpus / "corpus.json").exists():
        prepare(
            [make_calls(options.work / "calls", n_calls=options.calls, seed=7)], corpus, ratios=(0.7, 0.1, 0.2), seed=7
        )
    rows = []
    for row in run(options.work, names, seeds, options.epochs, options.rate):
        rows.append(row)
        rates = {window: Counts.total(Counts(*one) for one in row["counts"][window]).rate for window in WINDOWS}
        print(row["policy"], row["seed"], {window: round(rate or 0, 1) for window, rate in rates.items()}, flush=True)
    test = Corpus.load(corpus).select("test")
    print(f"\n{len(test)} test utterances, {len({u.speaker for u in test})} speakers\n")
    print("\n".join(table(rows, test)))


if __name__ == "__main__":
    main()
