"""Several runs of one base → one run: what the command ``parlure merge`` does.

Plain LoRA adapters added up are a plain adapter again, of all their ranks; whatever else is merged is a whole model.
What the merged runs were made from and with is kept beside it, in ``runs/``.
"""

from __future__ import annotations

import json
import math
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.exclusive import alone_in, is_empty
from parlure.training.checkpoint import save_model
from parlure.whisper.blending import whole_base
from parlure.whisper.combining import COMBINATIONS, combine
from parlure.whisper.load import base_of, load, load_base, load_tokenizer, locate
from parlure.whisper.plainlora import is_plain, summed
from parlure.whisper.prompt import language_tokens

TABLE = "merge.json"
PARTS = "runs"  # a folder each, numbered in the order given
_OF_EACH = ("recipe.toml", "environment.json", "corpus.json", "metrics.jsonl", "sweep.json")
_DENSITY = 0.5


def merge(
    runs: Sequence[str],
    out: Path,
    *,
    weights: Sequence[float] | None = None,
    how: str = "linear",
    density: float | None = None,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Merge runs that were tuned from one base, whatever they were tuned by.

    Args:
        runs: run folders, two or more.
        out: the run folder to make.
        weights: of each; None is their mean (linear, dare: one over their number; ties, which takes a mean itself: 1).
        how: ``linear``, ``ties`` or ``dare``, see :mod:`parlure.whisper.combining`.
        density: share of each run's changes that ties and dare keep; None is half.
        seed: decides what dare drops.
        progress: called with (weights done, weights to do) where a whole model is made.

    Returns:
        The content of ``merge.json``.

    Raises:
        ParlureError: there are fewer than two, they are of several bases, or a setting is wrong.
    """
    chosen = next((one for one in COMBINATIONS if one == how), None)
    if chosen is None:
        raise ParlureError(f"runs are not merged by {how}", f"--how {' or '.join(COMBINATIONS)}")
    if density is not None and chosen == "linear":
        raise ParlureError("linear keeps every change: it has no density", "leave it out, or --how ties or dare")
    kept = _DENSITY if density is None else density
    if not 0 < kept <= 1:
        raise ParlureError(f"a density of {kept:g} is no share above 0", "for example --density 0.5")
    if len(runs) < 2:
        raise ParlureError(f"{' '.join(runs) or 'nothing'} is not several runs", "parlure merge RUN1 RUN2 --out RUN")
    if weights is None:
        weights = [1.0 if chosen == "ties" else 1 / len(runs)] * len(runs)
    if len(weights) != len(runs) or not all(map(math.isfinite, weights)):
        told = ",".join(f"{weight:g}" for weight in weights)
        raise ParlureError(
            f"--weights {told} is not a number for each of {len(runs)} runs", "such as --weights 0.7,0.3"
        )
    sources = {run: whole_base(run) for run in runs}
    for run, source in sources.items():
        if source != sources[runs[0]]:
            raise ParlureError(
                f"{run} was tuned from {source}, and {runs[0]} from {sources[runs[0]]}", "merge runs of one base"
            )
        if language_tokens(load_tokenizer(*locate(run))):
            raise ParlureError(f"{run} was taught a language, which its base has no word for", "merge other runs")
    if not is_empty(out):
        raise ParlureError(f"{out} is not empty", "give a new folder: --out NAME")
    adapters = [Path(run) / "adapter" for run in runs]
    is_adapter = chosen == "linear" and all(map(is_plain, adapters))
    table = {
        "schema_version": 1, "base": base_of(runs[0]), "how": chosen,
        "runs": [
            {"run": run, "weight": weight, "kept_in": f"{PARTS}/{number:02d}"}
            for number, (run, weight) in enumerate(zip(runs, weights, strict=True), 1)
        ],
        "kept_as": "adapter" if is_adapter else "model",
    }  # fmt: skip
    if chosen != "linear":
        table["density"] = kept
    if chosen == "dare":
        table["seed"] = seed
    with alone_in(out):
        if is_adapter:
            summed(adapters, weights, out / "adapter")
        else:
            source = sources[runs[0]]
            base = load_base(source)
            tuned = [load(run, "cpu").model for run in runs]
            combine(base, tuned, weights, chosen, kept, seed, progress)
            save_model(base, load_tokenizer(source), out / "model")
        _write_origin(table, runs, out)
    return table


def _write_origin(table: Mapping[str, Any], runs: Sequence[str], out: Path) -> None:
    """What was merged, and by what; last of all what makes the folder a run."""
    for run, row in zip(runs, table["runs"], strict=True):
        place = out / row["kept_in"]
        place.mkdir(parents=True)
        for name in _OF_EACH:
            if (Path(run) / name).is_file():
                shutil.copyfile(Path(run) / name, place / name)
    (out / TABLE).write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "recipe.toml").write_text(_common_recipe(runs), encoding="utf-8")


def _common_recipe(runs: Sequence[str]) -> str:
    """What the recipes agree on; and windows as short as all have learnt to hear."""
    recipes = [tomllib.loads((Path(run) / "recipe.toml").read_text(encoding="utf-8")) for run in runs]
    lines = ["# What the recipes of the merged runs have in common; each one's own lies in runs/."]
    for section, values in recipes[0].items():
        lines.append(f"\n[{section}]")
        for key, value in values.items():
            others = [recipe.get(section, {}).get(key) for recipe in recipes]
            if (section, key) == ("training", "full_window_share"):
                value = max(1.0 if other is None else other for other in others)
            elif any(other != value for other in others):
                continue
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
