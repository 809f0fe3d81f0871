"""Commands that make a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from parlure.cli.app import app
from parlure.cli.arguments import names_of, ratios_of
from parlure.ending import GateFailedError, say

Sources = Annotated[
    list[str],
    Argument(
        help="CSV, TSV or JSONL manifests, folders of audio with .txt, subtitles, .TextGrid, .eaf, .cha or .json "
        "of Whisper beside it, data of Kaldi, NeMo, Lhotse, Common Voice, LibriSpeech, audiofolder, folders of "
        "parquet, hf://owner/name?config=fr&split=segment."
    ),
]
Out = Annotated[Path, Option(help="Corpus folder to make.")]
Reader = Annotated[str | None, Option(help="How to read the sources; guessed when not given.")]
Text = Annotated[str | None, Option(help="Column of the transcript; of TextGrid and ELAN tiers.")]
Speaker = Annotated[str | None, Option(help="Column of the speaker.")]
Session = Annotated[str | None, Option(help="Column of the call or session.")]
Marks = Annotated[
    str | None, Option(help="What becomes of the marks of CHAT transcripts: fillers=drop,fragments=keep.")
]
Language = Annotated[str | None, Option(help="Language of rows that name none, such as fr.")]
Channels = Annotated[Literal["first", "split", "mix"] | None, Option(help="For recordings of two different channels.")]
ChannelSpeakers = Annotated[
    str | None, Option(help="Who speaks in channel 0, 1 …, where rows name nobody: agent,customer.")
]
EmptyText = Annotated[
    Literal["reject", "no-speech"], Option(help="An empty transcript is an error, or means no speech.")
]
Strict = Annotated[bool, Option("--strict", help="Exit with 3 if any row is rejected.")]
Ratios = Annotated[
    str | None,
    Option(help="Shares of train, dev and test by hours: 0.8,0.1,0.1 when not given, or the sources' own split."),
]
GroupBy = Annotated[
    str,
    Option(
        help="What no two splits may share; customer is both, but for speakers in over 10% of the sessions; none "
        "divides utterance by utterance."
    ),
]
Seed = Annotated[int, Option(help="Decides the split.")]
Folds = Annotated[
    int | None, Option(help="For few speakers: so many splits, each with other speakers in test; OUT/fold-1 …")
]
LocalSpeakers = Annotated[
    bool | None,
    Option(
        "--local-speakers/--global-speakers",
        help="Speaker names hold within a session only (A, B), or everywhere; guessed when not given.",
    ),
]
Tags = Annotated[
    str | None,
    Option(help="Columns to keep as tags, such as age,gender, or none; when not given, those with at most 50 values."),
]
CopyAudio = Annotated[bool, Option("--copy-audio", help="Copy the spans into the corpus as 16 kHz FLAC.")]
Join = Annotated[
    Literal["none", "speaker", "dialogue"],
    Option(help="Join neighbouring phrases of one recording: of one speaker, or of whoever speaks."),
]
JoinGap = Annotated[float, Option(help="Longest pause between joined phrases, in seconds.")]
JoinTo = Annotated[float, Option(help="Longest joined utterance, in seconds.")]
JoinPrompt = Annotated[int, Option(help="Characters said before a joined utterance, kept as its prompt; 0: none.")]


@app.command()
def prepare(
    source: Sources,
    out: Out,
    reader: Reader = None,
    text: Text = None,
    speaker: Speaker = None,
    session: Session = None,
    marks: Marks = None,
    language: Language = None,
    channels: Channels = None,
    channel_speakers: ChannelSpeakers = None,
    empty_text: EmptyText = "reject",
    strict: Strict = False,
    ratios: Ratios = None,
    group_by: GroupBy = "speaker,session",
    seed: Seed = 1,
    folds: Folds = None,
    local_speakers: LocalSpeakers = None,
    tags: Tags = None,
    copy_audio: CopyAudio = False,
    join: Join = "none",
    join_gap: JoinGap = 2.0,
    join_to: JoinTo = 30.0,
    join_prompt: JoinPrompt = 240,
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
