"""A path and a query → what the page is answered, as bytes: the page itself, JSON, a list of ids, sound.

Nothing here knows of HTTP's ways, and no file is named by what is asked: an id is looked up in the manifest, or
is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from parlure.corpus.explore.catalogue import Catalogue, chars_per_s
from parlure.corpus.explore.document import EXPLORE
from parlure.corpus.explore.question import QuestionError, parse_question
from parlure.corpus.explore.rejects import load_rejects
from parlure.corpus.explore.sound import picture, samples_of, wav_bytes
from parlure.corpus.manifest import Corpus, Utterance
from parlure.speech.audio import AudioError

_SHOWN_NAMES = 2000  # of speakers and of tags to choose from: a longer list is no choice; the search finds the others
_KEPT_SOUNDS = 16  # a browser asks for one sound in several pieces


@dataclass(frozen=True)
class Answer:
    """One answer; ``status`` is HTTP's, ``kind`` the media type."""

    status: int
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Answers:
    """What can be asked of a corpus.

    Args:
        corpus: loaded once; what changes on the disk afterwards is not seen, but for the recordings.

    Raises:
        ParlureError: ``rejected.jsonl`` cannot be read.
    """

    command = "parlure explore"

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._catalogue = Catalogue(corpus.utterances)
        self._rejects = load_rejects(corpus.folder)
        self._samples = lru_cache(_KEPT_SOUNDS)(samples_of)
        self._overview = json_answer(self.overview())
        self._asked: dict[str, Callable[[str], Answer]] = {
            "": lambda query: Answer(
                200, "text/html; charset=utf-8", EXPLORE.page, {"Content-Security-Policy": EXPLORE.policy}
            ),
            "overview": lambda query: self._overview,
            "utterances": lambda query: json_answer(self.utterances(query)),
            "rejected": lambda query: json_answer(self.rejected(query)),
            "ids.txt": self.ids,
            "audio": self.audio,
            "picture": lambda query: json_answer(picture(self._samples(self._named(query)))),
        }

    def answer(self, path: str, query: str) -> Answer:
        """What is said to ``path?query``, both as they stand in the address, the path without what leads to it."""
        if path not in self._asked:
            return failed(404, f"there is nothing called {path}")
        try:
            return self._asked[path](query)
        except QuestionError as error:
            return failed(400, str(error))
        except _UnknownError as error:
            return failed(404, str(error))
        except AudioError as error:
            return failed(422, error.message, error.hint)

    def overview(self) -> dict[str, Any]:
        """The corpus as a whole: its totals, and what there is to choose from."""
        catalogue = self._catalogue
        speakers, tags = catalogue.totals("speaker"), catalogue.totals("tag")
        return {
            "name": self._corpus.folder.resolve().name,
            "folder": str(self._corpus.folder.resolve()),
            "warnings": [str(warning) for warning in self._corpus.info.get("warnings") or ()],
            "total": catalogue.total(),
            "splits": catalogue.totals("split"),
            "languages": catalogue.totals("language"),
            "speakers": speakers[:_SHOWN_NAMES],
            "n_speakers": len(speakers),
            "tags": tags[:_SHOWN_NAMES],
            "n_tags": len(tags),
            "rejected": len(self._rejects),
            "reasons": self._rejects.reasons(),
        }

    def utterances(self, query: str) -> dict[str, Any]:
        """One page of the utterances that a query asks for, with how many they are and their seconds in all."""
        question = parse_question(query)
        rows = self._catalogue.matching(question)
        shown = rows[question.offset : question.offset + question.limit]
        return {
            "found": len(rows),
            "seconds": round(self._catalogue.seconds(rows), 3),
            "offset": question.offset,
            "rows": [_row(self._catalogue.utterances[row]) for row in shown],
        }

    def rejected(self, query: str) -> dict[str, Any]:
        """One page of the rejected rows that a query asks for."""
        question = parse_question(query)
        rows = self._rejects.matching(question)
        shown = rows[question.offset : question.offset + question.limit]
        return {"found": len(rows), "offset": question.offset, "rows": shown}

    def ids(self, query: str) -> Answer:
        """The ids of all that a query asks for, one a line, in its order; a file to keep."""
        rows = self._catalogue.matching(parse_question(query))
        text = "".join(f"{self._catalogue.utterances[row].id}\n" for row in rows)
        keep = {"Content-Disposition": 'attachment; filename="ids.txt"'}
        return Answer(200, "text/plain; charset=utf-8", text.encode("utf-8", "replace"), keep)

    def audio(self, query: str) -> Answer:
        """The sound of the utterance ``id=…``: a WAV file."""
        return Answer(200, "audio/wav", wav_bytes(self._samples(self._named(query))))

    def _named(self, query: str) -> Utterance:
        name = parse_qs(query, keep_blank_values=True).get("id", [""])[-1]
        utterance = self._catalogue.named(name)
        if utterance is None:
            raise _UnknownError(f"there is no utterance {name}")
        return utterance


class _UnknownError(Exception):
    """No utterance has this id."""


def _row(utterance: Utterance) -> dict[str, Any]:
    return {
        **utterance.to_json(),
        "duration_s": round(utterance.duration_s, 6),
        "chars_per_s": round(chars_per_s(utterance), 3),
    }


def json_answer(value: Any, status: int = 200) -> Answer:
    """A value as JSON."""
    return Answer(status, "application/json", json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def failed(status: int, message: str, hint: str = "") -> Answer:
    """What went wrong, for the page to show."""
    return json_answer({"message": message, "hint": hint}, status)
