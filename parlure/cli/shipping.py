"""Commands that take a model to where it is used."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import MODEL_HELP, Quantize
from parlure.ending import GateFailedError, say


@app.command()
def export(
    model: Annotated[str, Argument(help=f"{MODEL_HELP}.")],
    to: Annotated[Literal["ctranslate2"], Option(help="ctranslate2 is what faster-whisper loads.")],
    out: Annotated[Path, Option(help="Folder to make.")],
    quantize: Quantize = None,
    parity: Annotated[
        Path | None, Option(help="Corpus to decode with both; exit with 3 if the export loses over a point of WER.")
    ] = None,
    split: Annotated[str, Option(help="Of that corpus.")] = "test",
) -> None:
    """A model for another runtime, held against the original."""
    from parlure.shipping.export import export as run_export

    found = run_export(model, out, to=to, quantize=quantize, parity=parity, split=split)
    give("".join(one.line() + "\n" for one in found))
    say(f"{model} → {out}")
    if failed := [one for one in found if not one.passed]:
        raise GateFailedError(
            f"the export is not the model any more in {' and '.join(f'{one.window} windows' for one in failed)}",
            f"{out / 'parity.json'} has the figures; take wider numbers: --quantize float32",
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
