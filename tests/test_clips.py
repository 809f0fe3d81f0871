"""Corpus → audiofolder and parquet: read back equal, heard exactly, and loaded by ``datasets`` where it is there."""

from __future__ import annotations

import io
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from parlure.corpus.exporters import EXPORTERS
from parlure.corpus.exporters import parquet as parquet_exporter
from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.prepare import prepare
from parlure.corpus.readers import guess_reader
from parlure.speech.audio import AudioError, read_audio

CLIPS = ["audiofolder", "parquet"]
KEPT = ("id", "text", "language", "task", "speaker", "session", "split", "segments", "prompt", "tags")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Nine spans of three recordings of 8, 16 and 44.1 kHz, one with two channels; not every column in every split."""
    folder = tmp_path_factory.mktemp("clips")
    rows: list[dict[str, Any]] = []
    for number, rate in enumerate((8_000, 16_000, 44_100)):
        sound = np.random.default_rng(number).normal(0, 0.1, (4 * rate, 1 + number % 2))
        soundfile.write(folder / f"r{number}.wav", sound, rate)
        for turn in range(3):
            row = {
                "audio": f"r{number}.wav",
                "text": f"phrase {turn} « é »\u2028",
                "start": turn + 0.1,
                "end": turn + 1.0,
            }
            row |= {
                "speaker": f"{number}",
                "split": ("train", "dev", "test")[number],
                "channel": number % 2,
                "id": f"{number}{turn}",
            }
            rows.append(row)
    rows[0] |= {"segments": [[0, 0.4, "phrase"], [0.4, 0.8, "0", "bob"]], "session": "call 1", "task": "translate"}
    rows[1] |= {"prompt": "avant", "tags": ["music", "age=20"]}
    rows[2] |= {"text": "...", "session": "call 1", "language": "en"}
    (folder / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    prepare([folder / "calls.jsonl"], folder / "corpus", language="fr", empty_text="no-speech")
    return Corpus.load(folder / "corpus")


def kept(corpus: Corpus) -> dict[str, tuple[Any, ...]]:
    return {one.id: tuple(getattr(one, name) for name in KEPT) for one in corpus.utterances}


def heard(one: Utterance) -> np.ndarray:
    return read_audio(one.recording, one.start, one.end, one.channel)


@pytest.mark.parametrize("name", CLIPS)
def test_it_is_read_back_equal(corpus: Corpus, tmp_path: Path, name: str) -> None:
    EXPORTERS[name](corpus, tmp_path / "out")
    assert guess_reader(str(tmp_path / "out")) == {"parquet": "huggingface"}.get(name, name)
    summary = prepare([tmp_path / "out"], tmp_path / "back", empty_text="no-speech")
    assert (summary.n_read, summary.n_used) == (9, 9)
    back = Corpus.load(tmp_path / "back")
    assert kept(back) == kept(corpus)
    ours = {one.id: heard(one) for one in corpus.utterances}
    for one in back.utterances:
        assert np.abs(heard(one) - ours[one.id]).max() <= 1 / 32768  # 16 bits, and not resampled again


@pytest.mark.parametrize("name", CLIPS)
def test_sound_of_16_khz_is_kept_to_the_bit(corpus: Corpus, tmp_path: Path, name: str) -> None:
    EXPORTERS[name](corpus, tmp_path)
    if name == "parquet":
        table = pq.read_table(tmp_path / "data/validation-00000-of-00001.parquet")
        file: Any = io.BytesIO(table["audio"][0].as_py()["bytes"])
    else:
        file = tmp_path / "validation/10.flac"
    samples, rate = soundfile.read(file, dtype="int16")
    one = next(one for one in corpus.utterances if one.id == "10")
    original, _ = soundfile.read(one.recording, dtype="int16", start=1_600, stop=16_000)
    assert rate == 16_000
    np.testing.assert_array_equal(samples, original[:, one.channel])


def test_columns_that_nothing_fills_are_left_out(corpus: Corpus, tmp_path: Path) -> None:
    EXPORTERS["parquet"](corpus, tmp_path / "all")
    everything = "audio id text language task speaker session prompt segments tags recording start end channel".split()  # noqa: SIM905
    assert pq.read_schema(tmp_path / "all/data/test-00000-of-00001.parquet").names == everything
    dev = Corpus(corpus.folder, corpus.select("dev"), {"licence": "cc-by-4.0"})
    EXPORTERS["parquet"](dev, tmp_path / "dev")
    names = [path.name for path in (tmp_path / "dev/data").iterdir()]
    assert names == ["validation-00000-of-00001.parquet"]
    schema = pq.read_schema(tmp_path / "dev/data" / names[0])
    assert schema.names == "audio id text language task speaker recording start end channel".split()  # noqa: SIM905
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["audio"] == {"sampling_rate": 16_000, "_type": "Audio"}
    card = (tmp_path / "dev/README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: cc-by-4.0\nlanguage:\n- fr\n")
    assert "num_examples: 3" in card


def test_shards(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_exporter, "SHARD_BYTES", 1)
    monkeypatch.setattr(parquet_exporter, "_GROUP_ROWS", 2)
    EXPORTERS["parquet"](corpus, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out/data").iterdir())
    assert names[:2] == ["test-00000-of-00002.parquet", "test-00001-of-00002.parquet"]
    assert len(names) == 6
    prepare([tmp_path / "out"], tmp_path / "back", empty_text="no-speech")
    assert kept(Corpus.load(tmp_path / "back")) == kept(corpus)


@pytest.mark.parametrize("name", CLIPS)
def test_a_recording_that_is_gone_is_named(corpus: Corpus, tmp_path: Path, name: str) -> None:
    gone = Utterance(id="a", recording=str(tmp_path / "gone.wav"), start=0.0, end=1.0, text="oui", language="fr")
    with pytest.raises(AudioError, match=r"there is no file .*gone\.wav"):
        EXPORTERS[name](Corpus(tmp_path, (gone,)), tmp_path / "out")


@pytest.mark.parametrize("name", CLIPS)
def test_datasets_loads_it(corpus: Corpus, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    if name == "audiofolder" and int(datasets.__version__.split(".")[0]) >= 4 and find_spec("torchcodec") is None:
        pytest.skip("datasets makes no column of files without torchcodec")
    EXPORTERS[name](corpus, tmp_path / "out")
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 3, "validation": 3, "test": 3}
    assert isinstance(loaded["train"].features["audio"], datasets.Audio)
    by_id = {one.id: one for one in corpus.utterances}
    for rows in loaded.cast_column("audio", datasets.Audio(decode=False)).values():
        for row in rows:
            one, audio = by_id[row["id"]], row["audio"]
            samples, rate = soundfile.read(
                io.BytesIO(audio["bytes"]) if audio["bytes"] else audio["path"], dtype="float32"
            )
            assert rate == 16_000
            assert np.abs(samples - heard(one)).max() <= 1 / 32768
            assert (row["text"], row["language"], row["speaker"]) == (one.text, one.language, one.speaker)
