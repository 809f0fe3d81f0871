"""Reference file, hypothesis files → rates: scoring without a model and without torch.

    score("corpus/", "hyps.jsonl", against="base-hyps.jsonl", language="fr")

Files are JSONL (``id`` and ``text``; a corpus's ``manifest.jsonl`` and a ``hyps.jsonl`` are such) or plain text, one
utterance a line, where the line number is the id. Nothing is dropped: an id on one side only is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.normalize import headline_profile
from parlure.scoring.report import build_report
from parlure.scoring.utterances import ScoredUtterance, read_jsonl, read_lines, score_utterances

_SHOWN_IDS = 5


def _resolve(path: Path, inside: str) -> Path:
    if not path.is_dir():
        return path
    if not (path / inside).is_file():
        raise ParlureError(f"the folder {path} has no {inside}", f"give a file, or a folder that holds {inside}")
    return path / inside


def _is_jsonl(path: Path) -> bool:
    return path.suffix.lower() in (".jsonl", ".json", ".ndjson")


def read_texts(path: Path) -> dict[str, dict[str, Any]]:
    """A file's utterances by id, in order: JSONL objects with ``id`` and ``text``, or lines of plain text.

    Raises:
        ParlureError: the file is unreadable, a line lacks ``id`` or ``text``, or an id comes twice.
    """
    if not _is_jsonl(path):
        return {str(number): {"text": line} for number, line in enumerate(read_lines(path), 1)}
    rows: dict[str, dict[str, Any]] = {}
    for number, row in read_jsonl(path):
        for key in ("id", "text"):
            if not isinstance(row.get(key), str):
                raise ParlureError(
                    f"{path}, line {number}: {key} is missing or is no string",
                    'such as {"id": "a1", "text": "bonjour"}',
                )
        if row["id"] in rows:
            raise ParlureError(f"{path}, line {number}: the id {row['id']} comes twice", "ids must be unique")
        rows[row["id"]] = row
    return rows


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")


def _check_same_ids(ref: Path, hyp: Path, references: Mapping[str, Any], hypotheses: Mapping[str, Any]) -> None:
    missing = [key for key in references if key not in hypotheses]
    unknown = [key for key in hypotheses if key not in references]
    if not missing and not unknown:
        return
    if not _is_jsonl(ref):
        raise ParlureError(
            f"{ref} has {len(references)} lines, but {hyp} has {len(hypotheses)}", "both files must match line by line"
        )
    parts = []
    if missing:
        parts.append(f"{len(missing)} of {len(references)} ids of {ref} are not in {hyp} ({_shown(missing)})")
    if unknown:
        parts.append(f"{len(unknown)} of {len(hypotheses)} ids of {hyp} are not in {ref} ({_shown(unknown)})")
    raise ParlureError(
        "; ".join(parts), "score the same utterances on both sides; of a corpus, --split test takes one split"
    )


def _duration(row: Mapping[str, Any]) -> float | None:
    start, end, duration = row.get("start"), row.get("end"), row.get("duration_s")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)):
        return float(end) - float(start)
    return float(duration) if isinstance(duration, (int, float)) else None


def pair_files(
    ref: Path, hyp: Path, *, against: Path | None = None, language: str | None = None, split: str | None = None
) -> list[dict[str, Any]]:
    """Rows for :func:`parlure.scoring.utterances.score_utterances`, in the reference's order.

    Args:
        ref: references: JSONL, a corpus folder, or text.
        hyp: hypotheses of ``tuned``: JSONL, a folder with ``hyps.jsonl``, or text.
        against: hypotheses of ``base``, if any.
        language: for utterances whose reference names none.
        split: keep only references of this split.

    Raises:
        ParlureError: a file is unreadable, the formats are mixed, the ids differ, or nothing is left to score.
    """
    ref = _resolve(ref, "manifest.jsonl")
    references = {key: row for key, row in read_texts(ref).items() if split is None or row.get("split") == split}
    if not references:
        what = f"has no utterance of the split {split}" if split else "has no utterance"
        raise ParlureError(f"{ref} {what}", "check the file and the split")
    texts: dict[str, dict[str, dict[str, Any]]] = {}
    for system, path in (("base", against), ("tuned", hyp)):
        if path is None:
            continue
        path = _resolve(path, "hyps.jsonl")
        if _is_jsonl(path) != _is_jsonl(ref):
            raise ParlureError(f"{ref} and {path} are not of one format", "give two JSONL files, or two text files")
        texts[system] = read_texts(path)
        _check_same_ids(ref, path, references, texts[system])
    known = ("speaker", "session", "task", "tags")
    return [
        {name: row.get(name) for name in known}
        | {
            "id": key,
            "language": row.get("language") or language,
            "duration_s": _duration(row),
            "reference": row["text"],
            "hypotheses": {system: rows[key]["text"] for system, rows in texts.items()},
        }
        for key, row in references.items()
    ]


def score_report(
    ref: Path | str,
    hyp: Path | str,
    *,
    against: Path | str | None = None,
    profiles: Sequence[str] = (),
    language: str | None = None,
    split: str | None = None,
) -> tuple[list[ScoredUtterance], dict[str, Any]]:
    """Score files and build the whole report, ready for :func:`parlure.scoring.report.write_report`.

    Args:
        ref: references; see :func:`pair_files`.
        hyp: hypotheses, called ``tuned`` in the report.
        against: hypotheses to compare with, called ``base``.
        profiles: by default ``raw``, ``basic`` and the language's own. The headline is the language's own if it is
            among them, else the last.
        language: the default is the reference's most frequent.
        split: keep only references of this split.

    Raises:
        ParlureError: see :func:`pair_files`; or a profile is unknown.
    """
    other = None if against is None else Path(against)
    rows = pair_files(Path(ref), Path(hyp), against=other, language=language, split=split)
    spoken = Counter(row["language"] for row in rows if row["language"])
    headline = headline_profile(language or next((name for name, _ in spoken.most_common(1)), None))
    chosen = list(dict.fromkeys(profiles)) or list(dict.fromkeys(["raw", "basic", headline]))
    scored = score_utterances(rows, chosen)
    files = {"tuned": hyp} | ({} if against is None else {"base": against})
    systems = {name: {"model": str(files[name]), "hash": None, "decode": None} for name in scored[0].hypotheses}
    return scored, build_report(scored, systems, headline if headline in chosen else chosen[-1])


def score(
    ref: Path | str,
    hyp: Path | str,
    *,
    against: Path | str | None = None,
    profiles: Sequence[str] = (),
    language: str | None = None,
    split: str | None = None,
) -> dict[str, Any]:
    """The report's ``profiles``: ``{PROFILE: {SYSTEM: {"wer", "cer"}, "comparison"}}``; see :func:`score_report`."""
    profiles_block: dict[str, Any] = score_report(
        ref, hyp, against=against, profiles=profiles, language=language, split=split
    )[1]["profiles"]
    return profiles_block
