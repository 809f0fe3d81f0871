"""Parquet shard with the recordings in it, as Hugging Face data sets have them → rows.

The column ``audio`` (or the one that is a struct of ``bytes`` and ``path``) holds a whole encoded file a row.
``text`` is required; ``id, speaker, session, language, task, split, segments, prompt, tags`` are read where they are
there; numbers of a ``ClassLabel`` are read as the names that the schema gives them. Columns ``recording``, ``start``,
``end`` and ``channel`` say where a clip was cut from, not what of it to take; with the other columns they are metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from parlure.corpus.readers.columns import PROVENANCE, name_columns, spare_columns
from parlure.corpus.readers.row import Columns, Rejected, Row, parse_row, plain
from parlure.errors import ParlureError

_N_ROWS = 32  # in memory at a time: of the usual seconds of mp3 about 1 MB, of 30 s in 48 kHz PCM 90 MB


def read_huggingface(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of one shard, each with its recording in ``content``.

    Raises:
        ParlureError: not parquet, no audio in it, a missing column.
    """
    file = _open(Path(source))
    schema = file.schema_arrow
    audio = _audio_column(source, schema)
    names = name_columns(source, columns, [name for name in schema.names if name != audio], required=("text",))
    fields = {own: name for own, name in names.items() if name in schema.names and own not in ("audio", *PROVENANCE)}
    others = [field.name for field in schema if field.name != audio and not pa.types.is_binary(field.type)]
    spare = spare_columns(fields, others)
    labels = _labels(schema)
    number = 0
    with file:
        for batch in file.iter_batches(batch_size=_N_ROWS, columns=schema.names):
            for raw in _dicts(batch):
                number += 1
                raw |= {name: _label(raw[name], known) for name, known in labels.items()}
                sound = raw.pop(audio) or {}
                if isinstance(sound, str):  # its path is not UTF-8: the row is rejected for it
                    sound = {"path": sound}
                yield _row(source, number, raw, sound, {own: raw[name] for own, name in fields.items()}, spare)


def _row(
    source: str,
    number: int,
    raw: dict[str, Any],
    sound: Mapping[str, Any],
    fields: dict[str, Any],
    spare: tuple[str, ...],
) -> Row | Rejected:
    raw = plain({name: value for name, value in raw.items() if not isinstance(value, bytes)})
    path = sound.get("path") or ""
    raw["audio"] = plain(path) or None
    if sound.get("bytes") is None and not path:
        return Rejected(source, number, raw, "missing_file", "the row holds no recording")
    row = parse_row(source, number, raw, fields | {"audio": path or f"{number}"}, spare)
    if isinstance(row, Rejected) or sound.get("bytes") is None:
        return row
    return replace(row, content=sound["bytes"])


def _labels(schema: pa.Schema) -> dict[str, list[str]]:
    """The names of the classes of each column that holds their numbers, as `datasets` writes them into the schema."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"].items()
    except (ValueError, KeyError, TypeError, AttributeError):  # none, or somebody else's
        return {}
    classes = {name: one for name, one in features if isinstance(one, dict) and one.get("_type") == "ClassLabel"}
    return {name: one["names"] for name, one in classes.items() if name in schema.names and one.get("names")}


def _label(value: Any, names: list[str]) -> Any:
    """The name of a class; -1 is none in `datasets`, as where a test set hides them."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None if value == -1 else value


def _dicts(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a batch; a value that holds a text which is not UTF-8 is that text, its bad bytes as surrogates."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError:
        columns = [list(map(_value, column)) for column in batch.columns]
        return [dict(zip(batch.schema.names, values, strict=True)) for values in zip(*columns, strict=True)]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error.object.decode(errors="surrogateescape")


def _audio_column(source: str, schema: pa.Schema) -> str:
    """The column of recordings."""
    structs = [
        field.name
        for field in schema
        if pa.types.is_struct(field.type) and {"bytes", "path"} <= {inner.name for inner in field.type}
    ]
    if "audio" in structs or len(structs) == 1:
        return "audio" if "audio" in structs else structs[0]
    if structs:
        listed = ", ".join(structs)
        raise ParlureError(f"{source} has several columns of recordings: {listed}", "call the right one audio")
    listed = ", ".join(schema.names)
    raise ParlureError(
        f"{source} has no column of recordings; it has: {listed}", "audio holds the bytes of a file and its path"
    )


def count_rows(path: Path) -> int:
    """How many rows a shard has, from its footer."""
    with _open(path) as file:
        return int(file.metadata.num_rows)


def _open(path: Path) -> pq.ParquetFile:
    try:
        # no pre_buffer: it would hold a whole row group, often the whole file
        return pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    except (OSError, pa.ArrowException) as error:
        raise ParlureError(f"{path} cannot be read as parquet: {error}", "download or write it again") from error
