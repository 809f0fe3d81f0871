"""A corpus and a report of it → test utterances to play and to hear again, with what the report says of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from parlure.corpus.explore.sound import samples_of, wav_bytes
from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.scoring.page.marks import in_order
from parlure.scoring.page.verdict import verdict_sentence

SHOWN: Final = 50  # rows at a time
REPORT: Final = "report.html"


@dataclass(frozen=True)
class Example:
    """One utterance.

    Attributes:
        errors: word errors by system, as the report counts them; None where there is no report of it.
        n_words: of its reference, as the report counts them.
    """

    utterance: Utterance
    errors: Mapping[str, int] | None = None
    n_words: int = 0

    @property
    def gain(self) -> int:
        """Word errors that base makes and tuned does not."""
        return 0 if self.errors is None else self.errors.get("base", 0) - self.errors.get("tuned", 0)

    def to_json(self) -> dict[str, Any]:
        """What the page shows of it."""
        own = self.utterance
        return {
            "id": own.id, "speaker": own.speaker, "duration_s": round(own.duration_s, 2), "language": own.language,
            "task": own.task, "reference": own.text, "errors": self.errors, "n_words": self.n_words,
        }  # fmt: skip


_ORDERS: Mapping[str, Callable[[Example], float]] = {
    "gained": lambda one: -one.gain,
    "lost": lambda one: one.gain,
    "errors": lambda one: -max((one.errors or {}).values(), default=0),
}


class Examples:
    """The utterances of a corpus's split, and a report's page.

    Args:
        corpus: the folder; None for no utterances.
        report: a report of it, or None.
        split: which of its utterances.

    Attributes:
        sentence: what the report's verdict is, in a sentence; empty without a report.

    Raises:
        ParlureError: the corpus or the report cannot be used, the report is of none of these utterances, or the split
            has none.
    """

    def __init__(self, corpus: Path | None = None, report: Path | None = None, split: str = "test") -> None:
        own = () if corpus is None else Corpus.load(corpus).select(split)
        if corpus is not None and not own:
            raise ParlureError(f"{corpus} has no {split} utterances", "choose another --split")
        told: Mapping[str, tuple[dict[str, int], int]] = {}
        self._page: Path | None = None
        self.sentence = ""
        if report is not None:
            self.sentence, told = _told(report)
            self._page = report / REPORT
            if own and not any(u.id in told for u in own):
                raise ParlureError(
                    f"{report} is a report of other utterances than the {split} ones of {corpus}",
                    "give the corpus that was evaluated",
                )
        self._rows = tuple(Example(u, *told.get(u.id, (None, 0))) for u in own)
        self._of = {one.utterance.id: one.utterance for one in self._rows}

    def __len__(self) -> int:
        return len(self._rows)

    def page(self, search: str, order: str, offset: int) -> dict[str, Any]:
        """The rows from ``offset`` on that hold ``search`` in id, speaker or text, in an order of the page's."""
        wanted = search.casefold().split()
        rows = [one for one in self._rows if all(word in _searched(one.utterance) for word in wanted)]
        if order in _ORDERS:
            rows.sort(key=_ORDERS[order])  # stable: of equal ones the first stays first
        return {"found": len(rows), "rows": [one.to_json() for one in rows[offset : offset + SHOWN]]}

    def sound(self, name: str) -> bytes | None:
        """An utterance as a WAV file; None if there is none of this id.

        Raises:
            AudioError: its recording cannot be read any more.
        """
        return wav_bytes(samples_of(self._of[name])) if name in self._of else None

    def report(self) -> str | None:
        """The report's page; None where there is none."""
        return self._page.read_text(encoding="utf-8") if self._page is not None and self._page.is_file() else None


def _searched(utterance: Utterance) -> str:
    return f"{utterance.id}\n{utterance.speaker or ''}\n{utterance.text}".casefold()


def _told(report: Path) -> tuple[str, dict[str, tuple[dict[str, int], int]]]:
    """The verdict of a report, and of each utterance its errors by system and its number of words."""
    try:
        whole = json.loads((report / "report.json").read_text(encoding="utf-8"))
        lines = (report / "utterances.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        profile = whole["headline_profile"]
        told = {
            row["id"]: (
                {name: sum(counts[name][kind] for kind in "SDI") for name in in_order(counts)},
                max(one["N"] for one in counts.values()),
            )
            for row in rows
            if (counts := row["counts"].get(profile))
        }
        headline, sentence, _ = verdict_sentence(whole)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParlureError(f"{report} is not a report", "give a folder that parlure evaluate made") from error
    return f"{headline}: {sentence}", told
