"""Folders of transcripts with times: which reader, which recording, what has no partner, and the corpus of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import PrepareSummary, prepare
from parlure.corpus.readers import guess_reader, read_rows
from parlure.corpus.readers.beside import recording_beside
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError

CUE = "1\n00:00:00,500 --> 00:00:01,500\nphrase {}\n"


def write_noise(path: Path, duration_s: float = 2.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.1 * np.random.default_rng(1).standard_normal(round(8_000 * duration_s))
    soundfile.write(path, samples, 8_000)
    return path


def srt_folder(folder: Path, n: int = 6) -> Path:
    for number in range(n):
        write_noise(folder / f"{number}.wav")
        (folder / f"{number}.srt").write_text(CUE.format(number), encoding="utf-8")
    return folder


def read(source: Path, reader: str | None = None) -> list[Row | Rejected]:
    return list(read_rows(str(source), Columns(), reader))


def test_single_files_are_recognised(tmp_path: Path) -> None:
    names = {"a.srt": "srt", "a.VTT": "vtt", "a.TextGrid": "textgrid", "a.eaf": "elan", "a.json": "whisper"}
    for name in names:
        (tmp_path / name).touch()
    assert {name: guess_reader(str(tmp_path / name)) for name in names} == names


@pytest.mark.parametrize(
    ("names", "reader"),
    [
        (["a.wav", "a.txt"], "folder"),
        (["a.wav", "deep/down/a.SRT", "a.txt"], "srt"),
        (["a.vtt"], "vtt"),
        (["a.srt", "a.vtt", "a.json", "a.txt"], "srt"),  # what openai-whisper writes
        (["a.srt", "a.TextGrid"], "textgrid"),
        (["a.TextGrid", "a.eaf"], "elan"),
        (["a.srt", "train.parquet"], "huggingface"),
    ],
)
def test_folders_are_recognised(tmp_path: Path, names: list[str], reader: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert guess_reader(str(tmp_path)) == reader


def test_a_folder_in_alphabetical_order(tmp_path: Path) -> None:
    for name in ("b/2.srt", "a.SRT", "b/1.srt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(CUE.format(name))
    for name in ("b/2.mp3", "b/2.mp4", "a.Wav", "b/lonely.wav"):
        (tmp_path / name).touch()
    found = read(tmp_path)
    assert [(one.source, one.audio) for one in found if isinstance(one, Row)] == [
        (str(tmp_path / "a.SRT"), tmp_path / "a.Wav"),
        (str(tmp_path / "b/1.srt"), tmp_path / "b/1.wav"),
        (str(tmp_path / "b/2.srt"), tmp_path / "b/2.mp3"),
    ]
    assert [(one.source, one.raw, one.reason, one.sentence) for one in found if isinstance(one, Rejected)] == [
        (str(tmp_path), {"audio": "b/lonely.wav"}, "empty_text", "no .srt file has lonely.wav as its recording")
    ]


def test_a_bad_file_goes_alone(tmp_path: Path) -> None:
    srt_folder(tmp_path, 2)
    (tmp_path / "0.srt").write_bytes(b"1\n00:00:00,500 --> 00:00:01,500\n\xe9t\xe9\n")
    bad, good = read(tmp_path)
    assert isinstance(bad, Rejected) and isinstance(good, Row)
    assert (bad.reason, bad.line, bad.raw) == ("bad_encoding", 3, {"text": "0.srt"})


@pytest.mark.parametrize(
    ("lying", "name", "expected"),
    [
        (["call.wav"], None, "call.wav"),
        (["call.fr.wav", "call.wav"], None, "call.fr.wav"),
        (["call.FLAC"], None, "call.FLAC"),
        (["call.wav", "call.flac"], None, "call.flac"),
        (["call.mp3", "call.amr", "call.aac", "call.WAV"], None, "call.WAV"),
        (["other.wav"], None, "call.fr.wav"),
        (["other.wav"], "other.mp3", "other.wav"),
        (["other.wav"], "C:\\calls\\other.mp3", "other.wav"),
        (["sub/other.wav"], "sub/other.wav", "sub/other.wav"),
    ],
)
def test_recording_beside(tmp_path: Path, lying: list[str], name: str | None, expected: str) -> None:
    for one in lying:
        (tmp_path / one).parent.mkdir(exist_ok=True)
        (tmp_path / one).touch()
    assert recording_beside(tmp_path / "call.fr.srt", name) == tmp_path / expected


def test_the_language_in_a_files_name(tmp_path: Path) -> None:
    for name in ("call.fr-CA.srt", "call.final.srt", "fr.srt"):
        (tmp_path / name).write_text(CUE.format(""))
    for name in ("call.wav", "fr.wav"):
        (tmp_path / name).touch()
    found = [one for one in read(tmp_path) if isinstance(one, Row)]
    assert [(Path(one.source).name, one.language) for one in found] == [
        ("call.final.srt", None), ("call.fr-CA.srt", "fr-CA"), ("fr.srt", None)
    ]  # fmt: skip


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="there is no file or folder") as caught:
        read(tmp_path / "nowhere", reader="srt")
    assert caught.value.hint == "check the path"
    with pytest.raises(ParlureError, match=r"holds no \.eaf file") as caught:
        read(tmp_path, reader="elan")
    assert caught.value.hint == "name another folder, or another --reader"


def test_a_file_of_another_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(CUE.format("un"))
    (row,) = read(tmp_path / "a.txt", reader="srt")
    assert isinstance(row, Row) and row.text == "phrase un"


def run(source: Path, out: Path) -> PrepareSummary:
    return prepare([source], out, language="fr")


def test_a_folder_of_subtitles_becomes_a_corpus(tmp_path: Path) -> None:
    folder = srt_folder(tmp_path / "calls")
    (folder / "0.srt").write_text(CUE.format(0) + "\n2\n00:00:01,000 --> 00:00:09,000\ntrop loin\n", encoding="utf-8")
    (folder / "lost.srt").write_text(CUE.format("perdue"))
    summary = run(folder, tmp_path / "corpus")
    assert (summary.n_read, summary.n_used, summary.rejected_by_reason) == (8, 6, {"bad_span": 1, "missing_file": 1})
    first = Corpus.load(tmp_path / "corpus").utterances[0]
    assert (first.start, first.end, first.text, first.language) == (0.5, 1.5, "phrase 0", "fr")
    assert first.recording == str(folder / "0.wav")
    rejected = [json.loads(line) for line in (tmp_path / "corpus/rejected.jsonl").read_text().splitlines()]
    assert [(Path(one["source"]).name, one["line"], one["sentence"]) for one in rejected] == [
        ("0.srt", 6, f"{folder}/0.wav lasts 2.000 s and the row says from 1 to 9 s"),
        ("lost.srt", 2, f"there is no file {folder}/lost.wav"),
    ]


def test_the_hash_of_a_folder_is_of_all_its_transcripts(tmp_path: Path) -> None:
    folder = srt_folder(tmp_path / "calls")

    def digest() -> str:
        run(folder, tmp_path / "corpus")
        (source,) = Corpus.load(tmp_path / "corpus").info["sources"]
        assert source["sha256_of"] == "file names, sizes and transcripts"
        return str(source["sha256"])

    before = digest()
    assert digest() == before
    (folder / "0.srt").write_text(CUE.format(9))  # of the same size
    assert digest() != before
