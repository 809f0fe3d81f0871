"""Corpus folder → a data set for the Hub: clips in parquet shards that ``datasets`` loads, and a card."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from parlure.corpus.exporters.clips import SPLIT_NAMES
from parlure.corpus.exporters.parquet import export_parquet
from parlure.corpus.manifest import Corpus
from parlure.corpus.personal import find_personal
from parlure.shipping.licences import Conflict

CARD = "README.md"


def is_corpus(folder: Path) -> bool:
    """Whether a folder is a corpus and no run: both have a ``corpus.json``."""
    return (folder / "manifest.jsonl").is_file()


def personal_data(corpus: Corpus) -> list[Conflict]:
    """Numbers and addresses in the texts by which a person can be found, counted by kind."""
    kinds: Counter[str] = Counter()
    holders: list[str] = []
    for utterance in corpus.utterances:
        if found := find_personal(utterance.text, utterance.language):
            kinds.update(one.kind for one in found)
            holders.append(utterance.id)
    if not kinds:
        return []
    counted = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    named = ", ".join(holders[:5]) + (f" and {len(holders) - 5} more" if len(holders) > 5 else "")
    return [Conflict("personal-data", f"the texts hold numbers or addresses of people ({counted}): {named}")]


def write_dataset(corpus: Corpus, out: Path, repo: str, licence: str | None) -> str:
    """Write shards and card into a folder.

    Args:
        corpus: all of it is written, recordings cut into clips.
        out: the folder.
        repo: ``owner/name``, for the lines that say how to use it.
        licence: that the card gives; None gives none.

    Returns:
        The card.

    Raises:
        AudioError: a recording cannot be read.
    """
    import yaml

    export_parquet(corpus, out)
    _, front, _ = (out / CARD).read_text(encoding="utf-8").split("---\n", 2)
    matter: dict[str, Any] = yaml.safe_load(front)
    matter.pop("license", None)
    if licence is not None:
        matter = {"license": licence, **matter}
    dumped = yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)
    card = f"---\n{dumped}---\n\n" + "\n".join(_body(corpus, repo, licence)) + "\n"
    (out / CARD).write_text(card, encoding="utf-8")
    return card


def _body(corpus: Corpus, repo: str, licence: str | None) -> list[str]:
    hours = sum(one.duration_s for one in corpus.utterances) / 3600
    lines = [
        f"# {repo.rpartition('/')[2]}",
        "",
        f"{_length(hours)} of speech with transcripts, made with parlure.",
        "",
        "| split | hours | utterances | speakers |",
        "| --- | --- | --- | --- |",
    ]
    for split, name in SPLIT_NAMES.items():
        if chosen := corpus.select(split):
            speakers = len({one.speaker for one in chosen if one.speaker is not None})
            share = sum(one.duration_s for one in chosen) / 3600
            lines.append(f"| {name} | {share:.2f} | {len(chosen)} | {speakers or 'not known'} |")
    shared = (corpus.info.get("split") or {}).get("group_by") == ["speaker", "session"]
    rejected = (corpus.info.get("rejected") or {}).get("total")
    how = ["No speaker and no session is in two splits."] * shared
    if rejected is not None:
        how.append(f"Of {corpus.info['n_read']} rows {rejected} were rejected when it was made.")
    lines += ["", " ".join([*how, "Clips are 16 kHz mono FLAC, cut from the recordings."])]
    lines += ["", "## Use", "", "```python", "from datasets import load_dataset"]
    lines += [f'corpus = load_dataset("{repo}")', "```", "", f"or `parlure prepare hf://{repo} --out corpus`.", ""]
    lines += [
        "## Limits",
        "",
        "Transcripts are those of the sources. Columns hold speakers and sessions as the sources",
    ]
    lines[-1] += " name them, and recordings hold voices: both are personal data."
    if licence is None:
        lines += ["", "Nothing says under which licence the recordings are: find out before you use them."]
    return lines


def _length(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
