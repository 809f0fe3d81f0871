"""Plain text: one utterance a line, empty lines too; the line number is the id."""

from __future__ import annotations

from pathlib import Path

from parlure.scoring.formats.table import Row
from parlure.scoring.utterances import read_lines


def read_text(path: Path) -> dict[str, Row]:
    """Utterances by line number from 1.

    Raises:
        ParlureError: the file is missing, unreadable or no UTF-8.
    """
    return {str(number): {"text": line} for number, line in enumerate(read_lines(path), 1)}
