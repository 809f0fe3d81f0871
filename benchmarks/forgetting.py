"""What tuning on telephone French alone makes nano forget, and what replay and guards save, skill by skill.

    python benchmarks/forgetting.py --work build/forgetting            # an hour; what is done is not done again
    python benchmarks/forgetting.py --work build/forgetting --quick    # minutes: few utterances, two runs

Each run starts from nano and sees the same telephone calls equally often; the general corpus (:mod:`general`) is what
nano was trained to do, in voices and sentences that neither the calls nor the replayed rows have. Differences are
tuned − base, judged as `parlure evaluate` judges them, so blocks are speakers. nano is a miniature: this says what the
guards do, not what a real Whisper forgets.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from general import make_general

from parlure.corpus.editing.filtering import filter_corpus
from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import prepare
from parlure.recipe import parse_recipe
from parlure.scoring.evidence import skills_of
from parlure.scoring.evidence.judging import error_rate
from parlure.scoring.evidence.timestamps import boundary_errors
from parlure.scoring.normalize import get_profile
from parlure.scoring.rates import count_words
from parlure.scoring.skills.exam import Answers, Exam
from parlure.scoring.skills.findings import evidence
from parlure.scoring.skills.listening import Ear, questions_of
from parlure.scoring.skills.sweep import sweep
from parlure.sections import Recipe
from parlure.speech.calls import make_calls
from parlure.training.loop import train
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.hypothesis import Hypothesis

PLANTED = 3.0  # points of WER taken away by hand, which must be called worse
SCALES = (0.0, 0.25, 0.5, 0.75, 1.0)
MAY_LOSE = 0.5  # points of WER on a guard's dev, in the sweep
_DRAWS = 2000
Heard = tuple[Answers | None, list[Hypothesis]]


@dataclass(frozen=True)
class Variant:
    """A training.

    Attributes:
        sections: of the recipe, over what all have.
        guarded: points of WER that the general corpus's English and French may lose; None: nobody looks.
        softened: the run that `parlure sweep` makes of that one, rather than a training.
        controls: only the telephone calls are decoded.
    """

    sections: Mapping[str, Mapping[str, Any]]
    guarded: float | None = None
    softened: str = ""
    controls: bool = False


def variants(general: Path) -> dict[str, Variant]:
    """Name → training."""
    # what is lost is lost in windows of 30 s first, so those are what is replayed, mostly alone in them
    kept = {
        "replay": {"corpus": str(general), "share": 0.7},
        "training": {"full_window_share": 0.4, "utterances_per_window": 2, "accumulation": 4},
        "evaluation": {"every_steps": 225},
    }
    return {
        # all is worse while rates are high: a guard that is strict from the first evaluation on keeps nothing
        "replay and guards": Variant(kept | {"guard": {"patience": 0}}, guarded=5.0),
        "replay, guards, sweep": Variant({}, softened="replay and guards"),
        "calls alone": Variant({}),
        "rate 1e-2, guards": Variant(
            {"training": {"learning_rate": 1e-2}, "evaluation": {"every_steps": 75}}, guarded=1.0, controls=True
        ),
        "permuted labels": Variant({"data": {"permute_labels": True}, "training": {"max_steps": 200}}, controls=True),
    }


def recipe_of(variant: Variant, corpus: Path, guards: Sequence[str], epochs: float) -> Recipe:
    """The defaults but for the rate, which is for a Whisper of nano's size, and smaller steps for fewer utterances."""
    tree: dict[str, dict[str, Any]] = {
        "model": {"base": "nano"},
        "data": {"corpus": str(corpus)},
        "training": {"epochs": epochs, "learning_rate": 4e-4, "accumulation": 2, "full_window_share": 0.2},
        "evaluation": {"every_steps": 150, "max_utterances": 60},
    }  # fmt: skip
    for section, values in variant.sections.items():
        tree[section] = tree.get(section, {}) | dict(values)
    if variant.guarded is not None:
        own = {"corpora": list(guards), "max_utterances": 100, "max_loss": variant.guarded}
        tree["guard"] = own | tree.get("guard", {})
    return parse_recipe(tree, "the benchmark's recipe")


