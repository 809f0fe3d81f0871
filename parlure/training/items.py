"""Corpus → training utterances: those that the recipe asks for, with exact labels, checked before the first step."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from transformers import WhisperTokenizer

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.tallies import tallies
from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, read_audio
from parlure.speech.features import WINDOW_S
from parlure.training.windows import Item
from parlure.whisper.prompt import encode_labels


def narrowed(corpus: Corpus, language: str, task: str) -> Corpus:
    """The corpus with utterances of one language and one task only, and what it says of itself; empty means any.

    Raises:
        ParlureError: there is none.
    """
    kept = tuple(u for u in corpus.utterances if language in ("", u.language) and task in ("", u.task))
    if not kept:
        there = sorted({f"{u.language} ({u.task})" for u in corpus.utterances})
        raise ParlureError(
            f"no utterance of {corpus.folder} is in the recipe's language and task", f"it has {', '.join(there)}"
        )
    if len(kept) == len(corpus.utterances):
        return corpus
    return replace(corpus, utterances=kept, info=corpus.info | {"n_utterances": len(kept)} | tallies(kept))


def permuted(corpus: Corpus, seed: int) -> Corpus:
    """A control: every training transcript moved to another utterance of its language and task, drawn by ``seed``.

    The words are as many and the same, and belong to nothing that is heard. Phrases and previous texts go, for their
    times and their sequence do not hold either. Dev and test stay as they are.
    """
    groups: dict[tuple[str, str], list[Utterance]] = {}
    for utterance in corpus.select("train"):
        groups.setdefault((utterance.language, utterance.task), []).append(utterance)
    moved = {}
    for key, own in sorted(groups.items()):
        random.Random(f"{seed} {key}").shuffle(own)
        for one, other in zip(own, [*own[1:], own[0]], strict=True):  # one great circle: none keeps its own
            moved[one.id] = replace(one, text=other.text, segments=None, prompt=None)
    return replace(corpus, utterances=tuple(moved.get(u.id, u) for u in corpus.utterances))


def refuse_long(utterances: Iterable[Utterance]) -> None:
    """See to it that each fits into Whisper's window, to the sample.

    Raises:
        ParlureError: one does not.
    """
    for utterance in utterances:
        if round(utterance.duration_s * SAMPLE_RATE) > WINDOW_S * SAMPLE_RATE:
            raise ParlureError(
                f"utterance {utterance.id} is {utterance.duration_s:.2f} s long, Whisper hears {WINDOW_S:g} s",
                "split it into shorter spans, and prepare the corpus again",
            )


def training_items(corpus: Corpus, tokenizer: WhisperTokenizer) -> list[Item]:
    """The train split with its labels.

    Raises:
        ParlureError: the split is empty, or an utterance is longer or has more label tokens than Whisper takes.
    """
    utterances = corpus.select("train")
    if not utterances:
        raise ParlureError(f"{corpus.folder} has no training utterances", "give train a share: --ratios 0.8,0.1,0.1")
    refuse_long(utterances)
    return [_item(utterance, tokenizer) for utterance in utterances]


def _item(utterance: Utterance, tokenizer: WhisperTokenizer) -> Item:
    encode = partial(
        encode_labels, tokenizer, utterance.text, utterance_id=utterance.id,
        language=utterance.language, task=utterance.task, previous=utterance.prompt,
    )  # fmt: skip
    labels, plain = encode(), None
    if utterance.segments:
        labels, plain = encode(segments=[(s[0], s[1], s[2]) for s in utterance.segments]), labels
    read = partial(read_audio, utterance.recording, utterance.start, utterance.end, utterance.channel)
    group = json.dumps([utterance.session, utterance.speaker, utterance.channel])
    return Item(utterance.id, utterance.duration_s, labels, read, group, plain, utterance.text)
