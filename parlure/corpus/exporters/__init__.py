"""Corpus → another tool's files: one file per format, one row in EXPORTERS.

An exporter takes a whole corpus and a folder that it may fill, and writes what that format's own tools read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from parlure.corpus.exporters.audiofolder import export_audiofolder
from parlure.corpus.exporters.elan import export_elan
from parlure.corpus.exporters.kaldi import export_kaldi
from parlure.corpus.exporters.lhotse import export_lhotse
from parlure.corpus.exporters.nemo import export_nemo
from parlure.corpus.exporters.parquet import export_parquet
from parlure.corpus.exporters.table import export_csv, export_jsonl
from parlure.corpus.exporters.textgrid import export_textgrid
from parlure.corpus.manifest import Corpus

Exporter = Callable[[Corpus, Path], None]

EXPORTERS: dict[str, Exporter] = {
    "csv": export_csv,
    "jsonl": export_jsonl,
    "textgrid": export_textgrid,
    "elan": export_elan,
    "kaldi": export_kaldi,
    "nemo": export_nemo,
    "lhotse": export_lhotse,
    "audiofolder": export_audiofolder,
    "parquet": export_parquet,
}
