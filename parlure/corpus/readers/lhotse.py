"""Lhotse manifests (JSON Lines, gzipped or not) → rows: cuts, or supervisions with their recordings.

A source is a file of cuts, a file of supervisions (with the file of recordings of the same name beside it), or a folder
of such files, as Lhotse's recipes name them: ``cuts_train.jsonl.gz``, ``corpus_supervisions_dev.jsonl.gz``. Where cuts
and supervisions of one name lie in a folder, the cuts are read. Files named after a split give their utterances that
split.

Each supervision is a row; one of a cut starts relative to the cut. A cut without one is a row without text. ``custom``
fields with a text, a number or a truth value are kept as tags, ``gender`` too; ``session``, ``task``, ``prompt``,
``segments`` and ``tags`` among them are parlure's fields. Word alignments are left out. Cuts that are made of several
(``MixedCut``) or of nothing (``PaddingCut``) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parlure.corpus.readers.elsewhere import gender, splits_named, spoken_language
from parlure.corpus.readers.jsonlines import first_object, json_objects
from parlure.corpus.readers.lhotse_recordings import located
from parlure.corpus.readers.row import Columns, Rejected, Row, parse_row
from parlure.corpus.readers.tags import tags_of
from parlure.errors import ParlureError

OWN_KEYS = ("session", "task", "prompt", "segments", "tags")  # parlure's fields among the custom ones
_KINDS = ("cuts", "supervisions", "recordings")
_SUFFIX = re.compile(r"\.jsonl(\.gz)?$")
_SLACK_S = 0.1  # s, by which a supervision may start before its recording, from rounding: it starts with it then


def holds_lhotse(path: Path) -> bool:
    """Whether a file's first line is a cut, a supervision or a recording; or a folder has such files by their names."""
    if path.is_dir():
        return bool(_in_folder(path))
    return _SUFFIX.search(path.name) is not None and _kind(first_object(path)) is not None


