"""NIST's ``stm``: segments of recordings, one a line: ``call1 A anne 0.10 2.03 <o,f> oui allô``.

Recording, channel, speaker, begin and end in seconds, maybe labels in angle brackets, then the words. Recordings
become sessions and labels tags. A segment whose words are ``IGNORE_TIME_SEGMENT_IN_SCORING`` is out of bounds: neither
it nor what was recognised in it counts. Format: as in ``trn``.
"""

from __future__ import annotations

import re
from pathlib import Path

from parlure.scoring.formats.table import Row, Table, marked_lines, seconds

EXAMPLE = "such as call1 A anne 0.10 2.03 oui allô: recording, channel, speaker, begin and end in seconds, words"

IGNORED = "IGNORETIMESEGMENTINSCORING"  # sclite takes it with underscores or without, in capitals or not
_LABELS = re.compile(r"<([^<>\s]*)>(?:\s+|$)")


def read_stm(path: Path) -> dict[str, Row]:
    """Segments by an id of recording, channel, speaker and times; of those out of bounds ``ignored`` is true.

    Raises:
        ParlureError: the file is unreadable, or a line is no segment, is there twice or has a choice of wordings.
    """
    table = Table(path)
    for number, line in marked_lines(path):
        fields = line.split(None, 5)
        begin, end = (seconds(fields[place]) if len(fields) > place else None for place in (3, 4))
        if begin is None or end is None:
            table.refuse(number, "is no segment", EXAMPLE)
        elif end < begin:
            table.refuse(number, f"ends at {end:g} s, before it begins at {begin:g} s", EXAMPLE)
        elif not table.refuse_alternatives(number, text := "".join(fields[5:])):
            recording, channel, speaker = fields[:3]
            labels = _LABELS.match(text)
            words = text[labels.end() :] if labels else text
            row: Row = {
                "text": words,
                "speaker": speaker,
                "session": recording,
                "channel": channel,
                "start": begin,
                "end": end,
                "tags": [label for label in labels[1].split(",") if label] if labels else [],
                "ignored": IGNORED in words.upper().replace("_", ""),
            }
            table.add(number, f"{recording}/{channel}/{speaker}/{begin:.3f}-{end:.3f}", row)
    return table.finished()
