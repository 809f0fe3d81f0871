"""Corpus → ``utterances.csv`` or ``utterances.jsonl``: a manifest that ``parlure prepare`` reads back equal.

Every field is there. In CSV, ``segments`` and ``tags`` are cells of JSON. Recordings are not copied: they are named
relative to the folder if they lie under its parent, else by their absolute path.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Corpus, Utterance, stored
from parlure.corpus.readers.row import FIELDS

_AS_JSON = ("segments", "tags")


def export_jsonl(corpus: Corpus, out: Path) -> None:
    """One object a line, all fields of an utterance, ``recording`` under its name in manifests: ``audio``."""
    with (out / "utterances.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for utterance in corpus.utterances:
            file.write(json.dumps(_fields(utterance, out), ensure_ascii=False) + "\n")


def export_csv(corpus: Corpus, out: Path) -> None:
    """One row an utterance, commas, a header; what is not known is an empty cell."""
    with (out / "utterances.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        for utterance in corpus.utterances:
            fields = _fields(utterance, out)
            for name in _AS_JSON:
                fields[name] = json.dumps(fields[name], ensure_ascii=False) if fields[name] else None
            writer.writerow(fields)


def _fields(utterance: Utterance, out: Path) -> dict[str, Any]:
    values = {**utterance.to_json(), "audio": stored(utterance.recording, out)}
    return {name: values[name] for name in FIELDS}
