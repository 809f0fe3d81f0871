"""One process at a time writes a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from parlure.errors import ParlureError

LOCK = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder while writing it; the operating system lets go of it when the process ends, however it ends.

    The folder is made if it is not there, and removed again if nothing was written to it.

    Raises:
        ParlureError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ParlureError(
            f"another process is writing {folder}", "wait until it is done, stop it, or name another --out"
        ) from error
    try:
        yield
    finally:
        if is_empty(folder):
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()
        lock.release()


def is_empty(folder: Path) -> bool:
    """Whether a folder is not there or holds nothing but its lock."""
    return not folder.exists() or all(path.name == LOCK for path in folder.iterdir())
