"""The application that commands are added to, and where their data goes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer import Option

app = typer.Typer(
    help="Fine-tune OpenAI's Whisper on your own recordings, and prove what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def give(data: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(data)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        from importlib.metadata import version as version_of

        give(f"parlure {version_of('parlure')}\n")
        raise typer.Exit
