"""The whole road at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from parlure.cli.app import app, give


@app.command()
def demo(
    out: Annotated[Path, Option(help="Folder to make: corpus, run and report.")] = Path("demo"),
    seed: Annotated[int, Option(help="Another seed, another corpus and another run.")] = 1,
) -> None:
    """The whole road offline in minutes, on synthetic Québec French telephone speech and the built-in nano."""
    from parlure.console import Console
    from parlure.demo import demo as run_demo

    summary = run_demo(out, seed=seed, console=Console())
    give(summary.text + "\n")
