"""Source → rows: one file per format, one row in READERS.

A reader takes the source and the person's column names and yields :class:`Row` or :class:`Rejected`; it raises
only what no row can say (a missing column, a table that is not UTF-8).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path

from parlure.corpus.readers.audiofolder import is_audiofolder, read_audiofolder
from parlure.corpus.readers.chat.reader import SUFFIX as CHAT_SUFFIX
from parlure.corpus.readers.chat.reader import holds_chat, read_chat
from parlure.corpus.readers.commonvoice import is_commonvoice, is_commonvoice_table, read_commonvoice
from parlure.corpus.readers.elan import read_elan
from parlure.corpus.readers.folder import read_folder
from parlure.corpus.readers.huggingface import read_huggingface
from parlure.corpus.readers.kaldi import holds_kaldi, read_kaldi
from parlure.corpus.readers.lhotse import holds_lhotse, read_lhotse
from parlure.corpus.readers.librispeech import is_librispeech, read_librispeech
from parlure.corpus.readers.nemo import holds_nemo, read_nemo
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.srt import read_srt
from parlure.corpus.readers.table import read_csv, read_jsonl, read_tsv
from parlure.corpus.readers.textgrid import read_textgrid
from parlure.corpus.readers.timed import having
from parlure.corpus.readers.vtt import read_vtt
from parlure.corpus.readers.whisper import read_whisper, recognises_whisper
from parlure.errors import ParlureError

SCHEME = "hf://"
Reader = Callable[[str, Columns], Iterator[Row | Rejected]]

READERS: dict[str, Reader] = {
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": read_jsonl,
    "folder": read_folder,
    "huggingface": read_huggingface,
    "chat": read_chat,
    "srt": read_srt,
    "vtt": read_vtt,
    "textgrid": read_textgrid,
    "elan": read_elan,
    "whisper": read_whisper,
    "kaldi": read_kaldi,
    "nemo": read_nemo,
    "lhotse": read_lhotse,
    "commonvoice": read_commonvoice,
    "librispeech": read_librispeech,
    "audiofolder": read_audiofolder,
}
# what a folder holds; the first that recognises it reads it, else it is a folder of recordings with .txt beside them
_BY_CONTENT: dict[str, Callable[[Path], bool]] = {
    "commonvoice": is_commonvoice,
    "librispeech": is_librispeech,
    "audiofolder": is_audiofolder,
    "huggingface": lambda folder: next(folder.rglob("*.parquet"), None) is not None,
    "kaldi": holds_kaldi,
    "nemo": holds_nemo,
    "lhotse": holds_lhotse,
    # what people correct by hand stands before what a program leaves beside it
    "chat": holds_chat,
    "elan": lambda folder: any(having(folder, ".eaf")),
    "textgrid": lambda folder: any(having(folder, ".textgrid")),
    "srt": lambda folder: any(having(folder, ".srt")),
    "vtt": lambda folder: any(having(folder, ".vtt")),
    "whisper": recognises_whisper,
}
# what the first line of a file shows, whatever its suffix
_BY_FIRST_LINE: dict[str, Callable[[Path], bool]] = {
    "nemo": holds_nemo,
    "lhotse": holds_lhotse,
    "commonvoice": is_commonvoice_table,
}
_SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
_OF_DATASETS = ("dataset_dict.json", "state.json")  # what Dataset.save_to_disk leaves in its folder
_BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "huggingface",
    CHAT_SUFFIX: "chat",
    ".srt": "srt",
    ".vtt": "vtt",
    ".textgrid": "textgrid",
    ".eaf": "elan",
    ".json": "whisper",
}


def guess_reader(source: str) -> str:
    """The name of the reader for a source: by its suffix or what it holds.

    Raises:
        ParlureError: there is no such source, or its suffix says nothing.
    """
    path = Path(source)
    if source.startswith(SCHEME):
        return "huggingface"
    if "?" in source and not path.exists():  # FOLDER?config=fr&split=segment
        path = Path(source.partition("?")[0])
    if path.is_dir():
        if any((path / name).is_file() for name in _OF_DATASETS):
            raise ParlureError(
                f"{source} was written by save_to_disk of datasets, in a format for its own cache",
                "write each split as parquet, dataset['train'].to_parquet('DIR/train.parquet'), and prepare DIR",
            )
        return next((name for name, recognises in _BY_CONTENT.items() if recognises(path)), "folder")
    known = f"known are {', '.join(READERS)}"
    if "://" in source:
        raise ParlureError(f"{source} is not a file or folder", f"download it first; {known}")
    if not path.exists():
        raise ParlureError(f"there is no source {source}", "check the path")
    for name, recognises in _BY_FIRST_LINE.items():
        if recognises(path):
            return name
    if path.suffix.lower() in _SPREADSHEETS:
        raise ParlureError(f"{source} is a spreadsheet", "save the sheet as CSV UTF-8, and prepare that file")
    if path.suffix.lower() not in _BY_SUFFIX:
        raise ParlureError(f"{source}: its suffix does not say what it is", f"--reader NAME; {known}")
    return _BY_SUFFIX[path.suffix.lower()]


def read_rows(source: str, columns: Columns, reader: str | None = None) -> Iterator[Row | Rejected]:
    """The rows of a source, by a named reader or by the one that its name suggests.

    Raises:
        ParlureError: no such reader or source, or what the reader raises.
    """
    name = guess_reader(source) if reader is None else reader
    if name not in READERS:
        close = difflib.get_close_matches(name, READERS, n=1)
        hint = f"did you mean {close[0]}" if close else f"known are {', '.join(READERS)}"
        raise ParlureError(f"there is no reader {name}", hint)
    if columns.marks and name != "chat":
        raise ParlureError(
            f"{source} is read as {name}, which has no marks", "leave out --marks: it is for CHAT (.cha)"
        )
    return READERS[name](source, columns)
