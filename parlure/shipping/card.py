"""Run folder → its model card: what it was made from and with, what it gained on dev, and how to use it.

A card says nothing that the folder does not hold: WERs come from ``metrics.jsonl`` and, when there is one, from a
report. No path of the machine and no speaker's name is in it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError

CARD = "README.md"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def write_card(run: Path, report: Path | None = None) -> None:
    """Write the card into the run folder; see :func:`make_card`."""
    (run / CARD).write_text(make_card(run, report), encoding="utf-8")


def make_card(run: Path, report: Path | None = None, repo: str | None = None) -> str:
    """The card in Markdown, with the front matter that the Hugging Face Hub reads.

    Args:
        run: a run folder that has an adapter or a model.
        report: a report folder of ``parlure evaluate`` for this run, whose test scores are then on the card.
        repo: where it is to lie on the Hub, for the lines that say how to use it; None says how in the run folder.

    Raises:
        ParlureError: the run has not come far enough, or the report is none.
    """
    recipe, corpus, evaluations = _read_run(run)
    lines = [
        *_front_matter(recipe, corpus),
        f"# {Path(recipe['model']['base']).name}, tuned on {_hours(corpus)} of speech",
        "",
        *_control(recipe),
        *_scores(evaluations, report),
        "",
        *_how_it_was_made(recipe, corpus),
        "",
        *_use(recipe, repo),
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


def _front_matter(recipe: Mapping[str, Any], corpus: Mapping[str, Any]) -> list[str]:
    lines = ["---", "tags:", "- whisper", "- automatic-speech-recognition", "- parlure"]
    # quoted, as JSON is YAML too: no would be false, and a licence may hold a colon
    lines += ["language:", *(f"- {json.dumps(code)}" for code in corpus["by_language"])]
    if is_on_hub(recipe["model"]["base"]):
        lines.append(f"base_model: {json.dumps(recipe['model']['base'])}")
    if recipe["adapter"]["method"] == "lora":
        lines.append("library_name: peft")
    if corpus["licence"]:
        lines.append(f"license: {json.dumps(corpus['licence'], ensure_ascii=False)}")
    return [*lines, "pipeline_tag: automatic-speech-recognition", "---", ""]


def _control(recipe: Mapping[str, Any]) -> list[str]:
    """What must be said before anything else of a run that was never meant to be used."""
    if not recipe["data"].get("permute_labels"):
        return []
    return ["**A control, not for use: its training transcripts were permuted on purpose.**", ""]


def _scores(evaluations: list[dict[str, Any]], report: Path | None) -> list[str]:
    best = min(evaluations, key=lambda row: (row["wer"], row["step"]))
    judged = f"{best['n_utterances']} utterances, profile `{best['profile']}`"
    gain = f"WER {evaluations[0]['wer']:.1f} % → {best['wer']:.1f} % at step {best['step']}"
    lines = ["## What it gained", ""]
    lines.append(f"On the dev split ({judged}), by which the checkpoint was chosen, so that it flatters: {gain}.")
    if report is None:
        return [*lines, "", "Not measured on a test split: `parlure evaluate` does that."]
    path = report / "report.json"
    if not path.is_file():
        raise ParlureError(f"{report} is not a report folder", "parlure evaluate CORPUS --model RUN --out REPORT")
    content = json.loads(path.read_text(encoding="utf-8"))
    condition = (content.get("systems", {}).get("tuned", {}).get("decode") or {}).get("condition")
    sent = f", sent through `{condition['channel']}`" if condition else ""
    lines += ["", f"On the test split{sent}:", "", "| profile | base WER | tuned WER | difference | 95 % interval |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, systems in content["profiles"].items():
        comparison = systems.get("comparison") or {}
        interval = comparison.get("ci95")
        lines.append(
            f"| `{name}` | {_rate(systems.get('base'))} | {_rate(systems['tuned'])} | "
            f"{'' if comparison.get('difference') is None else format(comparison['difference'], '+.1f')} | "
            f"{f'{interval[0]:+.1f} to {interval[1]:+.1f}' if interval else ''} |"
        )
    return lines


def _rate(block: Mapping[str, Any] | None) -> str:
    if block is None or block["wer"]["rate"] is None:
        return ""
    wer = block["wer"]
    return f"{wer['rate']:.1f} % (S {wer['S']}, D {wer['D']}, I {wer['I']}, N {wer['N']})"


def _how_it_was_made(recipe: Mapping[str, Any], corpus: Mapping[str, Any]) -> list[str]:
    adapter, training = recipe["adapter"], recipe["training"]
    how = "full fine-tuning"
    if adapter["method"] == "lora":
        how = f"LoRA, r = {adapter['r']}, alpha = {adapter['alpha']:g}, on {', '.join(adapter['targets'])}"
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


def _use(recipe: Mapping[str, Any], repo: str | None) -> list[str]:
    """Commands and Python that work as they stand, for who has the run folder or for who finds it on the Hub."""
    base, is_adapter = recipe["model"]["base"], recipe["adapter"]["method"] == "lora"
    transcribe = "parlure transcribe call.wav --format srt --model"
    if repo is None:
        commands, place = [f"{transcribe} RUN"], "RUN/adapter" if is_adapter else "RUN/model"
    elif is_adapter:
        folder = repo.rpartition("/")[2]
        commands, place = [f"hf download {repo} --local-dir {folder}", f"{transcribe} {folder}"], repo
    else:
        commands, place = [f"{transcribe} {repo}"], repo
    whole = json.dumps((base if is_on_hub(base) else "BASE") if is_adapter else place)
    python = ["from transformers import WhisperForConditionalGeneration"]
    python.append(f"model = WhisperForConditionalGeneration.from_pretrained({whole})")
    if is_adapter:
        python.insert(0, "from peft import PeftModel")
        python.append(f"model = PeftModel.from_pretrained(model, {json.dumps(place)})")
    lines = ["## Use", "", "```", *commands, "```", "", "or in Python:", "", "```python", *python, "```"]
    if repo is None:
        lines += ["", "where RUN is this folder."]
    if is_adapter and not is_on_hub(base):
        lines += ["", f"BASE is a folder with the weights of `{public_name(base)}`, which are not on the Hub."]
    return lines


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


def is_on_hub(base: str) -> bool:
    """Whether a base is named by its place on the Hub, and not by a folder's."""
    return _HUB_ID.fullmatch(base) is not None and not Path(base).exists()


def public_name(base: str) -> str:
    """A hub id or the word nano as it is; of a folder only its own name."""
    return base if is_on_hub(base) else Path(base).name


def _hours(corpus: Mapping[str, Any]) -> str:
    hours = corpus["by_split"]["train"]["hours"]
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