def read_lhotse(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each supervision, and for each cut without one.

    Raises:
        ParlureError: no such file, not a manifest of cuts or supervisions, its recordings are missing, or a column is
            named that nothing has.
    """
    path = Path(source)
    manifests = _in_folder(path) if path.is_dir() else [path]
    if not manifests:
        raise ParlureError(f"{source} holds no cuts or supervisions of Lhotse", "name the file of cuts or supervisions")
    splits = splits_named([manifest.name for manifest in manifests])
    found: set[str] = set()
    for manifest in manifests:
        reader = _Manifest(manifest, columns, splits[manifest.name], found)
        yield from reader.cuts() if _kind_of(manifest) == "cuts" else reader.supervisions()
    for own, name in columns.given().items():
        if name not in found and found:
            raise ParlureError(
                f"no supervision of {source} has a field {name}; they have: {', '.join(sorted(found))}",
                f"--{own} names a field of the supervisions or of their custom fields",
            )


@dataclass
class _Manifest:
    """One file of cuts or supervisions, and the names of the fields seen in it."""

    path: Path
    columns: Columns
    split: str | None
    found: set[str]

    def cuts(self) -> Iterator[Row | Rejected]:
        for number, cut, line in json_objects(self.path):
            if isinstance(cut, str):
                yield Rejected(str(self.path), number, {"content": line}, "malformed_row", cut)
            elif cut.get("type") not in ("MonoCut", "MultiCut"):
                yield Rejected(str(self.path), number, {"id": cut.get("id")}, "malformed_row", _refusal(cut))
            else:
                spoken = cut.get("supervisions") or [{"start": 0, "duration": cut.get("duration"), "id": cut.get("id")}]
                for supervision in spoken:
                    yield self._row(number, supervision, cut.get("recording"), cut)

    def supervisions(self) -> Iterator[Row | Rejected]:
        recordings = _recordings(self.path)
        for number, supervision, line in json_objects(self.path):
            if isinstance(supervision, str):
                yield Rejected(str(self.path), number, {"content": line}, "malformed_row", supervision)
                continue
            name = supervision.get("recording_id")
            if name in recordings:
                yield self._row(number, supervision, recordings[name], {})
            else:
                sentence = f"the recording {name} is not among the recordings"
                yield Rejected(str(self.path), number, supervision, "missing_file", sentence)

    def _row(
        self, number: int, supervision: Mapping[str, Any], recording: Any, cut: Mapping[str, Any]
    ) -> Row | Rejected:
        place = located(recording, supervision.get("channel", cut.get("channel")), self.path.parent.absolute())
        if isinstance(place, str):
            return Rejected(str(self.path), number, supervision, "missing_file", place)
        span = _span(supervision, cut)
        if span is None:
            sentence = "start and duration of a cut and of a supervision are numbers of seconds"
            return Rejected(str(self.path), number, supervision, "malformed_row", sentence)
        custom = {**(cut.get("custom") or {}), **(supervision.get("custom") or {})}
        said = {**custom, **{key: value for key, value in supervision.items() if key != "custom"}}
        self.found.update(said)
        language, sex = supervision.get("language"), supervision.get("gender")
        names = {"text": "text", "speaker": "speaker", "session": "session"} | self.columns.given()
        fields = {
            **{own: custom[own] for own in OWN_KEYS if own in custom},
            **{own: said[name] for own, name in names.items() if name in said},
            "audio": str(place[0]), "channel": place[1], "start": span[0], "end": span[1], "split": self.split,
            "id": supervision.get("id"),
            "language": spoken_language(language) if isinstance(language, str) else language,
        }  # fmt: skip
        row = parse_row(str(self.path), number, supervision, fields)
        others = {name: value for name, value in custom.items() if name not in (*OWN_KEYS, *names.values())}
        sexes = {"gender": gender(sex)} if isinstance(sex, str) and sex.strip() else {}
        return replace(row, tags=(*tags_of(sexes | others), *row.tags)) if isinstance(row, Row) else row


def _span(supervision: Mapping[str, Any], cut: Mapping[str, Any]) -> tuple[float, float] | None:
    """Seconds from the recording's start; a supervision of a cut starts relative to the cut."""
    try:
        start = float(cut.get("start", 0.0)) + float(supervision["start"])
        end = start + float(supervision["duration"])
    except (KeyError, TypeError, ValueError):
        return None
    return (0.0 if -_SLACK_S <= start < 0 else round(start, 6)), round(end, 6)


def _refusal(cut: Mapping[str, Any]) -> str:
    if cut.get("type") == "MixedCut":
        return "a MixedCut is made of several recordings, or of one with silence: save the cuts it was mixed from"
    if cut.get("type") == "PaddingCut":
        return "a PaddingCut holds no recording"
    return f"a cut of type {cut.get('type')} is neither MonoCut nor MultiCut"


def _kind(first: Mapping[str, Any]) -> str | None:
    """Which of Lhotse's manifests an object is of."""
    if first.get("type") in ("MonoCut", "MultiCut", "MixedCut", "PaddingCut"):
        return "cuts"
    if "sources" in first and "sampling_rate" in first:
        return "recordings"
    return "supervisions" if {"recording_id", "start", "duration"} <= set(first) else None


def _kind_of(manifest: Path) -> str:
    """The kind of a file that is to be read.

    Raises:
        ParlureError: it holds neither cuts nor supervisions.
    """
    if not manifest.is_file():
        raise ParlureError(f"there is no manifest {manifest}", "check the path")
    kind = _kind(first_object(manifest))
    if kind == "recordings":
        raise ParlureError(
            f"{manifest} holds recordings and no text", "name the file of supervisions or of cuts instead"
        )
    if kind is None:
        raise ParlureError(f"{manifest} is no manifest of Lhotse", "its lines are cuts or supervisions, as JSON")
    return kind


def _in_folder(folder: Path) -> list[Path]:
    """The files of cuts in a folder, and those of supervisions of which there are no cuts; by their names."""
    by_part: dict[str, Path] = {}
    for kind in ("supervisions", "cuts"):
        for path in sorted(folder.glob(f"*{kind}*.jsonl*")):
            if _SUFFIX.search(path.name) and path.is_file():
                by_part[_SUFFIX.sub("", path.name).replace(kind, "*", 1)] = path
    return sorted(by_part.values())


def _recordings(supervisions: Path) -> dict[str, Any]:
    """The recordings by id, from the file beside that of the supervisions.

    Raises:
        ParlureError: there is none.
    """
    stem = _SUFFIX.sub("", supervisions.name)
    names = [stem.replace("supervisions", "recordings", 1) + suffix for suffix in (".jsonl.gz", ".jsonl")]
    beside = [supervisions.parent / name for name in [*names, "recordings.jsonl.gz", "recordings.jsonl"]]
    found = next((path for path in beside if path.is_file() and path != supervisions), None)
    if found is None:
        raise ParlureError(f"{supervisions} has no recordings beside it", f"put {names[0]} or {names[1]} there")
    rows = (row for _, row, _ in json_objects(found))
    return {str(row["id"]): row for row in rows if isinstance(row, dict) and "id" in row}
