"""Commands that make a manifest of recordings that have no timed transcript."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from parlure.cli.app import app
from parlure.cli.arguments import DECODABLE_HELP, MODEL_HELP, Engine
from parlure.ending import say


@app.command()
def segment(
    audio: Annotated[list[Path], Argument(help="Recordings of any length, without a transcript.")],
    out: Annotated[Path, Option(help="Manifest to make, such as spans.jsonl.")],
    channels: Annotated[
        Literal["split", "mix", "first"] | None,
        Option(help="split: each channel by itself, as for the two parties of a call; when not given, if they differ."),
    ] = None,
    pause: Annotated[float, Option(help="A longer pause ends a span, in seconds.")] = 2.0,
    pad: Annotated[float, Option(help="Kept before and after speech, in seconds.")] = 0.2,
    to: Annotated[float, Option(help="Longest span, in seconds.")] = 30.0,
    model: Annotated[str | None, Option(help=f"Draft the texts: {DECODABLE_HELP}.")] = None,
    language: Annotated[str | None, Option(help="Language spoken, such as fr.")] = None,
) -> None:
    """Recordings without transcripts → a manifest of the spans in which somebody speaks, up to 30 s each."""
    from parlure.console import Console
    from parlure.corpus.segment import segment as run_segment
    from parlure.speech.voice import SpanPolicy

    hear = None
    if model is not None:
        from parlure.transcribing.drafts import draft

        hear = partial(draft, model=model, language=language)
    with Console().bar("listening") as bar:
        summary = run_segment(
            audio, out, channels=channels, policy=SpanPolicy(pause, pad, to), language=language, hear=hear, progress=bar
        )
    for line in summary.lines():
        say(line)
    todo = (
        "correct the texts, which are a model's" if model else "fill in the texts, by hand or again with --model MODEL"
    )
    say(f"next: {todo}; then parlure prepare {out} --out corpus --language {language or 'fr'}")


@app.command()
def label(
    audio: Annotated[list[Path], Argument(help="Recordings of any length, without a transcript.")],
    model: Annotated[str, Option(help=f"Whose texts are kept: {DECODABLE_HELP}.")],
    out: Annotated[Path, Option(help="Corpus folder to make.")],
    second: Annotated[
        str | None, Option(help="The model that has to hear the same; MODEL itself, 5 % faster, when not given.")
    ] = None,
    language: Annotated[str | None, Option(help="Language spoken, such as fr; identified when not given.")] = None,
    min_confidence: Annotated[float, Option(help="Mean probability of a text's tokens, at the least.")] = 0.6,
    max_disagreement: Annotated[
        float, Option(help="Share of the words that may be heard otherwise the second time, at the most.")
    ] = 0.1,
    channels: Annotated[
        Literal["split", "mix", "first"] | None,
        Option(help="split: each channel by itself, as for the two parties of a call; when not given, if they differ."),
    ] = None,
    pause: Annotated[float, Option(help="A longer pause ends a span, in seconds.")] = 0.5,
    engine: Engine = None,
) -> None:
    """Recordings without transcripts → a corpus for training of what a model is sure of and hears twice alike."""
    from parlure.console import Console
    from parlure.corpus.pseudo import Bounds
    from parlure.speech.voice import SpanPolicy
    from parlure.transcribing.label import label as run_label

    bounds = Bounds(min_confidence, max_disagreement)
    with Console().bar("listening") as bar:
        summary = run_label(
            audio, model, out, second=second, language=language, channels=channels, policy=SpanPolicy(pause),
            bounds=bounds, engine=engine, progress=bar,
        )  # fmt: skip
    for line in summary.lines():
        say(line)
    say(
        f"next: parlure corpus merge CORPUS {out} --out BOTH, where CORPUS has the dev and test that people transcribed"
    )


@app.command()
def align(
    recording: Annotated[Path, Argument(help="Recording of any length.")],
    transcript: Annotated[Path, Argument(help="Text file: what is said in it, in order, without times.")],
    model: Annotated[str, Option(help=f"The model that listens: {MODEL_HELP}.")],
    out: Annotated[Path, Option(help="Manifest to make, such as aligned.jsonl.")],
    language: Annotated[str | None, Option(help="Language spoken, such as fr; identified when not given.")] = None,
    channel: Annotated[int | None, Option(min=0, help="Channel, from 0; the mean of all when not given.")] = None,
    min_confidence: Annotated[
        float, Option(help="Mean probability of a sentence's tokens below which it is rejected.")
    ] = 0.5,
) -> None:
    """A recording and its transcript without times → a manifest with the times of every sentence that was found."""
    from parlure.console import Console
    from parlure.transcribing.align import align as run_align

    with Console().bar("aligning") as bar:
        summary = run_align(
            recording, transcript, out, model=model, language=language, channel=channel,
            min_probability=min_confidence, progress=bar,
        )  # fmt: skip
    for line in summary.lines():
        say(line)
    say(f"next: parlure prepare {out} --out corpus --join dialogue")
