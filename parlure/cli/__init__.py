"""The command line: one short function per command; parse, call the library, print.

stdout is data, stderr is talk; how a command ends is in ``parlure.ending``. Everything heavy is imported inside the
functions, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys

# in the order of --help
# isort: off
from parlure.cli import road, corpus, recordings, checking, exploring, correcting, editing  # noqa: F401
from parlure.cli import deciding, tuning, transcribing, hearing, scores, shipping, serving, machine  # noqa: F401

# isort: on
from parlure.cli.app import app
from parlure.ending import exit_code


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    command = arguments[0] if arguments else ""
    return exit_code(command, lambda: app(arguments, prog_name="parlure", standalone_mode=False))
