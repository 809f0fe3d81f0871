"""Hugging Face ``audiofolder`` → rows: recordings, and ``metadata.csv``, ``.jsonl`` or ``.parquet`` that name them.

A table names each recording in ``file_name``, relative to the table's folder; there may be one at the top, or one in
each subfolder. The text is the column ``text``, ``transcription``, ``sentence`` or ``transcript``, the first that is
there, the speaker ``speaker``, ``speaker_id`` or ``client_id``, the session ``session`` or ``session_id``; the split
is a column ``split``, or the folder called ``train``, ``validation``, ``test`` or the like. ``id, language, task,
prompt, segments, tags`` are read where they are there, the last two also as JSON in a text. A recording is one clip,
whole: ``recording, start, end, channel`` say where it was cut from, and are metadata like the other columns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from parlure.corpus.readers.beside import AUDIO_SUFFIXES
from parlure.corpus.readers.columns import PROVENANCE, refuse_absent
from parlure.corpus.readers.row import FIELDS, Columns, Rejected, Row, plain
from parlure.corpus.readers.table import csv_records, json_objects, named_cells, rows_of
from parlure.corpus.split import is_own_split
from parlure.errors import ParlureError

TABLES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_GUESSES = {
    "audio": ("file_name", "audio_file_name"),
    "text": ("text", "transcription", "sentence", "transcript"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "session": ("session", "session_id"),
}
_HEAD = 1 << 16  # bytes in which the first line of a table is looked for
_Rows = Iterator[tuple[int, dict[str, Any]] | Rejected]


def read_audiofolder(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of every table in a folder, in alphabetical order, then the recordings that none of them names.

    Raises:
        ParlureError: no such folder, no table in it, or a table cannot be read or lacks a column.
    """
    root = Path(source)
    if root.is_file():
        yield from _rows(root.parent, root, columns)
        return
    files = sorted(Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    tables = [path for path in files if path.name in TABLES]
    if not tables:
        raise ParlureError(f"{source} holds no {', '.join(TABLES)}", "a table with the columns file_name and text")
    named = set[str]()
    for table in tables:
        for row in _rows(root, table, columns):
            name = row.raw.get("file_name", row.raw.get("audio_file_name"))
            named |= {os.path.normpath(table.parent / one) for one in (str(name), str(name).replace("\\", "/"))}
            yield row
    for path in files:
        if path.suffix.lower() in AUDIO_SUFFIXES and os.path.normpath(path) not in named:
            raw = {"audio": path.relative_to(root).as_posix()}
            yield Rejected(source, None, raw, "empty_text", f"no table names {path.name}")


def is_audiofolder(folder: Path) -> bool:
    """Whether a folder, or one of its subfolders, has such a table: of one that is text the beginning is looked at."""
    with os.scandir(folder) as entries:
        folders = [folder, *(Path(entry.path) for entry in entries if entry.is_dir())]
    paths = (inner / name for inner in folders for name in TABLES)
    return any(path.is_file() and _names_files(path) for path in paths)


def _names_files(table: Path) -> bool:
    """Whether a table has a column of file names: ``metadata.csv`` is also what other formats call theirs."""
    if table.suffix == ".parquet":
        return True
    with table.open("rb") as file:
        return b"file_name" in file.read(_HEAD).split(b"\n", 1)[0]


def _rows(root: Path, table: Path, columns: Columns) -> Iterator[Row | Rejected]:
    source = str(table)
    header, rows = _read(table)
    names = _names(source, columns, header)

    def mend(fields: dict[str, Any]) -> dict[str, Any]:
        fields |= {own: _listed(own, fields.get(own)) for own in ("segments", "tags")}
        return fields | {"split": fields.get("split") or _split(root, table, fields.get("audio"))}

    yield from rows_of(source, rows, names, header, mend)


def _read(table: Path) -> tuple[list[str], _Rows]:
    source = str(table)
    if table.suffix == ".csv":
        return named_cells(source, csv_records(source))
    if table.suffix == ".jsonl":
        return json_objects(source)
    try:
        found = pq.read_table(table)
    except (OSError, pa.ArrowException) as error:
        raise ParlureError(f"{table} cannot be read as parquet: {error}", "download or write it again") from error
    return found.column_names, ((number, plain(row)) for number, row in enumerate(found.to_pylist(), start=1))


def _listed(own: str, value: Any) -> Any:
    """Segments or tags out of a text; a text that is no list in JSON is one tag."""
    if not isinstance(value, str) or not value.strip():
        return value
    try:
        listed = json.loads(value)
    except ValueError:
        listed = None
    return listed if isinstance(listed, list) else [value.strip()] if own == "tags" else value


def _names(source: str, columns: Columns, header: list[str]) -> dict[str, str]:
    """The table's name of each of our columns that it has."""
    names = {own: own for own in FIELDS if own not in ("audio", *PROVENANCE)}
    for own, guesses in _GUESSES.items():
        names[own] = next((name for name in guesses if name in header), guesses[0])
    names |= columns.given()
    hint = "a table needs file_name and a text; --text names yours"
    refuse_absent(source, names, header, ("audio", "text", *columns.given()), hint)
    return {own: name for own, name in names.items() if name in header}


def _split(root: Path, table: Path, name: Any) -> str | None:
    """The split of a recording, from the topmost folder that is called like one."""
    folders = Path(os.path.relpath(table.parent / str(name).replace("\\", "/"), root)).parts[:-1]
    return next((part for part in folders if is_own_split(part)), None)
