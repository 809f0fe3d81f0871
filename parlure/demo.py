"""The whole road in one call, offline: synthetic Québec French telephone calls → corpus → tuned nano → report."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from parlure.console import Console
from parlure.corpus.prepare import prepare
from parlure.errors import ParlureError
from parlure.exclusive import LOCK, alone_in, is_empty
from parlure.recipe import parse_recipe
from parlure.scoring.page.verdict import verdict_sentence
from parlure.scoring.skills import evaluate
from parlure.sections import Recipe
from parlure.speech.calls import SUGGESTED_RATIOS, make_calls

N_CALLS = 80  # short ones: what a test needs is many speakers and calls, and each utterance costs decoding twice


@dataclass(frozen=True)
class DemoSummary:
    """What the demo ends by printing."""

    text: str


def recipe_for(corpus: Path, seed: int) -> Recipe:
    """The demo's recipe: LoRA on nano, minutes on two cores."""
    return parse_recipe(
        {
            "model": {"base": "nano"},
            "data": {"corpus": str(corpus)},
            "adapter": {"r": 32, "alpha": 64.0, "dropout": 0.0},
            "training": {
                "max_steps": 260,
                "learning_rate": 2e-3,
                "warmup_steps": 20,
                "batch_seconds": 16.0,
                "accumulation": 1,
                "seed": seed,
                "full_window_share": 0.05,
            },
            "evaluation": {"every_steps": 130, "max_utterances": 24},
        },
        "the demo's recipe",
    )


def demo(out: Path, *, seed: int = 1, console: Console | None = None) -> DemoSummary:
    """Make ``out/corpus``, ``out/run`` and ``out/report``; an earlier demo there is replaced.

    Args:
        out: the folder.
        seed: of the calls, the split and the training.
        console: where to talk; stderr when not given.

    Raises:
        ParlureError: the folder holds something else, or the extra ``synth`` is missing.
    """
    _refuse_foreign(out)
    with alone_in(out):
        return _demo(out, seed, console or Console())


def _demo(out: Path, seed: int, console: Console) -> DemoSummary:
    from parlure.training.loop import train

    _clear(out)
    (out / _MARKER).write_text("parlure demo may replace this folder\n", encoding="utf-8")
    console.say("1/4 synthesising two-party telephone calls in Québec French")
    manifest = make_calls(out / "recordings", n_calls=N_CALLS, seed=seed)
    console.say("2/4 preparing the corpus: no speaker and no call in two splits")
    corpus, run, report = out / "corpus", out / "run", out / "report"
    summary = prepare([manifest], corpus, ratios=SUGGESTED_RATIOS, seed=seed)
    for line in summary.lines():
        console.say("    " + line)
    console.say("3/4 tuning nano with LoRA; the best of its checkpoints is the one with the lowest dev WER")
    with console.training() as on_event:
        train(recipe_for(corpus, seed), run, on_event=on_event)
    console.say("4/4 decoding the test split with both models")
    with console.bar("decoding") as bar:
        result = evaluate(corpus, str(run), report, against="nano", progress=bar)
    headline, sentence, _ = verdict_sentence(result)
    return DemoSummary(
        f"{headline}: {sentence}\n"
        f"report: {report / 'report.html'}\n"
        f"hear both models: parlure serve nano tuned={run} --corpus {corpus} --report {report}\n"
        "next, with your own recordings: parlure prepare calls.csv --out corpus --language fr"
    )


_MARKER = ".parlure-demo"


def _refuse_foreign(out: Path) -> None:
    if out.is_file():
        raise ParlureError(f"{out} is a file, not a folder", "give another folder: --out NAME")
    if not is_empty(out) and not (out / _MARKER).exists():
        raise ParlureError(f"{out} holds something else than a demo", "give another folder: --out NAME")


def _clear(out: Path) -> None:
    """Delete an earlier demo, but for its marker and the lock that we hold."""
    for path in out.iterdir():
        if path.name not in (LOCK, _MARKER):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
