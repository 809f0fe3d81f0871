"""The command that transcribes recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import (
    DECODABLE_HELP,
    BeamSize,
    Device,
    Engine,
    LoopGuard,
    Quantize,
    Window,
    names_of,
)
from parlure.ending import say
from parlure.errors import ParlureError


@app.command()
def transcribe(
    audio: Annotated[list[Path], Argument(help="Audio files of any length, folders of them, or - for stdin.")],
    model: Annotated[str, Option(help=f"{DECODABLE_HELP}.")],
    language: Annotated[str | None, Option(help="Language spoken, such as fr; identified when not given.")] = None,
    task: Annotated[Literal["transcribe", "translate"], Option(help="translate gives English.")] = "transcribe",
    timestamps: Annotated[
        Literal["none", "segment", "word"], Option(help="Times per phrase, or of words too, with probabilities.")
    ] = "none",
    format_: Annotated[
        str,
        Option(
            "--format",
            help="text, jsonl, json, srt, vtt, tsv, textgrid (Praat), eaf (ELAN); with --out several, by commas. "
            "All but the first three imply times.",
        ),
    ] = "text",
    word_cues: Annotated[bool, Option("--word-cues", help="In srt, vtt and tsv a cue for every word.")] = False,
    out: Annotated[
        Path | None,
        Option(help="Folder for the files of each recording; what is done in it is not done again. Else stdout."),
    ] = None,
    channels: Annotated[
        Literal["dialogue", "split", "first", "mix"] | None,
        Option(help="For recordings of two different channels; dialogue: one transcript that says who speaks when."),
    ] = None,
    speakers: Annotated[str | None, Option(help="Of a dialogue, in the channels' order: agent,caller.")] = None,
    vad: Annotated[bool, Option("--vad", help="Skip what is no speech (voice-activity detection).")] = False,
    mark_below: Annotated[
        float | None, Option(help="Put [?] behind words whose probability is below this, such as 0.5.")
    ] = None,
    stdin_name: Annotated[str, Option(help="What to call the recording that comes in on stdin.")] = "stdin",
    window: Window = "full",
    engine: Engine = None,
    quantize: Quantize = None,
    device: Device = "auto",
    beam_size: BeamSize = 1,
    loop_guard: LoopGuard = False,
    terms: Annotated[Path | None, Option(help="Terms to tell the model of before every window, one a line.")] = None,
) -> None:
    """Audio → text, JSON, subtitles, or tiers for Praat and ELAN, with who speaks when and the times of words."""
    from parlure.transcribing.pace import Pace
    from parlure.transcribing.recordings import with_stdin
    from parlure.transcribing.writers import formats_of

    formats, pace, told = formats_of(format_), Pace(), _Told()
    asked: dict[str, Any] = {
        "model": model, "language": language, "task": task, "timestamps": timestamps, "channels": channels,
        "speakers": names_of(speakers), "vad": vad, "mark_below": mark_below, "window": window, "engine": engine,
        "quantize": quantize, "device": device, "beam_size": beam_size, "loop_guard": loop_guard, "terms": terms,
        "pace": pace, "on_broken": told.leave_out, "on_other": told.others.append, "on_single": told.single.append,
    }  # fmt: skip
    with with_stdin(audio, stdin_name) as named:
        if out is None:
            n_done, n_before = _to_stdout(named, formats, word_cues, asked), 0
        else:
            n_done, n_before = _to_folder(named, out, formats, word_cues, asked)
    told.end(pace, n_done, n_before)


class _Told:
    """What is said of files that have no transcript."""

    def __init__(self) -> None:
        self.broken: list[Path] = []
        self.others: list[Path] = []
        self.single: list[Path] = []

    def leave_out(self, path: Path, error: ParlureError) -> None:
        """Name a broken recording."""
        self.broken.append(path)
        say(f"{path} is left out: {error.message}")

    def end(self, pace: Any, n_done: int, n_before: int) -> None:
        """The last lines, of so many recordings that were done, and of so many that were done before.

        Raises:
            ParlureError: recordings are broken.
        """
        if self.others:
            say(f"{len(self.others)} files are no audio: {', '.join(map(str, self.others))}")
        if self.single:
            names = ", ".join(map(str, self.single))
            say(f"no speakers, for there is one channel or the same in all ({len(self.single)}): {names}")
        if n_before:
            say(f"{n_before} of {n_done + len(self.broken)} recordings were done before")
        if pace.audio_s:
            say(pace.line())
        if self.broken:
            names = ", ".join(map(str, self.broken))
            raise ParlureError(
                f"{len(self.broken)} of {n_done + len(self.broken)} recordings are broken: {names}",
                "the others are done; copy these again and transcribe them alone",
            )


def _to_stdout(audio: list[Path], formats: tuple[str, ...], word_cues: bool, asked: dict[str, Any]) -> int:
    """To stdout; how many recordings."""
    from parlure.speech.audio import probe
    from parlure.transcribing.into import refuse, with_cues
    from parlure.transcribing.tiers import Recorded
    from parlure.transcribing.transcribe import transcribe as run_transcribe
    from parlure.transcribing.writers import NEED_TIMES, written

    if len(formats) > 1:
        raise ParlureError("stdout takes one format at a time", "add --out FOLDER for a file in each")
    if asked["timestamps"] == "none" and formats[0] in NEED_TIMES:
        asked["timestamps"] = "segment"
    refuse(formats, asked["timestamps"], word_cues, asked["speakers"])
    done = set()
    for path, hypothesis in run_transcribe(audio, **asked):
        done.add(path)
        of = Recorded(path, probe(path).duration_s, Path(hypothesis.id))
        give(written(formats[0], with_cues(formats[0], hypothesis, word_cues), of))
    return len(done)


def _to_folder(
    audio: list[Path], out: Path, formats: tuple[str, ...], word_cues: bool, asked: dict[str, Any]
) -> tuple[int, int]:
    """Into a folder; how many recordings are done, and how many were before."""
    from parlure.console import Console
    from parlure.transcribing.into import transcribe_into

    with Console().bar("transcribing, in s of sound") as bar:
        done = transcribe_into(
            audio, out, formats=formats, word_cues=word_cues, progress=bar, on_written=_say_written, **asked
        )
    return len(done.files) + len(done.done_before), len(done.done_before)


def _say_written(path: Path, file: Path) -> None:
    say(f"{path} → {file}")
