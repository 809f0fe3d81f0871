"""Files of a Kaldi data folder → their lines by id; lines that cannot be used → rejections."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from parlure.corpus.readers.kaldi_pipes import decoded_by
from parlure.corpus.readers.row import Rejected, is_unicode

_BLANKS = " \t\r\n"  # what separates fields in Kaldi; other white space is part of a text
_ARCHIVE = re.compile(r":\d+(\[[\d:,]*\])?$")
_ONCE = "write the sound to a file once, and put the path of that file there"


@dataclass
class Table:
    """A file of ``<id> <rest of the line>``.

    Attributes:
        path: where it is, or would be.
        entries: line and rest of the line by id, in the file's order; of lines with one id the first.
        rejected: lines that are not UTF-8, and those with an id that is already there.
    """

    path: Path
    entries: dict[str, tuple[int, str]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def get(self, key: str | None) -> str | None:
        """What follows an id, if the id is there."""
        found = self.entries.get(key) if key is not None else None
        return None if found is None else found[1]

    def where(self, key: str) -> str:
        """``segments line 3``, for a sentence."""
        return f"{self.path.name} line {self.entries[key][0]}"

    def refuse(self, key: str, reason: str, sentence: str) -> Rejected:
        """The rejection of an id's line."""
        line, rest = self.entries[key]
        return Rejected(str(self.path), line, {"id": key, "rest": rest}, reason, sentence)


def read_table(path: Path) -> Table:
    """The table; empty if there is no such file.

    Kaldi wants its files sorted, as it reads several side by side. The order says nothing about the data, so any is
    taken, as ``utils/fix_data_dir.sh`` does.
    """
    table = Table(path)
    if not path.is_file():
        return table
    with path.open("rb") as file:
        for number, content in enumerate(file, start=1):
            line = content.decode("utf-8-sig" if number == 1 else "utf-8", errors="surrogateescape").strip(_BLANKS)
            if not line:
                continue
            key, *rest = re.split(r"[ \t]+", line, maxsplit=1)
            if not is_unicode(line):
                _add(table, number, line, "bad_encoding", f"{path.name} line {number} is not proper UTF-8")
            elif key in table.entries:
                _add(table, number, line, "duplicate_id", f"the id {key} is already on {table.where(key)}")
            else:
                table.entries[key] = (number, rest[0] if rest else "")
    return table


def _add(table: Table, number: int, line: str, reason: str, sentence: str) -> None:
    table.rejected.append(Rejected(str(table.path), number, {"content": line}, reason, sentence))


def parse_segment(rest: str) -> tuple[str, float, float | None, int | None] | str:
    """``(recording, start in s, end in s or None, channel or None)`` of a line of ``segments``; else what is wrong.

    ``<recording-id> <start> <end>``, where an end of -1 is the end of the recording, and sometimes a channel from 0
    (Kaldi's ``extract-segments``).
    """
    fields = rest.split()
    if len(fields) not in (3, 4):
        return "a segment is an utterance, a recording, its start and its end"
    try:
        start, end = float(fields[1]), float(fields[2])
        channel = int(fields[3]) if len(fields) == 4 else None
    except ValueError:
        return "start and end are seconds, and a channel is a number from 0"
    if not 0 <= start < float("inf") or not (end == -1 or start < end < float("inf")) or (channel or 0) < 0:
        return (
            f"the segment goes from {fields[1]} to {fields[2]} s: it starts at 0 or later, and ends after that or at -1"
        )
    return fields[0], start, None if end == -1 else end, channel


def not_a_file(extended: str) -> str | None:
    """What is wrong with an extended filename of ``wav.scp`` if no file is read by it."""
    if not extended:
        return "no path follows the recording's id"
    if extended.endswith("|"):
        if decoded_by(extended) is not None:
            return None
        return (
            "a command that does more than decode a file stands for the recording, and parlure runs none: "
            f"{_ONCE} (a flac, mp3 or ogg will do as it is)"
        )
    if _ARCHIVE.search(extended) or extended == "-":
        return f"the recording lies inside an archive or a stream: {_ONCE}"
    return None
