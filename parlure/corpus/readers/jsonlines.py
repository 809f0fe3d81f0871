"""JSON Lines file, gzipped or not → its objects one after the other, with their lines."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from parlure.errors import ParlureError

_MAX_SNIFFED = 1 << 20  # bytes of a first line; a cut with a thousand supervisions is still shorter


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any] | str, str]]:
    """``(line from 1, object or a sentence saying why there is none, the line itself)``; empty lines are passed over.

    Bytes that are not UTF-8 become surrogates, for which :func:`parlure.corpus.readers.row.parse_row` rejects a row.

    Raises:
        ParlureError: no such file, or it cannot be unpacked.
    """
    if not path.is_file():
        raise ParlureError(f"there is no manifest {path}", "check the path")
    number = 0
    try:
        with _opened(path) as file:
            for number, content in enumerate(file, start=1):
                line = content.decode("utf-8-sig" if number == 1 else "utf-8", errors="surrogateescape").rstrip("\r\n")
                if line.strip():
                    yield number, _object(line), line
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ParlureError(
            f"{path} cannot be unpacked after line {number}: {error}", "copy it again, or see what gzip -t says of it"
        ) from error


def first_object(path: Path) -> dict[str, Any]:
    """The object on the first line, to see what a file holds; empty if there is none."""
    try:
        with _opened(path) as file:
            value = json.loads(file.readline(_MAX_SNIFFED).decode("utf-8-sig"))
    except (OSError, EOFError, ValueError, RecursionError, zlib.error):
        return {}
    return value if isinstance(value, dict) else {}


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _object(line: str) -> dict[str, Any] | str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"the line is not JSON: {error}"
    return value if isinstance(value, dict) else "the line is JSON but not an object"
