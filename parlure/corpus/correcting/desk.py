"""A corpus that is being corrected: held by one process, saved at every word, with everything revocable.

This is the one edit that changes a corpus in place. What makes that safe is the history (:mod:`.history`), which is
written first: the manifest follows from it, by a rename, then ``rejected.jsonl``, then ``corpus.json``. Opened again,
whatever is missing is made good; so is a corpus that was prepared anew over its corrections.
"""

from __future__ import annotations

import getpass
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from parlure.corpus.correcting.history import (
    ACTIONS,
    HISTORY,
    Correction,
    History,
    as_json,
    now,
    replace_file,
    wording,
)
from parlure.corpus.correcting.wording import Times, heard_by_person, reworded
from parlure.corpus.manifest import INFO, MANIFEST, REJECTED, SPLITS, Corpus
from parlure.corpus.tallies import tallies
from parlure.errors import ParlureError
from parlure.exclusive import alone_in

LISTENED = "listened"  # reason code in rejected.jsonl
NO_REASON = "a person has listened and rejected it"


@dataclass(frozen=True)
class Saved:
    """What a correction did.

    Attributes:
        correction: the line of the history.
        times: what became of its phrase times.
        split: of the utterance.
        n_prompts: other utterances of its recording whose ``prompt`` still holds the text as it was.
    """

    correction: Correction
    times: Times
    split: str
    n_prompts: int

    def sentences(self) -> list[str]:
        """What a person should know of it."""
        said = []
        if self.times == "dropped":
            said.append("its phrase times were dropped: the change reaches over more than one phrase")
        elif self.times == "kept" and self.correction.before != self.correction.after:
            said.append("its phrase times were kept")
        if self.n_prompts:
            whose = (
                "utterance still has the old text as its"
                if self.n_prompts == 1
                else "utterances still have it as their"
            )
            said.append(f"{self.n_prompts} following {whose} prompt")
        if self.split == "test" and self.correction.before != self.correction.after:
            said.append("this is a test utterance: scores from before and after are not of the same test")
        return said


