"""Hypotheses on disk as they are found, so that decoding goes on where it was stopped or killed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parlure.transcribing.hypothesis import Hypothesis, Segment, Word


class Journal:
    """One line that says what is decoded and how, then a line for each part of the work that is done.

    Attributes:
        found: the hypotheses so far, by id.
        work_s: seconds of work they took.
    """

    def __init__(self, path: Path, job: Mapping[str, Any]) -> None:
        """Open the journal of a job; a journal of another job at this path is begun again.

        Args:
            path: the file; its folder is made.
            job: model, options, versions, utterances: everything that decides the hypotheses, as JSON takes it.
        """
        self._path = path
        self.found: dict[str, Hypothesis] = {}
        self.work_s = 0.0
        header = json.dumps(job, sort_keys=True) + "\n"
        # a line that was being written when the process was killed has no end
        lines = [line for line in _lines(path) if line.endswith("\n")]
        if not lines or lines[0] != header:
            lines = [header]
        for line in lines[1:]:
            part = json.loads(line)
            self.work_s += part["work_s"]
            self.found |= {row["id"]: _hypothesis(row) for row in part["hypotheses"]}
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_name(path.name + ".part")
        whole.write_text("".join(lines), encoding="utf-8")
        whole.replace(path)

    def add(self, hypotheses: Sequence[Hypothesis], work_s: float) -> None:
        """Keep a part of the work."""
        self.found |= {one.id: one for one in hypotheses}
        self.work_s += work_s
        line = json.dumps({"work_s": round(work_s, 3), "hypotheses": [asdict(one) for one in hypotheses]})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def remove(self) -> None:
        """Once what it holds has been written elsewhere."""
        self._path.unlink()


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []


def _hypothesis(row: dict[str, Any]) -> Hypothesis:
    segments = None if row["segments"] is None else tuple(_segment(segment) for segment in row["segments"])
    return Hypothesis(**{**row, "segments": segments, "tokens": tuple(row["tokens"])})


def _segment(row: dict[str, Any]) -> Segment:
    words = row.get("words")
    return Segment(**{**row, "words": None if words is None else tuple(Word(**word) for word in words)})
