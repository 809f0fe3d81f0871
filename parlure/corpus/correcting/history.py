"""``corrections.jsonl``: what people have said of a corpus's utterances after listening, one line each, never changed.

A line holds ``when`` (UTC), ``who``, ``id``, ``action``, ``reason``, ``before``, ``after`` and the line it ``undoes``;
``before`` and ``after`` are text, phrase times and tags, or null where the utterance is not in the corpus. A line is
on disk before the manifest is changed, so that a correction whose writing was cut off is made good from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parlure.corpus.journal import adding_to, kept_rows
from parlure.errors import ParlureError

HISTORY = "corrections.jsonl"
ACTIONS = ("corrected", "silent", "confirmed", "rejected")  # what a person can say; a line may also be "undone"
_WORDING = ("text", "segments", "tags")

Wording = dict[str, Any]  # text, segments and tags of a row


@dataclass(frozen=True)
class Correction:
    """One line of the history.

    Attributes:
        number: from 1.
        when: ISO 8601, UTC.
        who: who listened.
        id: the utterance's.
        action: ``corrected``, ``silent`` (nobody speaks), ``confirmed`` (the transcript is right), ``rejected`` (the
            utterance leaves the corpus), or ``undone``.
        reason: why, in the person's words, or why it was looked at.
        before, after: its wording; None where it is not in the corpus.
        row: the whole line of the manifest, of what was rejected.
        line: where that stood, from 1.
        undoes: number of the line that this one takes back.
    """

    number: int
    when: str
    who: str
    id: str
    action: str
    reason: str
    before: Wording | None
    after: Wording | None
    row: dict[str, Any] | None = None
    line: int | None = None
    undoes: int | None = None


def wording(row: Mapping[str, Any]) -> Wording:
    """What a correction may change of a row."""
    return {name: row[name] for name in _WORDING}


def now() -> str:
    """The time, as the history writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class History:
    """The lines so far, and more of them.

    Attributes:
        lines: in their order.
    """

    def __init__(self, folder: Path) -> None:
        """Read the history of a corpus folder, if there is one.

        Raises:
            ParlureError: a line is not one of ours.
        """
        self._path = folder / HISTORY
        self.lines: list[Correction] = []
        for row in kept_rows(self._path):  # without one that was cut off: nothing was changed for it yet
            try:
                self.lines.append(Correction(**row))
            except TypeError as error:
                raise ParlureError(
                    f"{self._path} holds a line that is no correction: {row!r:.80}",
                    "parlure correct writes this file: move it away, and keep it",
                ) from error

    def add(self, correction: Correction) -> None:
        """Keep a line: it is on the disk when this returns."""
        with adding_to(self._path) as add:
            add(asdict(correction))
            _sync(self._path)
        self.lines.append(correction)

    def last_of(self) -> dict[str, Correction]:
        """The last line of each utterance."""
        return {one.id: one for one in self.lines}

    def standing(self) -> list[Correction]:
        """The lines that are neither undone nor an undoing, in their order."""
        taken_back = {one.undoes for one in self.lines}
        return [one for one in self.lines if one.action != "undone" and one.number not in taken_back]

    def states_of(self, name: str) -> list[Wording | None]:
        """Every wording that an utterance has had."""
        own = [one for one in self.lines if one.id == name]
        return [state for one in own for state in (one.before, one.after)]


def as_json(value: Any) -> bytes:
    """A line of the manifest."""
    return (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")


def replace_file(path: Path, content: bytes) -> None:
    """The whole file or none of it, on the disk when this returns."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _sync(path: Path) -> None:
    with path.open("ab") as file:
        os.fsync(file.fileno())
