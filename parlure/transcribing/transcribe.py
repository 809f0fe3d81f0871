"""Audio files → hypotheses: what the command ``parlure transcribe`` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from parlure.errors import ParlureError
from parlure.scoring.terms import read_terms
from parlure.speech.audio import SAMPLE_RATE, AudioError, Samples, probe, read_audio
from parlure.speech.channels import channel_layout
from parlure.speech.features import N_WINDOW_SAMPLES, WINDOW_S
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.interface import Engine, EngineName
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.pace import Pace
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import tuned_for_short

Channels = Literal["first", "split", "mix"]


class Part(NamedTuple):
    """What one hypothesis is of: a recording, or one channel of it: alone, or beside other channels."""

    path: Path
    channel: int | None = None
    is_alone: bool = True

    @property
    def name(self) -> str:
        """``call``, or ``call-c1`` for one of several channels."""
        return self.path.stem if self.is_alone else f"{self.path.stem}-c{self.channel}"


def transcribe(
    audio: Sequence[Path],
    *,
    model: str | Engine,
    language: str | None = None,
    task: str = "transcribe",
    timestamps: Literal["none", "segment"] = "none",
    channels: Channels | None = None,
    window: Literal["full", "short"] = "full",
    batch_size: int = 16,
    beam_size: int = 1,
    loop_guard: bool = False,
    terms: Path | None = None,
    engine: EngineName | None = None,
    quantize: Quantization | None = None,
    pace: Pace | None = None,
    on_broken: Callable[[Path, AudioError], None] | None = None,
) -> Iterator[tuple[Path, Hypothesis]]:
    """Transcribe files one after the other.

    A file of at most 30 s without timestamps is decoded in one window; anything else in sequential windows.

    Args:
        audio: files of any length and format that can be decoded.
        model: a MODEL, or an engine that is ready, such as one of several adapters over a shared base.
        language: Whisper's code, or None to identify it per file.
        task: ``transcribe``, or ``translate`` into English.
        timestamps: ``segment`` gives phrase times.
        channels: of a recording whose channels differ, as the two parties of a call do: ``split`` transcribes each by
            itself, ``first`` the first, ``mix`` their mean; None refuses. Other channels are mixed, unless one is the
            other inverted: the mean would be silence, and the first is taken.
        window: ``full`` is 30 s; ``short`` is a short file's own length, for a run that was tuned on such.
        batch_size: short files decoded together.
        beam_size: 1 is greedy; more: so many beginnings of every text at once.
        loop_guard: stop a short file whose text goes round in circles; in sequential windows it has no part.
        terms: a list of terms (:func:`parlure.scoring.terms.read_terms`) that the model is told of before every window.
        engine: which library decodes a MODEL; None is torch, or CTranslate2 for its own folder.
        quantize: the numbers CTranslate2 multiplies; None is float32, or what a CTranslate2 folder holds.
        pace: what the seconds of sound and of work (reading and decoding) are added to.
        on_broken: called with a file that proves broken only when it is read whole; the others go on. None raises.

    Yields:
        Each file with its hypothesis, whose id is the file's name without suffix, in the order given; one for each of
        several channels, whose id is ``call-c0``, ``call-c1``.

    Raises:
        ParlureError: a file, the term list or the model cannot be used; all files are looked at before the model is
            loaded.
    """
    durations = {path: probe(path).duration_s for path in audio}
    if not durations:
        raise ParlureError("no audio file was given", "parlure transcribe call.wav --model nano")
    name = model if isinstance(model, str) else model.model
    if not isinstance(model, str) and (engine or quantize):
        raise ParlureError("engine and quantize are for a MODEL's name, and this engine is ready", "leave them out")
    if window == "short" and not tuned_for_short(name):
        raise ParlureError(
            f"{name} is not known to be tuned on short windows, in which an untuned Whisper goes round in circles",
            "leave out --window short, or give the run folder of a tuning with full_window_share below 1",
        )
    told = () if terms is None else tuple(term.text for term in read_terms(terms))
    options = DecodingOptions(
        language, task, window, batch_size=batch_size, beam_size=beam_size, loop_guard=loop_guard, terms=told
    )
    opened = open_engine(model, engine, quantize) if isinstance(model, str) else model
    pending = [part for path in audio for part in _parts(path, channels)]
    is_short = {part: timestamps == "none" and durations[part.path] <= WINDOW_S for part in pending}
    while pending:
        group = _head(pending, is_short, batch_size)
        pending = pending[len(group) :]
        clock, sounds = time.monotonic(), _sounds(group, on_broken)
        found = _heard(opened, sounds, durations, options, is_short[group[0]])
        if pace is not None:
            pace.add(sum(map(len, sounds.values())) / SAMPLE_RATE, time.monotonic() - clock)
        yield from ((part.path, hypothesis) for part, hypothesis in zip(sounds, found, strict=True))


def _heard(
    engine: Engine, sounds: dict[Part, Samples], durations: dict[Path, float], options: DecodingOptions, is_short: bool
) -> list[Hypothesis]:
    """Short files together, long ones by themselves: those that were announced as long are alone in their group."""
    # a header may be wrong, and resampling may add a sample
    if is_short and all(len(samples) <= N_WINDOW_SAMPLES for samples in sounds.values()):
        clips = [Clip(part.name, durations[part.path], partial(sounds.__getitem__, part)) for part in sounds]
        return engine.decode(clips, options)
    return [engine.decode_long(part.name, samples, options) for part, samples in sounds.items()]


def _parts(path: Path, channels: Channels | None) -> list[Part]:
    """What is transcribed of a recording."""
    try:
        layout = channel_layout(path)
    except AudioError:
        return [Part(path)]  # it breaks off: said when it is read
    if layout == "inverted":
        return [Part(path, 0)]
    if layout != "different" or channels == "mix":
        return [Part(path)]
    if channels == "first":
        return [Part(path, 0)]
    n_channels = probe(path).n_channels
    if channels == "split":
        return [Part(path, channel, is_alone=False) for channel in range(n_channels)]
    raise ParlureError(
        f"the {n_channels} channels of {path} carry different sound, as two parties of a call do",
        "--channels split (a text for each), first (the text of the first), or mix (one text of all)",
    )


def _sounds(group: Sequence[Part], on_broken: Callable[[Path, AudioError], None] | None) -> dict[Part, Samples]:
    """The samples of the files that can be read to their end."""
    sounds = {}
    for part in group:
        try:
            sounds[part] = read_audio(part.path, channel=part.channel)
        except AudioError as error:
            if on_broken is None:
                raise
            on_broken(part.path, error)
    return sounds


def _head(pending: Sequence[Part], is_short: dict[Part, bool], batch_size: int) -> list[Part]:
    """The next files to decode together: up to a batch of short ones, or a single long one."""
    group: list[Part] = []
    for part in pending[:batch_size]:
        if not is_short[part]:
            return group or [part]
        group.append(part)
    return group
