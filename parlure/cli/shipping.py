"""Commands that take a model to where it is used."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from parlure.cli.app import app, give
from parlure.cli.arguments import MODEL_HELP
from parlure.ending import GateFailedError, say
from parlure.errors import ParlureError


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
        Path | None, Option(help="Corpus to decode with both; exit with 3 if the export loses over a point of WER.")
    ] = None,
    split: Annotated[str, Option(help="Of that corpus.")] = "test",
) -> None:
    """A model for another runtime, held against the original."""
    from parlure.shipping.export import export as run_export
    from parlure.shipping.export import read_written

    found = run_export(model, out, to=to, quantize=quantize, parity=parity, split=split)
    give("".join(one.line() + "\n" for one in found))
    say(f"{model} → {out}")
    for note in read_written(out).notes:
        say(f"note: {note}")
    if failed := [one for one in found if not one.passed]:
        raise GateFailedError(
            f"the export is not the model any more in {' and '.join(f'{one.window} windows' for one in failed)}",
            f"{out / 'parity.json'} has the figures; take wider numbers: --quantize float32",
        )


@app.command()
def publish(
    run: Annotated[Path, Argument(help="Run folder.")],
    repo: Annotated[str, Option(help="Repository on the Hugging Face Hub, owner/name.")],
    report: Annotated[Path | None, Option(help="Report folder, whose scores go on the card.")] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show the card and the files; send nothing.")] = False,
    out: Annotated[Path | None, Option(help="Folder to make for hf upload: exactly what would be sent.")] = None,
) -> None:
    """A run as it would lie on the Hugging Face Hub: card and files."""
    from parlure.shipping.publish import plan, stage

    publication = plan(run, repo, report)
    if out is not None:
        stage(publication, out)
    elif not dry_run:
        raise ParlureError(
            "this version does not push to the Hub",
            "look with --dry-run; --out FOLDER makes a folder and says the command that uploads it",
        )
    give(publication.card)
    for line in publication.lines():
        say(line)
    if out is not None:
        say(f"next: hf upload {repo} {shlex.quote(str(out))} .")
