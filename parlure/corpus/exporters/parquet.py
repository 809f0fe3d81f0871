"""Corpus → parquet shards with the clips in them, as the Hugging Face Hub has data sets.

``datasets.load_dataset`` reads the folder, and ``audio`` is a column of recordings there. Reading it back with
parlure gives the same ids, texts, speakers, sessions, languages, tasks, splits, phrases, prompts and tags; the
recordings are the clips (:mod:`parlure.corpus.exporters.clips` says what that loses). An utterance without speech has
an empty text, which is read back with ``--empty-text no-speech``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from parlure.corpus.exporters.clips import SPLIT_NAMES, card, clip, columns_of, described
from parlure.corpus.manifest import Corpus, Utterance
from parlure.speech.audio import SAMPLE_RATE

SHARD_BYTES = 500_000_000  # of a shard's table, after which the next begins: what the Hub's own tools make them
_GROUP_ROWS = 100  # a row group is held in memory, here and by whoever reads it: some 20 MB
_SEGMENT = pa.struct([("start", pa.float64()), ("end", pa.float64()), ("text", pa.string()), ("speaker", pa.string())])
_TYPES = {"segments": pa.list_(_SEGMENT), "tags": pa.list_(pa.string()), "start": pa.float64(), "end": pa.float64()}
_TYPES |= {"channel": pa.int64()}


def export_parquet(corpus: Corpus, out: Path) -> None:
    """Write ``data/SPLIT-00000-of-00001.parquet`` and ``README.md``.

    Raises:
        AudioError: a recording cannot be read.
    """
    columns = columns_of(corpus)
    schema = _schema(columns)
    (out / "data").mkdir(parents=True, exist_ok=True)
    files, sizes = [], []
    for split, name in SPLIT_NAMES.items():
        utterances = corpus.select(split)
        if not utterances:
            continue
        parts, n_bytes = _write_shards(utterances, columns, schema, out / "data" / name)
        for number, part in enumerate(parts):
            part.replace(out / "data" / f"{name}-{number:05d}-of-{len(parts):05d}.parquet")
        files.append({"split": name, "path": f"data/{name}-*"})
        sizes.append({"name": name, "num_bytes": n_bytes, "num_examples": len(utterances)})
    more = {"configs": [{"config_name": "default", "data_files": files}], "dataset_info": {"splits": sizes}}
    (out / "README.md").write_text(card(corpus, more), encoding="utf-8")


def _write_shards(
    utterances: Sequence[Utterance], columns: list[str], schema: pa.Schema, start: Path
) -> tuple[list[Path], int]:
    """Shards of one split, under names of their own until their number is known; and the bytes of their tables."""
    parts: list[Path] = []
    n_bytes = 0
    rows = _rows(utterances, columns)
    group = list(islice(rows, _GROUP_ROWS))
    while group:
        parts.append(Path(f"{start}-{len(parts)}.part"))
        full = n_bytes + SHARD_BYTES
        with pq.ParquetWriter(parts[-1], schema) as writer:
            while group and n_bytes < full:
                table = pa.Table.from_pylist(group, schema=schema)
                writer.write_table(table)
                n_bytes += table.nbytes
                group = list(islice(rows, _GROUP_ROWS))
    return parts, n_bytes


def _rows(utterances: Sequence[Utterance], columns: list[str]) -> Iterator[dict[str, Any]]:
    for utterance in utterances:
        audio = {"bytes": clip(utterance), "path": f"{utterance.id}.flac"}
        yield {"audio": audio, **described(utterance, columns)}


def _schema(columns: list[str]) -> pa.Schema:
    """Columns and their types; under ``huggingface`` what ``datasets`` calls them, so that ``audio`` is heard."""
    audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    types = {"audio": audio} | {name: _TYPES.get(name, pa.string()) for name in columns}
    features = {name: _feature(kind) for name, kind in types.items()}
    features["audio"] = {"sampling_rate": SAMPLE_RATE, "_type": "Audio"}
    info = json.dumps({"info": {"features": features}})
    return pa.schema(list(types.items()), metadata={"huggingface": info})


def _feature(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": "float64" if pa.types.is_float64(kind) else str(kind), "_type": "Value"}
