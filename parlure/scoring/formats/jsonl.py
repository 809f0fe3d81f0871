"""JSON lines with ``id`` and ``text``: a corpus's manifest, a ``hyps.jsonl``, or a person's own.

``speaker, session, language, task, tags, split, start, end, duration_s`` are taken along where a line has them.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType

from parlure.scoring.formats.table import SEVERAL_REFERENCES, Row, Table, json_objects

EXAMPLE = 'such as {"id": "a1", "text": "bonjour"}'


def read_jsonl_texts(path: Path) -> dict[str, Row]:
    """Utterances by id.

    Raises:
        ParlureError: the file is unreadable, a line lacks ``id`` or ``text``, or an id comes twice.
    """
    table = Table(path)
    for number, row in json_objects(table, EXAMPLE):
        wrong = [key for key in ("id", "text") if not isinstance(row.get(key), str)]
        if isinstance(row.get("text"), list):
            table.refuse(number, "text is a list: several references of one utterance", SEVERAL_REFERENCES)
        elif wrong:
            table.refuse(number, f"{' and '.join(wrong)} is missing or is no string", EXAMPLE)
        elif strange := [key for key in ("speaker", "session") if not isinstance(row.get(key), (str, int, NoneType))]:
            table.refuse(number, f"{' and '.join(strange)} is no name", 'such as "speaker": "anne"')
        else:  # a number is a name too
            names = {key: str(row[key]) for key in ("speaker", "session") if row.get(key) is not None}
            table.add(number, row["id"], row | names)
    return table.finished()
