"""Reference file, hypothesis files → rates: scoring without a model and without torch.

    score("corpus/", "hyps.jsonl", against="base-hyps.jsonl", language="fr")

What files may be is in ``formats``; one file may hold both sides. Nothing is dropped: an id on one side only is an
error.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.formats import BOTH_SIDES, CTM, FORMATS, check_format, guess_format, is_told_by_suffix
from parlure.scoring.formats.ctm import read_ctm, segment_cautions, words_of_segments
from parlure.scoring.formats.table import Row
from parlure.scoring.normalize import get_profile, headline_profile, profiles_for
from parlure.scoring.report import build_report
from parlure.scoring.terms import mark_seen, read_terms
from parlure.scoring.utterances import ScoredUtterance, score_utterances

_SHOWN_IDS = 5


def _resolve(path: Path, inside: str) -> Path:
    if not path.is_dir():
        return path
    if not (path / inside).is_file():
        raise ParlureError(f"the folder {path} has no {inside}", f"give a file, or a folder that holds {inside}")
    return path / inside


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")


def _check_same_ids(ref: Path, hyp: Path, kind: str, references: Mapping[str, Row], texts: Mapping[str, str]) -> None:
    missing = [key for key in references if key not in texts]
    unknown = [key for key in texts if key not in references]
    if not missing and not unknown:
        return
    if kind == "text":
        raise ParlureError(
            f"{ref} has {len(references)} lines, but {hyp} has {len(texts)}", "both files must match line by line"
        )
    parts = []
    if missing:
        parts.append(f"{len(missing)} of {len(references)} ids of {ref} are not in {hyp} ({_shown(missing)})")
    if unknown:
        parts.append(f"{len(unknown)} of {len(texts)} ids of {hyp} are not in {ref} ({_shown(unknown)})")
    raise ParlureError(
        "; ".join(parts), "score the same utterances on both sides; of a corpus, --split test takes one split"
    )


def _duration(row: Mapping[str, Any]) -> float | None:
    start, end, duration = (_number(row.get(name)) for name in ("start", "end", "duration_s"))
    return end - start if start is not None and end is not None else duration


def _number(value: Any) -> float | None:
    """A finite number; JSON as Python writes it has NaN too, which no report can hold."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def read_references(path: Path, kind: str, split: str | None = None) -> dict[str, Row]:
    """The utterances of a reference file by id, those of one split where one is named.

    Raises:
        ParlureError: the file cannot be read as what it is, holds no references, or nothing is left of it.
    """
    if kind == CTM:
        raise ParlureError(
            f"{path} is a ctm: words without utterances", "give the stm with their segments as reference"
        )
    rows = FORMATS[kind](path)
    if any("text" not in row for row in rows.values()):
        raise ParlureError(f"{path} holds no references", "its lines need a text beside the pred_text")
    rows = {key: row for key, row in rows.items() if split is None or row.get("split") == split}
    if all(row.get("ignored") for row in rows.values()):
        what = f"has no utterance of the split {split}" if split else "has no utterance"
        raise ParlureError(f"{path} {what}", "check the file and the split")
    return rows


def read_hypotheses(path: Path, kind: str, references: Mapping[str, Row], of: str) -> tuple[dict[str, str], list[str]]:
    """The texts of a hypothesis file by id, and what is to be said of them.

    Args:
        path: the file.
        kind: its format.
        references: what the words of a ``ctm`` belong to.
        of: the references' format.

    Raises:
        ParlureError: the file cannot be read as what it is, holds no hypotheses, or cannot go with such references.
    """
    if kind == CTM:
        if of != "stm":
            raise ParlureError(f"{path} is a ctm, but its references are no stm", "give the stm with its segments")
        texts = words_of_segments(read_ctm(path), references)
        return texts, segment_cautions(references, texts)
    if (kind == "text") != (of == "text"):
        raise ParlureError(
            f"{path} is {kind}, but its references are {of}",
            "plain text has no ids: both sides must be of it, or neither; --format names what a file is",
        )
    rows = FORMATS[kind](path)
    side = "hypothesis" if kind in BOTH_SIDES else "text"
    if any(side not in row for row in rows.values()):
        raise ParlureError(f"{path} holds no hypotheses", "its lines need a pred_text")
    return {key: row[side] for key, row in rows.items()}, []


def _guesses(kinds: Mapping[Path, str]) -> list[str]:
    """What a person should know where the lines of a file, and not its name, have told what it is."""
    by_lines = [(path, kind) for path, kind in kinds.items() if kind != "text" and not is_told_by_suffix(path)]
    return [f"{path} looks like {kind} and is read as such; --format says otherwise." for path, kind in by_lines]


