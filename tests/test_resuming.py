"""A prepare on all cores, killed or repeated: what one process makes that is left alone, and nothing is heard twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import soundfile
from test_prepare import Fields, rejected, table, tone, write_call, write_tone
from test_processes import wait_until_gone

from parlure.corpus import examining, heard, processes
from parlure.corpus.hearing import Hearer, Request
from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import prepare
from parlure.errors import ParlureError

FILES = ("manifest.jsonl", "rejected.jsonl", "corpus.json", "heard.jsonl")


def pool(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    """So many processes from the first lot on, and small lots."""
    monkeypatch.setattr(processes, "usable_cores", lambda: n)
    monkeypatch.setattr(processes, "PATIENCE_S", 0.0)
    monkeypatch.setattr(examining, "LOT_S", 6.0)
    monkeypatch.setattr(heard, "WORTH_KEEPING_S", 60.0)


@pytest.fixture
def listened(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What is heard in this process from now on."""
    requests: list[Request] = []
    hear = Hearer.hear
    monkeypatch.setattr(Hearer, "hear", lambda self, request: requests.append(request) or hear(self, request))
    monkeypatch.setattr(processes, "usable_cores", lambda: 1)
    return requests


def rows_of_every_kind(folder: Path) -> list[Fields]:
    """Some sixty rows of ten people: whole recordings, spans, channels, and all that can be wrong with them."""
    rows: list[Fields] = []
    for n in range(10):
        soundfile.write(folder / f"p{n}.wav", tone(12.0, 1_000, 100.0 + n), 1_000)
        who = {"audio": f"p{n}.wav", "speaker": f"person {n}"}
        rows += [{**who, "text": f"été {k}", "start": k, "end": k + 1.5} for k in range(4)]
        rows.append({**who, "text": "trop loin", "start": 11, "end": 13})
    write_call(folder / "call.wav", "0011")
    for start, channel in ((0, 0), (2, 1), (1, "")):
        rows.append({"audio": "call.wav", "text": "oui", "start": start, "end": start + 2, "channel": channel,
                     "speaker": "anne"})  # fmt: skip
    (folder / "broken.wav").write_bytes(b"RIFF, but no more")
    write_tone(folder / "long.wav", 40.0, rate=1_000)
    phrases = json.dumps([[0, 15, "un"], [15, 35, "deux"]])
    return [
        *rows,
        {"audio": "long.wav", "text": "un deux", "speaker": "luc", "segments": phrases},
        {"audio": "long.wav", "text": "trop long", "speaker": "luc"},
        {"audio": "broken.wav", "text": "non", "speaker": "luc"},
        {"audio": "nowhere.wav", "text": "non", "speaker": "luc"},
        {"audio": "p0.wav", "text": "...", "speaker": "luc"},
        {"audio": "p0.wav", "text": "a", "speaker": "luc", "start": "soon"},
        {"audio": "p0.wav", "text": "vite " * 100, "speaker": "luc", "start": 0, "end": 2},
        {"audio": "p1.wav", "text": "a", "speaker": "luc", "start": 0, "end": 2, "channel": 3},
    ]


def contents(folder: Path) -> dict[str, Any]:
    """All that a corpus holds, but for having been left not whole."""
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in FILES}
    info = json.loads(texts.pop("corpus.json"))
    info["warnings"] = [warning for warning in info["warnings"] if "has been made whole now" not in warning]
    return {**texts, "info": info, "files": sorted(path.name for path in folder.iterdir())}


def test_as_many_processes_as_there_are_cores_make_the_same_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = table(tmp_path, *rows_of_every_kind(tmp_path))
    seen: dict[int, list[tuple[int, int]]] = {1: [], 2: []}
    for n, told in seen.items():
        pool(monkeypatch, n)
        prepare([source], tmp_path / f"c{n}", language="fr", progress=lambda *at, told=told: told.append(at))
    assert contents(tmp_path / "c1") == contents(tmp_path / "c2")
    reasons = Counter(reason for reason, _ in rejected(tmp_path / "c2"))
    assert reasons == {
        "bad_span": 10, "too_long": 1, "undecodable": 1, "missing_file": 1, "empty_text": 1, "malformed_row": 1,
        "too_fast": 1, "bad_channel": 1, "ambiguous_channel": 1,
    }  # fmt: skip
    assert seen[1] == seen[2] == [(n, 61) for n in range(1, 62)]


