"""JSON lines that grow while work is done, and are read again by whoever goes on with it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def kept_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of an earlier call, without one that was cut off when it was stopped; none without a file."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


@contextmanager
def adding_to(path: Path) -> Iterator[Callable[[Any], None]]:
    """Add rows, each on disk at once; the folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")  # the end of a line that was cut off

        def add(row: Any) -> None:
            file.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n")
            file.flush()

        yield add