def thinned(general: Path, every: int) -> Exam:
    """The exam on every so manyth utterance of the test split, all kinds alike, without pieces of more than 30 s."""
    corpus = Corpus.load(general)
    chosen = sorted(corpus.select("test"), key=lambda utterance: utterance.id)[::every]
    return replace(Exam.of(replace(corpus, utterances=tuple(chosen)), "test", (), 5), pieces=())


def hear(work: Path, name: str, model: str, exam: Exam | None, calls: Exam) -> Heard:
    """What a model makes of everything, and of the telephone calls; journals keep it for a second call."""
    options = DecodingOptions(batch_size=16, identify=True)
    ear = Ear(
        open_engine(model, "ctranslate2"),
        work / "heard",
        name.replace(" ", "-").replace(",", ""),
        options,
        lambda n: None,
    )
    (work / "heard").mkdir(exist_ok=True)
    on_calls = ear.hear("calls", questions_of(calls.utterances))
    if exam is None:
        return None, on_calls
    return exam.put_to(ear, ear.hear("utterances", exam.questions(exam.utterances))), on_calls


def judged(exam: Exam, calls: Exam, base: tuple[Any, Any], tuned: tuple[Any, Any]) -> dict[str, Any]:
    """Every skill of base and tuned, as a report has them, and the timestamps' error in seconds."""
    found = {"telephone": transcription(calls, None, {"base": base[1], "tuned": tuned[1]})}
    if tuned[0] is None:
        return found
    answers = {"base": base[0], "tuned": tuned[0]}
    for language in ("en", "fr"):
        heard = {system: own.utterances for system, own in answers.items()}
        found[f"transcription.{language}"] = transcription(exam, language, heard)
    rows = list(evidence(exam, answers))
    found |= skills_of(rows, ["base", "tuned"])
    found["timestamps, s"] = timing([row for row in rows if row["skill"] == "timestamps"])
    return found


def transcription(exam: Exam, language: str | None, heard: Mapping[str, Sequence[Hypothesis]]) -> dict[str, Any]:
    """WER of one language's speech under its own profile."""
    own = [
        index
        for index, u in enumerate(exam.utterances)
        if u.task == "transcribe" and u.text and language in (None, u.language)
    ]
    normalize = get_profile(exam.utterances[own[0]].language).normalize
    blocks = [exam.blocks[index] for index in own]
    counts = {
        system: [count_words(normalize(exam.utterances[i].text), normalize(texts[i].text)) for i in own]
        for system, texts in heard.items()
    }
    return error_rate(counts, blocks, "WER")


