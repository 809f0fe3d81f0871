"""What every edit of a corpus does: read one, write another, and say in ``corpus.json`` how the one became the other.

An edit writes a new folder. Its utterances point to the recordings where they are, those of the other corpus's
``audio/`` too. ``corpus.json`` holds, under ``edit``, the operation, its arguments, the corpora that it was made of
with the SHA-256 of their manifests, and hours and counts before and after; ``earlier_edits`` has the same of the edits
before. There is no date in it: the same edit gives the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import (
    INFO,
    MANIFEST,
    SPLITS,
    Corpus,
    Utterance,
    begin_corpus,
    finish_corpus,
    refuse_foreign_folder,
    stored,
    write_lines,
)
from parlure.corpus.readers.row import Rejected
from parlure.corpus.tallies import tallies
from parlure.errors import ParlureError
from parlure.exclusive import alone_in


@dataclass(frozen=True)
class Edit:
    """An edit that has been thought through and not written yet.

    Attributes:
        operation: its name.
        arguments: all that decides its result, beside the corpora.
        corpora: what was read.
        kept: the utterances of the new corpus.
        left_out: one for each utterance read that is not in it.
        notes: what a person should know of the result, one sentence each.
        hides_paths: whether ``corpus.json`` leaves out where the corpora are: a folder may be called after a person.
        facts: for ``corpus.json``, instead of what is taken from the corpora (``sources``, ``licence``, ``split`` …).
    """

    operation: str
    arguments: Mapping[str, Any]
    corpora: Sequence[Corpus]
    kept: Sequence[Utterance]
    left_out: Sequence[Rejected]
    notes: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    hides_paths: bool = False

    @property
    def read(self) -> list[Utterance]:
        """Every utterance of every corpus."""
        return [utterance for corpus in self.corpora for utterance in corpus.utterances]


@dataclass(frozen=True)
class EditSummary:
    """What an edit did.

    Attributes:
        folder: the new corpus.
        n_read: utterances read; ``n_kept + n_left_out``.
        n_kept: those of them that the new corpus is made of.
        n_left_out: those in ``rejected.jsonl``.
        n_utterances: utterances of the new corpus; more than ``n_kept`` where some were cut in pieces.
        hours_read, hours_kept: hours.
        left_out_by_reason: how many by reason code, most frequent first.
        notes: what a person should know of the result, one sentence each.
        recordings: those that still hold the voice of somebody forgotten.
    """

    folder: Path
    n_read: int
    n_kept: int
    n_left_out: int
    n_utterances: int
    hours_read: float
    hours_kept: float
    left_out_by_reason: dict[str, int]
    notes: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What a person reads when it is done."""
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.left_out_by_reason.items())
        said = f"; {self.n_left_out} left out ({reasons}): rejected.jsonl says why" if reasons else ""
        hours = f"{self.hours_kept:.2f} of {self.hours_read:.2f} h"
        return [f"{self.folder}: {self.n_kept} of {self.n_read} utterances, {hours}{said}", *self.notes]


def check_new_folder(out: Path, corpora: Iterable[Path]) -> None:
    """See that an edit may write a folder, before anything is read.

    Raises:
        ParlureError: it is, or lies in, a corpus that is read; or it holds a whole corpus, or something else.
    """
    for folder in corpora:
        if out.resolve() == folder.resolve():
            raise ParlureError(
                f"{out} is the corpus that is read, and no corpus is changed in place",
                "name a new folder: what was left out can then be looked at, and taken back",
            )
        if folder.resolve() in out.resolve().parents:
            raise ParlureError(f"{out} lies in the corpus that is read", "name a folder beside it")
    refuse_foreign_folder(out)
    if (out / INFO).exists():
        raise ParlureError(
            f"{out} is a corpus already, and an edit writes a new one", "name a new folder, or remove it"
        )


def left_out(corpus: Corpus, position: int, reason: str, sentence: str) -> Rejected:
    """The record of an utterance that is not in the new corpus.

    Args:
        corpus: where it is.
        position: from 0, in the manifest's order.
        reason, sentence: as in :class:`Rejected`.
    """
    utterance = corpus.utterances[position]
    raw = {**utterance.to_json(), "recording": stored(utterance.recording, corpus.folder)}  # as the manifest has it
    return Rejected(str(corpus.folder / MANIFEST), position + 1, raw, reason, sentence)


