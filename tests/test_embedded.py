"""Recordings inside parquet shards → files of the corpus; whatever a row holds, it is used or rejected alone."""

from __future__ import annotations

import datetime
import io
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from replica import mp3, row, write_shard, write_talkbank
from test_huggingface import run

from parlure.corpus import embedded, gather
from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import prepare
from parlure.corpus.readers.row import Rejected


def rejected(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "rejected.jsonl").read_text(encoding="utf-8").splitlines()]


def test_other_settings_read_again(tmp_path: Path) -> None:
    book = embedded.ShardBook(tmp_path, "a", {"version": "1"})
    odd = Rejected("a", 1, {"text": "une ligne\u2028une autre\x85"}, "too_fast", "a sentence")
    book._save(embedded.Extracted("0" * 64, [odd]))
    assert book.load() == embedded.Extracted("0" * 64, [odd])
    assert embedded.ShardBook(tmp_path, "a", {"version": "2"}).load() is None


def test_rows_that_cannot_be_used(tmp_path: Path) -> None:
    sound = mp3(1.0, 300)
    rows = [
        row(0, 9, sound),
        row(1, 9, b""),
        row(2, 9, b"this is text"),
        row(3, 9, sound, transcript=""),
        row(4, 9, sound, transcript=None),
        row(5, 9, sound, audio=None),
        row(6, 9, sound, transcript="x" * 200),
        row(7, 9, sound, audio={"bytes": None, "path": "absent.mp3"}),
    ]
    write_shard(tmp_path / "calls.parquet", rows)
    summary = run(tmp_path / "calls.parquet", tmp_path / "corpus", ratios=(0, 0, 1))
    assert (summary.n_read, summary.n_used, summary.n_rejected) == (8, 1, 7)
    found = rejected(tmp_path / "corpus")
    assert [(one["line"], one["reason"]) for one in found] == [
        (2, "undecodable"),
        (3, "undecodable"),
        (4, "empty_text"),
        (5, "empty_text"),
        (6, "missing_file"),
        (7, "too_fast"),
        (8, "missing_file"),
    ]
    assert found[0]["sentence"] == "the recording of row 2 cannot be decoded as audio"
    assert found[5]["row"]["transcript_filename"] == "4006.cha"
    assert sorted((tmp_path / "corpus/audio").rglob("*")) == [
        Path(Corpus.load(tmp_path / "corpus").utterances[0].recording)
    ]


def write_odd_shard(path: Path) -> None:
    """Dates, decimals, NaN and nested bytes in every row; the second text and the third path are not UTF-8."""

    def text(*values: bytes) -> Any:
        return pa.Array.from_buffers(pa.string(), len(values), pa.array(values, pa.binary()).buffers())

    sounds = pa.array([mp3(0.5, 300)] * 4, pa.binary())
    columns = {
        "audio": pa.StructArray.from_arrays(
            [sounds, text(b"a.mp3", b"b.mp3", b"\xe9.mp3", b"d.mp3")], ["bytes", "path"]
        ),
        "transcript": text(b"oui", b"\xe9t\xe9", b"non", b""),
        "note": text(b"\xe9", b"", b"", b"\xe9"),
        "day": pa.array([datetime.date(2024, 5, 1)] * 4),
        "price": pa.array([Decimal("1.50")] * 4),
        "more": pa.array([{"sound": b"123", "level": float("nan")}] * 4),
        "speaker_id": pa.array(["a", "b", "c", "d"]),
        "transcript_filename": pa.array(["a", "b", "c", "d"]),
    }
    pq.write_table(pa.table(columns), path)


def test_rows_of_any_type_and_encoding(tmp_path: Path) -> None:
    write_odd_shard(tmp_path / "calls.parquet")
    summary = run(tmp_path / "calls.parquet", tmp_path / "corpus", ratios=(0, 0, 1))
    assert summary.n_used == 1
    found = rejected(tmp_path / "corpus")
    assert [(one["line"], one["reason"], one["sentence"].partition("; ")[0]) for one in found] == [
        (2, "bad_encoding", "calls.parquet line 2: text is not proper UTF-8"),
        (3, "bad_encoding", "calls.parquet line 3: audio is not proper UTF-8"),
        (4, "empty_text", "the text is empty"),
    ]
    odd = {"day": "2024-05-01", "price": "1.50", "more": {"sound": "3 bytes", "level": "nan"}, "note": "?"}
    assert odd.items() <= found[2]["row"].items()


