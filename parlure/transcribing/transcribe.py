"""Audio files → hypotheses: what the command ``parlure transcribe`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from parlure.errors import ParlureError
from parlure.speech.audio import probe, read_audio
from parlure.speech.features import WINDOW_S
from parlure.transcribing.decode import Clip, DecodingOptions, decode
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.longform import decode_long
from parlure.whisper.load import load


def transcribe(
    audio: Sequence[Path],
    *,
    model: str,
    language: str | None = None,
    task: str = "transcribe",
    timestamps: Literal["none", "segment"] = "none",
    batch_size: int = 16,
) -> Iterator[tuple[Path, Hypothesis]]:
    """Transcribe files one after the other; their channels are mixed.

    A file of at most 30 s without timestamps is decoded in one window; anything else in sequential windows.

    Args:
        audio: files of any length and format that can be decoded.
        model: a MODEL.
        language: Whisper's code, or None to identify it per file.
        task: ``transcribe``, or ``translate`` into English.
        timestamps: ``segment`` gives phrase times.
        batch_size: short files decoded together.

    Yields:
        Each file with its hypothesis, whose id is the file's name without suffix, in the order given.

    Raises:
        ParlureError: a file or the model cannot be used; all files are looked at before the model is loaded.
    """
    durations = {path: probe(path).duration_s for path in audio}
    if not durations:
        raise ParlureError("no audio file was given", "parlure transcribe call.wav --model nano")
    loaded = load(model)
    options = DecodingOptions(language=language, task=task, batch_size=batch_size)
    is_short = {path: timestamps == "none" and duration <= WINDOW_S for path, duration in durations.items()}
    pending = list(audio)
    while pending:
        group = _head(pending, is_short, batch_size)
        pending = pending[len(group) :]
        if is_short[group[0]]:
            clips = [Clip(path.stem, durations[path], partial(read_audio, path)) for path in group]
            yield from zip(group, decode(loaded.model, loaded.tokenizer, clips, options), strict=True)
        else:
            yield group[0], decode_long(loaded.model, loaded.tokenizer, group[0].stem, read_audio(group[0]), options)


def _head(pending: Sequence[Path], is_short: dict[Path, bool], batch_size: int) -> list[Path]:
    """The next files to decode together: up to a batch of short ones, or a single long one."""
    group: list[Path] = []
    for path in pending[:batch_size]:
        if not is_short[path]:
            return group or [path]
        group.append(path)
    return group
