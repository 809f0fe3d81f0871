"""Commands that take a model to where it is used."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import MODEL_HELP
from parlure.console import Console
from parlure.ending import GateFailedError, say

_Features = Annotated[
    Literal["both", "same", "own"],
    Option(help="same: both decode torch's log-mels; own: as the runtime makes its own of the sound."),
]
_MinSame = Annotated[
    float | None,
    Option(help="Share of texts that must be the same on the same features, %; 99.5 in float32, 98 in float16."),
]
_MaxLoss = Annotated[
    float | None, Option(help="Points of WER that may be lost, by the upper end of the 95 % interval; 1.")
]


@app.command()
def export(
    model: Annotated[str, Argument(help=f"{MODEL_HELP}.")],
    to: Annotated[
        Literal["hf", "adapter", "ctranslate2", "ggml", "openai", "onnx"],
        Option(help="ctranslate2 is what faster-whisper loads, ggml whisper.cpp, onnx onnxruntime."),
    ],
    out: Annotated[Path, Option(help="Folder to make.")],
    quantize: Annotated[str | None, Option(help="Numbers to store; docs/export.md lists each target's.")] = None,
    parity: Annotated[
        Path | None, Option(help="Corpus to decode with both; exit with 3 if the export is not the model any more.")
    ] = None,
    split: Annotated[str, Option(help="Of that corpus.")] = "test",
    features: _Features = "both",
    min_same: _MinSame = None,
    max_loss: _MaxLoss = None,
) -> None:
    """A model for another runtime, held against the original."""
    from parlure.shipping.export import export as run_export
    from parlure.shipping.export import read_written

    with Console().bar("model and export") as advance:
        found = run_export(
            model, out, to=to, quantize=quantize, parity=parity, split=split, features=features, min_same=min_same,
            max_loss=max_loss, progress=advance,
        )  # fmt: skip
    say(f"{model} → {out}")
    for note in read_written(out).notes:
        say(f"note: {note}")
    if found is not None:
        _give_parity(found, out)


@app.command()
def parity(
    model: Annotated[str, Argument(help=f"{MODEL_HELP}: what the export was made from.")],
    exported: Annotated[Path, Argument(help="Folder that parlure export made.")],
    corpus: Annotated[Path, Option(help="Corpus to decode with both.")],
    split: Annotated[str, Option(help="Of the corpus.")] = "test",
    out: Annotated[Path | None, Option(help="Folder for the report; the export's own when not given.")] = None,
    features: _Features = "both",
    min_same: _MinSame = None,
    max_loss: _MaxLoss = None,
) -> None:
    """Whether an export still says what its model says; exit with 3 if not."""
    from parlure.shipping.export.parity import parity as run_parity

    with Console().bar("model and export") as advance:
        found = run_parity(
            model, exported, corpus, split=split, out=out, features=features, min_same=min_same, max_loss=max_loss,
            progress=advance,
        )  # fmt: skip
    _give_parity(found, out or exported)


def _give_parity(report: dict[str, Any], folder: Path) -> None:
    from parlure.scoring.parity.report import lines_of
    from parlure.shipping.export.parity import PAGE, PARITY, failed_parts

    give("".join(line + "\n" for line in lines_of(report)))
    say(f"report: {folder / PAGE}")
    if failed := failed_parts(report):
        raise GateFailedError(
            f"the export is not the model any more with {' and '.join(failed)}",
            f"{folder / PARITY} has the figures and {PAGE} the texts; take wider numbers, or more speakers",
        )


@app.command()
def publish(
    source: Annotated[Path, Argument(metavar="RUN", help="Run folder, or a corpus folder for a data set.")],
    repo: Annotated[str, Option(help="Repository on the Hugging Face Hub, owner/name.")],
    report: Annotated[Path | None, Option(help="Report folder, whose scores go on the card.")] = None,
    merged: Annotated[
        bool, Option("--merged", help="The whole model, its adapter merged, and not the adapter.")
    ] = False,
    private: Annotated[bool, Option("--private", help="Make the repository a private one.")] = False,
    licence: Annotated[
        str | None, Option(help="Of what is published, such as cc-by-nc-sa-4.0; that of the recordings when not given.")
    ] = None,
    accept: Annotated[
        list[str] | None, Option(help="Name of a conflict that you have settled; any number of times.")
    ] = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show the card, the conflicts and the files; send nothing.")
    ] = False,
    out: Annotated[Path | None, Option(help="Folder to make of exactly what would be sent; send nothing.")] = None,
) -> None:
    """A run, or a corpus, to the Hugging Face Hub: card and files in one commit."""
    from parlure.shipping.hub import push
    from parlure.shipping.publish import planned, stage

    with planned(source, repo, report, licence=licence, merged=merged) as publication:
        if out is not None:
            stage(publication, out)
        give(publication.card)
        for line in publication.lines():
            say(line)
        if out is None and not dry_run:
            publication.settle(accept or ())
            say(f"published: {push(repo, publication.contents, kind=publication.kind, private=private)}")
    if out is not None:
        kind = " --repo-type dataset" * (publication.kind == "dataset")
        say(f"next: hf upload{kind} {repo} {shlex.quote(str(out))} .")
