"""Sources → the rows that can be used and the rows that cannot: every row read is one or the other."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from parlure.corpus.embedded import Extracted, Found, ShardBook, shard_name
from parlure.corpus.examine import Examiner, Taken
from parlure.corpus.examining import examine_all
from parlure.corpus.heard import HeardBook
from parlure.corpus.hub import Dataset, open_dataset
from parlure.corpus.readers import guess_reader, read_rows
from parlure.corpus.readers.beside import AUDIO_SUFFIXES
from parlure.corpus.readers.huggingface import count_rows
from parlure.corpus.readers.row import Columns, Rejected, Row, is_unicode
from parlure.corpus.tagging import Tagged, check_wanted, tag_rows
from parlure.errors import ParlureError

Progress = Callable[[int, int], None]
_TABLES = frozenset({".csv", ".tsv", ".jsonl", ".parquet"})
_MAX_TABLES = 20  # in one source: more are of single recordings


@dataclass
class Gathered:
    """What the sources hold.

    Attributes:
        taken: the rows that can be used, in the sources' order.
        rejected: the rows that cannot.
        sources: for ``corpus.json``: where each was, and the hashes of what was read.
        licences: of the sources that say one.
        shards: names given to the parquet shards read.
        tagged: what became of the sources' columns that no field is made of.
        settings: for ``corpus.json``: what decided whether a row is taken.
        facts: what else ``corpus.json`` says of them.
    """

    taken: list[Taken] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    shards: list[str] = field(default_factory=list)
    tagged: Tagged = field(default_factory=Tagged)
    settings: dict[str, str | None] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, one: Found) -> None:
        """Sort a row into one of the two."""
        if isinstance(one, Taken):
            self.taken.append(one)
        else:
            self.rejected.append(one)


class _Count:
    """Rows done and rows to do of all sources, told to whoever shows them."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._total, self._done = progress, 0, 0

    def expect(self, n: int) -> None:
        """There are ``n`` more rows than was known, or fewer."""
        self._total += n

    def advance(self, n: int = 1) -> None:
        self._done += n
        if self._progress is not None:
            self._progress(self._done, self._total)


class _ShardCount:
    """The rows of one data set, of which the number is known for certain only when every shard has been opened."""

    def __init__(self, count: _Count, n_announced: int) -> None:
        self._count, self._expected, self._opened = count, n_announced, 0
        count.expect(n_announced)

    def open(self, n_rows: int) -> None:
        """The next shard has so many rows."""
        self._opened += n_rows
        self._expect(max(self._expected, self._opened))

    def close(self) -> None:
        """There is no shard left."""
        self._expect(self._opened)
        self._count.advance(0)

    def advance(self, n: int = 1) -> None:
        self._count.advance(n)

    def _expect(self, n: int) -> None:
        self._count.expect(n - self._expected)
        self._expected = n


def gather(
    sources: Sequence[str | Path],
    columns: Columns,
    reader: str | None,
    examiner: Examiner,
    out: Path,
    book: HeardBook,
    progress: Progress | None = None,
    tags: Collection[str] | None = None,
) -> Gathered:
    """Read every row of every source and examine it.

    Args:
        sources: manifests, folders, data sets.
        columns: what the person calls the columns.
        reader: a reader's name; None goes by each source.
        examiner: says which row can be used.
        out: the corpus folder, where recordings that a source embeds are put.
        book: what was heard of recordings in an earlier call; what is heard now is added.
        progress: called with (rows examined, rows known so far).
        tags: columns to make tags of; see :func:`parlure.corpus.tagging.tag_rows`.

    Raises:
        ParlureError: a source cannot be read or named, or what concerns all rows.
    """
    gathered = Gathered(settings=examiner.settings())
    plain: dict[int, list[Row | Rejected]] = {}
    datasets: dict[int, tuple[Dataset, _ShardCount]] = {}
    count = _Count(progress)
    for index, source in enumerate(map(str, sources)):
        if not is_unicode(source):
            raise ParlureError(f"the name of {source!r} is not UTF-8", "rename it")
        if (reader or guess_reader(source)) == "huggingface":
            dataset = open_dataset(source)
            datasets[index] = dataset, _ShardCount(count, _n_announced(dataset))
        else:
            plain[index] = list(read_rows(source, columns, reader))
            count.expect(len(plain[index]))
    if not datasets:
        check_wanted(tags, chain.from_iterable(plain.values()))
    for index in range(len(sources)):
        if index in datasets:
            dataset, shard_count = datasets[index]
            _gather_dataset(gathered, dataset, columns, examiner, out, shard_count)
            continue
        rows = plain.pop(index)
        tables = _tables(sources[index], rows)
        for one in examine_all(_one_by_one(rows), examiner, book):
            gathered.add(one)
            count.advance()
        chosen = {"marks": dict(columns.marks)} if columns.marks else {}
        gathered.sources.append(_fingerprint(Path(sources[index])) | chosen | tables)
    if datasets and gathered.taken:
        check_wanted(tags, (one.row for one in gathered.taken))
    gathered.tagged = tag_rows(gathered.taken, tags)
    return gathered


