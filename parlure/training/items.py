"""Corpus → training utterances: exact labels, checked before the first step."""

from __future__ import annotations

from functools import partial

from transformers import WhisperTokenizer

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.speech.audio import read_audio
from parlure.training.batches import Item
from parlure.whisper.prompt import encode_labels


def training_items(corpus: Corpus, tokenizer: WhisperTokenizer) -> list[Item]:
    """The train split with its labels.

    Raises:
        ParlureError: the split is empty, or an utterance has more label tokens than Whisper takes.
    """
    utterances = corpus.select("train")
    if not utterances:
        raise ParlureError(f"{corpus.folder} has no training utterances", "give train a share: --ratios 0.8,0.1,0.1")
    return [_item(utterance, tokenizer) for utterance in utterances]


def _item(utterance: Utterance, tokenizer: WhisperTokenizer) -> Item:
    labels = encode_labels(
        tokenizer,
        utterance.text,
        utterance_id=utterance.id,
        language=utterance.language,
        task=utterance.task,
        segments=[(s[0], s[1], s[2]) for s in utterance.segments] if utterance.segments else None,
        previous=utterance.prompt,
    )
    read = partial(read_audio, utterance.recording, utterance.start, utterance.end, utterance.channel)
    return Item(utterance.id, utterance.duration_s, labels, read)