@contextmanager
def new_corpus(out: Path) -> Iterator[None]:
    """Hold the folder of the new corpus, begun, while files are put there and :func:`write_edit` is called."""
    with alone_in(out):
        begin_corpus(out)
        yield


def write_edit(edit: Edit, out: Path) -> EditSummary:
    """Write the new corpus.

    Raises:
        ParlureError: nothing would be left, or another process writes there.
    """
    check_something_left(edit.kept)
    with new_corpus(out):
        return finish_edit(edit, out)


def finish_edit(edit: Edit, out: Path) -> EditSummary:
    """Write the lines of a begun corpus, and ``corpus.json`` last."""
    notes = (*edit.notes, *_emptied(edit), *_leaning(edit))
    write_lines(out, edit.kept, (row.to_json() for row in edit.left_out))
    finish_corpus(out, _info(edit, notes))
    n_read, n_left_out = len(edit.read), len(edit.left_out)
    return EditSummary(
        folder=out,
        n_read=n_read,
        n_kept=n_read - n_left_out,
        n_left_out=n_left_out,
        n_utterances=len(edit.kept),
        hours_read=_hours(edit.read),
        hours_kept=_hours(edit.kept),
        left_out_by_reason=_by_reason(edit.left_out),
        notes=notes,
    )


def check_something_left(kept: Sequence[Utterance]) -> None:
    """Refuse to write a corpus without an utterance.

    Raises:
        ParlureError: there is none.
    """
    if not kept:
        raise ParlureError("nothing would be left of the corpus", "parlure corpus stats CORPUS shows what it holds")


def _info(edit: Edit, notes: Sequence[str]) -> dict[str, Any]:
    """The content of ``corpus.json``."""
    by_reason = _by_reason(edit.left_out)
    inherited = [corpus.info for corpus in edit.corpora]
    return {
        "edit": {
            "operation": edit.operation,
            "arguments": dict(edit.arguments),
            "inputs": [_input(corpus, edit.hides_paths) for corpus in edit.corpora],
            "before": _counts(edit.read),
            "after": _counts(edit.kept),
        },
        "earlier_edits": [
            one for info in inherited for one in (*info.get("earlier_edits", ()), info.get("edit")) if one is not None
        ],
        "sources": [source for info in inherited for source in info.get("sources", ())],
        "licence": inherited[0].get("licence"),
        "split": inherited[0].get("split"),
        "n_read": len(edit.read),
        "n_used": len(edit.read) - len(edit.left_out),
        "n_utterances": len(edit.kept),
        "rejected": {"total": len(edit.left_out), **by_reason},
        **tallies(edit.kept),
        "warnings": list(notes),
        **edit.facts,
    }


def _input(corpus: Corpus, hides_path: bool) -> dict[str, Any]:
    with (corpus.folder / MANIFEST).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    place = {} if hides_path else {"path": str(corpus.folder)}
    by_ear = {"corrections": corpus.info["corrections"]} if "corrections" in corpus.info else {}
    return {**place, "manifest_sha256": digest, **_counts(corpus.utterances), **by_ear}


def _counts(utterances: Sequence[Utterance]) -> dict[str, Any]:
    by_split = Counter(utterance.split for utterance in utterances)
    return {
        "utterances": len(utterances),
        "hours": _hours(utterances),
        "by_split": {split: by_split[split] for split in SPLITS},
    }


def _by_reason(rejected: Iterable[Rejected]) -> dict[str, int]:
    return dict(Counter(row.reason for row in rejected).most_common())


def _emptied(edit: Edit) -> list[str]:
    """A sentence for each split that held something and holds nothing any more."""
    before, after = ({utterance.split for utterance in utterances} for utterances in (edit.read, edit.kept))
    return [f"nothing is left of the split {split}" for split in SPLITS if split in before - after]


def _leaning(edit: Edit) -> list[str]:
    """A sentence if the new corpus needs the folder of one that was read."""
    homes = tuple(f"{corpus.folder.resolve()}{os.sep}" for corpus in edit.corpora)
    n = len({utterance.recording for utterance in edit.kept if utterance.recording.startswith(homes)})
    return [f"{n} of its recordings lie in the folder that was read: keep it"] if n else []


def _hours(utterances: Iterable[Utterance]) -> float:
    return round(sum(utterance.duration_s for utterance in utterances) / 3600, 6)