def test_an_id_twice(tmp_path: Path) -> None:
    sound = {"bytes": mp3(0.5, 300), "path": None}
    pq.write_table(pa.Table.from_pylist([{"id": "x", "text": "oui", "audio": sound}] * 2), tmp_path / "x.parquet")
    for _ in range(2):
        summary = prepare([tmp_path / "x.parquet"], tmp_path / "c", language="fr", ratios=(0, 0, 1))
        assert summary.rejected_by_reason == {"duplicate_id": 1}
        assert not any("earlier run" in warning for warning in summary.warnings)
        assert [path.name for path in (tmp_path / "c/audio").iterdir()] == ["x-000001.flac"]


def call(duration_s: float = 0.5) -> bytes:
    """A file with a party on each of its two channels."""
    seconds = np.arange(round(duration_s * 16_000)) / 16_000
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * np.outer(seconds, [300, 500])), 16_000, format="WAV")
    return file.getvalue()


def test_a_clip_of_two_parties_goes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(n, 9, mp3(0.5, 300)) for n in range(5)]
    rows[3]["audio"] = {"bytes": call(), "path": "call.wav"}
    for number, some in enumerate((rows[:2], rows[2:4], rows[4:])):
        write_shard(tmp_path / f"talk/data/part-0000{number}-of-00003.parquet", some)
    summary = run(tmp_path / "talk", tmp_path / "corpus", ratios=(0, 0, 1), strict=True)
    assert (summary.n_used, summary.rejected_by_reason) == (4, {"ambiguous_channel": 1})
    assert rejected(tmp_path / "corpus")[0]["sentence"] == (
        "its 2 channels carry different sound: --channels split (the one that speaks), first, or mix "
        "(when the text holds what all of them say)"
    )
    # with --channels, only the shard that asked for it is read again
    opened = []
    read_rows = gather.read_rows
    monkeypatch.setattr(
        gather, "read_rows", lambda path, *rest: opened.append(Path(path).name) or read_rows(path, *rest)
    )
    summary = run(tmp_path / "talk", tmp_path / "corpus", ratios=(0, 0, 1), channels="first")
    assert (summary.n_used, opened) == (5, ["part-00001-of-00003.parquet"])


def test_a_long_clip_is_cut_between_phrases(tmp_path: Path) -> None:
    phrases = [{"start": 0.0, "end": 20.0, "text": "a"}, {"start": 20.0, "end": 40.0, "text": "b"}]
    sound = {"bytes": mp3(40.0, 300), "path": None}
    lines = [{"audio": sound, "text": "a b", "speaker": "marie", "segments": phrases}]
    pq.write_table(pa.Table.from_pylist(lines), tmp_path / "x.parquet")
    prepare([tmp_path / "x.parquet"], tmp_path / "c", language="fr", ratios=(0, 0, 1))
    found = Corpus.load(tmp_path / "c").utterances
    assert [(u.id, u.text) for u in found] == [("x-000001-000000-020000", "a"), ("x-000001-020000-040000", "b")]
    assert len({u.recording for u in found}) == 1


# prepares, and says which shards it opened and how much memory it held at most
WATCHED = """
import json, sys
from pathlib import Path
from parlure import cli
from parlure.corpus import gather
opened, read_rows = [], gather.read_rows
gather.read_rows = lambda path, *rest: opened.append(Path(path).name) or read_rows(path, *rest)
code = cli.run(sys.argv[1:])
peak_kib = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
print(json.dumps({"code": code, "opened": opened, "peak_mib": peak_kib / 1024}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_many_rows_take_little_memory_and_are_read_once(tmp_path: Path) -> None:
    """PARLURE_ROWS=10000 by hand."""
    n_rows = int(os.environ.get("PARLURE_ROWS", "2000"))
    write_talkbank(tmp_path / "talk", n_rows=n_rows, n_shards=8, n_calls=100)
    out = tmp_path / "corpus"
    command = [sys.executable, "-c", WATCHED, "prepare", f"{tmp_path / 'talk'}?config=fr&split=segment", "--out",
               str(out), "--text", "transcript", "--speaker", "speaker_id", "--session", "transcript_filename",
               "--language", "fr"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(out.glob("shards/*.jsonl"))) < 3 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    finished = {path.name.rpartition("-")[0] + ".parquet" for path in out.glob("shards/*.jsonl")}

    result = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert result["code"] == 0
    every = {path.name for path in (tmp_path / "talk/fr").glob("segment-*")}
    assert set(result["opened"]) == every - {name.removeprefix("fr-") for name in finished}
    assert len(result["opened"]) <= 5
    assert len(Corpus.load(out).utterances) == n_rows
    assert result["peak_mib"] < 2048
