"""Recordings → a folder of transcripts, which can be stopped and taken up again: ``parlure transcribe --out``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import signature
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from parlure.corpus.exporters.textgrid import tier_name
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.scoring.terms import read_terms
from parlure.speech.audio import AudioError
from parlure.transcribing.engines.choice import Device, open_engine
from parlure.transcribing.engines.interface import Engine, EngineName
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.outputs import of_channel, targets
from parlure.transcribing.pace import Pace
from parlure.transcribing.parts import Channels
from parlure.transcribing.recordings import Recording, find_recordings
from parlure.transcribing.shelf import Shelf
from parlure.transcribing.tiers import Recorded
from parlure.transcribing.transcribe import Timestamps, transcribe
from parlure.transcribing.writers import NEED_TIMES, by_word, written
from parlure.whisper.conversion import Quantization

# arguments of transcribe that decide a hypothesis, beside those that have a name here; batch_size never does
_DECODING = ("language", "task", "vad", "mark_below", "window", "beam_size", "loop_guard")


@dataclass
class Transcribed:
    """What came of the recordings.

    Attributes:
        files: recording → the files that were written.
        done_before: recordings that were done already.
        broken: recordings that cannot be read, or not to their end.
        others: files in the folders that are no audio.
    """

    files: dict[Path, list[Path]] = field(default_factory=dict)
    done_before: list[Path] = field(default_factory=list)
    broken: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)


def transcribe_into(
    audio: Sequence[Path],
    out: Path,
    *,
    model: str | Engine,
    formats: Sequence[str] = ("text",),
    word_cues: bool = False,
    timestamps: Timestamps = "none",
    channels: Channels | None = None,
    speakers: Sequence[str] = (),
    terms: Path | None = None,
    engine: EngineName | None = None,
    quantize: Quantization | None = None,
    device: Device = "auto",
    pace: Pace | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_broken: Callable[[Path, AudioError], None] | None = None,
    on_other: Callable[[Path], None] | None = None,
    on_single: Callable[[Path], None] | None = None,
    on_written: Callable[[Path, Path], None] | None = None,
    **decoding: Any,
) -> Transcribed:
    """Transcribe files and folders into a folder; what is there already is not done again.

    Args:
        audio: files and folders; what lies in a folder lies alike under ``out``.
        out: the folder of the transcripts.
        model: a MODEL, or an engine that is ready.
        formats: names of :data:`parlure.transcribing.writers.SUFFIXES`, a file each.
        word_cues: a cue for every word instead of every phrase, in srt, vtt and tsv.
        timestamps, channels, speakers, terms, engine, quantize, device, pace, progress: see :func:`transcribe`.
        on_broken, on_other, on_single: see :func:`transcribe`; what is broken is left out in any case.
        on_written: called with a recording and a file, once that is whole.
        decoding: the other arguments of :func:`transcribe`: language, task, vad, mark_below, window, batch_size,
            beam_size, loop_guard.

    Raises:
        ParlureError: as for :func:`transcribe`; or transcripts are there that this would write over, that are of
            another model or made with other options, or whose recording has changed.
    """
    if timestamps == "none" and NEED_TIMES.intersection(formats):
        timestamps = "segment"
    refuse(formats, timestamps, word_cues, speakers)
    done = Transcribed()

    def leave_out(path: Path, error: AudioError) -> None:
        done.broken.append(path)
        if on_broken is not None:
            on_broken(path, error)

    def pass_over(path: Path) -> None:
        done.others.append(path)
        if on_other is not None:
            on_other(path)

    found = find_recordings(audio, on_broken=leave_out, on_other=pass_over)
    files = {form: targets(found, out, form, by_channel=channels == "split") for form in formats}
    with alone_in(out):
        shelf = Shelf(out)
        wanted = {one.path: [form for form in formats if not shelf.is_done(one.path, form)] for one in found}
        missing = [one for one in found if wanted[one.path]]
        done.done_before = [one.path for one in found if not wanted[one.path]]
        for one in missing:
            for form in wanted[one.path]:
                file = files[form][one.path]
                shelf.refuse_others([file, *(of_channel(file, f"-c{n}") for n in range(2 * (channels == "split")))])
        opened = open_engine(model, engine, quantize, device) if isinstance(model, str) else model
        told = None if terms is None else [term.text for term in read_terms(terms)]
        told_how = {name: decoding.get(name, signature(transcribe).parameters[name].default) for name in _DECODING}
        job = {"model": opened.model, "sha256": opened.sha256, **opened.description(), **told_how}
        job |= {"timestamps": timestamps, "channels": channels, "speakers": list(speakers), "terms": told}
        shelf.begin(job)
        if not missing:
            return done
        texts = transcribe(
            [one.path for one in missing], model=opened, timestamps=timestamps, channels=channels, speakers=speakers,
            terms=terms, pace=pace, progress=progress, on_broken=leave_out, on_single=on_single, **decoding,
        )  # fmt: skip
        lengths = {one.path: one for one in missing}
        for path, hypotheses in _by_recording(texts):
            for form in wanted[path]:
                made = _files(lengths[path], hypotheses, form, files[form][path], word_cues)
                shelf.put(path, form, made)
                done.files.setdefault(path, []).extend(made)
                for file in made:
                    if on_written is not None:
                        on_written(path, file)
    return done


def refuse(formats: Sequence[str], timestamps: Timestamps, word_cues: bool, speakers: Sequence[str]) -> None:
    """See that formats fit what else is asked.

    Raises:
        ParlureError: they do not.
    """
    if word_cues and timestamps != "word":
        raise ParlureError("--word-cues needs the times of words", "add --timestamps word")
    if word_cues and not {"srt", "vtt", "tsv"}.intersection(formats):
        raise ParlureError("--word-cues is for srt, vtt and tsv", "add one of them to --format")
    if "textgrid" in formats:
        for name in speakers:
            tier_name(name)


def with_cues(form: str, hypothesis: Hypothesis, word_cues: bool) -> Hypothesis:
    """The hypothesis as a format shows it."""
    return by_word(hypothesis) if word_cues and form in ("srt", "vtt", "tsv") else hypothesis


def _by_recording(texts: Iterable[tuple[Path, Hypothesis]]) -> Iterator[tuple[Path, list[Hypothesis]]]:
    """Each recording with its hypotheses: several where each channel has one."""
    for path, group in groupby(texts, key=itemgetter(0)):
        yield path, [hypothesis for _, hypothesis in group]


def _files(
    recording: Recording, hypotheses: Sequence[Hypothesis], form: str, file: Path, word_cues: bool
) -> dict[Path, str]:
    made = {}
    for one in hypotheses:
        place = of_channel(file, one.id.removeprefix(recording.path.stem))
        of = Recorded(recording.path, recording.duration_s, place)
        made[place] = written(form, with_cues(form, one, word_cues), of)
    return made
