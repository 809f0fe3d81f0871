"""Audio files → hypotheses: what the command ``parlure transcribe`` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from parlure.errors import ParlureError
from parlure.scoring.terms import read_terms
from parlure.speech.audio import SAMPLE_RATE, AudioError, Samples, read_audio
from parlure.speech.features import N_WINDOW_SAMPLES, WINDOW_S
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.dialogue import interleaved
from parlure.transcribing.engines.choice import Device, open_engine
from parlure.transcribing.engines.interface import Engine, EngineName
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.pace import Pace
from parlure.transcribing.parts import Channels, Part, parts_of
from parlure.transcribing.recordings import find_recordings
from parlure.transcribing.refining import Refining
from parlure.whisper.conversion import Quantization
from parlure.whisper.load import tuned_for_short

Timestamps = Literal["none", "segment", "word"]


def transcribe(
    audio: Sequence[Path],
    *,
    model: str | Engine,
    language: str | None = None,
    task: str = "transcribe",
    timestamps: Timestamps = "none",
    channels: Channels | None = None,
    speakers: Sequence[str] = (),
    vad: bool = False,
    mark_below: float | None = None,
    window: Literal["full", "short"] = "full",
    batch_size: int = 16,
    beam_size: int = 1,
    loop_guard: bool = False,
    terms: Path | None = None,
    engine: EngineName | None = None,
    quantize: Quantization | None = None,
    device: Device = "auto",
    pace: Pace | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_broken: Callable[[Path, AudioError], None] | None = None,
    on_other: Callable[[Path], None] | None = None,
    on_single: Callable[[Path], None] | None = None,
) -> Iterator[tuple[Path, Hypothesis]]:
    """Transcribe files one after the other.

    A file of at most 30 s without timestamps is decoded in one window; anything else in sequential windows.

    Args:
        audio: files of any length and format that can be decoded, and folders, of which all such files are taken.
        model: a MODEL, or an engine that is ready, such as one of several adapters over a shared base.
        language: Whisper's code, or None to identify it per file.
        task: ``transcribe``, or ``translate`` into English.
        timestamps: ``segment`` gives phrase times, ``word`` those of their words too, and probabilities.
        channels: of a recording whose channels differ, as the two parties of a call do: ``dialogue`` transcribes each
            by itself and gives one hypothesis, whose phrases have speakers and are in the order in which they were
            said; ``split`` gives a hypothesis for each, ``first`` that of the first, ``mix`` that of their mean; None
            refuses. Other channels are mixed, unless one is the other inverted: the mean would be silence, and the
            first is taken.
        speakers: names for the channels of a dialogue, in their order.
        vad: skip what is no speech (:mod:`.spoken`).
        mark_below: put ``[?]`` behind words that are less probable than this; 0 to 1.
        window: ``full`` is 30 s; ``short`` is a short file's own length, for a run that was tuned on such.
        batch_size: short files decoded together.
        beam_size: 1 is greedy; more: so many beginnings of every text at once.
        loop_guard: stop a short file whose text goes round in circles; in sequential windows it has no part.
        terms: a list of terms (:func:`parlure.scoring.terms.read_terms`) that the model is told of before every window.
        engine: which library decodes a MODEL; None is torch, or CTranslate2 for its own folder.
        quantize: the numbers CTranslate2 multiplies; None is float32, or what a CTranslate2 folder holds.
        device: ``auto`` is the GPU where there is one.
        pace: what the seconds of sound and of work (reading and decoding) are added to.
        progress: called with the whole seconds of sound that are done, and those that are to do in all.
        on_broken: called with a file that proves broken only when it is read whole, and with one in a folder that
            cannot be read at all; the others go on. None raises.
        on_other: called with a file in a folder that is no audio.
        on_single: called with a recording that has one channel, or the same in all, where a dialogue was asked for.

    Yields:
        Each file with its hypothesis, whose id is the file's name without suffix, in the order given; one for each of
        several channels, whose id is ``call-c0``, ``call-c1``.

    Raises:
        ParlureError: a file, the term list or the model cannot be used; all files are looked at before the model is
            loaded.
    """
    recordings = find_recordings(audio, on_broken=on_broken, on_other=on_other)
    if speakers and channels != "dialogue":
        raise ParlureError("speakers are named for a dialogue", "add --channels dialogue, or leave out --speakers")
    if mark_below is not None and not 0 < mark_below <= 1:
        raise ParlureError(f"--mark-below {mark_below:g} is no probability", "more than 0, 1 at most, such as 0.5")
    name = model if isinstance(model, str) else model.model
    if not isinstance(model, str) and (engine or quantize or device != "auto"):
        raise ParlureError(
            "engine, quantize and device are for a MODEL's name, and this engine is ready", "leave them out"
        )
    if window == "short" and not tuned_for_short(name):
        raise ParlureError(
            f"{name} is not known to be tuned on short windows, in which an untuned Whisper goes round in circles",
            "leave out --window short, or give the run folder of a tuning with full_window_share below 1",
        )
    told = () if terms is None else tuple(term.text for term in read_terms(terms))
    options = DecodingOptions(
        language, task, window, batch_size=batch_size, beam_size=beam_size, loop_guard=loop_guard, terms=told
    )
    opened = open_engine(model, engine, quantize, device) if isinstance(model, str) else model
    asked = {"words": timestamps == "word", "vad": vad, "trim": channels == "dialogue"}
    refining = Refining(opened, options, mark_below=mark_below, **asked)
    durations = {one.path: one.duration_s for one in recordings}
    pending = [part for one in recordings for part in parts_of(one.path, channels, speakers, on_single)]
    total_s, done_s = sum(durations[part.path] for part in pending), 0.0
    in_one_window = timestamps == "none" and channels != "dialogue" and mark_below is None
    is_short = {part: in_one_window and durations[part.path] <= WINDOW_S for part in pending}
    while pending:
        group = _head(pending, is_short, batch_size)
        pending = pending[len(group) :]
        clock, sounds = time.monotonic(), _sounds(group, on_broken)
        found = _heard(refining, sounds, is_short[group[0]])
        if pace is not None:
            n_samples = sum(len(one) for several in sounds.values() for one in several)
            pace.add(n_samples / SAMPLE_RATE, time.monotonic() - clock)
        done_s += sum(durations[part.path] for part in group)
        if progress is not None:
            progress(int(done_s), int(total_s))
        yield from ((part.path, hypothesis) for part, hypothesis in zip(sounds, found, strict=True))


def _heard(refining: Refining, sounds: dict[Part, list[Samples]], is_short: bool) -> list[Hypothesis]:
    """Short files together, long ones by themselves: those that were announced as long are alone in their group."""
    # a header may be wrong, and resampling may add a sample
    if is_short and all(len(samples) <= N_WINDOW_SAMPLES for [samples] in sounds.values()):
        heard = [(part.name, samples) for part, [samples] in sounds.items()]
        return refining.decode([Clip(name, len(one) / SAMPLE_RATE, partial(_itself, one)) for name, one in heard])
    return [_long(refining, part, heard) for part, heard in sounds.items()]


def _itself(samples: Samples) -> Samples:
    return samples


def _long(refining: Refining, part: Part, heard: Sequence[Samples]) -> Hypothesis:
    found = [refining.decode_long(part.name, samples) for samples in heard]
    return interleaved(part.name, list(zip(part.speakers, found, strict=True))) if part.speakers else found[0]


def _sounds(group: Sequence[Part], on_broken: Callable[[Path, AudioError], None] | None) -> dict[Part, list[Samples]]:
    """The samples of each channel, of the files that can be read to their end."""
    sounds = {}
    for part in group:
        try:
            sounds[part] = [read_audio(part.path, channel=channel) for channel in part.channels]
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
