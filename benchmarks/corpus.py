"""Rows that point into a few long recordings: how fast `prepare` makes a corpus of them, and others read them.

    python benchmarks/corpus.py             # 10,000 rows, some 40 s of CPU
    python benchmarks/corpus.py --quick     # 500 rows
    python benchmarks/corpus.py --rows 100000

The recordings are noise, mono at 16 kHz, 16-bit WAV; rows are drawn from a fixed seed: 3.3 s on average, each with 12
characters a second of text. Everything reads the same rows from a file of its own format and decodes each row's span
once:

- parlure: `prepare`, which also looks at every sample, checks text against time, gives ids, divides into train, dev
  and test and writes the corpus. Once from JSON Lines, once more the same ("again": nothing has to be heard), and once
  from Lhotse's cuts. Then `check` of the corpus: of its metadata, and of its sound.
- datasets: `load_dataset("json")` into an empty cache, then each row's span by soundfile: its own audio column decodes
  whole files, and a row here is a part of one.
- lhotse: cuts, `load_audio` of each.

parlure uses the cores that it may use, the others one: `taskset -c 0 python benchmarks/corpus.py` leaves it one too.
"rows alone" leaves out the sound: parlure's reader, `load_dataset` and iterating over it, iterating over the cuts.
CPU seconds, child processes included, are compared, as other work on the machine does not change them much. A peer that
is not installed is left out: `pip install datasets lhotse`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import platform
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from parlure.corpus.check.check import check
from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import prepare
from parlure.corpus.readers import read_rows
from parlure.corpus.readers.row import Columns, Row
from parlure.speech.audio import SAMPLE_RATE

N_RECORDINGS = 4
RECORDING_S = 300.0
CHARS_PER_S = 12.0
PEERS = {name: find_spec(name) is not None for name in ("datasets", "lhotse")}

Json = Mapping[str, Any]


def write_recordings(folder: Path) -> list[Path]:
    """Noise, five minutes each."""
    paths = [folder / f"recording-{number}.wav" for number in range(N_RECORDINGS)]
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(-3000, 3000, round(RECORDING_S * SAMPLE_RATE), dtype=np.int16)
        soundfile.write(path, noise, SAMPLE_RATE)
    return paths


def draw_rows(recordings: list[Path], n: int, seed: int = 1) -> list[Json]:
    """Rows under parlure's names, no two of one span; the same for the same seed."""
    rng = random.Random(seed)
    rows = {}
    while len(rows) < n:
        duration = min(25.0, max(0.5, rng.lognormvariate(0.9, 0.75)))
        start = round(rng.uniform(0, RECORDING_S - duration), 3)
        number = rng.randrange(len(recordings))
        speaker = f"speaker-{number}-{rng.randrange(50)}"
        row = {
            "audio": str(recordings[number]), "text": ("parole " * 50)[: round(duration * CHARS_PER_S)].strip(),
            "start": start, "end": round(start + duration, 3), "speaker": speaker, "session": speaker, "language": "fr",
        }  # fmt: skip
        rows[number, row["start"], row["end"]] = row
    return list(rows.values())


def as_cut(number: int, row: Json) -> Json:
    """The row as Lhotse writes it."""
    name, duration = Path(row["audio"]).stem, round(row["end"] - row["start"], 3)
    spoken = {
        "id": f"u{number}", "recording_id": name, "start": 0.0, "duration": duration, "channel": 0, "text": row["text"],
        "language": "fr", "speaker": row["speaker"], "custom": {"session": row["session"]},
    }  # fmt: skip
    recording = {
        "id": name, "sources": [{"type": "file", "channels": [0], "source": row["audio"]}],
        "sampling_rate": SAMPLE_RATE, "num_samples": round(RECORDING_S * SAMPLE_RATE), "duration": RECORDING_S,
        "channel_ids": [0],
    }  # fmt: skip
    return {
        "id": f"u{number}", "start": row["start"], "duration": duration, "channel": 0, "supervisions": [spoken],
        "recording": recording, "type": "MonoCut",
    }  # fmt: skip


def write_lines(path: Path, rows: Iterable[Json]) -> Path:
    """JSON Lines, gzipped where the name says so."""
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def parlure_prepares(source: Path, out: Path) -> int:
    """How many rows became utterances: all."""
    return prepare([source], out).n_used


def parlure_checks(corpus: Path, *, sound: bool) -> int:
    """How many utterances were checked: all."""
    check(corpus, audio=sound)
    return len(Corpus.load(corpus).utterances)


def parlure_reads(source: Path) -> int:
    """How many rows there are."""
    return sum(isinstance(row, Row) for row in read_rows(str(source), Columns()))


