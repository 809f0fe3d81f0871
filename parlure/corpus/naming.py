"""Utterances → ids: unique, the same whatever the order of the rows, and fit to be file names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from parlure.corpus.examine import Taken, place
from parlure.corpus.manifest import stored
from parlure.corpus.readers.row import Rejected

_MAX_CHARS = 80  # at most 4 bytes each and a suffix: file systems take 255 bytes


def safe_name(text: str) -> str:
    """A name fit to be a file name on any system; where something had to be replaced, a hash keeps it unique."""
    normal = unicodedata.normalize("NFC", text)
    safe = re.sub(r"[^\w.-]+", "_", normal).strip("._-")[:_MAX_CHARS].encode()[:200].decode(errors="ignore")
    return safe if safe and safe == text else f"{safe}-{_digest(text)}".strip("-")


def recording_names(recordings: Iterable[Path], folder: Path) -> dict[Path, str]:
    """A name for each recording: its file's stem, followed by a hash of its path where two have the same stem.

    Args:
        recordings: their paths, repeated as they may be.
        folder: the corpus folder; a recording near it has the same hash on every machine.
    """
    by_stem: dict[str, set[Path]] = defaultdict(set)
    for path in recordings:
        by_stem[safe_name(path.stem).casefold()].add(path)
    names = {}
    for paths in by_stem.values():
        for path in paths:
            stem = safe_name(path.stem)
            names[path] = stem if len(paths) == 1 else f"{stem}-{_digest(stored(str(path), folder))}"
    return names


def give_ids(taken: Sequence[Taken], names: dict[Path, str]) -> tuple[dict[str, Taken], list[Rejected]]:
    """Utterances by id: the row's own, or recording, span in ms and channel: ``call_7-001500-004250-c1``.

    A whole recording has no span in its id. Where several people speak in one span, their names end it. Pieces of a row
    with an id of its own are ``id-1``, ``id-2``. Of rows with one id the first is kept; a row of which one piece is
    already there is not.

    Args:
        taken: the usable rows.
        names: as :func:`recording_names` gives them.

    Returns:
        The utterances by id in the rows' order, and the rows of which an id was taken.
    """
    by_id: dict[str, Taken] = {}
    duplicates = []
    shared = _shared_spans(taken, names)
    for one in taken:
        row = one.row
        pieces = {_id(piece, names): piece for piece in one.pieces()}
        if row.id is None and row.speaker is not None:
            by_whom = safe_name(row.speaker)
            pieces = {f"{name}-{by_whom}" if name in shared else name: piece for name, piece in pieces.items()}
        known = next((by_id[name] for name in pieces if name in by_id), None)
        if known is not None:
            same = f"the id {row.id}" if row.id is not None else "the same recording, span and channel"
            sentence = f"{same} is already in {place(known.row)}"
            duplicates.append(Rejected(row.source, row.line, row.raw, "duplicate_id", sentence))
        else:
            by_id |= pieces
    return by_id, duplicates


def _shared_spans(taken: Iterable[Taken], names: dict[Path, str]) -> set[str]:
    """Ids of spans in which more than one known person speaks."""
    first: dict[str, str] = {}
    shared: set[str] = set()
    for one in taken:
        if one.row.id is None and one.row.speaker is not None:
            for piece in one.pieces():
                name = _id(piece, names)
                if first.setdefault(name, one.row.speaker) != one.row.speaker:
                    shared.add(name)
    return shared


def _id(one: Taken, names: dict[Path, str]) -> str:
    row = one.row
    if row.id is not None:
        return safe_name(row.id)
    name = names[row.audio]
    if row.start is not None or row.end is not None:
        return span_name(name, one.start, one.end, one.channel)
    return name if one.channel is None else f"{name}-c{one.channel}"


def span_name(recording: str, start_s: float, end_s: float, channel: int | None) -> str:
    """A recording's name, a span of it in ms and its channel, if it has one: ``call_7-001500-004250-c1``."""
    name = f"{recording}-{round(start_s * 1000):06d}-{round(end_s * 1000):06d}"
    return name if channel is None else f"{name}-c{channel}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
