"""A file of references or hypotheses → its utterances by id: one file a format, one row in FORMATS.

A ``ctm`` is no such file: it holds words, which belong to the utterances of an ``stm``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from parlure.errors import ParlureError
from parlure.scoring.formats import trn
from parlure.scoring.formats.jsonl import read_jsonl_texts
from parlure.scoring.formats.leaderboard import read_leaderboard
from parlure.scoring.formats.nemo import read_nemo
from parlure.scoring.formats.stm import read_stm
from parlure.scoring.formats.table import Row, seconds
from parlure.scoring.formats.text import read_text
from parlure.scoring.formats.trn import read_trn
from parlure.scoring.utterances import read_lines

FORMATS: Mapping[str, Callable[[Path], dict[str, Row]]] = {
    "text": read_text,
    "jsonl": read_jsonl_texts,
    "trn": read_trn,
    "stm": read_stm,
    "nemo": read_nemo,
    "leaderboard": read_leaderboard,
}
BOTH_SIDES = ("nemo", "leaderboard")  # references and hypotheses in one file
CTM = "ctm"

_BY_SUFFIX = {".trn": "trn", ".stm": "stm", ".ctm": CTM}
_JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")
_LOOKED_AT = 200  # lines


def check_format(name: str) -> None:
    """Refuse a format's name that is none.

    Raises:
        ParlureError: there is no format of that name.
    """
    if name not in FORMATS:
        close = get_close_matches(name, FORMATS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"formats are {', '.join(FORMATS)}"
        raise ParlureError(f"there is no format called {name}", hint)


def guess_format(path: Path) -> str:
    """The format of a file, by its suffix, or else by its first 200 lines: one of FORMATS, or ``ctm``.

    Raises:
        ParlureError: the file is missing, unreadable or no UTF-8.
    """
    suffix = path.suffix.lower()
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    lines = list(islice((line for line in read_lines(path) if line.strip() and not line.startswith(";;")), _LOOKED_AT))
    if suffix in _JSON_SUFFIXES:
        return _json_format(lines)
    if not lines:
        return "text"
    if all(line.lstrip().startswith("{") and _keys(line) for line in lines):
        return _json_format(lines)
    for name, looks_so in (("trn", _is_trn), ("stm", _is_stm), (CTM, _is_ctm)):
        if all(map(looks_so, lines)):
            return name
    return "text"


def is_told_by_suffix(path: Path) -> bool:
    """Whether a file's name says what it is."""
    return path.suffix.lower() in (*_BY_SUFFIX, *_JSON_SUFFIXES)


def _keys(line: str) -> set[str]:
    try:
        row = json.loads(line)
    except ValueError:
        return set()
    return set(row) if isinstance(row, dict) else set()


def _json_format(lines: Sequence[str]) -> str:
    keys = next((keys for line in lines if (keys := _keys(line))), set())
    if "audio_filepath" not in keys or ("id" in keys and "pred_text" not in keys):
        return "jsonl"
    return "leaderboard" if "time" in keys else "nemo"


def _is_trn(line: str) -> bool:
    # an id has a digit or a separator; a sentence that ends with a remark in brackets seldom does
    found = trn.LINE.fullmatch(line.strip())
    return found is not None and re.search(r"[\d_-]", found["id"]) is not None


def _is_stm(line: str) -> bool:
    fields = line.split(None, 5)
    return len(fields) >= 5 and None not in (seconds(fields[3]), seconds(fields[4]))


def _is_ctm(line: str) -> bool:
    fields = line.split()
    return len(fields) >= 5 and None not in (seconds(fields[2]), seconds(fields[3]))
