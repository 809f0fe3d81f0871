"""Corpus → Hugging Face ``audiofolder``: a folder for each split, with clips and ``metadata.jsonl``.

Reading it back with parlure gives the same ids, texts, speakers, sessions, languages, tasks, splits, phrases, prompts
and tags; the recordings are the clips (:mod:`parlure.corpus.exporters.clips` says what that loses). An utterance
without speech has an empty text, which is read back with ``--empty-text no-speech``.

``datasets`` guesses the type of a column from its values, for each split by itself, and wants the same in all: so
what is not given is an empty text and not null, and ``segments`` and ``tags`` are lists written as JSON in a text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parlure.corpus.exporters.clips import SPLIT_NAMES, card, clip, columns_of, described
from parlure.corpus.manifest import Corpus, Utterance


def export_audiofolder(corpus: Corpus, out: Path) -> None:
    """Write the folder.

    Raises:
        AudioError: a recording cannot be read.
    """
    columns = columns_of(corpus)
    out.mkdir(parents=True, exist_ok=True)
    for split, name in SPLIT_NAMES.items():
        if utterances := corpus.select(split):
            _write_split(utterances, columns, out / name)
    (out / "README.md").write_text(card(corpus, {}), encoding="utf-8")


def _write_split(utterances: Sequence[Utterance], columns: list[str], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / "metadata.jsonl").open("w", encoding="utf-8", newline="\n") as table:
        for utterance in utterances:
            name = f"{utterance.id}.flac"
            (folder / name).write_bytes(clip(utterance))
            row = {"file_name": name} | {
                key: _typed(key, value) for key, value in described(utterance, columns).items()
            }
            table.write(json.dumps(row, ensure_ascii=False) + "\n")


def _typed(column: str, value: Any) -> Any:
    """A value whose kind is the same in every row."""
    if column in ("start", "end"):
        return value
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
