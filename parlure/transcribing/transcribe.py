"""Audio files → hypotheses: what the command ``parlure transcribe`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from parlure.errors import ParlureError
from parlure.speech.audio import AudioError, Samples, probe, read_audio
from parlure.speech.features import N_WINDOW_SAMPLES, WINDOW_S
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
    beam_size: int = 1,
    loop_guard: bool = False,
    on_broken: Callable[[Path, AudioError], None] | None = None,
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
        beam_size: 1 is greedy; more: so many beginnings of every text at once.
        loop_guard: stop a short file whose text goes round in circles; in sequential windows it has no part.
        on_broken: called with a file that proves broken only when it is read whole; the others go on. None raises.

    Yields:
        Each file with its hypothesis, whose id is the file's name without suffix, in the order given.

    Raises:
        ParlureError: a file or the model cannot be used; all files are looked at before the model is loaded.
    """
    durations = {path: probe(path).duration_s for path in audio}
    if not durations:
        raise ParlureError("no audio file was given", "parlure transcribe call.wav --model nano")
    options = DecodingOptions(
        language=language, task=task, batch_size=batch_size, beam_size=beam_size, loop_guard=loop_guard
    )
    loaded = load(model)
    is_short = {path: timestamps == "none" and duration <= WINDOW_S for path, duration in durations.items()}
    pending = list(audio)
    while pending:
        group = _head(pending, is_short, batch_size)
        pending = pending[len(group) :]
        sounds = _sounds(group, on_broken)
        # a header may be wrong, and resampling may add a sample
        if is_short[group[0]] and all(len(samples) <= N_WINDOW_SAMPLES for samples in sounds.values()):
            clips = [Clip(path.stem, durations[path], partial(sounds.__getitem__, path)) for path in sounds]
            yield from zip(sounds, decode(loaded.model, loaded.tokenizer, clips, options), strict=True)
        else:
            for path, samples in sounds.items():
                yield path, decode_long(loaded.model, loaded.tokenizer, path.stem, samples, options)


def _sounds(group: Sequence[Path], on_broken: Callable[[Path, AudioError], None] | None) -> dict[Path, Samples]:
    """The samples of the files that can be read to their end."""
    sounds = {}
    for path in group:
        try:
            sounds[path] = read_audio(path)
        except AudioError as error:
            if on_broken is None:
                raise
            on_broken(path, error)
    return sounds


def _head(pending: Sequence[Path], is_short: dict[Path, bool], batch_size: int) -> list[Path]:
    """The next files to decode together: up to a batch of short ones, or a single long one."""
    group: list[Path] = []
    for path in pending[:batch_size]:
        if not is_short[path]:
            return group or [path]
        group.append(path)
    return group
