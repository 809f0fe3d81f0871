"""Common Voice release (``clips/`` and ``validated.tsv, train.tsv, dev.tsv, test.tsv``) → rows.

Which tables are read: ``train.tsv``, ``dev.tsv`` and ``test.tsv``, whose rows are in that split, and
``validated.tsv``, which holds them all again and more. A clip is one row, in whichever tables it stands. A clip of
``validated.tsv`` alone is training speech, unless its speaker or its sentence is in dev or test: then it is
rejected, for it would leak into train and would change the published test set in test. Without the three tables no
row has a split. ``other.tsv`` and ``invalidated.tsv`` are not read. A table given by itself (with the reader named)
is read alone, whichever it is.

``client_id`` is the speaker, as the first 16 characters of its SHA-256 where it is itself a hash; ``sentence`` the
text, ``locale`` the language. The other columns (votes, age, gender, accents, variant, segment, sentence_domain …)
are metadata.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parlure.corpus.readers.columns import refuse_absent
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.table import named_cells, rows_of, tsv_records
from parlure.errors import ParlureError

CLIPS = "clips"
OWN_SPLITS = ("train", "dev", "test")
VALIDATED = "validated"
_HEAD = 1 << 16  # bytes in which the first line is looked for
_HASH = re.compile("[0-9a-f]{32,}")
_HASH_CHARS = 16  # 64 bits: that two of a million speakers share them has a probability of 3e-8


@dataclass
class _HeldOut:
    """Clips that have been read, and speakers and sentences of dev and test, with the table that they are in."""

    clips: set[str] = field(default_factory=set)
    speakers: dict[str, str] = field(default_factory=dict)
    sentences: dict[str, str] = field(default_factory=dict)


def read_commonvoice(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Rows of a release of one language, of a folder of several, or of one of its tables.

    Raises:
        ParlureError: no such folder or table in it, or a column is missing.
    """
    path = Path(source)
    if path.is_file():
        split = path.stem if path.stem in OWN_SPLITS else None
        yield from _rows(path, columns, split)
        return
    folders = [folder for folder in (path, *_subfolders(path)) if _tables(folder)]
    if not folders:
        raise ParlureError(
            f"{source} is no release of Common Voice: it needs {CLIPS}/ and validated.tsv or train, dev and test.tsv",
            "give the folder of a language, such as cv-corpus-22.0-2025-06-20/fr",
        )
    for folder in folders:
        yield from _read_release(folder, columns)


def is_commonvoice(folder: Path) -> bool:
    """Whether a folder is a release of one language, or holds such folders."""
    return bool(_tables(folder)) or any(_tables(inner) for inner in _subfolders(folder))


def is_commonvoice_table(path: Path) -> bool:
    """Whether a file is one of a release's tables of clips, by its columns and the clips beside it."""
    if path.suffix.lower() != ".tsv" or not (path.parent / CLIPS).is_dir():
        return False
    with path.open("rb") as file:
        return {b"client_id", b"path", b"sentence"} <= set(file.readline(_HEAD).strip().split(b"\t"))


def _subfolders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:  # a folder of a million recordings is looked through too
        return sorted(Path(entry.path) for entry in entries if entry.is_dir())


def _tables(folder: Path) -> dict[str, Path]:
    """The tables that are read, by their names."""
    if not (folder / CLIPS).is_dir():
        return {}
    paths = {name: folder / f"{name}.tsv" for name in (*OWN_SPLITS, VALIDATED)}
    return {name: path for name, path in paths.items() if path.is_file()}


def _read_release(folder: Path, columns: Columns) -> Iterator[Row | Rejected]:
    tables = _tables(folder)
    seen = _HeldOut()
    has_splits = any(name in tables for name in OWN_SPLITS)
    for name, path in tables.items():
        for row in _rows(path, columns, name if name != VALIDATED else "train" if has_splits else None):
            clip = str(row.raw.get("path", ""))
            if name != VALIDATED:
                yield row
                _remember(seen, clip, row, name)
            elif not clip or clip not in seen.clips:
                yield _held_out(row, seen) if isinstance(row, Row) else row


def _remember(seen: _HeldOut, clip: str, row: Row | Rejected, table: str) -> None:
    seen.clips.add(clip)
    if table != "train" and isinstance(row, Row):
        seen.sentences.setdefault(row.text or "", table)
        seen.speakers.setdefault(row.speaker or "", table)


def _held_out(row: Row, seen: _HeldOut) -> Row | Rejected:
    """A row of ``validated.tsv`` alone, or a rejection if it shares its speaker or sentence with dev or test."""
    for what, table in (
        ("speaker", seen.speakers.get(row.speaker or "")),
        ("sentence", seen.sentences.get(row.text or "")),
    ):
        if table is not None:
            sentence = f"its {what} is in {table}.tsv: training on it would flatter the score of {table}"
            return Rejected(row.source, row.line, row.raw, "held_out", sentence)
    return row


def _rows(table: Path, columns: Columns, split: str | None) -> Iterator[Row | Rejected]:
    """Rows of one table, in one split."""
    source = str(table)
    header, rows = named_cells(source, tsv_records(source))
    names = {"audio": "path", "text": "sentence", "speaker": "client_id", "language": "locale"} | columns.given()
    hint = "a release has path and sentence; --reader tsv reads a table of another kind"
    refuse_absent(source, names, header, ("audio", "text", *columns.given()), hint)
    names = {own: name for own, name in names.items() if name in header}
    is_named = "speaker" in columns.given()

    def mend(fields: dict[str, Any]) -> dict[str, Any]:
        speaker = fields.get("speaker") if is_named else _speaker(fields.get("speaker", ""))
        return fields | {"audio": _clip(fields["audio"]), "speaker": speaker, "split": split}

    yield from rows_of(source, rows, names, header, mend)


def _clip(name: str) -> str | None:
    """The clip's path from the table; releases before the fourth leave out the suffix."""
    if not name.strip():
        return None
    return f"{CLIPS}/{name}" if Path(name).suffix else f"{CLIPS}/{name}.mp3"


def _speaker(client_id: str) -> str:
    """A name that fits on a line; the hash of the whole hash, as those of a made-up corpus may begin alike."""
    if not _HASH.fullmatch(client_id):
        return client_id
    return hashlib.sha256(client_id.encode()).hexdigest()[:_HASH_CHARS]
