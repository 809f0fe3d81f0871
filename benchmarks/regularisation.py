"""What each way to regularise or augment does to nano tuned on telephone calls: one run each, with intervals.

    python benchmarks/regularisation.py --work build/forgetting            # an hour; what is done is not done again
    python benchmarks/regularisation.py --work build/quick --quick         # minutes: few utterances, two runs

Every run is the first one with one setting more. Noises and rooms are synthesised: hums, hisses and clicks, and noise
that fades away at the rate of a room. One seed and one setting each on a miniature: it says what a knob does, and not
how to turn it for a real Whisper.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from general import SILENCES, hush

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.prepare import prepare
from parlure.recipe import parse_recipe
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.significance import compare
from parlure.sections import Recipe
from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.calls import make_calls
from parlure.training.loop import train
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.load import load

_ROOM_S = (0.15, 0.3, 0.5, 0.8)  # RT60, until a room has faded by 60 dB


def variants(work: Path) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """Name → sections of the recipe that differ from the first."""
    noises, rooms = str(work / "noises"), str(work / "rooms")
    return {
        "nothing": {},
        "SpecAugment, all": {"augmentation": {"spec_augment": 1.0}},
        "speed, two thirds": {"augmentation": {"speed": 0.67}},
        "gain, half": {"augmentation": {"gain": 0.5}},
        "telephone, half": {"augmentation": {"telephone": 0.5}},
        "noise, half": {"augmentation": {"noise": 0.5, "noise_folder": noises}},
        "reverberation, half": {"augmentation": {"reverberation": 0.5, "reverberation_folder": rooms}},
        "label smoothing 0.1": {"training": {"label_smoothing": 0.1}},
        "dropout 0.1": {"training": {"dropout": 0.1}},
        "adapter dropout 0.1": {"adapter": {"dropout": 0.1}},
        "weight decay 0.1": {"training": {"weight_decay": 0.1}},
        "average 0.99": {"training": {"average": 0.99}},
    }


def recipe_of(sections: Mapping[str, Mapping[str, Any]], corpus: Path, epochs: float, seed: int) -> Recipe:
    """The demo's settings, longer."""
    tree: dict[str, dict[str, Any]] = {
        "model": {"base": "nano"},
        "data": {"corpus": str(corpus)},
        "adapter": {"r": 32, "alpha": 64.0, "dropout": 0.0},
        "training": {
            "epochs": epochs, "learning_rate": 2e-3, "warmup_steps": 20, "batch_seconds": 16.0, "accumulation": 1,
            "seed": seed,
        },
        "evaluation": {"every_steps": 100_000, "max_utterances": 24},
    }  # fmt: skip
    for section, values in sections.items():
        tree[section] = tree.get(section, {}) | dict(values)
    return parse_recipe(tree, "the benchmark's recipe")


def make_folders(work: Path) -> None:
    """Recordings of noise, and of how rooms fade (white noise under an exponential: Polack 1988)."""
    rng = np.random.default_rng(3)
    for folder in (work / "noises", work / "rooms"):
        folder.mkdir(parents=True, exist_ok=True)
    for kind in [kind for kind in SILENCES if kind != "digital zero"]:
        for number in range(3):
            sound = hush(12.0, kind, rng)
            path = work / "noises" / f"{kind.replace(' ', '-')}-{number}.flac"
            soundfile.write(path, 0.5 * sound / np.abs(sound).max(), SAMPLE_RATE)
    for rt60_s in _ROOM_S:
        for number in range(3):
            times_s = np.arange(round(rt60_s * SAMPLE_RATE)) / SAMPLE_RATE
            tail = rng.standard_normal(len(times_s)) * 10 ** (-3 * times_s / rt60_s)
            tail *= 0.4 / np.sqrt(np.square(tail).sum())  # a direct sound some 8 dB above all that follows
            tail[0] = 0.99
            soundfile.write(work / "rooms" / f"{rt60_s}-{number}.flac", np.clip(tail, -0.99, 0.99), SAMPLE_RATE)


def heard(model: str, utterances: Sequence[Utterance]) -> list[list[int]]:
    """(S, D, I, N) of each utterance."""
    loaded, normalize = load(model), get_profile("fr").normalize
    texts = [h.text for h in decode(loaded.model, loaded.tokenizer, clips_of(utterances), DecodingOptions("fr"))]
    counts = [count_words(normalize(u.text), normalize(t)) for u, t in zip(utterances, texts, strict=True)]
    return [[c.S, c.D, c.I, c.N] for c in counts]


def table(rows: Mapping[str, dict[str, Any]], test: Sequence[Utterance]) -> Iterator[str]:
    """WER of each, and how much it differs from the first."""
    speakers, sessions = [u.speaker for u in test], [u.session for u in test]
    first = next(iter(rows.values()))["counts"]
    yield "| one setting more | loss of the last fifth | WER | − nothing |"
    yield "| --- | --- | --- | --- |"
    for name, row in rows.items():
        counts = [Counts(*one) for one in row["counts"]]
        found = compare([Counts(*one) for one in first], counts, speakers, sessions)
        cell = ""
        if name != "nothing" and found.difference is not None and found.ci95 is not None:
            cell = f"{found.difference:+.1f} [{found.ci95[0]:+.1f}, {found.ci95[1]:+.1f}]"
        yield f"| {name} | {row['loss']:.2f} | {Counts.total(counts).rate:.1f} % | {cell} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of calls, runs and results")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    work, corpus = options.work, options.work / "corpus"
    if not (corpus / "corpus.json").exists():
        n_calls = 8 if options.quick else 160
        prepare([make_calls(work / "calls", n_calls=n_calls, seed=7)], corpus, ratios=(0.7, 0.1, 0.2), seed=7)
    make_folders(work)
    test = Corpus.load(corpus).select("test")
    path = work / f"regularisation-{options.seed}.jsonl"
    rows = {row["name"]: row for row in map(json.loads, path.read_text().splitlines())} if path.exists() else {}
    for name, sections in list(variants(work).items())[: 2 if options.quick else None]:
        if name not in rows:
            out = work / f"regularised-{options.seed}-{name.replace(' ', '-').replace(',', '')}"
            train(recipe_of(sections, corpus, options.epochs, options.seed), out, resume=True)
            metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
            losses = [row["loss"] for row in metrics if row["kind"] == "step"]
            last = losses[-max(1, len(losses) // 5) :]
            rows[name] = {"name": name, "loss": sum(last) / len(last), "counts": heard(str(out), test)}
            with path.open("a") as stream:
                stream.write(json.dumps(rows[name]) + "\n")
            print("\n".join(list(table(rows, test))[-1:]), flush=True)
    print(f"\n{len(test)} test utterances, {len({u.speaker for u in test})} speakers, seed {options.seed}\n")
    print("\n".join(table(rows, test)))


if __name__ == "__main__":
    main()
