"""One model listening to many clips, part by part, in a way that can be interrupted."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from parlure.corpus.manifest import Utterance
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.interface import Engine
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.journal import Journal
from parlure.whisper.prompt import LENT_TOKENS, language_tokens

Window = Literal["full", "short"]
_BATCHES_AT_ONCE = 8  # between two entries of the journal: a bar moves, and little is lost


@dataclass(frozen=True)
class Question:
    """Something to decode.

    Attributes:
        clip: the sound.
        language: that is pinned in the prompt; None leaves it to the model.
        task: ``transcribe`` or ``translate``.
        source: what the sound is made from, as JSON takes it: two questions with one source sound alike.
    """

    clip: Clip
    language: str | None
    task: str
    source: Sequence[Any]


def questions_of(utterances: Iterable[Utterance]) -> list[Question]:
    """Each utterance in its own language and task."""
    own = list(utterances)
    return [
        Question(clip, u.language, u.task, (u.recording, u.start, u.end, u.channel))
        for u, clip in zip(own, clips_of(own), strict=True)
    ]


class Ear:
    """A model, and the journals of what it has heard.

    Attributes:
        journals: one for each part heard so far; they are removed once what they hold is written elsewhere.
    """

    def __init__(
        self, engine: Engine, folder: Path, system: str, options: DecodingOptions, tick: Callable[[int], None]
    ) -> None:
        """Begin to listen, or go on.

        Args:
            engine: the model.
            folder: where journals are kept.
            system: what the report calls the model.
            options: how to decode, but for language, task and window.
            tick: called with the number of clips that are done since the last call.
        """
        self._engine, self._folder, self._system = engine, folder, system
        self._options, self._tick = options, tick
        self.journals: list[Journal] = []

    def hear(self, part: str, questions: Sequence[Question], *, window: Window = "full") -> list[Hypothesis]:
        """Decode clips of at most 30 s, in the questions' order.

        Args:
            part: names the journal.
            questions: of different ids.
            window: ``full`` or ``short``, see :class:`DecodingOptions`.
        """
        journal = self._journal(part, questions, {"window": window})
        self._tick(len(journal.found))
        size = _BATCHES_AT_ONCE * self._options.batch_size
        for language, task in sorted({(q.language, q.task) for q in questions}, key=str):
            options = replace(self._options, language=language, task=task, window=window)
            left = [q.clip for q in questions if (q.language, q.task) == (language, task)]
            left = [clip for clip in left if clip.id not in journal.found]
            for start in range(0, len(left), size):
                clips, clock = left[start : start + size], time.monotonic()
                found = self._engine.decode(clips, options)
                journal.add(found, time.monotonic() - clock)
                self._tick(len(clips))
        return [journal.found[question.clip.id] for question in questions]

    def hear_phrases(self, part: str, questions: Sequence[Question]) -> list[Hypothesis]:
        """Decode clips of any length with phrase times, in windows of 30 s in sequence."""
        journal = self._journal(part, questions, {"timestamps": "segment"})
        self._tick(len(journal.found))
        for question in questions:
            if question.clip.id in journal.found:
                continue
            clock, clip = time.monotonic(), question.clip
            options = replace(self._options, language=question.language, task=question.task)
            found = self._engine.decode_long(clip.id, clip.read(), options)
            journal.add([found], time.monotonic() - clock)
            self._tick(1)
        return [journal.found[question.clip.id] for question in questions]

    def skip(self, n_clips: int) -> None:
        """Count clips as done whose answer follows from what was heard already."""
        self._tick(n_clips)

    def description(self, window: Window, n_seconds: float) -> dict[str, Any]:
        """The report's ``{"model", "hash", "decode"}``, with the work of the part heard last.

        Args:
            window: that the part was heard in.
            n_seconds: of sound it had.
        """
        spent = {"audio_s": round(n_seconds, 2), "work_s": round(self.journals[-1].work_s, 2)}
        # last what the engine says: what is no Whisper has windows of its own
        settings = self._settings() | {"window": window} | self._engine.description() | spent
        return {"model": self._engine.model, "hash": self._engine.sha256, "decode": settings}

    def _journal(self, part: str, questions: Sequence[Question], how: dict[str, Any]) -> Journal:
        """What an interrupted call has left of this part, by this model, of these clips, in this way."""
        asked = json.dumps([[q.clip.id, q.language, q.task, *q.source] for q in questions])
        job = {"model": self._engine.model, "hash": self._engine.sha256, **self._settings(), **how}
        job["clips"] = hashlib.sha256(asked.encode()).hexdigest()
        journal = Journal(self._folder / f"decoding-{self._system}-{part}.jsonl", job)
        self.journals.append(journal)
        return journal

    def _settings(self) -> dict[str, Any]:
        """How utterances are decoded, and by what; the same for every model of a report."""
        settings = asdict(self._options) | {"language": "the utterance's", "task": "the utterance's"}
        settings |= {"method": "greedy" if self._options.beam_size == 1 else "beam search", "timestamps": "none"}
        tokenizer = self._engine.tokenizer
        if tokenizer is not None and (taught := language_tokens(tokenizer)):
            settings["language_tokens"] = taught
        if tokenizer is not None and (lent := tokenizer.init_kwargs.get(LENT_TOKENS)):
            settings["asked_as"] = lent
        return settings | self._engine.description()
