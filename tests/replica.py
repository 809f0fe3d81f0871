"""Replicas to test against: a data set in the layout of diabolocom/talkbank_4_stt, and a Hub that serves one."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

CARD = """---
license: cc-by-nc-sa-3.0
configs:
- config_name: en
  data_files:
  - split: segment
    path: en/segment-*
- config_name: fr
  data_files:
  - split: segment
    path: fr/segment-*
  - split: switch
    path: fr/switch-*
---
# A replica
"""
_SCHEMA = pa.schema(
    [
        ("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        *((name, pa.string()) for name in ("transcript", "language_code", "subset", "full_language")),
        *((name, pa.int64()) for name in ("switch_id", "segment_id")),
        ("transcript_filename", pa.string()),
        *((name, pa.float64()) for name in ("audio_len_sec", "orig_file_start", "orig_file_end")),
        ("channel", pa.int64()),
        ("speaker_id", pa.string()),
    ]
)


def mp3(duration_s: float, hz: float) -> bytes:
    """A tone as a 16 kHz mp3 file."""
    seconds = np.arange(round(duration_s * 16_000)) / 16_000
    file = io.BytesIO()
    soundfile.write(file, (0.3 * np.sin(2 * np.pi * hz * seconds)).astype(np.float32), 16_000, format="MP3")
    return file.getvalue()


def row(number: int, n_calls: int, sound: bytes, **others: Any) -> dict[str, Any]:
    """A row of call ``number % n_calls``, whose two parties are called A and B in every call, as in CHAT files."""
    call, turn = number % n_calls, number // n_calls
    fields = {
        "audio": {"bytes": sound, "path": f"segment_{number}.mp3"},
        "transcript": f"phrase numéro {number} .",
        "language_code": "fr",
        "subset": "ca",
        "full_language": "call_friend",
        "switch_id": turn,
        "segment_id": number,
        "transcript_filename": f"{4_000 + call}.cha",
        "audio_len_sec": 0.6,
        "orig_file_start": 2.0 * turn,
        "orig_file_end": 2.0 * turn + 0.6,
        "channel": turn % 2,
        "speaker_id": "AB"[turn % 2],
    }
    return fields | others


def write_shard(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=_SCHEMA), path, row_group_size=100)


def write_talkbank(folder: Path, n_rows: int = 40, n_shards: int = 2, n_calls: int = 10) -> Path:
    """``fr`` in two splits and ``en`` in one; the rows of ``fr``/``segment`` lie in ``n_shards`` files."""
    sounds = [mp3(0.5 + 0.1 * i, 200.0 + 50 * i) for i in range(8)]
    rows = [row(number, n_calls, sounds[number % 8]) for number in range(n_rows)]
    size = -(-n_rows // n_shards)
    for shard in range(n_shards):
        path = folder / f"fr/segment-{shard:05d}-of-{n_shards:05d}.parquet"
        write_shard(path, rows[shard * size : (shard + 1) * size])
    write_shard(folder / "fr/switch-00000-of-00001.parquet", rows[:4])
    write_shard(folder / "en/segment-00000-of-00001.parquet", rows[:4])
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    return folder


def write_trees(folder: Path, sound: Any) -> None:
    """A release of Common Voice, a LibriSpeech and an audiofolder ``clips``, with two speakers in every split."""
    voice, libri = folder / "cv-corpus-22.0-2025-06-20/fr", folder / "LibriSpeech"
    lines = {split: ["client_id\tpath\tsentence\tlocale\tage"] for split in ("train", "dev", "test", "validated")}
    for number, split in enumerate(("train", "dev", "test") * 2):
        clip = f"common_voice_fr_{number}.flac"
        write_sound(voice / "clips" / clip, sound)
        for name in (split, "validated"):
            lines[name].append(f"{number:0128x}\t{clip}\tphrase {number}\tfr\ttwenties")
        chapter = libri / f"{split}-clean/{number}/7"
        write_sound(chapter / f"{number}-7-0000.flac", sound)
        (chapter / f"{number}-7.trans.txt").write_text(f"{number}-7-0000 SOME WORDS\n", encoding="utf-8")
        write_sound(folder / "clips" / split / f"{number}.flac", sound)
        with (folder / "clips" / split / "metadata.jsonl").open("a", encoding="utf-8") as file:
            row = {
                "file_name": f"{number}.flac",
                "text": f"phrase {number}",
                "speaker_id": number,
                "region": "Gaspésie",
            }
            file.write(json.dumps(row) + "\n")
    for name, rows in lines.items():
        (voice / f"{name}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_sound(path: Path, sound: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, 16_000)


@contextmanager
def hub(
    folder: Path, name: str = "owner/talk", revision: str = "0123456789abcdef0123456789abcdef01234567"
) -> Iterator[str]:
    """The parts of the Hub's HTTP interface that a data set's download needs; yields its address."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    import yaml

    card = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])

    def siblings() -> list[dict[str, Any]]:
        return [
            {
                "rfilename": file,
                "size": path.stat().st_size,
                "blobId": "b" * 40,
                "lfs": {"sha256": _sha256(path), "size": path.stat().st_size, "pointerSize": 130},
            }
            for file, path in files.items()
        ]

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            place = self.path.split("?")[0]
            if place.startswith("/api/datasets/"):
                wanted, _, branch = place.removeprefix("/api/datasets/").partition("/revision/")
                if wanted == "owner/gated":
                    return self._refuse(403, "GatedRepo")
                if wanted != name:
                    return self._refuse(401 if wanted == "owner/private" else 404, "RepoNotFound")
                if branch not in ("", "main", revision):
                    return self._refuse(404, "RevisionNotFound")
                answer = {"id": name, "sha": revision, "siblings": siblings(), "cardData": card, "tags": []}
                return self._send(json.dumps(answer).encode(), {"Content-Type": "application/json"}, body)
            file = files.get(place.removeprefix(f"/datasets/{name}/resolve/{revision}/"))
            if file is None:
                return self._refuse(404, "EntryNotFound")
            self._send(file.read_bytes(), {"ETag": f'"{_sha256(file)}"', "X-Repo-Commit": revision}, body)

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, content: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(200)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
