"""What was heard of each span, kept in the corpus folder: the same ``prepare``, stopped or done, hears nothing twice.

``heard.jsonl`` has a line for each span, ``[key, …]`` with the fields of :class:`parlure.corpus.hearing.Heard`. The key
is a hash of the recording's path, size and time of change and of what was asked for, so that a line holds as long as
none of these changes; texts, speakers, languages and splits are not in it. A recording that is not there is looked for
anew each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from parlure.corpus.hearing import Heard, Request
from parlure.corpus.journal import adding_to
from parlure.corpus.manifest import INFO, begin_corpus
from parlure.speech.recordings import N_KNOWN

HEARD = "heard.jsonl"
WORTH_KEEPING_S = 2.0  # s of work: a call that fails before leaves nothing behind
_VERSION = 1  # of what Heard holds, and of how it is found out
_KEY = slice(2, 18)  # bytes of a line: 16 hexadecimal digits after ["


class HeardBook:
    """The spans of a corpus folder that have been heard.

    In memory a span takes 25 bytes: a million lines are not read into objects. Lines are written as they come, from two
    seconds after the first on, and the rest at the end if all went well.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / HEARD
        self._stamps: OrderedDict[str, str] = OrderedDict()
        keys, offsets = _index(self._path)
        self._order = np.argsort(keys, kind="stable")
        self._keys, self._offsets = keys[self._order], offsets
        self._used = np.zeros(len(keys), dtype=bool)  # by line
        self._stack = ExitStack()
        self._waiting: list[list[Any]] = []
        self._began: float | None = None
        self._add: Callable[[Any], None] | None = None
        self._lines = self._stack.enter_context(self._path.open("rb")) if len(keys) else None

    def __enter__(self) -> HeardBook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write()
        self._stack.close()
        if error is None and not self._used.all():
            self._keep_used()

    def find(self, request: Request) -> Heard | None:
        """What was heard of this before; None if nothing was, or the recording has changed."""
        if self._lines is None or (key := self._key(request)) is None:
            return None
        place = int(np.searchsorted(self._keys, np.uint64(key)))
        if place == len(self._keys) or int(self._keys[place]) != key:
            return None
        number = self._order[place]
        self._lines.seek(int(self._offsets[number]))
        try:
            _, *fields = json.loads(self._lines.readline())
            heard = Heard(*fields)
        except (ValueError, TypeError):  # a line that was cut off
            return None
        self._used[number] = True
        return heard if heard.refusal is None else heard._replace(refusal=(heard.refusal[0], heard.refusal[1]))

    def add(self, found: Iterable[tuple[Request, Heard]]) -> None:
        """Write down what was heard, sooner or later."""
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        for request, heard in found:
            if (key := self._key(request)) is not None:
                self._waiting.append([f"{key:016x}", *heard])
        if now - self._began >= WORTH_KEEPING_S:
            self._write()

    def _write(self) -> None:
        """Put lines on disk; the folder becomes a corpus that is not whole, if it is none yet."""
        if not self._waiting:
            return
        if self._add is None:
            if not (self._folder / INFO).exists():
                begin_corpus(self._folder)
            self._add = self._stack.enter_context(adding_to(self._path))
        for line in self._waiting:
            self._add(line)
        self._waiting.clear()

    def _key(self, request: Request) -> int | None:
        if (stamp := self._stamp(request.recording)) is None:
            return None
        _, *asked = request
        digest = hashlib.blake2b(f"{stamp}\0{asked}".encode(errors="surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def _stamp(self, recording: str) -> str | None:
        """What changes when a file does; None for one that is not there."""
        if recording not in self._stamps:
            try:
                found = os.stat(recording)  # noqa: PTH116 - a name may be too long for a path
            except (OSError, ValueError):
                return None
            full = Path(recording).resolve()
            stamp = f"{_VERSION}\0{recording}\0{full}\0{found.st_size}\0{found.st_mtime_ns}"
            self._stamps[recording] = stamp
            if len(self._stamps) > N_KNOWN:
                self._stamps.popitem(last=False)
        return self._stamps[recording]

    def _keep_used(self) -> None:
        """Leave out the lines of an earlier call that nothing asked for in this one."""
        part = self._path.with_suffix(".part")
        with self._path.open("rb") as lines, part.open("wb") as kept:
            for number, line in enumerate(lines):
                if number >= len(self._used) or self._used[number]:
                    kept.write(line)
        part.replace(self._path)


def _index(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The key of each line, 0 for one that has none, and where the line begins."""
    keys, offsets, offset = array("Q"), array("Q"), 0
    if path.is_file():
        with path.open("rb") as lines:
            for line in lines:
                try:
                    keys.append(int(line[_KEY], 16))
                except ValueError:
                    keys.append(0)
                offsets.append(offset)
                offset += len(line)
    return np.array(keys, dtype=np.uint64), np.array(offsets, dtype=np.uint64)
