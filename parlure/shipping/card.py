"""Run folder → its model card: what it was made from and with, what it gained on dev, and how to use it.

A card says nothing that the folder does not hold: WERs come from ``metrics.jsonl`` and, when there is one, from a
report. No path of the machine and no speaker's name is in it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.shipping.evaluated import model_index
from parlure.shipping.merged_card import make_merged_card
from parlure.shipping.sections import front_matter, is_merged, public_name, swept, test_scores, use

CARD = "README.md"
_SCALED = ", r = {r}, alpha = {alpha:g}"
_METHODS = {
    "lora": f"LoRA{_SCALED}", "rslora": f"rsLoRA{_SCALED}", "dora": f"DoRA{_SCALED}", "pissa": f"PiSSA{_SCALED}",
    "adalora": f"AdaLoRA{_SCALED}", "loha": f"LoHa{_SCALED}", "lokr": f"LoKr{_SCALED}", "oft": "OFT, blocks of {r}",
    "vera": "VeRA, r = {r}", "ia3": "(IA)³", "full": "full fine-tuning",
}  # fmt: skip


def write_card(run: Path, report: Path | None = None) -> None:
    """Write the card into the run folder; see :func:`make_card`."""
    (run / CARD).write_text(make_card(run, report), encoding="utf-8")


def make_card(
    run: Path,
    report: Path | None = None,
    repo: str | None = None,
    *,
    licence: str | None = None,
    merged: bool = False,
) -> str:
    """The card in Markdown, with the front matter that the Hugging Face Hub reads.

    Args:
        run: a run folder that has an adapter or a model.
        report: a report folder of ``parlure evaluate`` for this run, whose test scores are then on the card.
        repo: where it is to lie on the Hub, for the lines that say how to use it; None says how in the run folder.
        licence: of the model; None is that of the data.
        merged: the adapter is merged into the base there.

    Raises:
        ParlureError: the run has not come far enough, or the report is none.
    """
    if is_merged(run):
        return make_merged_card(run, report, repo, licence, merged)
    recipe, corpus, evaluations = _read_run(run)
    is_adapter = (run / "adapter").is_dir() and not merged
    told = test_scores(report)
    index = model_index(report, (repo or run.name).rpartition("/")[2], dataset_name(corpus))
    lines = [
        *front_matter(recipe["model"]["base"], corpus["by_language"], licence or corpus["licence"], is_adapter, index),
        f"# {Path(recipe['model']['base']).name}, tuned on {_hours(corpus)} of speech",
        "",
        *_control(recipe),
        *_scores(evaluations, told),
        *swept(run),
        "",
        *_how_it_was_made(recipe, corpus),
        "",
        *use(recipe["model"]["base"], is_adapter, repo),
        *_new_language(recipe),
        "",
        *_limits(corpus),
    ]
    return "\n".join(lines) + "\n"


def _read_run(run: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Recipe, corpus and evaluations on dev."""
    if not any((run / name).is_dir() for name in ("adapter", "model")):
        raise ParlureError(f"{run} is not a run with an adapter or a model", "parlure train RECIPE --out RUN makes one")
    recipe = tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))
    corpus = json.loads((run / "corpus.json").read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return recipe, corpus, [row for row in rows if row["kind"] == "evaluation"]


def _control(recipe: Mapping[str, Any]) -> list[str]:
    """What must be said before anything else of a run that was never meant to be used."""
    if not recipe["data"].get("permute_labels"):
        return []
    return ["**A control, not for use: its training transcripts were permuted on purpose.**", ""]


def dataset_name(corpus: Mapping[str, Any]) -> str:
    """What the data is called on a card: its place on the Hub, or words that tell no path."""
    places = [str(source.get("path", "")) for source in corpus.get("sources", ())]
    if len(places) == 1 and places[0].startswith("hf://"):
        return places[0].removeprefix("hf://").partition("?")[0]
    return "recordings that are not on the Hub"


def _scores(evaluations: list[dict[str, Any]], told: list[str]) -> list[str]:
    best = min(evaluations, key=lambda row: (row["wer"], row["step"]))
    judged = f"{best['n_utterances']} utterances, profile `{best['profile']}`"
    gain = f"WER {evaluations[0]['wer']:.1f} % → {best['wer']:.1f} % at step {best['step']}"
    lines = ["## What it gained", ""]
    lines.append(f"On the dev split ({judged}), by which the checkpoint was chosen, so that it flatters: {gain}.")
    return [*lines, "", *told]


def _how_it_was_made(recipe: Mapping[str, Any], corpus: Mapping[str, Any]) -> list[str]:
    adapter, training = recipe["adapter"], recipe["training"]
    how = _METHODS[adapter["method"]].format(**adapter)
    if adapter["method"] != "full":
        how += f", on {', '.join(adapter['targets'])}"
    if adapter.get("bits"):
        how += f", over weights in {adapter['bits']} bits, as which the base was scored on dev"
    lines = [
        "## How it was made",
        "",
        f"With parlure from `{public_name(recipe['model']['base'])}`: {how}; learning rate "
        f"{training['learning_rate']:g}; {training['batch_seconds'] * training['accumulation']:g} s of encoder input a "
        f"step; seed {training['seed']}.",
        "",
        "| split | hours | utterances | speakers |",
        "| --- | --- | --- | --- |",
    ]
    for name, tally in corpus["by_split"].items():
        lines.append(f"| {name} | {tally['hours']:.2f} | {tally['utterances']} | {tally['speakers']} |")
    shared = (
        "No speaker and no session is in two splits." if corpus["split"]["group_by"] == ["speaker", "session"] else ""
    )
    return [*lines, "", f"{shared} Of {corpus['n_read']} rows {corpus['rejected']['total']} were rejected.".strip()]


def _new_language(recipe: Mapping[str, Any]) -> list[str]:
    """How to ask for a language that the model was taught."""
    own = recipe.get("language") or {}
    if not (code := own.get("code")):
        return []
    if token := own["token"]:
        return [
            "",
            f"`{code}` has the token of `{token}`, which the model no longer knows: parlure is asked for `{code}`, "
            f"every other runtime for `{token}`.",
        ]
    return [
        "",
        f'`{code}` has a token of its own behind the others: in Hugging Face it is `language="<|{code}|>"`, and the '
        "base needs a row more before an adapter is loaded: "
        "`model.resize_token_embeddings(model.config.vocab_size + 1)`. Other runtimes cannot tell its languages.",
    ]


def _limits(corpus: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Limits",
        "",
        "Tuned on the speech described above; on other speakers, lines and subjects it may be better or worse than its "
        "base. Other languages, translation, silence and phrase times were not measured unless a table above says so.",
    ]
    if corpus["licence"]:
        lines += ["", f"The recordings are under {corpus['licence']}: see whether it binds what is made from them."]
    else:
        lines += [
            "",
            "The corpus does not say under which licence its recordings are: find out before you pass this on.",
        ]
    return lines


def _hours(corpus: Mapping[str, Any]) -> str:
    hours = corpus["by_split"]["train"]["hours"]
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
