"""The card of a run that ``parlure merge`` made: what was merged, by what, and what each part had gained by itself."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.shipping.evaluated import model_index
from parlure.shipping.sections import front_matter, public_name, swept, test_scores, use

_HOW = {
    "linear": "the weighted sum of what each has learnt",
    "ties": "TIES, of each the {density:.0%} of largest changes",
    "dare": "DARE, of each {density:.0%} of the changes by chance (seed {seed})",
}


def make_merged_card(
    run: Path, report: Path | None, repo: str | None, licence: str | None = None, merged: bool = False
) -> str:
    """The card in Markdown; see :func:`parlure.shipping.card.make_card`.

    Raises:
        ParlureError: the folder holds no model, or the report is none.
    """
    if not any((run / name).is_dir() for name in ("adapter", "model")):
        raise ParlureError(f"{run} is not a run with an adapter or a model", "parlure train RECIPE --out RUN makes one")
    table = json.loads((run / "merge.json").read_text(encoding="utf-8"))
    corpora = [_read(run / row["kept_in"] / "corpus.json") for row in table["runs"]]
    languages = sorted({language for corpus in corpora for language in corpus.get("by_language", ())})
    licences = {corpus.get("licence") for corpus in corpora}
    licence = licence or (licences.pop() if len(licences) == 1 else None)
    is_adapter = (run / "adapter").is_dir() and not merged
    told = test_scores(report)
    index = model_index(report, (repo or run.name).rpartition("/")[2], "recordings of several runs")
    how = _HOW[table["how"]].format(**table)
    lines = [
        *front_matter(table["base"], languages, licence, is_adapter, index),
        f"# {public_name(table['base'])}, {len(table['runs'])} runs merged",
        "",
        f"With parlure from `{public_name(table['base'])}`: {how}.",
        "",
        "| run | weight | tuned by | hours of training speech | dev WER, base → run, each on its own dev |",
        "| --- | --- | --- | --- | --- |",
        *(_row(run, row, corpus) for row, corpus in zip(table["runs"], corpora, strict=True)),
        "",
        "The dev scores are those of the runs by themselves, not of what was merged.",
        *swept(run),
        "",
        *told,
        "",
        *use(table["base"], is_adapter, repo),
        "",
        "## Limits",
        "",
        "Merging may lose what the runs gained: nothing is known of this model but what a table of its own says above.",
    ]
    if licence is None:
        lines += ["", "The corpora do not say one licence: find out what binds what is made from them."]
    return "\n".join(lines) + "\n"


def _row(run: Path, row: dict[str, Any], corpus: dict[str, Any]) -> str:
    place = run / row["kept_in"]
    method = tomllib.loads((place / "recipe.toml").read_text(encoding="utf-8")).get("adapter", {}).get("method", "")
    hours, scores = "", ""
    if corpus:
        hours = f"{corpus['by_split']['train']['hours']:.2f}"
    if (place / "metrics.jsonl").is_file():
        rows = [json.loads(line) for line in (place / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        judged = [one for one in rows if one["kind"] == "evaluation"]
        scores = f"{judged[0]['wer']:.1f} % → {min(one['wer'] for one in judged):.1f} %" if judged else ""
    return f"| {Path(row['run']).name} | {row['weight']:g} | {method} | {hours} | {scores} |"


def _read(path: Path) -> dict[str, Any]:
    """The corpus of a part, or nothing where a part was itself merged."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
