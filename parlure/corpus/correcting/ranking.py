"""What a model makes of utterances, and of their transcripts → the transcripts most worth hearing again, and why.

The score of an utterance is the mean cost of a token of its transcript (nats) and twice the share of its words that the
model hears otherwise. That the model is unsure of what it hears, and what its base hears, is shown and is no part of
the score, which found fewer errors with them (docs/LOG.md): what is hard to hear is not what is written wrongly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from parlure.corpus.check.text import language_of
from parlure.corpus.manifest import Utterance
from parlure.scoring.align import align, edit_counts
from parlure.scoring.normalize import get_profile, headline_profile

DISAGREEMENT_WEIGHT = 2.0
UNSURE = 0.6  # mean probability of a token below which a model is said to be unsure
IMPROBABLE = 0.4  # the same of a transcript
IMPROBABLE_WORD = 0.02


@dataclass(frozen=True)
class Hearing:
    """What one model makes of an utterance.

    Attributes:
        text: what it hears.
        avg_logprob: mean log-probability of that text's tokens; None where nobody speaks.
        nats: mean cost of a token of the transcript.
        worst, worst_probability: the word of the transcript with the least probable token, and that.
    """

    text: str
    avg_logprob: float | None
    nats: float
    worst: str
    worst_probability: float

    def to_json(self) -> dict[str, Any]:
        """As ``correct.jsonl`` has it."""
        logprob = None if self.avg_logprob is None else round(self.avg_logprob, 5)
        return {
            "text": self.text, "avg_logprob": logprob, "nats": round(self.nats, 5), "worst": self.worst,
            "worst_probability": round(self.worst_probability, 8),
        }  # fmt: skip


@dataclass(frozen=True)
class Suspect:
    """An utterance whose transcript may be wrong.

    Attributes:
        utterance: with the transcript in question.
        tuned: what the model makes of it.
        base: what its base makes of it, if that was asked.
    """

    utterance: Utterance
    tuned: Hearing
    base: Hearing | None = None

    @cached_property
    def score(self) -> float:
        """Higher is more worth hearing; see above."""
        return self.tuned.nats + DISAGREEMENT_WEIGHT * self.disagreement(self.tuned)

    def disagreement(self, hearing: Hearing) -> float:
        """Word edits between transcript and hypothesis for each word of the transcript, 0 to 1."""
        said, heard = self._words(self.utterance.text), self._words(hearing.text)
        return min(1.0, sum(edit_counts(said, heard)) / max(1, len(said)))

    def differences(self) -> list[list[str | None]]:
        """Transcript against hypothesis, as written: [kind, word of the one, word of the other]."""
        words = self.utterance.text.split(), self.tuned.text.split()
        alike = [self._alike(side) for side in words]
        steps, places = align(*alike), [iter(side) for side in words]
        found: list[list[str | None]] = []
        for step in steps:
            said = None if step.reference is None else next(places[0])
            heard = None if step.hypothesis is None else next(places[1])
            found.append([step.kind, said, heard])
        return found

    def reasons(self) -> list[str]:
        """Why it is worth hearing, in words and with figures; the one that counts most first."""
        text, heard = self.utterance.text, self.tuned.text
        share, n_words = self.disagreement(self.tuned), len(self._words(text))
        found: list[tuple[float, str]] = []
        if not text.strip() and heard:
            found.append((DISAGREEMENT_WEIGHT, "the transcript says that nobody speaks, the model hears words"))
        elif text.strip() and not heard:
            found.append((DISAGREEMENT_WEIGHT, "the model hears nobody"))
        elif share:
            n = sum(edit_counts(self._words(text), self._words(heard)))
            found.append((DISAGREEMENT_WEIGHT * share, f"{n} word edits from what the model hears, in {n_words} words"))
        if (probability := math.exp(-self.tuned.nats)) < IMPROBABLE:
            own = self._confidence(self.tuned)
            beside = "" if own is None else f", of what it hears {own:.2f}"
            said = f"the model finds the transcript improbable: mean of a token {probability:.2f}{beside}"
            found.append((self.tuned.nats, said))
        if self.tuned.worst and self.tuned.worst_probability < IMPROBABLE_WORD:
            said = f"“{self.tuned.worst}” is improbable here ({_small(self.tuned.worst_probability)})"
            found.append((-math.log(max(self.tuned.worst_probability, 1e-12)) / 10, said))
        if share and self.base is not None and self._words(self.base.text) == self._words(heard):
            found.append((0.9, "base and tuned model hear the same, and it is not the transcript"))
        if self.base is not None and self._words(self.base.text) != self._words(heard):
            n = sum(edit_counts(self._words(heard), self._words(self.base.text)))
            found.append((0.05, f"base and tuned model hear different things ({n} word edits)"))
        own = self._confidence(self.tuned)
        if own is not None and own < UNSURE:
            found.append((0.1, f"the model is unsure of what it hears (probability of a token {own:.2f})"))
        if not found:
            found.append((0.0, "nothing stands out: transcript and hypothesis agree"))
        return [sentence for _, sentence in sorted(found, key=lambda one: -one[0])]

    def to_json(self) -> dict[str, Any]:
        """What ``--list`` prints, and the page shows."""
        one = self.utterance
        return {
            "id": one.id, "split": one.split, "duration_s": round(one.duration_s, 3), "score": round(self.score, 4),
            "reasons": self.reasons(), "reference": one.text, "hypothesis": self.tuned.text,
            "base_hypothesis": None if self.base is None else self.base.text,
            "disagreement": round(self.disagreement(self.tuned), 4), "nats": round(self.tuned.nats, 4),
            "avg_logprob": None if self.tuned.avg_logprob is None else round(self.tuned.avg_logprob, 4),
            "worst": self.tuned.worst, "worst_probability": round(self.tuned.worst_probability, 6),
        }  # fmt: skip

    def _words(self, text: str) -> list[str]:
        return get_profile(headline_profile(language_of(self.utterance))).words(text)

    def _alike(self, words: Sequence[str]) -> list[str]:
        """Each word as it is compared: case and punctuation do not count."""
        return [" ".join(self._words(word)) or word for word in words]

    @staticmethod
    def _confidence(hearing: Hearing) -> float | None:
        return None if hearing.avg_logprob is None or not hearing.text else math.exp(hearing.avg_logprob)


def ranked(
    utterances: Sequence[Utterance], tuned: Mapping[str, Hearing], base: Mapping[str, Hearing] | None = None
) -> list[Suspect]:
    """Those that the model has heard, the most suspicious first; equal ones in the corpus's order."""
    heard = [one for one in utterances if one.id in tuned]
    suspects = [Suspect(one, tuned[one.id], None if base is None else base.get(one.id)) for one in heard]
    return sorted(suspects, key=lambda one: -one.score)


def table(suspects: Sequence[Suspect]) -> str:
    """A table for a person, a line an utterance and two below it."""
    lines = [f"{'score':>6}  {'split':<5}  {'s':>5}  id"]
    for one in suspects:
        utterance = one.utterance
        lines.append(f"{one.score:6.2f}  {utterance.split:<5}  {utterance.duration_s:5.1f}  {utterance.id}")
        lines.append(f"        transcript: {utterance.text or '(no speech)'}")
        lines.append(f"        heard:      {one.tuned.text or '(no speech)'}")
        lines.append(f"        why: {'; '.join(one.reasons())}")
    return "\n".join(lines) + "\n"


def _small(probability: float) -> str:
    return f"{probability:.3f}" if probability >= 0.001 else "below 0.001"