def pair_files(
    ref: Path,
    hyp: Path | None = None,
    *,
    against: Path | None = None,
    language: str | None = None,
    split: str | None = None,
    format_name: str | None = None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows for :func:`parlure.scoring.utterances.score_utterances`, in the reference's order, and cautions.

    Args:
        ref: references, or both sides, in one of the formats; a corpus folder.
        hyp: hypotheses of ``tuned``, or a folder with ``hyps.jsonl``; None where ``ref`` holds them.
        against: hypotheses of ``base``, if any.
        language: for utterances whose reference names none.
        split: keep only references of this split.
        format_name: what the files are, where that should not be guessed; hypotheses for an ``stm`` may be a ``ctm``.

    Raises:
        ParlureError: a file is unreadable, the formats do not go together, the ids differ, or nothing is left to score.
    """
    if format_name is not None:
        check_format(format_name)
    ref = _resolve(ref, "manifest.jsonl")
    kind = format_name or guess_format(ref)
    references = read_references(ref, kind, split)
    if hyp is None and kind not in BOTH_SIDES:
        raise ParlureError(f"{ref} holds references alone", "name the file of the hypotheses after it")
    texts: dict[str, dict[str, str]] = {}
    cautions = [] if format_name else _guesses({ref: kind})
    for system, path in (("base", against), ("tuned", hyp or ref)):
        if path is None:
            continue
        path = _resolve(path, "hyps.jsonl")
        its_kind = guess_format(path) if format_name in (None, "stm") else format_name
        texts[system], said = read_hypotheses(path, its_kind, references, kind)
        cautions += [] if format_name else _guesses({path: its_kind})
        _check_same_ids(ref, path, kind, references, texts[system])
        cautions += said
    ignored = sum(bool(row.get("ignored")) for row in references.values())
    if ignored:
        cautions.append(f"{ignored} segments are marked to be ignored, and what was recognised in them is.")
    known = ("speaker", "session", "task", "tags", "channel")
    rows = [
        {name: row[name] for name in known if name in row}
        | {
            "id": key,
            "language": row.get("language") or language,
            "duration_s": _duration(row),
            "reference": row["text"],
            "hypotheses": {system: by_id[key] for system, by_id in texts.items()},
        }
        for key, row in references.items()
        if not row.get("ignored")
    ]
    return rows, list(dict.fromkeys(cautions))


def _training_texts(ref: Path, format_name: str | None) -> list[str]:
    path = _resolve(ref, "manifest.jsonl")
    rows = FORMATS[format_name or guess_format(path)](path)
    return [row["text"] for row in rows.values() if row.get("split") == "train"]


def score_report(
    ref: Path | str,
    hyp: Path | str | None = None,
    *,
    against: Path | str | None = None,
    profiles: Sequence[str] = (),
    language: str | None = None,
    split: str | None = None,
    format_name: str | None = None,
    terms: Path | str | None = None,
) -> tuple[list[ScoredUtterance], dict[str, Any]]:
    """Score files and build the whole report, ready for :func:`parlure.scoring.report.write_report`.

    Args:
        ref: references, or both sides; see :func:`pair_files`.
        hyp: hypotheses, called ``tuned`` in the report; None where ``ref`` holds them.
        against: hypotheses to compare with, called ``base``.
        profiles: by default ``raw``, ``basic`` and the languages' own. The headline is the language's own if it is
            among them, else the last that is not lenient.
        language: the default is the reference's most frequent.
        split: keep only references of this split.
        format_name: one of ``formats.FORMATS``; guessed when None.
        terms: a list of terms (:func:`parlure.scoring.terms.read_terms`); where ``split`` takes a part of a corpus,
            each is also looked for in its train split.

    Raises:
        ParlureError: see :func:`pair_files`; or a profile is unknown, or the list of terms is none.
    """
    listed = [] if terms is None else read_terms(Path(terms))  # first: it is quickly wrong
    files = {"tuned": Path(ref if hyp is None else hyp)} | ({} if against is None else {"base": Path(against)})
    rows, cautions = pair_files(
        Path(ref), None if hyp is None else files["tuned"], against=files.get("base"),
        language=language, split=split, format_name=format_name,
    )  # fmt: skip
    spoken = Counter(row["language"] for row in rows if row["language"])
    main = language or next((name for name, _ in spoken.most_common(1)), None)
    chosen = list(dict.fromkeys(profiles)) or list(profiles_for([main, *spoken]))
    scored = score_utterances(rows, chosen)
    systems = {name: {"model": str(files[name]), "hash": None, "decode": None} for name in scored[0].hypotheses}
    strict = [name for name in chosen if not get_profile(name).lenient]
    headline = headline_profile(main)
    headline = headline if headline in chosen else (strict or chosen)[-1]
    if listed and split not in (None, "train"):
        listed = mark_seen(listed, _training_texts(Path(ref), format_name), headline)
    return scored, build_report(scored, systems, headline, cautions, terms=listed)


def score(
    ref: Path | str,
    hyp: Path | str | None = None,
    *,
    against: Path | str | None = None,
    profiles: Sequence[str] = (),
    language: str | None = None,
    split: str | None = None,
    format_name: str | None = None,
) -> dict[str, Any]:
    """The report's ``profiles``: ``{PROFILE: {SYSTEM: {"wer", "cer", …}, "comparison"}}``; see :func:`score_report`."""
    profiles_block: dict[str, Any] = score_report(
        ref, hyp, against=against, profiles=profiles, language=language, split=split, format_name=format_name
    )[1]["profiles"]
    return profiles_block
