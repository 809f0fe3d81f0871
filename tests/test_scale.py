"""What a million rows may cost each: bytes in memory, measured on some."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_prepare import write_tone

from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import prepare
from parlure.corpus.readers.table import _lines

N_ROWS = 1_500
MAX_BYTES_PREPARING = 1_500  # a million rows within 2 GiB, with what Python and its libraries take
MAX_BYTES_LOADED = 700


@pytest.fixture(scope="module", params=["csv", "jsonl"])
def table(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("scale")
    for n in range(10):
        write_tone(folder / f"r{n}.wav", 60.0, rate=1_000)
    path = folder / f"rows.{request.param}"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        if request.param == "csv":
            writer.writerow(["audio", "text", "speaker", "start", "end"])
        for n in range(N_ROWS):
            start, end = round(n // 10 * 0.3, 3), round(n // 10 * 0.3 + 1.2, 3)
            row = {"audio": f"r{n % 10}.wav", "text": f"bonjour ceci est la phrase numéro {n}",
                   "speaker": f"person {n % 10}", "start": start, "end": end}  # fmt: skip
            if request.param == "csv":
                writer.writerow(row.values())
            else:
                file.write(json.dumps(row) + "\n")
    return path


def test_bytes_a_row(table: Path) -> None:
    out = table.parent / "corpus"
    prepare([table], out, language="fr")  # what is imported and remembered once does not count
    tracemalloc.start()
    try:
        summary = prepare([table], out, language="fr")
        _, peak = tracemalloc.get_traced_memory()
        assert summary.n_used == N_ROWS
        assert peak / N_ROWS < MAX_BYTES_PREPARING
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        corpus = Corpus.load(out)
        after, _ = tracemalloc.get_traced_memory()
        assert (after - before) / len(corpus.utterances) < MAX_BYTES_LOADED
    finally:
        tracemalloc.stop()
    assert len({id(utterance.recording) for utterance in corpus.utterances}) == 10
    assert len({id(utterance.speaker) for utterance in corpus.utterances}) == 10


@given(st.text(alphabet='ab,"\r\n\x0b\x85\u2028é'))
def test_lines_are_those_of_a_file(text: str) -> None:
    assert list(_lines(text)) == list(io.StringIO(text, newline=""))