def timing(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Median distance of a boundary from where it is, in seconds, over phrases that both systems found; the interval
    of the difference from drawing blocks with replacement."""
    by_block: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        both = [boundary_errors(row["reference"], row["segments"][system]) for system in ("base", "tuned")]
        for one, other in zip(*both, strict=True):
            if one is not None and other is not None:
                by_block.setdefault(row["block"], []).extend(zip(map(abs, one), map(abs, other), strict=True))
    blocks = [np.array(own) for own in by_block.values()]
    rng = np.random.default_rng(0)

    def medians(chosen: Sequence[np.ndarray]) -> np.ndarray:
        return np.median(np.concatenate(chosen), axis=0)

    base, tuned = medians(blocks)
    drawn = [np.diff(medians([blocks[i] for i in rng.integers(0, len(blocks), len(blocks))]))[0] for _ in range(_DRAWS)]
    n = sum(map(len, blocks))
    ci95 = [float(bound) for bound in np.quantile(drawn, [0.025, 0.975])]
    return {
        "unit": "s", "better": "lower",
        "base": {"value": float(base), "n": n}, "tuned": {"value": float(tuned), "n": n},
        "verdict": "worse" if ci95[0] > 0 else "better" if ci95[1] < 0 else "no evidence",
        "comparison": {"difference": float(tuned - base), "ci95": ci95, "n_blocks": len(blocks)},
    }  # fmt: skip


def planted(exam: Exam, base: Answers) -> dict[str, Any]:
    """Base's English with so many of its words lost that its WER is 3 points higher: must be called worse."""
    own = [index for index, u in enumerate(exam.utterances) if u.language == "en" and u.text]
    texts = {index: base.utterances[index].text.split() for index in own}
    n_words = sum(len(exam.utterances[index].text.split()) for index in own)
    rng = random.Random(1)
    places = [(index, place) for index, words in texts.items() for place in range(len(words))]
    gone = set(rng.sample(places, round(PLANTED / 100 * n_words)))
    heard = list(base.utterances)
    for index, words in texts.items():
        kept = " ".join(word for place, word in enumerate(words) if (index, place) not in gone)
        heard[index] = replace(heard[index], text=kept)
    return transcription(exam, "en", {"base": base.utterances, "tuned": heard})


def lines(name: str, skills: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Rows of the table."""
    for skill, found in skills.items():
        if not (compared := found.get("comparison")):
            continue
        base, tuned, ci95 = found["base"], found["tuned"], compared["ci95"] or [float("nan")] * 2
        digits = 2 if found["unit"] == "s" else 1
        change = f"{compared['difference']:+.{digits}f} [{ci95[0]:+.{digits}f}, {ci95[1]:+.{digits}f}]"
        values = f"{base['value']:.{digits}f} | {tuned['value']:.{digits}f}"
        yield f"| {name} | {skill} | {base['n']} | {values} | {change} | {found['verdict']} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of corpora, runs and what was heard")
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--every", type=int, default=1, help="of the general test utterances, every so manyth is heard")
    parser.add_argument("--only", default="", help="names of runs, separated by ;")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    work, n_calls = options.work, 10 if options.quick else 160
    sizes = {"train": 40, "dev": 20, "test": 20} if options.quick else {"train": 600, "dev": 100, "test": 640}
    general = make_general(work, sizes)
    calls = work / "corpus"
    if not (calls / "corpus.json").exists():
        prepare([make_calls(work / "calls", n_calls=n_calls, seed=7)], calls, ratios=(0.7, 0.1, 0.2), seed=7)
    guards = []
    for language in ("en", "fr"):
        folder = work / f"general-{language}"
        if not (folder / "corpus.json").exists():
            filter_corpus(general, folder, keep=f"language == '{language}' and task == 'transcribe' and split == 'dev'")
        guards.append(f"{language}={folder}")
    exam, on_calls = thinned(general, options.every), Exam.of(Corpus.load(calls), "test", (), 0)
    base = hear(work, "base", "nano", exam, on_calls)
    results: dict[str, Any] = {}
    chosen = [one for one in options.only.split(";") if one] or list(variants(general))[: 2 if options.quick else None]
    for name in chosen:
        variant, run = variants(general)[name], work / f"run-{name.replace(' ', '-').replace(',', '')}"
        if variant.softened:
            trained = work / f"run-{variant.softened.replace(' ', '-').replace(',', '')}"
            if not (run / "sweep.json").exists():
                print(
                    sweep(str(trained), calls, run, guards=guards, scales=SCALES, max_loss=MAY_LOSE)["why"], flush=True
                )
            summary = json.loads((run / "sweep.json").read_text())["why"]
        else:
            ended = train(recipe_of(variant, calls, guards, options.epochs), run, resume=True)
            summary = (
                f"best step {ended.best_step} of {ended.n_steps}, stopped at {ended.n_done}, harmed: {ended.harmed}"
            )
        print(name, summary, flush=True)
        if (run / "adapter").exists() or (run / "model").exists():
            tuned = hear(work, name, str(run), None if variant.controls else exam, on_calls)
            results[name] = judged(exam, on_calls, base, tuned)
            print("\n".join(lines(name, results[name])), flush=True)
    results["planted"] = {"transcription.en": planted(exam, base[0])}
    print("\n".join(lines("3 points planted", results["planted"])))
    (work / "results.json").write_text(json.dumps(results, indent=1, default=str))


if __name__ == "__main__":
    main()