def test_the_first_error_in_the_table_is_the_one_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of_every_kind(tmp_path)
    rows = [{**row, "language": "fr"} for row in rows]
    rows[50:50] = [{"audio": "call.wav", "text": "a", "speaker": "", "language": "fr"}]
    rows[55:55] = [{"audio": "p0.wav", "text": "a", "speaker": "x", "language": ""}]
    for n in (1, 2):
        pool(monkeypatch, n)
        with pytest.raises(ParlureError) as caught:
            prepare([table(tmp_path, *rows)], tmp_path / "c")
        assert "channels of" in caught.value.message
        assert caught.value.message.endswith("calls.csv line 52 does not say which is transcribed")
    del rows[50]
    for n in (1, 2):
        pool(monkeypatch, n)
        with pytest.raises(ParlureError, match=r"calls\.csv line 56 does not say its language"):
            prepare([table(tmp_path, *rows)], tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_ctrl_c_ends_all_processes_and_keeps_what_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listened: list[Request]
) -> None:
    source = table(tmp_path, *rows_of_every_kind(tmp_path))
    pool(monkeypatch, 2)
    monkeypatch.setattr(heard, "WORTH_KEEPING_S", 0.0)
    pids: list[int] = []

    def interrupted(done: int, total: int) -> None:
        pids.extend(child.pid for child in multiprocessing.active_children() if child.pid)
        if done == 45:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([source], tmp_path / "c", language="fr", progress=interrupted)
    wait_until_gone(list(set(pids)))
    assert pids
    with pytest.raises(ParlureError, match="is not whole"):
        Corpus.load(tmp_path / "c")
    n_kept = len((tmp_path / "c/heard.jsonl").read_text().splitlines())
    monkeypatch.setattr(processes, "usable_cores", lambda: 1)
    listened.clear()
    prepare([source], tmp_path / "c", language="fr")
    assert n_kept >= 45 and len(listened) == 59 - n_kept  # two rows are rejected unheard


# prepares as a person would, on a slow disk, and keeps at once what was heard
SLOW = """
import sys, time
from parlure import cli
from parlure.corpus import examining, heard
from parlure.corpus.hearing import Hearer
hear = Hearer.hear
Hearer.hear = lambda self, request: time.sleep(0.02) or hear(self, request)
heard.WORTH_KEEPING_S, examining.LOT_S = 0.0, 3.0
sys.exit(cli.run(sys.argv[1:]))
"""


def test_a_killed_prepare_goes_on(tmp_path: Path, listened: list[Request]) -> None:
    source, out = table(tmp_path, *rows_of_every_kind(tmp_path)), tmp_path / "c"
    prepare([source], tmp_path / "whole", language="fr")
    n_heard = len(listened)
    listened.clear()
    command = [sys.executable, "-c", SLOW, "prepare", str(source), "--out", str(out), "--language", "fr"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (out / "heard.jsonl").exists() or (out / "heard.jsonl").read_bytes().count(b"\n") < 10:
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    with (out / "heard.jsonl").open("ab") as file:
        file.write(b'["0123456789abcdef", 12.0, 1')  # a line that was cut off
    n_kept = (out / "heard.jsonl").read_bytes().count(b"\n")
    prepare([source], out, language="fr")
    assert 10 <= n_kept < n_heard and len(listened) == n_heard - n_kept
    assert contents(out) == contents(tmp_path / "whole")
    # and the same once more: the disk is asked for what is not there, and for nothing else
    listened.clear()
    prepare([source], out, language="fr")
    assert [Path(request.recording).name for request in listened] == ["nowhere.wav"]
    assert contents(out) == contents(tmp_path / "whole")


def test_what_is_heard_anew(tmp_path: Path, listened: list[Request]) -> None:
    rows, out = rows_of_every_kind(tmp_path), tmp_path / "c"

    def again(*, language: str = "fr", **options: Any) -> list[str]:
        listened.clear()
        prepare([table(tmp_path, *rows)], out, language=language, **options)
        return sorted({Path(request.recording).name for request in listened} - {"nowhere.wav"})

    again()
    # texts, names, order, language and split say nothing of the sound
    rows.reverse()
    rows[:] = [{**row, "text": row["text"].upper(), "speaker": f"{row['speaker']} b"} for row in rows]
    assert again(language="en", seed=2) == []
    os.utime(tmp_path / "p3.wav", ns=(1, 1))
    assert again() == ["p3.wav"]
    write_tone(tmp_path / "p4.wav", 12.5, rate=1_000)
    assert again() == ["p4.wav"]
    rows[-1] = {**rows[-1], "end": 1.25}
    assert again() == ["p0.wav"]
    assert again(channels="mix") != [] and again(channels="mix") == []
    # of what nothing asks for any more, nothing is kept
    n_lines = len((out / "heard.jsonl").read_text().splitlines())
    del rows[30:]
    again(channels="mix")
    assert 0 < len((out / "heard.jsonl").read_text().splitlines()) < n_lines


def test_a_mistake_leaves_a_whole_corpus_and_what_was_heard_for_it(tmp_path: Path, listened: list[Request]) -> None:
    rows, out = rows_of_every_kind(tmp_path), tmp_path / "c"
    prepare([table(tmp_path, *rows)], out, language="fr")
    before = contents(out)
    with pytest.raises(ParlureError, match="does not say its language"):
        prepare([table(tmp_path, *rows[:5])], out)
    assert contents(out) == before


def test_shards_are_read_on_all_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from replica import write_talkbank

    write_talkbank(tmp_path / "talk", n_rows=60, n_shards=2, n_calls=12)
    made = []
    for n in (1, 2):
        pool(monkeypatch, n)
        out = tmp_path / f"c{n}"
        prepare([f"{tmp_path / 'talk'}?config=fr&split=segment"], out, text="transcript", speaker="speaker_id",
                session="transcript_filename", language="fr", ratios=(0.6, 0.2, 0.2))  # fmt: skip
        files = sorted(path for path in out.rglob("*") if path.is_file())
        made.append({path.relative_to(out): path.read_bytes() for path in files})
    assert made[0] == made[1] and len(made[0]) > 60
