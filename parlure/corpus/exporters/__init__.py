"""Corpus → another tool's files: one file per format, one row in EXPORTERS.

An exporter takes a whole corpus and a folder that it may fill, and writes what that format's own tools read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from parlure.corpus.exporters.audiofolder import export_audiofolder
from parlure.corpus.exporters.parquet import export_parquet
from parlure.corpus.manifest import Corpus

Exporter = Callable[[Corpus, Path], None]

EXPORTERS: dict[str, Exporter] = {
    "audiofolder": export_audiofolder,
    "parquet": export_parquet,
}
