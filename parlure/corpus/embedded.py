"""A parquet shard with recordings in it → FLAC files in the corpus, one for each row that can be used.

Rows are examined and written on all cores. A shard that has been read is written down (``shards/``), so that a call
after a kill does not read it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from parlure.corpus.examine import Examiner, Taken
from parlure.corpus.manifest import begin_corpus, parse_segments
from parlure.corpus.naming import safe_name
from parlure.corpus.processes import in_order
from parlure.corpus.readers.beside import AUDIO_SUFFIXES
from parlure.corpus.readers.row import Rejected, Row
from parlure.speech.audio import SAMPLE_RATE, read_audio, write_audio

SHARDS = "shards"
_LOT_ROWS = 8  # rows given to a process at a time
_LOT_BYTES = 1 << 20  # of recordings in them: no more rows than that

Found = Taken | Rejected


@dataclass(frozen=True)
class Extracted:
    """The rows of a shard, and the SHA-256 of its content."""

    sha256: str
    found: list[Found]


@dataclass(frozen=True)
class ShardBook:
    """What the rows of one shard became.

    Attributes:
        folder: the corpus.
        name: of the shard, unique in the corpus and fit to be a file name.
        job: everything that decides what becomes of its rows, as JSON takes it.
    """

    folder: Path
    name: str
    job: Mapping[str, Any]

    @property
    def _path(self) -> Path:
        digest = hashlib.sha256(json.dumps(self.job, sort_keys=True).encode()).hexdigest()
        return self.folder / SHARDS / f"{self.name}-{digest[:16]}.jsonl"

    def load(self) -> Extracted | None:
        """What an earlier call found; None if it did not finish the shard, or did so in another way."""
        if not self._path.exists():
            return None
        digest, *lines = map(json.loads, self._path.read_text(encoding="utf-8").splitlines())
        found = [_from_json(line, self.folder) for line in lines]
        if any(isinstance(one, Taken) and not one.row.audio.exists() for one in found):
            return None
        return Extracted(digest, found)

    def extract(
        self, path: Path, rows: Iterable[Row | Rejected], examiner: Examiner, advance: Callable[[], None]
    ) -> Extracted:
        """Examine the rows of the shard; keep the sound of those that can be used as 16 kHz mono FLAC.

        Args:
            path: the shard.
            rows: its rows.
            examiner: says which can be used.
            advance: called after each.
        """
        begin_corpus(self.folder)
        found: list[Found] = []
        for lot in in_order(partial(_take_all, self, examiner), _lots(rows)):
            for one in lot:
                found.append(one)
                advance()
        with path.open("rb") as file:
            extracted = Extracted(hashlib.file_digest(file, "sha256").hexdigest(), found)
        self._save(extracted)
        return extracted

    def _save(self, extracted: Extracted) -> None:
        """Write it down, whole or not at all."""
        lines = [extracted.sha256, *(_to_json(one, self.folder) for one in extracted.found)]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            for line in lines:
                # escaped: a transcript may hold what splitlines takes for the end of a line, such as U+2028
                file.write(json.dumps(line) + "\n")
        part.replace(self._path)

    def take(self, row: Row | Rejected, examiner: Examiner) -> Found:
        """What becomes of a row; the sound of one that can be used is a file of the corpus from now on."""
        if isinstance(row, Rejected):
            return row
        if row.content is None:
            return examiner.examine(row)
        suffix = row.audio.suffix.lower()
        sound = self.folder / SHARDS / f"{self.name}-{row.line}{suffix if suffix in AUDIO_SUFFIXES else ''}"
        sound.parent.mkdir(parents=True, exist_ok=True)
        sound.write_bytes(row.content)
        try:
            one = examiner.examine(replace(row, audio=sound))
            if isinstance(one, Rejected):
                return replace(one, sentence=one.sentence.replace(str(sound), f"the recording of row {row.line}"))
            samples = read_audio(sound, one.start, one.end, one.channel)
        finally:
            examiner.forget(sound)
            sound.unlink()
        path = self.folder / "audio" / f"{self.name}-{row.line:06d}.flac"
        write_audio(path, samples)
        end = round(len(samples) / SAMPLE_RATE, 6)
        kept = replace(one.row, audio=path, content=None)
        return replace(one, row=kept, start=0.0, end=end, channel=None, extracted=True)


def _take_all(book: ShardBook, examiner: Examiner, rows: Sequence[Row | Rejected]) -> list[Found]:
    """As :meth:`ShardBook.take`, one after the other: work for another process."""
    return [book.take(row, examiner) for row in rows]


def _lots(rows: Iterable[Row | Rejected]) -> Iterator[list[Row | Rejected]]:
    """A few rows at a time, with what they hold of recordings."""
    lot: list[Row | Rejected] = []
    n_bytes = 0
    for row in rows:
        lot.append(row)
        n_bytes += len(row.content or b"") if isinstance(row, Row) else 0
        if len(lot) == _LOT_ROWS or n_bytes >= _LOT_BYTES:
            yield lot
            lot, n_bytes = [], 0
    if lot:
        yield lot


def shard_name(shard: str, taken: Collection[str]) -> str:
    """A name for a shard that is the same wherever its data set lies: ``fr-segment-00000-of-00002``.

    Args:
        shard: its path in the data set.
        taken: names of other shards in the corpus; the second of a name becomes ``…-2``.
    """
    stem = safe_name(shard.removesuffix(".parquet").replace("/", "-"))
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def _to_json(one: Found, folder: Path) -> dict[str, Any]:
    if isinstance(one, Rejected):
        return {"rejected": one.to_json()}
    row = asdict(replace(one.row, content=None))
    inside = one.row.audio.is_relative_to(folder)
    row["audio"] = str(one.row.audio.relative_to(folder) if inside else one.row.audio.resolve())
    return {"taken": {field.name: getattr(one, field.name) for field in fields(one)} | {"row": row}}


def _from_json(line: Mapping[str, Any], folder: Path) -> Found:
    if "rejected" in line:
        rejected = dict(line["rejected"])
        return Rejected(raw=rejected.pop("row"), **rejected)
    taken = dict(line["taken"])
    row = taken.pop("row")
    row |= {"audio": folder / row["audio"], "segments": parse_segments(row["segments"]), "tags": tuple(row["tags"])}
    row["metadata"] = tuple(row["metadata"])
    return Taken(row=Row(**row), **taken)
