"""CSV, TSV or JSON Lines manifest → rows.

Columns: ``audio`` (relative to the manifest) and ``text``; if wanted ``id, speaker, session, language, task,
split, start, end, channel`` (times in seconds), in JSON Lines also ``segments, prompt, tags``. Other columns are
kept in ``rejected.jsonl`` and otherwise left alone. A table is UTF-8, with or without a byte order mark; a row that is
not is rejected.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parlure.corpus.readers.columns import name_columns
from parlure.corpus.readers.row import Columns, Rejected, Row, is_unicode, parse_row
from parlure.errors import ParlureError


def read_csv(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of a table with commas, or with semicolons as a French or German spreadsheet writes it.

    Raises:
        ParlureError: missing or empty file, a header that is not UTF-8, a missing column, a quote that is never closed.
    """
    text = _read_text(source)
    header = text.split("\n", 1)[0]
    delimiter = ";" if ";" in header and "," not in header else ","
    # strict: a quote in the wrong place is an error here and not a row with half of the next one in it
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    yield from _read_table(source, columns, _csv_records(source, reader))


def read_tsv(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of a table with tabs. A quote is a character like any other, unless a field is wrapped in two.

    Raises:
        ParlureError: missing or empty file, a header that is not UTF-8, a missing column.
    """
    lines = _read_text(source).replace("\r\n", "\n").split("\n")
    yield from _read_table(source, columns, _tsv_records(lines))


def read_jsonl(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of JSON Lines, one object a line; a key that some lines lack is a field not given there.

    Raises:
        ParlureError: missing or empty file, UTF-16, a column that no line has.
    """
    lines = [(number, line) for number, line in enumerate(_read_text(source).split("\n"), 1) if line.strip()]
    rows = [_json_object(line) for _, line in lines]
    found = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    names = name_columns(source, columns, found)
    for (number, line), row in zip(lines, rows, strict=True):
        if isinstance(row, str):
            yield Rejected(source, number, {"content": line}, "malformed_row", row)
        else:
            yield parse_row(source, number, row, {own: row[name] for own, name in names.items() if name in row})


def _json_object(line: str) -> dict[str, Any] | str:
    """The object, or a sentence that says why there is none."""
    try:
        value = json.loads(line)
    except ValueError as error:
        return f"the line is not JSON: {error}"
    return value if isinstance(value, dict) else "the line is JSON but not an object"


def _read_table(
    source: str, columns: Columns, records: Iterator[tuple[int, list[str] | str]]
) -> Iterator[Row | Rejected]:
    """Rows of a table whose first record is its header; a record is cells, or a sentence saying why there are none."""
    _, header = next(records, (1, []))
    if isinstance(header, str):
        raise ParlureError(f"{source} line 1: {header}", "the first line names the columns: audio,text,speaker")
    if not is_unicode(header):
        raise _not_utf8(source)
    header = [name.strip() for name in header]
    names = name_columns(source, columns, header)
    for name in names.values():
        if header.count(name) > 1:
            raise ParlureError(f"{source} has {header.count(name)} columns called {name}", "rename all but one")
    for number, cells in records:
        if isinstance(cells, str):
            yield Rejected(source, number, {}, "malformed_row", cells)
        elif len(cells) != len(header):
            sentence = f"the row has {len(cells)} cells, the header {len(header)}: a text with a separator needs quotes"
            yield Rejected(source, number, {"cells": cells}, "malformed_row", sentence)
        else:
            raw = dict(zip(header, cells, strict=True))
            yield parse_row(source, number, raw, {own: raw[name] for own, name in names.items() if name in raw})


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends, as a file opened with ``newline=""`` gives them, without a second copy of the text."""
    return (match.group() for match in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text))


def _csv_records(source: str, reader: Any) -> Iterator[tuple[int, list[str] | str]]:
    """``(line, cells)``; a record over several lines has the number of its first."""
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise ParlureError(
                    f"{source}: the quote opened in the row at line {number} is never closed",
                    'close it, or write "" for a quote inside a quoted text',
                ) from error
            yield number, f"the row is not proper CSV: {error}"
            continue
        if cells:
            yield number, cells


def _tsv_records(lines: list[str]) -> Iterator[tuple[int, list[str] | str]]:
    for number, line in enumerate(lines, start=1):
        if line:
            yield number, [_unwrapped(cell) for cell in line.split("\t")]


def _unwrapped(cell: str) -> str:
    inner = cell[1:-1]
    wrapped = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if wrapped else cell


def _not_utf8(source: str) -> ParlureError:
    hint = "save it as UTF-8 (in a spreadsheet: CSV UTF-8), then prepare again"
    return ParlureError(f"{source} line 1 is not UTF-8", hint)


def _read_text(source: str) -> str:
    """The file's text.

    Raises:
        ParlureError: missing, empty or UTF-16.
    """
    path = Path(source)
    if not path.is_file():
        raise ParlureError(f"there is no manifest {source}", "check the path")
    content = path.read_bytes()
    # bytes that are not UTF-8 become surrogates, for which parse_row rejects the row
    text = content.decode("utf-8-sig", errors="surrogateescape")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _not_utf8(source)
    if not text.strip():
        raise ParlureError(f"{source} is empty", "the first line names the columns: audio,text,speaker")
    return text
