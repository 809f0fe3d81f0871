"""What a model hears, and its tokens → language and transcript mismatches, labels too long, tokens never written.

The model itself is handed down: this room knows none. Without one, a label's tokens are at least its words, four of
prompt and one at the end; what is too long by that count is too long for certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from parlure.corpus.check.findings import Ledger
from parlure.corpus.check.text import holds_word, language_of
from parlure.corpus.manifest import Utterance
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import count_characters, count_words

MIN_LANGUAGE_S = 3.0  # s; what is shorter is often taken for another language
MIN_JUDGED_WORDS = 3  # of a text: a back-channel heard wrongly says nothing
_EXTRA_WORDS = 5
_FRAME_TOKENS = 5  # start, language, task, <|notimestamps|>; the end


@dataclass(frozen=True)
class Heard:
    """What a model makes of an utterance.

    Attributes:
        index: of the utterance among those that it was given.
        text: greedily decoded in the language that the corpus names; None where the sound cannot be read.
        language: the most probable one, of 3 s and more; else None.
        probability: of that language among all that the model knows, 0 to 1.
    """

    index: int
    text: str | None
    language: str | None = None
    probability: float | None = None


class Ears(Protocol):
    """A model, as the command line hands it down."""

    def n_tokens(self, utterance: Utterance) -> int:
        """Label tokens, prompt and end included."""
        ...

    def suppressed(self, text: str) -> list[str]:
        """The tokens of a text that the model is told never to write."""
        ...

    def hear(
        self, utterances: Sequence[Utterance], cache: Path, progress: Callable[[int, int], None] | None = None
    ) -> Iterable[Heard]:
        """Each utterance, in any order; what was heard before is read from the cache."""
        ...


def least_tokens(utterance: Utterance) -> int:
    """The tokens that a label has at the least: no token of Whisper's reaches over a space."""
    n_stamps = 2 * len(utterance.segments) - 1 if utterance.segments else 0
    prompt = len(utterance.prompt.split()) + 1 if utterance.prompt else 0
    return len(utterance.text.split()) + _FRAME_TOKENS + n_stamps + prompt


def most_tokens(utterance: Utterance) -> int:
    """The tokens that a label has at the most: each is a byte of UTF-8 or more."""
    n_bytes = len(f" {utterance.text.strip()} {utterance.prompt or ''}".encode(errors="replace"))
    return n_bytes + _FRAME_TOKENS + 3 * len(utterance.segments or ()) + 1


def check_tokens(ledger: Ledger, ears: Ears | None) -> None:
    """How long labels are; with a model, also what it never writes."""
    if not ledger.runs("long_label", "label_too_long", "suppressed_tokens"):
        return
    count, least = (least_tokens, "at least ") if ears is None else (ears.n_tokens, "")
    for index, utterance in enumerate(ledger.utterances):
        n = count(utterance)
        if n > ledger.threshold("label_too_long"):
            ledger.add("label_too_long", index, f"{least}{n} tokens", n)
        elif n > ledger.threshold("long_label"):
            ledger.add("long_label", index, f"{least}{n} tokens", n)
        if ears is not None and ledger.runs("suppressed_tokens") and (never := ears.suppressed(utterance.text)):
            ledger.add("suppressed_tokens", index, " ".join(map(repr, never)), len(never))


def check_hearing(ledger: Ledger, ears: Ears, cache: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Hold every text, and every language, against what the model hears."""
    # in the corpus's order, whatever was heard before
    for heard in sorted(ears.hear(ledger.utterances, cache, progress), key=lambda one: one.index):
        utterance = ledger.utterances[heard.index]
        certain = heard.probability or 0.0
        if heard.language not in (None, utterance.language) and certain > ledger.threshold("language_mismatch"):
            value = f"{heard.language} with {certain:.2f}, named {utterance.language}"
            ledger.add("language_mismatch", heard.index, value, certain)
        if heard.text is not None and holds_word(utterance.text):
            _check_text(ledger, heard.index, heard.text)


def _check_text(ledger: Ledger, index: int, text: str) -> None:
    utterance = ledger.utterances[index]
    profile = get_profile(headline_profile(language_of(utterance)))
    said, recognised = profile.normalize(utterance.text), profile.normalize(text)
    words = count_words(said, recognised)
    value = f"heard: {text[:120]}"
    if words.N >= MIN_JUDGED_WORDS:
        characters = count_characters(profile.characters(said), profile.characters(recognised))
        for code, counts in (("transcript_mismatch_characters", characters), ("transcript_mismatch_words", words)):
            rate = counts.edits / max(1, counts.N)
            if rate > ledger.threshold(code):
                ledger.add(code, index, f"{rate:.0%}, {value}", rate)
    n_heard = len(recognised.split())
    if words.N and n_heard > ledger.threshold("text_too_little") * words.N and n_heard >= words.N + _EXTRA_WORDS:
        ledger.add("text_too_little", index, f"{n_heard} words for {words.N}, {value}", n_heard / words.N)