def datasets_reads(source: Path, cache: Path, *, sound: bool) -> int:
    """How many rows were read, with their spans or without."""
    import datasets

    datasets.disable_progress_bars()
    found = 0
    for row in datasets.load_dataset("json", data_files=str(source), cache_dir=str(cache), split="train"):
        if sound:
            first, last = (round(row[name] * SAMPLE_RATE) for name in ("start", "end"))
            samples, _ = soundfile.read(row["audio"], start=first, stop=last, dtype="float32")
            assert len(samples) == last - first
        found += 1
    return found


def lhotse_reads(cuts: Path, *, sound: bool) -> int:
    """How many cuts were read, with their sound or without."""
    from lhotse import CutSet

    found = 0
    for cut in CutSet.from_file(cuts):
        if sound:
            assert cut.load_audio().shape[1] == round(cut.duration * SAMPLE_RATE)
        found += 1
    return found


def cpu_seconds(work: Callable[[], int], n_rows: int) -> tuple[float, float]:
    """Seconds of CPU and by the clock; the work has to find every row."""

    def used() -> float:
        who = (resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in who)

    before, clock = used(), time.perf_counter()
    found = work()
    while multiprocessing.active_children():  # what a process used is known when it has ended
        time.sleep(0.01)
    assert found == n_rows, f"{found} of {n_rows} rows"
    return used() - before, time.perf_counter() - clock


def ways(folder: Path, manifest: Path, cuts: Path) -> dict[str, Callable[[], int]]:
    """What is measured, by its name."""
    found: dict[str, Callable[[], int]] = {
        "parlure, jsonl": lambda: parlure_prepares(manifest, folder / "corpus"),
        "parlure, jsonl again": lambda: parlure_prepares(manifest, folder / "corpus"),
        "parlure, lhotse's cuts": lambda: parlure_prepares(cuts, folder / "corpus-of-cuts"),
        "parlure, check alone": lambda: parlure_checks(folder / "corpus", sound=False),
        "parlure, check": lambda: parlure_checks(folder / "corpus", sound=True),
        "parlure, rows alone": lambda: parlure_reads(manifest),
        "parlure, cuts alone": lambda: parlure_reads(cuts),
    }
    if PEERS["datasets"]:
        found["datasets, jsonl"] = lambda: datasets_reads(manifest, folder / "cache", sound=True)
        found["datasets, rows alone"] = lambda: datasets_reads(manifest, folder / "another", sound=False)
    if PEERS["lhotse"]:
        found["lhotse, cuts"] = lambda: lhotse_reads(cuts, sound=True)
        found["lhotse, cuts alone"] = lambda: lhotse_reads(cuts, sound=False)
    return found


# what each peer's way is compared with
COMPARED = {
    "datasets, jsonl": ("parlure, jsonl", "parlure, check"),
    "datasets, rows alone": ("parlure, rows alone",),
    "lhotse, cuts": ("parlure, lhotse's cuts", "parlure, check"),
    "lhotse, cuts alone": ("parlure, cuts alone",),
}


def main() -> None:
    """Draw, write, measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="500 rows: does it run?")
    arguments = parser.parse_args()
    n_rows = 500 if arguments.quick else arguments.rows
    packages = ["parlure", "soundfile", *(name for name, there in PEERS.items() if there)]
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; {', '.join(f'{name} {version(name)}' for name in packages)}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = draw_rows(write_recordings(folder), n_rows)
        hours = sum(row["end"] - row["start"] for row in rows) / 3600
        print(f"{n_rows:,} rows, {hours:.2f} h in {N_RECORDINGS} recordings of {RECORDING_S / 60:.0f} min", flush=True)
        manifest = write_lines(folder / "rows.jsonl", rows)
        cuts = write_lines(folder / "rows.jsonl.gz", (as_cut(number, row) for number, row in enumerate(rows)))
        for peer in [name for name, there in PEERS.items() if there]:
            __import__(peer)  # what importing costs is not what is measured
        cpu: dict[str, float] = {}
        for way, work in ways(folder, manifest, cuts).items():
            cpu[way], clock = cpu_seconds(work, n_rows)
            heard = "" if "alone" in way or "again" in way else f"{hours / cpu[way]:8.3f} h of audio/s"
            taken = f"{cpu[way]:8.2f} s of CPU, {clock:8.2f} s by the clock"
            print(f"{way:24}{taken}, {n_rows / cpu[way]:9,.0f} rows/s{heard}", flush=True)
    for way, ours in COMPARED.items():
        for mine in ours if way in cpu else ():
            print(f"{way}: {cpu[way] / cpu[mine]:.2f} times the CPU time of {mine}")
    for peer in [name for name, there in PEERS.items() if not there]:
        print(f"{peer} is not installed and was left out")


if __name__ == "__main__":
    main()
