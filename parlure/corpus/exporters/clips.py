"""Utterance → what a data set of clips says of it, and its sound: what ``audiofolder`` and ``parquet`` have in common.

A clip is the utterance's span as 16 kHz mono 16-bit FLAC, read from the recording as it is on disk and resampled once
at most. ``recording``, ``start``, ``end`` and ``channel`` say where it was cut from. What cannot be kept: the recording
around the clips, its rate and its other channel; and which clips came from one recording, where no session is named, is
said by ``recording`` alone.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import soundfile

from parlure.corpus.manifest import SPLITS, Corpus, Utterance
from parlure.speech.audio import SAMPLE_RATE, read_audio

SPLIT_NAMES = {"train": "train", "dev": "validation", "test": "test"}  # as the Hugging Face Hub calls them
_OPTIONAL = ("speaker", "session", "prompt", "segments", "tags", "channel")  # left out where nothing has a value
_COLUMNS = ("id", "text", "language", "task", *_OPTIONAL[:-1], "recording", "start", "end", "channel")


def columns_of(corpus: Corpus) -> list[str]:
    """The columns that a corpus fills, in their order."""
    empty = {name for name in _OPTIONAL if not any(_is_given(getattr(one, name)) for one in corpus.utterances)}
    return [name for name in _COLUMNS if name not in empty]


def described(utterance: Utterance, columns: list[str]) -> dict[str, Any]:
    """What is said of an utterance, by column; times in seconds of the recording, in ``segments`` of the clip.

    Segments are ``{"start", "end", "text", "speaker"}``: a table of Arrow has one kind of value in a list.
    """
    segments = [one._asdict() for one in utterance.segments or ()]
    row = {name: getattr(utterance, name) for name in columns}
    special = {"recording": Path(utterance.recording).stem, "segments": segments, "tags": list(utterance.tags)}
    return {name: special.get(name, value) for name, value in row.items()}


def clip(utterance: Utterance) -> bytes:
    """The sound of an utterance as a FLAC file: 16 kHz, mono, 16 bits.

    Raises:
        AudioError: the recording cannot be read.
    """
    samples = read_audio(utterance.recording, utterance.start, utterance.end, utterance.channel)
    file = io.BytesIO()
    soundfile.write(file, samples.clip(-1.0, 1.0), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def card(corpus: Corpus, more: dict[str, Any]) -> str:
    """``README.md`` of a data set: front matter that the Hub reads, and a sentence that a person reads.

    Args:
        corpus: says licence and languages.
        more: further front matter.
    """
    import yaml

    licence = corpus.info.get("licence")
    known = {} if licence is None else {"license": licence}
    languages = sorted({utterance.language for utterance in corpus.utterances})
    front = {**known, "language": languages, "task_categories": ["automatic-speech-recognition"], **more}
    counts = ", ".join(f"{len(corpus.select(split))} {SPLIT_NAMES[split]}" for split in SPLITS)
    text = f"Utterances: {counts}. Clips are 16 kHz mono FLAC. Made with parlure.\n"
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n\n{text}"


def _is_given(value: Any) -> bool:
    return value is not None and value != ()
