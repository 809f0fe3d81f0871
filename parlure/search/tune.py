"""Recipe + space → trials → the recipe with the lowest dev WER: what the command ``parlure tune`` does.

A trial is an ordinary run in a folder of its own. The same command goes on with what is there, and several processes of
it share the trials. What there is to know of a search lies in its folder: ``study.log`` (Optuna's), ``trials.json``,
``tune.html``, ``best.toml``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import MANIFEST, Corpus
from parlure.errors import ParlureError
from parlure.recipe import differences, dump_recipe, load_recipe, resolved
from parlure.search.found import Found
from parlure.search.luck import flattery_of
from parlure.search.page import search_page
from parlure.search.space import Space, applied, drawn_of, read_space
from parlure.search.study import FACTS, Study, alone_with
from parlure.search.trial import Outcome, folder_of, run_trial, tidy
from parlure.sections import Recipe
from parlure.training.loop import HEARD

BEST, TRIALS, PAGE = "best.toml", "trials.json", "tune.html"
_RECIPE, _BEGUN = "recipe.toml", "search.json"  # what a search was begun with


def tune(
    recipe: Recipe,
    out: str | Path,
    *,
    n_trials: int = 20,
    space: str | Path | None = None,
    search: Sequence[str] = (),
    on_event: Callable[[Mapping[str, Any]], None] | None = None,
) -> Found:
    """Search for the values of a recipe with the lowest dev WER at which no guard is harmed.

    Args:
        recipe: of all trials, and itself the first one where the space holds its values. Its seed is the search's.
        out: the folder of the search.
        n_trials: how many there shall be in all, with those that are there.
        space: a TOML file of what is searched; None searches :func:`parlure.search.space.default_space`.
        search: ``section.field=RANGE``, in place of the file's or beside it.
        on_event: called with the rows of every trial's run, to which ``trial`` is added, and with rows of the kind
            ``trial`` (``state``, ``wer``, ``best_wer``, ``n_trials``) when one has begun and ended.

    Raises:
        ParlureError: Optuna is not installed, the recipe, the space or the folder cannot be used.
        KeyboardInterrupt: asked to stop; the same call goes on.
    """
    recipe, out = resolved(recipe), Path(out)
    wanted = read_space(None if space is None else Path(space), search, recipe)
    tell = on_event or (lambda row: None)
    _begin(out, recipe, wanted)
    first = drawn_of(recipe, wanted)
    if first is None:
        tell({"kind": "notice", "text": "the recipe's own values are not in the space: no trial is the recipe itself"})
    study = Study(out, wanted, recipe.training.seed, first=first, grace=recipe.evaluation.every_steps + 1)
    try:
        while _one_more(study, recipe, out, n_trials, tell):
            pass
    finally:
        found = _found(study, recipe, out, wanted)
        _write_text(out / PAGE, search_page(found, recipe, out))
    return found


def _one_more(
    study: Study, recipe: Recipe, out: Path, n_trials: int, tell: Callable[[Mapping[str, Any]], None]
) -> bool:
    """Run a trial, unless there are enough."""
    with study.claimed(n_trials) as claim:
        if claim is None:
            return False
        before = [one for one in _outcomes(study) if one.can_be_best]
        number = {"trial": claim.number, "n_trials": n_trials}
        tell({"kind": "trial", "state": "running", "draw": claim.draw} | number)
        outcome = run_trial(claim, recipe, out, lambda row: tell(dict(row) | number), may_fail=bool(before))
        study.tell(claim, outcome.state, outcome.wer, outcome.harm, outcome.facts())
        with alone_with(out):
            outcomes = _outcomes(study)
            best = Found(tuple(outcomes), {}, False).best
            tidy(out, outcomes, best)
            if best is not None:
                _write_text(out / BEST, dump_recipe(applied(recipe, best.draw)))
    best_wer = None if best is None else best.wer
    tell({"kind": "trial", "best_wer": best_wer} | outcome.facts() | number)
    return True


def _begin(out: Path, recipe: Recipe, space: Space) -> None:
    """See to it that the folder is free, or that its search was begun with the same recipe, space and corpus."""
    corpus = Corpus.load(recipe.data.corpus)
    digest = hashlib.sha256((corpus.folder / MANIFEST).read_bytes()).hexdigest()
    asked = {"space": {key: one.text() for key, one in space.items()}, "manifest_sha256": digest}
    if not (out / _BEGUN).exists() and out.exists() and any(not path.name.startswith(".") for path in out.iterdir()):
        raise ParlureError(f"{out} holds something else than a search", "give another folder: --out NAME")
    with alone_with(out):
        if not (out / _BEGUN).exists():
            _write_text(out / _RECIPE, dump_recipe(recipe))
            _write_text(out / _BEGUN, json.dumps({"schema_version": 1} | asked, indent=2, ensure_ascii=False) + "\n")
            return
    begun = json.loads((out / _BEGUN).read_text(encoding="utf-8"))
    changed = differences(load_recipe(out / _RECIPE), recipe)
    changed += [
        what for what, key in (("the space", "space"), ("the corpus", "manifest_sha256")) if begun[key] != asked[key]
    ]
    if changed:
        raise ParlureError(
            f"{out} was begun otherwise: {', '.join(changed)}", "trials would not be comparable: give another --out"
        )


def _outcomes(study: Study) -> list[Outcome]:
    return [
        Outcome(**one.user_attrs[FACTS]) if FACTS in one.user_attrs else Outcome(one.number, one.params, "running")
        for one in study.trials
        if one.state.name != "WAITING"
    ]


def _found(study: Study, recipe: Recipe, out: Path, space: Space) -> Found:
    """All that there is, written to ``trials.json``."""
    outcomes = _outcomes(study)
    runs = [folder_of(out, one.number) for one in outcomes if one.can_be_best]
    found = Found(tuple(outcomes), space, drawn_of(recipe, space) is not None)
    if runs:
        n_dev = len((runs[0] / HEARD).read_text(encoding="utf-8").splitlines())
        found = replace(found, flattery=flattery_of(runs, HEARD), n_dev=n_dev)
    _write_text(out / TRIALS, json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n")
    return found


def _write_text(path: Path, text: str) -> None:
    """The whole file or none of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
