"""Commands that make a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from parlure.cli.app import app
from parlure.cli.arguments import names_of, ratios_of
from parlure.ending import GateFailedError, say


@app.command()
def prepare(
    source: Annotated[
        list[str],
        Argument(
            help="CSV, TSV or JSONL manifests, folders of audio with .txt, subtitles, .TextGrid, .eaf, .cha or .json "
            "of Whisper beside it, data of Kaldi, NeMo, Lhotse, Common Voice, LibriSpeech, audiofolder, folders of "
            "parquet, hf://owner/name?config=fr&split=segment."
        ),
    ],
    out: Annotated[Path, Option(help="Corpus folder to make.")],
    reader: Annotated[str | None, Option(help="How to read the sources; guessed when not given.")] = None,
    text: Annotated[str | None, Option(help="Column of the transcript; of TextGrid and ELAN tiers.")] = None,
    speaker: Annotated[str | None, Option(help="Column of the speaker.")] = None,
    session: Annotated[str | None, Option(help="Column of the call or session.")] = None,
    marks: Annotated[
        str | None, Option(help="What becomes of the marks of CHAT transcripts: fillers=drop,fragments=keep.")
    ] = None,
    language: Annotated[str | None, Option(help="Language of rows that name none, such as fr.")] = None,
    channels: Annotated[
        Literal["first", "split", "mix"] | None, Option(help="For recordings of two different channels.")
    ] = None,
    channel_speakers: Annotated[
        str | None, Option(help="Who speaks in channel 0, 1 …, where rows name nobody: agent,customer.")
    ] = None,
    empty_text: Annotated[
        Literal["reject", "no-speech"], Option(help="An empty transcript is an error, or means no speech.")
    ] = "reject",
    strict: Annotated[bool, Option("--strict", help="Exit with 3 if any row is rejected.")] = False,
    ratios: Annotated[
        str | None,
        Option(help="Shares of train, dev and test by hours: 0.8,0.1,0.1 when not given, or the sources' own split."),
    ] = None,
    group_by: Annotated[
        str,
        Option(
            help="What no two splits may share; customer is both, but for speakers in over 10% of the sessions; none "
            "divides utterance by utterance."
        ),
    ] = "speaker,session",
    seed: Annotated[int, Option(help="Decides the split.")] = 1,
    folds: Annotated[
        int | None, Option(help="For few speakers: so many splits, each with other speakers in test; OUT/fold-1 …")
    ] = None,
    local_speakers: Annotated[
        bool | None,
        Option(
            "--local-speakers/--global-speakers",
            help="Speaker names hold within a session only (A, B), or everywhere; guessed when not given.",
        ),
    ] = None,
    tags: Annotated[
        str | None,
        Option(
            help="Columns to keep as tags, such as age,gender, or none; when not given, those with at most 50 values."
        ),
    ] = None,
    copy_audio: Annotated[bool, Option("--copy-audio", help="Copy the spans into the corpus as 16 kHz FLAC.")] = False,
    join: Annotated[
        Literal["none", "speaker", "dialogue"],
        Option(help="Join neighbouring phrases of one recording: of one speaker, or of whoever speaks."),
    ] = "none",
    join_gap: Annotated[float, Option(help="Longest pause between joined phrases, in seconds.")] = 2.0,
    join_to: Annotated[float, Option(help="Longest joined utterance, in seconds.")] = 30.0,
    join_prompt: Annotated[
        int, Option(help="Characters said before a joined utterance, kept as its prompt; 0: none.")
    ] = 240,
) -> None:
    """Recordings and transcripts → a corpus whose splits share no speaker and no call."""
    from parlure.console import Console
    from parlure.corpus.joining import JoinPolicy
    from parlure.corpus.prepare import prepare as run_prepare
    from parlure.corpus.readers.chat.marks import marks_of

    with Console().bar("reading") as bar:
        summary = run_prepare(
            source, out, reader=reader, text=text, speaker=speaker, session=session, marks=marks_of(marks),
            language=language, channels=channels, channel_speakers=names_of(channel_speakers), empty_text=empty_text,
            strict=strict, ratios=ratios_of(ratios), group_by=names_of(group_by), seed=seed, folds=folds,
            local_speakers=local_speakers, copy_audio=copy_audio, tags=None if tags is None else names_of(tags),
            join_policy=JoinPolicy(join, join_gap, join_to, join_prompt), progress=bar,
        )  # fmt: skip
    for line in summary.lines():
        say(line)
    if strict and summary.n_rejected:
        raise GateFailedError(
            f"{summary.n_rejected} rows were rejected",
            f"{out / 'rejected.jsonl'} says why; without --strict the others are taken",
        )
