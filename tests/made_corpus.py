"""A small corpus with everything in it that an utterance can have, and readers' rows in short."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.prepare import prepare
from parlure.corpus.readers import read_rows
from parlure.corpus.readers.row import Columns, Rejected, Row


def write_noise(path: Path, seconds: float = 2.0, n_channels: int = 1, rate: int = 8000, seed: int = 1) -> Path:
    """Noise, another in each channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), n_channels))
    soundfile.write(path, samples, rate)
    return path


def rows_of(source: Path, reader: str | None = None, **columns: str) -> tuple[list[Row], list[Rejected]]:
    """What a reader takes and what it does not."""
    found = list(read_rows(str(source), Columns(**columns), reader))
    return [one for one in found if isinstance(one, Row)], [one for one in found if isinstance(one, Rejected)]


def make_corpus(folder: Path) -> Corpus:
    """Four recordings (stereo calls, a mono FLAC, two channels of one sound), six utterances, all splits."""
    write_noise(folder / "call 1.wav", 4.0, n_channels=2)
    write_noise(folder / "interview.flac", 6.0, rate=16000, seed=2)
    mono, rate = soundfile.read(write_noise(folder / "memo.wav", 3.0, rate=44100, seed=3))
    soundfile.write(folder / "memo.wav", mono, rate)
    soundfile.write(folder / "twin.wav", np.stack([mono, mono], axis=1), rate)
    first = {"audio": "call 1.wav", "session": "call 1", "language": "fr", "split": "train"}
    phrases = [[0, 0.5, "that is"], [0.5, 1.25, "the rest"]]
    rows = [
        {**first, "text": "allô\u00a0? oui", "start": 0.1, "end": 1.3, "channel": 0, "speaker": "ann", "id": "u1",
         "tags": ["gender=female", "age=twenties", "noisy"]},
        {**first, "text": "bonjour", "start": 1.5, "end": 2.25, "channel": 1, "speaker": "ann-marie", "id": "a2",
         "tags": ["gender=male"]},
        {**first, "text": "merci", "start": 2.5, "end": 3.9, "channel": 0, "speaker": "ann", "id": "z3"},
        {"audio": "interview.flac", "text": "that is the rest", "start": 1.25, "end": 2.5, "speaker": "bob", "id": "u4",
         "session": "interview", "language": "en", "split": "dev", "segments": phrases, "prompt": "and then?"},
        {"audio": "memo.wav", "text": "good morning", "speaker": "eve", "language": "de", "task": "translate",
         "split": "test", "id": "u5"},
        {"audio": "twin.wav", "text": "nobody knows who", "start": 0.5, "end": 2, "language": "en", "split": "test",
         "id": "u6", "tags": ["text=spoken"]},
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    summary = prepare([folder / "rows.jsonl"], folder / "corpus")
    assert summary.n_used == len(rows)
    return Corpus.load(folder / "corpus")


def again(exported: Path, out: Path, **options: str) -> Corpus:
    """The corpus made of an exported one, of which no row may be lost."""
    summary = prepare([exported], out, **options)  # type: ignore[arg-type]
    assert summary.n_rejected == 0
    return Corpus.load(out)


def gist(utterance: Utterance, *more: str) -> tuple[object, ...]:
    """What every format keeps of an utterance, and what else is asked for."""
    names = ("start", "end", "text", "speaker", "session", "language", "split", *more)
    return tuple(getattr(utterance, name) for name in names)


def write_as_others(folder: Path, recordings: Mapping[Path, str]) -> None:
    """Recordings and their texts as a Kaldi data folder, as a NeMo manifest and as Lhotse's cuts, in one folder."""
    data = folder / "data" / "calls"
    data.mkdir(parents=True)
    ids = {path: f"u{number}" for number, path in enumerate(recordings)}
    (data / "wav.scp").write_text("".join(f"{ids[path]} {path}\n" for path in recordings), encoding="utf-8")
    (data / "text").write_text("".join(f"{ids[path]} {text}\n" for path, text in recordings.items()), encoding="utf-8")
    lines, cuts = [], []
    for path, text in recordings.items():
        info = soundfile.info(path)
        lines.append({"audio_filepath": str(path), "duration": info.duration, "text": text, "lang": "fr"})
        sources = [{"type": "file", "channels": [0], "source": str(path)}]
        sizes = {"sampling_rate": info.samplerate, "num_samples": info.frames, "duration": info.duration}
        span = {"id": ids[path], "start": 0.0, "duration": info.duration, "channel": 0}
        spoken = [{**span, "recording_id": ids[path], "text": text, "language": "French"}]
        whole = {"id": ids[path], "sources": sources, **sizes, "channel_ids": [0]}
        cuts.append({**span, "supervisions": spoken, "recording": whole, "type": "MonoCut"})
    (folder / "calls_manifest.json").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with gzip.open(folder / "cuts.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("".join(json.dumps(cut) + "\n" for cut in cuts))
