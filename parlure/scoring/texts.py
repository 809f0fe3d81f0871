"""Texts in memory → rates: for those who know jiwer, and for ``compute_metrics`` of transformers' trainers.

    parlure.wer(references, hypotheses, language="fr")          # 0.123, a fraction, as jiwer has it
    parlure.process(references, hypotheses, profile="raw").substitutions
    Seq2SeqTrainer(..., compute_metrics=parlure.make_compute_metrics(processor, language="fr"))

The first two give fractions, as jiwer does; ``compute_metrics`` gives points of per cent, as the recipes for Whisper
do. Under ``raw``, the default, words are those that jiwer counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from parlure.errors import ParlureError
from parlure.scoring.align import Op, align
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import Counts, Tally, count_characters, count_words

Texts = str | Sequence[str]

IGNORED_TOKEN = -100  # what transformers pads labels with, and what a trainer pads predictions with


@dataclass(frozen=True, slots=True)
class Processed:
    """Errors of any number of utterances under one profile. Its rates are fractions, None where there is no token.

    Attributes:
        profile: what both sides went through.
        references: as compared, words joined by single spaces.
        hypotheses: the same.
        words: the word errors of each utterance; they add.
        characters: the character errors of each.
        total: all of them together, empty references apart.
    """

    profile: str
    references: tuple[str, ...]
    hypotheses: tuple[str, ...]
    words: tuple[Counts, ...]
    characters: tuple[Counts, ...]
    total: Tally

    @property
    def substitutions(self) -> int:
        """Words recognised as others."""
        return self.total.words.S

    @property
    def deletions(self) -> int:
        """Reference words that are not in the hypotheses."""
        return self.total.words.D

    @property
    def insertions(self) -> int:
        """Words of the hypotheses that are not in the references."""
        return self.total.words.I

    @property
    def hits(self) -> int:
        """Reference words that were recognised."""
        return self.total.words.hits

    @property
    def wer(self) -> float | None:
        """Word error rate."""
        return _fraction(self.total.words.rate)

    @property
    def cer(self) -> float | None:
        """Character error rate."""
        return _fraction(self.total.characters.rate)

    @property
    def mer(self) -> float | None:
        """Match error rate; see ``rates``."""
        return _fraction(self.total.words.match_error_rate)

    @property
    def wil(self) -> float | None:
        """Word information lost; see ``rates``."""
        return _fraction(self.total.words.information_lost)

    @property
    def wip(self) -> float | None:
        """Word information preserved: 1 − wil."""
        return None if self.wil is None else 1.0 - self.wil

    @property
    def ser(self) -> float | None:
        """Sentence error rate: utterances with a word error over all."""
        return _fraction(self.total.sentence_error_rate)

    def alignment(self, index: int) -> list[Op]:
        """The words of one utterance, reference against hypothesis."""
        return align(self.references[index].split(), self.hypotheses[index].split())


def process(
    references: Texts, hypotheses: Texts, *, profile: str | None = None, language: str | None = None
) -> Processed:
    """Normalise texts and count their errors.

    Args:
        references: what was said: a text, or one for each utterance.
        hypotheses: what was recognised, in the same order.
        profile: a scoring profile; the default is ``raw``, or the language's own where a language is given.
        language: a code such as ``fr``.

    Raises:
        ParlureError: there is no such profile, the two are not equally many, or something is not a text.
    """
    said, heard = _texts(references, "references"), _texts(hypotheses, "hypotheses")
    if len(said) != len(heard):
        raise ParlureError(
            f"{len(said)} references cannot be compared with {len(heard)} hypotheses",
            "give one hypothesis for each reference, in the same order",
        )
    chosen = get_profile(profile or (headline_profile(language) if language else "raw"))
    said, heard = [chosen.normalize(text) for text in said], [chosen.normalize(text) for text in heard]
    words = [count_words(*pair) for pair in zip(said, heard, strict=True)]
    characters = [count_characters(*pair) for pair in zip(said, heard, strict=True)]
    tally = Tally.of(words, characters)
    return Processed(chosen.name, tuple(said), tuple(heard), tuple(words), tuple(characters), tally)


def wer(references: Texts, hypotheses: Texts, *, profile: str | None = None, language: str | None = None) -> float:
    """Word error rate, a fraction: all errors over all reference words. See :func:`process`.

    Raises:
        ParlureError: see :func:`process`; or no reference has a word, so that there is no rate.
    """
    return _defined(process(references, hypotheses, profile=profile, language=language).wer)


def cer(references: Texts, hypotheses: Texts, *, profile: str | None = None, language: str | None = None) -> float:
    """Character error rate, a fraction, single spaces counting as characters. See :func:`process`.

    Raises:
        ParlureError: as :func:`wer`.
    """
    return _defined(process(references, hypotheses, profile=profile, language=language).cer)


def make_compute_metrics(
    tokenizer: Any, *, profile: str | None = None, language: str | None = None
) -> Callable[[Any], dict[str, float]]:
    """A ``compute_metrics`` for transformers' ``Seq2SeqTrainer`` with ``predict_with_generate=True``.

    Args:
        tokenizer: Whisper's, or a processor that has one.
        profile: as for :func:`process`.
        language: the same.

    Returns:
        A function of an ``EvalPrediction`` that gives ``{"wer", "cer"}``, in points of per cent. It raises a
        ParlureError where the predictions are logits, or where no reference has a word.
    """
    decoder = getattr(tokenizer, "tokenizer", tokenizer)

    def compute_metrics(prediction: Any) -> dict[str, float]:
        ids = prediction.predictions
        ids = ids[0] if isinstance(ids, tuple) else ids
        if getattr(ids, "ndim", 2) > 2:
            raise ParlureError(
                "the predictions are logits and not tokens", "set predict_with_generate=True in the training arguments"
            )
        hypotheses, references = (
            decoder.batch_decode(_without_padding(some), skip_special_tokens=True)
            for some in (ids, prediction.label_ids)
        )
        found = process(references, hypotheses, profile=profile, language=language)
        return {"wer": 100.0 * _defined(found.wer), "cer": 100.0 * _defined(found.cer)}

    return compute_metrics


def _without_padding(rows: Any) -> list[list[int]]:
    return [[token for token in row if token != IGNORED_TOKEN] for row in (list(map(int, row)) for row in rows)]


def _texts(texts: Texts, name: str) -> list[str]:
    found = [texts] if isinstance(texts, str) else list(texts)
    for place, text in enumerate(found):
        if not isinstance(text, str):
            several = isinstance(text, Sequence)
            raise ParlureError(
                f"{name}[{place}] is no text but {type(text).__name__}",
                "one reference an utterance: choose one wording" if several else "a missing text is no empty one",
            )
    return found


def _fraction(points: float | None) -> float | None:
    return None if points is None else points / 100.0


def _defined(rate: float | None) -> float:
    if rate is None:
        raise ParlureError(
            "no reference has a word, so there is no error rate", "parlure.process counts what was inserted"
        )
    return rate
