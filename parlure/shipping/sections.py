"""What the cards of trained and of merged runs share: front matter, test scores, how to use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.shipping.evaluated import skills

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def front_matter(
    base: str,
    languages: Iterable[str],
    licence: str | None,
    is_adapter: bool,
    more: Mapping[str, Any] | None = None,
) -> list[str]:
    """The lines that the Hub reads; ``more`` is further front matter."""
    lines = ["---", "tags:", "- whisper", "- automatic-speech-recognition", "- parlure"]
    # quoted, as JSON is YAML too: no would be false, and a licence may hold a colon
    lines += ["language:", *(f"- {json.dumps(code)}" for code in languages)]
    if is_on_hub(base):
        lines.append(f"base_model: {json.dumps(base)}")
    if is_adapter:
        lines.append("library_name: peft")
    if licence:
        lines.append(f"license: {json.dumps(licence, ensure_ascii=False)}")
    lines.append("pipeline_tag: automatic-speech-recognition")
    if more:
        import yaml

        lines += yaml.safe_dump(dict(more), sort_keys=False, allow_unicode=True).splitlines()
    return [*lines, "---", ""]


def test_scores(report: Path | None) -> list[str]:
    """What a report says of the test split.

    Raises:
        ParlureError: it is none.
    """
    if report is None:
        return ["Not measured on a test split: `parlure evaluate` does that."]
    path = report / "report.json"
    if not path.is_file():
        raise ParlureError(f"{report} is not a report folder", "parlure evaluate CORPUS --model RUN --out REPORT")
    content = json.loads(path.read_text(encoding="utf-8"))
    condition = (content.get("systems", {}).get("tuned", {}).get("decode") or {}).get("condition")
    sent = f", sent through `{condition['channel']}`" if condition else ""
    lines = [f"On the test split{sent}:", "", "| profile | base WER | tuned WER | difference | 95 % interval |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, systems in content["profiles"].items():
        comparison = systems.get("comparison") or {}
        interval = comparison.get("ci95")
        lines.append(
            f"| `{name}` | {_rate(systems.get('base'))} | {_rate(systems['tuned'])} | "
            f"{'' if comparison.get('difference') is None else format(comparison['difference'], '+.1f')} | "
            f"{f'{interval[0]:+.1f} to {interval[1]:+.1f}' if interval else ''} |"
        )
    return [*lines, *skills(report)]


def swept(run: Path) -> list[str]:
    """Where between base and tuned a swept run stands."""
    path = run / "sweep.json"
    if not path.is_file():
        return []
    scale = json.loads(path.read_text(encoding="utf-8"))["chosen"]
    told = f"What lies here is between base (0) and tuned (1), at {scale:g}"
    return ["", f"{told}: the dev scores above are the tuned model's, `sweep.json` has those of both."]


def _rate(block: Mapping[str, Any] | None) -> str:
    if block is None or block["wer"]["rate"] is None:
        return ""
    wer = block["wer"]
    return f"{wer['rate']:.1f} % (S {wer['S']}, D {wer['D']}, I {wer['I']}, N {wer['N']})"


def use(base: str, is_adapter: bool, repo: str | None) -> list[str]:
    """Commands and Python that work as they stand, for who has the run folder or for who finds it on the Hub."""
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


def is_merged(run: Path) -> bool:
    """Whether a run folder was merged from others."""
    return (run / "merge.json").is_file()


def is_on_hub(base: str) -> bool:
    """Whether a base is named by its place on the Hub, and not by a folder's."""
    return _HUB_ID.fullmatch(base) is not None and not Path(base).exists()


def public_name(base: str) -> str:
    """A hub id or the word nano as it is; of a folder only its own name."""
    return base if is_on_hub(base) else Path(base).name