def _one_by_one(rows: list[Row | Rejected]) -> Iterator[Row | Rejected]:
    """Rows taken out of their list, so that what has been examined is not kept twice."""
    rows.reverse()
    while rows:
        yield rows.pop()


def _n_announced(dataset: Dataset) -> int:
    """How many rows a data set has, as far as that can be known without downloading it."""
    return dataset.n_announced if dataset.on_hub else sum(count_rows(shard.fetch()) for shard in dataset.shards)


def _gather_dataset(
    gathered: Gathered, dataset: Dataset, columns: Columns, examiner: Examiner, out: Path, count: _ShardCount
) -> None:
    place = dataset.info["path"]
    how = {"columns": asdict(columns), "row": 3}  # an earlier parlure knew no metadata, or hashed sound otherwise
    hashes = {}
    for shard in dataset.shards:
        name = place if Path(place).is_file() else f"{place}/{shard.name}"
        split = shard.split if dataset.has_own_split else None
        job = how | {"shard": name, "version": shard.version, "split": split, "examiner": examiner.settings()}
        gathered.shards.append(shard_name(shard.name, gathered.shards))
        book = ShardBook(out, gathered.shards[-1], job)
        extracted = book.load() or _undecided(book)
        if extracted is None:
            path = shard.fetch()  # not before: the whole data set may not fit on the disk, or not today
            count.open(count_rows(path))
            extracted = book.extract(path, _shard_rows(path, columns, name, split), examiner, count.advance)
        else:
            count.open(len(extracted.found))
            count.advance(len(extracted.found))
        for one in extracted.found:
            gathered.add(one)
        hashes[shard.name] = f"sha256:{extracted.sha256}"
    count.close()
    gathered.sources.append(dataset.info | {"shards": hashes})
    if dataset.licence:
        gathered.licences.append(dataset.licence)


def _undecided(book: ShardBook) -> Extracted | None:
    """What a call without ``--channels`` found, if no clip of the shard asked for it."""
    settings = book.job["examiner"] | {"channels": None}
    found = replace(book, job={**book.job, "examiner": settings}).load()
    asked = found is None or any(isinstance(one, Rejected) and one.reason == "ambiguous_channel" for one in found.found)
    return None if asked else found


def _shard_rows(path: Path, columns: Columns, name: str, split: str | None) -> Iterator[Row | Rejected]:
    """Rows under the name that the shard has in its data set, in its split where the row names none."""
    for row in read_rows(str(path), columns, "huggingface"):
        named = replace(row, source=name)
        yield replace(named, split=named.split or split) if isinstance(named, Row) else named


def _tables(source: str | Path, rows: Sequence[Row | Rejected]) -> dict[str, Any]:
    """How many rows are from which table of a folder; nothing where it is one table, or one for each call."""
    counts = Counter(row.source for row in rows if Path(row.source).suffix.lower() in _TABLES)
    tables = {os.path.relpath(table, source): n for table, n in counts.items()}
    return {"tables": tables} if 1 < len(tables) <= _MAX_TABLES else {}


def _fingerprint(source: Path) -> dict[str, Any]:
    """A source and its SHA-256: of a file's bytes; of a folder's file names and sizes, and all but its recordings."""
    if source.is_file():
        return {"path": str(source), "sha256": _sha256(source).hex(), "sha256_of": "content"}
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        digest.update(
            f"{path.relative_to(source).as_posix()}\0{path.stat().st_size}\0".encode(errors="surrogateescape")
        )
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            digest.update(_sha256(path))
    return {"path": str(source), "sha256": digest.hexdigest(), "sha256_of": "file names, sizes and transcripts"}


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