@dataclass
class Desk:
    """A corpus held for correction; see :func:`corrected`.

    Attributes:
        folder: the corpus.
        who: written into the history.
        notes: what was made good when it was opened, one sentence each.
    """

    folder: Path
    who: str
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        Corpus.load(self.folder)  # a bad corpus is refused as everywhere
        self.history = History(self.folder)
        self._rows: list[dict[str, Any]] = []
        self._lines: list[bytes] = []
        for line in (self.folder / MANIFEST).read_bytes().splitlines(keepends=True):
            if line.strip():
                self._rows.append(json.loads(line))
                self._lines.append(line if line.endswith(b"\n") else line + b"\n")
        self._place = {row["id"]: place for place, row in enumerate(self._rows)}
        self._writes_at_once = True
        self._make_good()

    def row(self, name: str) -> dict[str, Any]:
        """The line of the manifest with an id, its recording as it stands there.

        Raises:
            ParlureError: there is none.
        """
        if name not in self._place:
            raise ParlureError(f"the corpus has no utterance {name}", "ids stand in manifest.jsonl")
        return self._rows[self._place[name]]

    def save(self, name: str, action: str, text: str = "", reason: str = "") -> Saved:
        """Keep what a person says of an utterance.

        Args:
            name: its id.
            action: ``corrected`` (with ``text``), ``silent``, ``confirmed`` or ``rejected``.
            text: what is said in it; line breaks become spaces.
            reason: why.

        Raises:
            ParlureError: no such utterance or action, or a correction without text.
        """
        self.check(name, action, text)
        row, text = self.row(name), _one_line(text)
        before, after = wording(row), None
        times: Times = "none"
        if action != "rejected":
            changed, times = reworded(row, {"corrected": text, "silent": ""}.get(action, row["text"]))
            after = wording(heard_by_person(changed))
        correction = Correction(self._next(), now(), self.who, name, action, reason, before, after)
        if action == "rejected":
            correction = replace(correction, row=dict(row), line=self._place[name] + 1)
        n_prompts = self._n_prompts(row) if after is None or after["text"] != before["text"] else 0
        self._keep(correction)
        return Saved(correction, times, row["split"], n_prompts)

    def check(self, name: str, action: str, text: str) -> None:
        """See that something can be said of an utterance.

        Raises:
            ParlureError: no such utterance or action, or a correction without text.
        """
        self.row(name)
        if action not in ACTIONS:
            raise ParlureError(f"there is no action {action!r}", "actions are corrected, silent, confirmed, rejected")
        if action == "corrected" and not _one_line(text):
            raise ParlureError(
                f"the corrected text of {name} is empty", "say silent where nobody speaks, or reject the utterance"
            )

    def says_already(self, name: str, action: str, text: str) -> bool:
        """Whether a correction would change nothing: the same was said of the utterance last."""
        last = self.done().get(name)
        if last is None or last.after is None or last.action != action:
            return False
        return action != "corrected" or last.after["text"] == _one_line(text)

    def undo(self, name: str | None = None) -> Saved:
        """Take back the last thing that was said, of one utterance or at all.

        Raises:
            ParlureError: nothing is left to take back.
        """
        standing = [one for one in self.history.standing() if name in (None, one.id)]
        if not standing:
            raise ParlureError("there is nothing to undo", f"{HISTORY} has every correction that was made")
        last = standing[-1]
        undoing = Correction(
            self._next(),
            now(),
            self.who,
            last.id,
            "undone",
            "",
            last.after,
            last.before,
            last.row,
            last.line,
            last.number,
        )
        self._keep(undoing)
        return Saved(undoing, "none", self.row(last.id)["split"], 0)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write the manifest once for all that is saved within; the history still has each of them at once."""
        self._writes_at_once, n_before = False, len(self.history.lines)
        try:
            yield
        finally:
            self._writes_at_once = True
            if len(self.history.lines) > n_before:
                self._write()

    def done(self) -> dict[str, Correction]:
        """What stands of each utterance: the last line that is not undone."""
        return {one.id: one for one in self.history.standing()}

    def counts(self) -> dict[str, dict[str, int]]:
        """How many utterances were corrected, confirmed and rejected, by split; a silent one counts as corrected."""
        found: dict[str, Counter[str]] = {name: Counter() for name in ("corrected", "confirmed", "rejected")}
        for name, one in self.done().items():
            kind = "corrected" if one.action == "silent" else one.action
            row = self._rows[self._place[name]] if name in self._place else one.row
            if row is not None:
                found[kind][row["split"]] += 1
        return {kind: {split: by_split[split] for split in SPLITS} for kind, by_split in found.items()}

    def _next(self) -> int:
        return len(self.history.lines) + 1

    def _n_prompts(self, row: dict[str, Any]) -> int:
        """Prompts of the same recording that end in this text, or hold it."""
        text = row["text"]
        return sum(
            bool(text) and text in (one["prompt"] or "") for one in self._rows if one["recording"] == row["recording"]
        )

    def _keep(self, correction: Correction) -> None:
        self.history.add(correction)
        self._apply(correction)
        if self._writes_at_once:
            self._write()

    def _apply(self, correction: Correction) -> None:
        """Change the rows in memory as a line of the history says."""
        name, after = correction.id, correction.after
        if after is None:
            place = self._place.pop(name)
            del self._rows[place], self._lines[place]
        elif name in self._place:
            place = self._place[name]
            self._rows[place] = {**self._rows[place], **after}
            self._lines[place] = as_json(self._rows[place])
            return
        else:
            assert correction.row is not None and correction.line is not None
            place = min(correction.line - 1, len(self._rows))
            row = {**correction.row, **after}
            self._rows.insert(place, row)
            self._lines.insert(place, as_json(row))
        self._place = {row["id"]: place for place, row in enumerate(self._rows)}

    def _write(self) -> None:
        """Bring the files to what the history says; ``corpus.json`` last."""
        manifest = b"".join(self._lines)
        replace_file(self.folder / MANIFEST, manifest)
        self._write_rejected()
        info = json.loads((self.folder / INFO).read_text(encoding="utf-8"))
        utterances = Corpus.load(self.folder).utterances if self._any_rejected() else None
        if utterances is not None:
            info |= {"n_utterances": len(utterances), **tallies(utterances)}
        info["corrections"] = {
            "history": HISTORY,
            "lines": len(self.history.lines),
            **self.counts(),
            "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        }
        replace_file(self.folder / INFO, (json.dumps(info, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))

    def _any_rejected(self) -> bool:
        return any(one.row is not None for one in self.history.lines)

    def _write_rejected(self) -> None:
        """What listeners have taken out stands behind what was not taken at all."""
        path = self.folder / REJECTED
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
        others = [line for line in lines if line.strip() and json.loads(line).get("reason") != LISTENED]
        ours = [
            as_json(
                {
                    "source": str(self.folder / MANIFEST),
                    "line": one.line,
                    "reason": LISTENED,
                    "sentence": one.reason or NO_REASON,
                    "row": one.row,
                }
            )
            for one in self.done().values()
            if one.action == "rejected"
        ]
        if ours or len(others) != len(lines):
            replace_file(path, b"".join(others + ours))

    def _make_good(self) -> None:
        """Bring the manifest to what the history says, where it is not: a crash, or a corpus that was prepared anew."""
        behind: list[Correction] = []
        unknown: list[str] = []
        for name, last in self.history.last_of().items():
            state = wording(self._rows[self._place[name]]) if name in self._place else None
            if state == last.after:
                continue
            if state in self.history.states_of(name) and (state is not None or last.row is not None):
                behind.append(last)
            else:
                unknown.append(name)
        for one in behind:
            self._apply(one)
        if behind:
            were = "correction of {} was" if len(behind) == 1 else "corrections of {} were"
            self.notes.append(f"{len(behind)} {were.format(HISTORY)} not in the manifest and put back")
        if unknown:
            listed = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
            fit = "corrections of {} do" if len(unknown) > 1 else "correction of {} does"
            self.notes.append(
                f"{len(unknown)} {fit.format(HISTORY)} not fit the manifest any more and had no effect: {listed}"
            )
        if self.history.lines and (behind or not self._is_said()):
            self._write()

    def _is_said(self) -> bool:
        """Whether ``corpus.json`` knows of the last correction."""
        info = json.loads((self.folder / INFO).read_text(encoding="utf-8"))
        return bool(info.get("corrections", {}).get("lines") == len(self.history.lines))


@contextmanager
def corrected(folder: str | Path, who: str | None = None) -> Iterator[Desk]:
    """Hold a corpus while it is corrected.

    Args:
        folder: the corpus.
        who: listens; None is the name that the operating system knows.

    Raises:
        ParlureError: no such corpus, or another process writes it.
    """
    folder = Path(folder)
    if not (folder / INFO).is_file():
        Corpus.load(folder)  # says what is wrong with it, and makes no folder
    with alone_in(folder):
        yield Desk(folder, who or _user())


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).strip()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return "unknown"
