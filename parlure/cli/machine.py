"""What this machine can do."""

from __future__ import annotations

from parlure.cli.app import app, give


@app.command()
def doctor() -> None:
    """What this machine can do, and what is missing, with the command that mends it."""
    from parlure.doctor import examine

    for finding in examine():
        give(finding.line() + "\n")
