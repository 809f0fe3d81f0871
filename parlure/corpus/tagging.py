"""Columns of the sources that parlure has no field for → tags ``name=value``, to slice a report by.

A column is one column wherever it comes from: sources that share a name share what becomes of it. Unless columns are
named, those are taken of which some value comes back and that have at most 50 different ones (an age, a region): ids,
paths and measurements are not, and there are never more than 50 different tags of a column, however many rows.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from parlure.corpus.examine import Taken
from parlure.corpus.readers.columns import PROVENANCE
from parlure.corpus.readers.row import Rejected, Row
from parlure.errors import ParlureError

MAX_VALUES = 50  # different values of a column that nobody named: more are not read as a table of slices
MAX_CHARS = 64  # of a value: a longer one is a text, not a label
NO_COLUMNS = ("none",)
_NAMED_AT_MOST = 20  # columns on a line; corpus.json has all


@dataclass(frozen=True)
class Tagged:
    """What became of the columns that no field is made of.

    Attributes:
        columns: those that became tags, in alphabetical order.
        left_out: the others, and why not.
    """

    columns: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """What a person reads of it; nothing if the sources have no columns to spare."""
        if not self.columns and not self.left_out:
            return ""
        by_reason: dict[str, list[str]] = {}
        for name, why in self.left_out.items():
            by_reason.setdefault(why, []).append(name)
        others = "; ".join(f"{_listed(names)} ({why})" for why, names in by_reason.items())
        chosen = _listed(self.columns) or "none"
        return f"tags from columns: {chosen}{f'; left out: {others}' if others else ''}"


@dataclass
class _Column:
    """What is known of a column: different values (one more than the limit at most), values, values too long."""

    different: set[str] = field(default_factory=set)
    n: int = 0
    n_too_long: int = 0

    def add(self, value: str | None) -> None:
        if value is None:
            self.n_too_long += 1
        elif value:
            self.n += 1
            if len(self.different) <= MAX_VALUES:
                self.different.add(value)


def tag_rows(taken: list[Taken], wanted: Collection[str] | None) -> Tagged:
    """Give every row the tags of its metadata, after its own.

    Args:
        taken: the rows of all sources; each is replaced where it stands, so that a million are not held twice.
        wanted: the columns to take, or ``none``; None chooses them (the module's docstring says how).
    """
    if wanted is not None and tuple(wanted) == NO_COLUMNS:
        return Tagged()
    columns: dict[str, _Column] = {}
    for one in taken:
        for name in one.row.metadata:
            columns.setdefault(name, _Column()).add(tag_value(one.row.raw.get(name)))
    left_out = {}
    for name in sorted(columns):
        why = _why_not(name, columns[name]) if wanted is None else "" if name in wanted else "not named in --tags"
        if why:
            left_out[name] = why
    chosen = [name for name in sorted(columns) if name not in left_out]
    shared: dict[str, str] = {}  # one text for all rows with the same tag
    for index, one in enumerate(taken):
        taken[index] = _with_tags(one, _tags(one.row, chosen, shared))
    return Tagged(chosen, left_out)


def check_wanted(wanted: Collection[str] | None, rows: Iterable[Row | Rejected]) -> None:
    """See that the columns which a person named are there.

    Raises:
        ParlureError: one is in no source.
    """
    if wanted is None or tuple(wanted) == NO_COLUMNS:
        return
    found = sorted({name for metadata in {row.metadata for row in rows if isinstance(row, Row)} for name in metadata})
    for name in wanted:
        if name not in found:
            close = difflib.get_close_matches(name, found, n=1)
            listed = ", ".join(found) or "none"
            raise ParlureError(
                f"no source has a column {name} to make tags of; there are: {listed}",
                f"--tags {close[0]}" if close else "--tags age,gender names columns that parlure has no field for",
            )


def tag_value(value: Any) -> str | None:
    """A value as a tag has it: empty where none is given (also NaN), None where it is no short text on one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}" if value == value else ""
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.lower() == "nan":
        return ""
    return text if len(text) <= MAX_CHARS and text.isprintable() else None


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(name or "''" for name in names[:_NAMED_AT_MOST]) + more


def _why_not(name: str, column: _Column) -> str:
    if name in PROVENANCE:
        return "where a clip was cut from"
    if not column.n:
        return f"longer than {MAX_CHARS} characters, or no text or number" if column.n_too_long else "empty"
    if len(column.different) > MAX_VALUES:
        return f"more than {MAX_VALUES} different values"
    return "no value comes twice" if len(column.different) == column.n else ""


def _tags(row: Row, chosen: Sequence[str], shared: dict[str, str]) -> Iterator[str]:
    raw: Mapping[str, Any] = row.raw
    for name in chosen:
        if name in row.metadata and (value := tag_value(raw.get(name))):
            tag = f"{name}={value}"
            yield shared.setdefault(tag, tag)


def _with_tags(one: Taken, tags: Iterable[str]) -> Taken:
    every = tuple(dict.fromkeys((*one.row.tags, *tags)))
    return one if every == one.row.tags else replace(one, row=replace(one.row, tags=every))
