"""What the page of ``parlure correct`` is answered, and what it may write: corrections, by an utterance's id."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from parlure.corpus.correcting.desk import Desk, Saved
from parlure.corpus.correcting.history import Correction
from parlure.corpus.correcting.ranking import Suspect
from parlure.corpus.explore.answers import Answer, failed, json_answer
from parlure.corpus.explore.document import Document
from parlure.corpus.explore.sound import picture, samples_of, wav_bytes
from parlure.corpus.manifest import Utterance
from parlure.errors import ParlureError
from parlure.speech.audio import AudioError

PAGE = Document(
    "corpus.correcting/page.html",
    ("corpus.correcting/page.css",),
    ("corpus.explore/basics.js", *(f"corpus.correcting/{name}.js" for name in ("list", "player", "desk", "keys"))),
)
_SHOWN = 200  # rows at a time
_KEPT_SOUNDS = 16  # a browser asks for one sound in several pieces


class CorrectingAnswers:
    """What can be asked and said of a corpus that is being corrected.

    Args:
        desk: the corpus, held.
        suspects: the most suspicious first.
        not_heard: how many utterances no model could be asked about.
    """

    command = "parlure correct"

    def __init__(self, desk: Desk, suspects: Sequence[Suspect], not_heard: int = 0) -> None:
        self._desk, self._suspects, self._n_not_heard = desk, suspects, not_heard
        self._of = {one.utterance.id: one for one in suspects}
        self._samples = lru_cache(_KEPT_SOUNDS)(samples_of)
        self._alone = threading.Lock()  # a browser sends several things at once
        self._asked: dict[str, Callable[[str], Answer]] = {
            "": lambda query: Answer(
                200, "text/html; charset=utf-8", PAGE.page, {"Content-Security-Policy": PAGE.policy}
            ),
            "overview": lambda query: json_answer(self.overview()),
            "suspects": lambda query: json_answer(self.suspects(query)),
            "audio": lambda query: Answer(200, "audio/wav", wav_bytes(self._samples(self._named(query)))),
            "picture": lambda query: json_answer(picture(self._samples(self._named(query)))),
        }
        self._said: dict[str, Callable[[dict[str, Any]], Saved]] = {"save": self._save, "undo": self._undo}

    def answer(self, path: str, query: str) -> Answer:
        """What is said to ``path?query``."""
        if path not in self._asked:
            return failed(404, f"there is nothing called {path}")
        try:
            with self._alone:
                return self._asked[path](query)
        except _UnknownError as error:
            return failed(404, str(error))
        except AudioError as error:
            return failed(422, error.message, error.hint)

    def accept(self, path: str, given: dict[str, Any]) -> Answer:
        """Keep a correction, or take one back; what the page shows of the utterance now."""
        if path not in self._said:
            return failed(404, f"there is nothing called {path}")
        if not all(isinstance(value, str) for value in given.values()):
            return failed(400, "id, action, text and reason are texts")
        try:
            with self._alone:
                saved = self._said[path](given)
                name = saved.correction.id
                row = self._row(self._of[name]) if name in self._of else None
                return json_answer({"row": row, "said": saved.sentences(), "counts": self._desk.counts()})
        except ParlureError as error:
            return failed(409, error.message, error.hint)

    def overview(self) -> dict[str, Any]:
        """The corpus, and how far one has come."""
        folder = self._desk.folder.resolve()
        return {
            "name": folder.name, "folder": str(folder), "who": self._desk.who, "notes": self._desk.notes,
            "suspects": len(self._suspects), "not_heard": self._n_not_heard, "counts": self._desk.counts(),
        }  # fmt: skip

    def suspects(self, query: str) -> dict[str, Any]:
        """200 rows of the ranking from ``offset`` on, of a ``split`` or of all, without what is done if ``open``."""
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        done = self._desk.done()
        rows = [
            one
            for one in self._suspects
            if asked.get("split") in (None, one.utterance.split) and not ("open" in asked and one.utterance.id in done)
        ]
        offset = int(asked["offset"]) if asked.get("offset", "").isascii() and asked.get("offset", "").isdigit() else 0
        shown = rows[offset : offset + _SHOWN]
        return {"found": len(rows), "offset": offset, "rows": [self._row(one, done) for one in shown]}

    def _row(self, suspect: Suspect, done: dict[str, Correction] | None = None) -> dict[str, Any]:
        utterance = suspect.utterance
        last = (self._desk.done() if done is None else done).get(utterance.id)
        text = utterance.text if last is None or last.after is None else last.after["text"]
        return {
            **suspect.to_json(), "differences": suspect.differences(), "language": utterance.language,
            "task": utterance.task, "speaker": utterance.speaker, "session": utterance.session,
            "phrases": len(utterance.segments or ()), "text": text, "done": None if last is None else last.action,
        }  # fmt: skip

    def _save(self, given: dict[str, Any]) -> Saved:
        name = given.get("id", "")
        reason = given.get("reason") or ("; ".join(self._of[name].reasons()) if name in self._of else "")
        return self._desk.save(name, given.get("action", ""), given.get("text", ""), reason)

    def _undo(self, given: dict[str, Any]) -> Saved:
        return self._desk.undo(given.get("id"))

    def _named(self, query: str) -> Utterance:
        name = parse_qs(query, keep_blank_values=True).get("id", [""])[-1]
        if name not in self._of:
            raise _UnknownError(f"there is no utterance {name}")
        return self._of[name].utterance


class _UnknownError(Exception):
    """No utterance has this id."""
