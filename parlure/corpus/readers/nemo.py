"""NVIDIA NeMo manifest (JSON Lines: ``audio_filepath``, ``duration``, ``text``, …) → rows.

A source is one manifest or a folder that holds some, called such as ``train_manifest.json``; those named after a split
give their utterances that split. An utterance is the ``duration`` from ``offset`` on. The language is ``source_lang``
or ``lang``; where ``target_lang`` is another, or ``taskname`` (or ``task``) says ``ast``, the text is a translation.
``pred_text``, what some model heard, is left alone. parlure's own fields are read under their own names; other keys
with a text, a number or a truth value are kept as tags.

Keys: NeMo's documentation of ASR datasets, https://docs.nvidia.com/nemo/speech/latest/asr/datasets.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from parlure.corpus.readers.columns import name_columns
from parlure.corpus.readers.elsewhere import found_from, splits_named, spoken_language
from parlure.corpus.readers.jsonlines import first_object, json_objects
from parlure.corpus.readers.row import Columns, Rejected, Row, parse_row
from parlure.corpus.readers.tags import tags_of
from parlure.errors import ParlureError

SUFFIXES = (".json", ".jsonl", ".ndjson", ".gz")
OWN_KEYS = ("id", "session", "split", "channel", "segments", "prompt", "tags")  # parlure's fields, under its own names
_LANGUAGES = ("source_lang", "target_lang", "lang")
_KNOWN = ("audio_filepath", "duration", "offset", "text", "speaker", "taskname", "task", *_LANGUAGES, *OWN_KEYS)
RESERVED = (*_KNOWN, "pred_text")  # keys that are no tags
_TASKS = {
    "asr": "transcribe", "transcribe": "transcribe",
    "ast": "translate", "s2t_translation": "translate", "translate": "translate",
}  # fmt: skip


def holds_nemo(path: Path) -> bool:
    """Whether a file's first line has NeMo's keys, or a folder holds such a file that is called a manifest."""
    if path.is_dir():
        return bool(_manifests(path))
    return path.suffix.lower() in SUFFIXES and "audio_filepath" in first_object(path)


def read_nemo(source: str, columns: Columns) -> Iterator[Row | Rejected]:
    """A row for each line.

    Raises:
        ParlureError: no such file, no manifest in the folder, or a column is named that no line has.
    """
    path = Path(source)
    manifests = _manifests(path) if path.is_dir() else [path]
    if not manifests:
        raise ParlureError(f"{source} holds no NeMo manifest", "name the file: parlure prepare train_manifest.json")
    splits = splits_named([manifest.stem for manifest in manifests])
    names = {"text": "text", "speaker": "speaker", "session": "session"} | columns.given()
    found: dict[str, None] = {}
    for manifest in manifests:
        for number, row, line in json_objects(manifest):
            if isinstance(row, str):
                yield Rejected(str(manifest), number, {"content": line}, "malformed_row", row)
            else:
                found |= dict.fromkeys(row)
                yield _row(manifest, number, row, names, splits[manifest.stem])
    if found:  # a name that no line has is the person's mistake
        name_columns(source, columns, found, required=())


def _manifests(folder: Path) -> list[Path]:
    named = [path for path in folder.glob("*manifest*") if path.suffix.lower() in SUFFIXES]
    return sorted(path for path in named if path.is_file() and "audio_filepath" in first_object(path))


def _row(
    manifest: Path, number: int, row: Mapping[str, Any], names: Mapping[str, str], split: str | None
) -> Row | Rejected:
    audio = row.get("audio_filepath")
    if not isinstance(audio, str):
        sentence = f"audio_filepath is {audio!r}: parlure takes one recording a line"
        return Rejected(str(manifest), number, row, "malformed_row", sentence)
    found = found_from(audio, manifest.parent.absolute())
    if "shard_id" in row and not found.is_file():
        sentence = f"{audio} lies in the tar file of shard {row['shard_id']}: unpack the tar files beside the manifest"
        return Rejected(str(manifest), number, row, "missing_file", sentence)
    task, wrong = _task(row)
    if wrong is not None:
        return Rejected(str(manifest), number, row, "malformed_row", wrong)
    language = row.get("source_lang") or row.get("lang")
    others = {name: value for name, value in row.items() if name not in (*RESERVED, *names.values())}
    fields = {
        **{name: row[name] for name in OWN_KEYS if name in row},
        **{own: row[name] for own, name in names.items() if name in row},
        "audio": str(found),
        "start": row.get("offset"),
        "end": _end(row),
        "language": spoken_language(language) if isinstance(language, str) else language,
        "task": task,
        "split": row.get("split") or split,
    }
    parsed = parse_row(str(manifest), number, row, fields)
    return replace(parsed, tags=(*tags_of(others), *parsed.tags)) if isinstance(parsed, Row) else parsed


def _end(row: Mapping[str, Any]) -> Any:
    """Seconds from the recording's start; a duration that is no number stands, for the row to be refused."""
    offset, duration = row.get("offset"), row.get("duration")
    try:
        return round(float(offset or 0) + float(duration), 6) if duration is not None and float(duration) >= 0 else None
    except (TypeError, ValueError):
        return duration


def _task(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The task, None where nothing says so, and what is wrong with it."""
    said = row.get("taskname") or row.get("task")
    source, target = (spoken_language(str(row.get(key) or "")) for key in ("source_lang", "target_lang"))
    task = _TASKS.get(str(said).lower()) if said else None
    if said and task is None:
        return None, f"the task {said!r} is neither asr nor ast"
    if target and source and target != source:
        task = "translate"
    if task == "translate" and target and target != "en":
        return None, f"the text is a translation into {target}, and Whisper translates into English alone"
    return task, None
