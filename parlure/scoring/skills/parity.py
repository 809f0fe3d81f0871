"""A model and its export listening to the same utterances, one after the other, in a way that can be interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Utterance
from parlure.scoring.parity.figures import Part
from parlure.scoring.skills.listening import Ear, questions_of
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.interface import Engine
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.journal import Journal

MAX_TIMED = 50  # utterances that phrase times are compared on: they are decoded one by one


@dataclass(frozen=True)
class Listened:
    """What one system heard.

    Attributes:
        hypotheses: part → those of the utterances heard in it, in their order.
        how: part → model, hash, sizes, versions, seconds of sound and of work.
        journals: to be removed once all is written elsewhere.
    """

    hypotheses: Mapping[str, Sequence[Hypothesis]]
    how: Mapping[str, Mapping[str, Any]]
    journals: Sequence[Journal]


def heard_in(part: Part, utterances: Sequence[Utterance]) -> list[Utterance]:
    """The utterances of a part: all, or of a timed part some of those with a word, evenly drawn."""
    if not part.timed:
        return list(utterances)
    spoken = [utterance for utterance in utterances if utterance.text]
    step = max(1, -(-len(spoken) // MAX_TIMED))
    return spoken[::step]


def listen(
    system: str,
    engine_of: Callable[[Part], Engine],
    parts: Sequence[Part],
    utterances: Sequence[Utterance],
    folder: Path,
    options: DecodingOptions,
    tick: Callable[[int], None],
) -> Listened:
    """Let one system hear every part; what an interrupted call has left in the folder is not heard again.

    Args:
        system: ``original`` or ``exported``.
        engine_of: what hears a part; called once before each, and what it returned before is let go.
        parts: of the comparison; where two differ in the features' origin alone and the engine is the same, it hears
            them once.
        utterances: each at most 30 s.
        folder: for the journals.
        options: how to decode, but for language, task and window.
        tick: called with the number of utterances done.

    Raises:
        ParlureError: audio cannot be read, or the model does not know a language.
    """
    hypotheses: dict[str, Sequence[Hypothesis]] = {}
    how: dict[str, Mapping[str, Any]] = {}
    journals: dict[str, Journal] = {}
    engine: Engine | None = None
    for part in parts:
        engine = engine_of(part)
        own = heard_in(part, utterances)
        about = engine.description()
        ear = Ear(engine, folder, system, options, tick)
        name = f"{'timed' if part.timed else part.window}-{about['engine'].replace('.', '-')}"
        if name in journals:
            ear.skip(len(own))
        else:
            if part.timed:
                ear.hear_phrases(name, questions_of(own))
            else:
                ear.hear(name, questions_of(own), window=part.window)
            journals[name] = ear.journals[0]
        found = journals[name]
        hypotheses[part.name] = [found.found[utterance.id] for utterance in own]
        how[part.name] = {
            "model": engine.model, "hash": engine.sha256, "n_bytes": engine.n_bytes, **about,
            "audio_s": round(sum(u.duration_s for u in own), 2), "work_s": round(found.work_s, 3),
        }  # fmt: skip
    return Listened(hypotheses, how, list(journals.values()))


def utterance_lines(
    parts: Sequence[Part], utterances: Sequence[Utterance], original: Listened, exported: Listened
) -> list[dict[str, Any]]:
    """The utterances as :mod:`parlure.scoring.parity.figures` takes them."""
    lines: dict[str, dict[str, Any]] = {
        u.id: {
            "id": u.id, "speaker": u.speaker, "session": u.session, "duration_s": round(u.duration_s, 3),
            "language": u.language, "reference": u.text, "parts": {},
        }
        for u in utterances
    }  # fmt: skip
    for part in parts:
        pairs = zip(original.hypotheses[part.name], exported.hypotheses[part.name], strict=True)
        for pair in pairs:
            lines[pair[0].id]["parts"][part.name] = {
                "texts": [one.text for one in pair],
                "tokens": [list(one.tokens) for one in pair],
                "phrases": [_times(one) for one in pair] if part.timed else None,
            }
    return list(lines.values())


def _times(hypothesis: Hypothesis) -> list[list[float]]:
    return [[phrase.start, phrase.end] for phrase in hypothesis.segments or ()]
