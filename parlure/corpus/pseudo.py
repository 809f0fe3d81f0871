"""Texts that a model has written and nobody has heard: which of them may be trained on, and that none is a reference.

A text is kept if the model is sure of it, has not gone round in circles, hears the language that is spoken, and hears
the same the second time. Each bound's origin stands beside it; docs/pseudo-labels.md has what they did on synthetic
speech.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import Utterance
from parlure.errors import ParlureError
from parlure.scoring.align import edit_counts
from parlure.scoring.normalize import get_profile, headline_profile

PSEUDO_TAG = "pseudo"
CONFIDENCE = "confidence="  # and the mean probability of a token, to a tenth
MIN_LANGUAGE_S = 3.0  # s; what is shorter is often taken for another language
MOST_COMPRESSION = 2.4  # openai/whisper transcribe.py: a text that zlib makes so much smaller repeats itself


@dataclass(frozen=True)
class Bounds:
    """What a text has to keep to.

    Attributes:
        min_confidence: mean probability of its tokens, 0 to 1.
        max_disagreement: word edits between both hearings for each word of the first, 0 to 1; 0.1 is what
            Distil-Whisper's training data were filtered by (Gandhi et al. 2023), there against a reference.

    Raises:
        ParlureError: a bound is not between 0 and 1.
    """

    min_confidence: float = 0.6
    max_disagreement: float = 0.1

    def __post_init__(self) -> None:
        for name in ("min_confidence", "max_disagreement"):
            if not 0 <= getattr(self, name) <= 1:
                option = f"--{name.replace('_', '-')}"
                raise ParlureError(
                    f"{option} {getattr(self, name):g} is not between 0 and 1", f"for example {option} 0.5"
                )


@dataclass(frozen=True)
class Heard:
    """A span as a model hears it twice.

    Attributes:
        duration_s: of the span.
        text: as it was first heard.
        again: as it was heard the second time.
        language: that it was decoded in.
        identified: that the model itself takes it for, if it was asked.
        avg_logprob: mean log-probability of the first text's tokens.
        broken_off: it went round in circles, or hit the token limit, in either hearing.
    """

    duration_s: float
    text: str
    again: str
    language: str
    identified: str | None
    avg_logprob: float | None
    broken_off: bool

    @property
    def confidence(self) -> float:
        """Mean probability of a token: the exponential of the mean log-probability."""
        return 0.0 if self.avg_logprob is None else math.exp(self.avg_logprob)

    @property
    def disagreement(self) -> float:
        """Word edits from the first hearing to the second for each word of the first, at most 1."""
        profile = get_profile(headline_profile(self.language))
        first, second = profile.words(self.text), profile.words(self.again)
        return min(1.0, sum(edit_counts(first, second)) / max(1, len(first)))

    @property
    def compression(self) -> float:
        """Bytes of the text for each byte that zlib needs."""
        content = self.text.encode("utf-8", "replace")
        return len(content) / len(zlib.compress(content)) if content else 0.0

    def figures(self) -> dict[str, Any]:
        """All that it is judged by."""
        return {
            "confidence": round(self.confidence, 4),
            "disagreement": round(self.disagreement, 4),
            "compression": round(self.compression, 3),
            "language": self.language,
            "identified": self.identified,
            "second_text": self.again,
        }


def fault(heard: Heard, bounds: Bounds) -> tuple[str, str] | None:
    """Why a text is not kept: reason code and sentence, of the first bound that it breaks; None if it is kept."""
    if not heard.text.strip():
        return "no_text", "the model hears nobody"
    if heard.broken_off:
        return "broken_off", "the text goes round in circles, or does not end"
    if heard.compression > MOST_COMPRESSION:
        return "repetitive", f"the text repeats itself: zlib makes it {heard.compression:.1f} times smaller"
    if heard.identified not in (None, heard.language) and heard.duration_s >= MIN_LANGUAGE_S:
        return "other_language", f"the model takes it for {heard.identified}, it was decoded as {heard.language}"
    if heard.confidence < bounds.min_confidence:
        return "unsure", f"mean probability of a token {heard.confidence:.2f}, below {bounds.min_confidence:g}"
    if heard.disagreement > bounds.max_disagreement:
        percent = f"{heard.disagreement:.0%}, more than {bounds.max_disagreement:.0%}"
        return "disagreement", f"heard otherwise the second time: {percent} of the words"
    return None


def is_pseudo(utterance: Utterance) -> bool:
    """Whether nobody has heard what its text was taken from."""
    return PSEUDO_TAG in utterance.tags


def refuse_pseudo(utterances: Iterable[Utterance], split: str, folder: str | Path) -> None:
    """See to it that no model is judged by what a model has written.

    Raises:
        ParlureError: dev or test holds pseudo-labels.
    """
    n = 0 if split == "train" else sum(is_pseudo(one) for one in utterances)
    if n:
        raise ParlureError(
            f"{n} {split} utterances of {folder} are pseudo-labels, a model's own texts and no reference",
            f"hear and confirm them: parlure correct MODEL --corpus {folder} --split {split}; or leave them out: "
            f"parlure corpus filter {folder} --keep '\"{PSEUDO_TAG}\" not in tags' --out OUT",
        )


def refuse_leaks(utterances: Sequence[Utterance]) -> None:
    """See to it that no model learns what it will be judged by, from a text that a model has heard there.

    Raises:
        ParlureError: pseudo-labels are of recordings of which dev or test has a part.
    """
    judged = {one.recording for one in utterances if one.split != "train"}
    leaks = [one.recording for one in utterances if is_pseudo(one) and one.recording in judged]
    if leaks:
        raise ParlureError(
            f"{len(leaks)} pseudo-labels are of recordings that dev or test are made of, such as {leaks[0]}",
            "leave those recordings out of parlure label",
        )


def refuse_dividing(utterances: Sequence[Utterance]) -> None:
    """See to it that pseudo-labels stay in train when a corpus is divided anew.

    Raises:
        ParlureError: there are some.
    """
    if n := sum(map(is_pseudo, utterances)):
        raise ParlureError(
            f"{n} utterances are pseudo-labels, which belong into train, and --ratios would put some into dev and test",
            "leave out --ratios: every utterance stays in its split",
        )
