"""CSV, TSV or JSON Lines manifest → rows.

Columns: ``audio`` (relative to the manifest) and ``text``; if wanted ``id, speaker, session, language, task,
split, start, end, channel`` (times in seconds), in JSON Lines also ``segments, prompt, tags``. Other columns are the
row's metadata. A table is UTF-8, with or without a byte order mark, or UTF-16 with its mark, as spreadsheets write
"Unicode text"; a row that is neither is rejected.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from parlure.corpus.readers.columns import name_columns, spare_columns
from parlure.corpus.readers.row import Columns, Rejected, Row, is_unicode, parse_row
from parlure.errors import ParlureError

Item = TypeVar("Item")
_RECURRING = ("audio", "speaker", "session", "language", "task", "split")


def read_csv(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of a table with commas, or with semicolons or tabs, as spreadsheets write it.

    Raises:
        ParlureError: missing or empty file, a header that is not UTF-8, a missing column, a quote that is never closed.
    """
    yield from _read_table(source, columns, csv_records(source))


def read_tsv(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of a table with tabs. A quote is a character like any other, unless a field is wrapped in two.

    Raises:
        ParlureError: missing or empty file, a header that is not UTF-8, a missing column.
    """
    yield from _read_table(source, columns, tsv_records(source))


def read_jsonl(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of JSON Lines, one object a line; a key that some lines lack is a field not given there.

    Raises:
        ParlureError: missing or empty file, no object in it, a column that no line has.
    """
    found, rows = json_objects(source)
    yield from rows_of(source, rows, name_columns(source, columns, found), found)


def rows_of(
    source: str,
    numbered: Iterator[tuple[int, dict[str, Any]] | Rejected],
    names: Mapping[str, str],
    found: Iterable[str],
    mend: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> Iterator[Row | Rejected]:
    """A row of each line of a table.

    Args:
        source: the table.
        numbered: each line's number and its values by column, or why it has none.
        names: the source's name of each of our columns, by our name.
        found: the columns that the source has; those that no field is made of are metadata.
        mend: fields under our names as they stand → as the format means them.
    """
    spare = spare_columns(names, found)
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # one tuple for all lines with the same columns
    for one in numbered:
        if isinstance(one, Rejected):
            yield one
            continue
        number, raw = one
        metadata = tuple(name for name in spare if name in raw)
        _share(raw, names)
        fields = mend({own: raw[name] for own, name in names.items() if name in raw})
        yield parse_row(source, number, raw, fields, shared.setdefault(metadata, metadata))


def json_objects(source: str) -> tuple[list[str], Iterator[tuple[int, dict[str, Any]] | Rejected]]:
    """The keys of JSON Lines; and each line with its number, or why it is no object.

    Raises:
        ParlureError: as :func:`read_text`; or no line is an object with a key.
    """
    objects: deque[tuple[int, dict[str, Any]] | Rejected] = deque()
    found: dict[str, None] = {}
    first = ""
    for number, line in _numbered(read_text(source)):
        one = _json_object(line)
        first = first or f"line {number}: {one if isinstance(one, str) else 'its object is empty'}"
        if isinstance(one, str):
            objects.append(Rejected(source, number, {"content": line}, "malformed_row", one))
        else:
            objects.append((number, one))
            found.update(dict.fromkeys(one))
    if not found:
        raise ParlureError(
            f"{source} has no line that is a JSON object with something in it; {first}",
            "JSON Lines has an object a line; jq -c '.[]' FILE.json > FILE.jsonl makes that of a list of objects",
        )
    return list(found), _one_by_one(objects)


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers from 1, without a second copy of the text."""
    number, first = 1, 0
    while first <= len(text):
        end = text.find("\n", first)
        line = text[first : end if end >= 0 else len(text)]
        if line.strip():
            yield number, line
        number, first = number + 1, first + len(line) + 1


def _one_by_one(objects: deque[Item]) -> Iterator[Item]:
    while objects:
        yield objects.popleft()


def _json_object(line: str) -> dict[str, Any] | str:
    """The object, or a sentence that says why there is none."""
    try:
        value = json.loads(line)
    except ValueError as error:
        return f"the line is not JSON: {error}"
    if not isinstance(value, dict):
        return "the line is JSON but not an object"
    return {sys.intern(key): inner for key, inner in value.items()}  # one text for a key in all lines


def _share(raw: dict[str, Any], names: Mapping[str, str]) -> None:
    """One text for a recording, a speaker and so on in all rows: of a million they are a quarter of the memory."""
    for own in _RECURRING:
        value = raw.get(name := names.get(own, ""))
        if type(value) is str:
            raw[name] = sys.intern(value)


def _read_table(
    source: str, columns: Columns, records: Iterator[tuple[int, list[str] | str]]
) -> Iterator[Row | Rejected]:
    header, rows = named_cells(source, records)
    names = name_columns(source, columns, header)
    for name in names.values():
        if header.count(name) > 1:
            raise ParlureError(f"{source} has {header.count(name)} columns called {name}", "rename all but one")
    yield from rows_of(source, rows, names, header)


def named_cells(
    source: str, records: Iterator[tuple[int, list[str] | str]]
) -> tuple[list[str], Iterator[tuple[int, dict[str, str]] | Rejected]]:
    """The header of a table; and each row with its line's number, its cells by their columns, or why it has none.

    Args:
        source: for messages.
        records: ``(line, cells)``; instead of cells there may be a sentence that says why there are none.

    Raises:
        ParlureError: the header cannot be read.
    """
    _, header = next(records, (1, []))
    if isinstance(header, str):
        raise ParlureError(f"{source} line 1: {header}", "the first line names the columns: audio,text,speaker")
    if not is_unicode(header):
        raise _not_utf8(source)
    header = [name.strip() for name in header]
    return header, (_by_column(source, number, header, cells) for number, cells in records)


def _by_column(
    source: str, number: int, header: list[str], cells: list[str] | str
) -> tuple[int, dict[str, str]] | Rejected:
    if isinstance(cells, str):
        return Rejected(source, number, {}, "malformed_row", cells)
    if len(cells) != len(header):
        sentence = f"the row has {len(cells)} cells, the header {len(header)}: a text with a separator needs quotes"
        return Rejected(source, number, {"cells": cells}, "malformed_row", sentence)
    return number, dict(zip(header, cells, strict=True))


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends, as a file opened with ``newline=""`` gives them, without a second copy of the text."""
    return (match.group() for match in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text))


_DELIMITERS = (",", ";", "\t")  # of a .csv, by its first line; a comma within a header goes before


def csv_records(source: str) -> Iterator[tuple[int, list[str] | str]]:
    """``(line, cells)``, or a sentence instead of cells; a record over several lines has the number of its first."""
    text = read_text(source)
    first = re.split("[\r\n]", text, maxsplit=1)[0]
    delimiter = next((found for found in _DELIMITERS if found in first), ",")
    lines, n_before = _lines(text), 0
    if first.lower() == f"sep={delimiter}":  # for Excel alone
        next(lines)
        n_before = 1
    # strict: a quote in the wrong place is an error here and not a row with half of the next one in it
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = n_before + reader.line_num + 1
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


def tsv_records(source: str) -> Iterator[tuple[int, list[str] | str]]:
    """``(line, cells)`` of a table with tabs."""
    for number, line in enumerate(read_text(source).replace("\r\n", "\n").split("\n"), start=1):
        if line:
            yield number, [_unwrapped(cell) for cell in line.split("\t")]


def _unwrapped(cell: str) -> str:
    inner = cell[1:-1]
    wrapped = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if wrapped else cell


def _not_utf8(source: str) -> ParlureError:
    hint = "save it as UTF-8 (in a spreadsheet: CSV UTF-8), then prepare again"
    return ParlureError(f"{source} line 1 is not UTF-8", hint)


def read_text(source: str) -> str:
    """The file's text.

    Raises:
        ParlureError: missing or empty.
    """
    path = Path(source)
    if not path.is_file():
        raise ParlureError(f"there is no manifest {source}", "check the path")
    content = path.read_bytes()
    # what cannot be decoded becomes surrogates, for which parse_row rejects the row
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content[: len(content) // 2 * 2].decode("utf-16", errors="surrogatepass")
        text += "\udcff" * (len(content) % 2)  # half of the last character is missing
    else:
        text = content.decode("utf-8-sig", errors="surrogateescape")
    if not text.strip():
        raise ParlureError(f"{source} is empty", "the first line names the columns: audio,text,speaker")
    return text
