"""Common Voice, LibriSpeech and audiofolder: folders as their makers lay them out → rows, and what each refuses."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import prepare
from parlure.corpus.readers import guess_reader, read_rows
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError

HASH = "0123456789abcdef" * 8


def noise(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(len(str(path))).normal(0, 0.1, 8_000)
    soundfile.write(path, samples, 16_000)


def read(source: Path, reader: str | None = None, **columns: str) -> list[Row | Rejected]:
    return list(read_rows(str(source), Columns(**columns), reader))


def rows(source: Path, reader: str | None = None, **columns: str) -> list[Row]:
    return [row for row in read(source, reader, **columns) if isinstance(row, Row)]


def write_tsv(path: Path, *clips: tuple[str, str, str], **more: str) -> None:
    """A table of ``(client_id, clip's number, sentence)``."""
    columns = {"client_id": "", "path": "", "sentence": "", "up_votes": "2", "down_votes": "0", "age": "twenties"}
    columns |= {"gender": "female_feminine", "accents": "", "variant": "", "locale": "fr", "segment": ""} | more
    lines = [list(columns)]
    for speaker, clip, sentence in clips:
        cells = columns | {"client_id": speaker, "path": f"common_voice_fr_{clip}.mp3", "sentence": sentence}
        lines.append(list(cells.values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """A release: a clip or two in each split, which ``validated.tsv`` repeats, and three more."""
    folder = tmp_path / "fr"
    splits = {
        "train": [("a" * 128, "1", "oui"), ("b" * 128, "2", "non")],
        "dev": [("c" * 128, "3", "bonjour")],
        "test": [(HASH, "4", 'il dit "salut"'), ("e" * 128, "5", "merci")],
    }
    for name, clips in splits.items():
        write_tsv(folder / f"{name}.tsv", *clips)
    more = [("a" * 128, "6", "encore"), (HASH, "7", "autre"), ("f" * 128, "8", "bonjour")]
    write_tsv(folder / "validated.tsv", *(clip for clips in splits.values() for clip in clips), *more)
    write_tsv(folder / "other.tsv", ("g" * 128, "9", "jamais"))
    for number in range(1, 10):
        noise(folder / f"clips/common_voice_fr_{number}.mp3")
    return folder


def test_common_voice(voice: Path) -> None:
    assert guess_reader(str(voice)) == "commonvoice"
    found = read(voice)
    taken = [(row.audio.name[16], row.split, row.text) for row in found if isinstance(row, Row)]
    assert taken == [
        ("1", "train", "oui"), ("2", "train", "non"), ("3", "dev", "bonjour"), ("4", "test", 'il dit "salut"'),
        ("5", "test", "merci"), ("6", "train", "encore"),
    ]  # fmt: skip
    held_out = [(row.line, row.reason, row.sentence) for row in found if isinstance(row, Rejected)]
    assert held_out == [
        (8, "held_out", "its speaker is in test.tsv: training on it would flatter the score of test"),
        (9, "held_out", "its sentence is in dev.tsv: training on it would flatter the score of dev"),
    ]
    row = rows(voice)[3]
    assert (row.speaker, row.language) == (hashlib.sha256(HASH.encode()).hexdigest()[:16], "fr")
    assert (row.source, row.line) == (str(voice / "test.tsv"), 2)
    assert row.audio == voice / "clips/common_voice_fr_4.mp3"
    assert row.metadata == ("up_votes", "down_votes", "age", "gender", "accents", "variant", "segment")


def test_common_voice_becomes_a_corpus(voice: Path, tmp_path: Path) -> None:
    summary = prepare([voice], tmp_path / "corpus")
    assert (summary.n_read, summary.n_used) == (8, 6)
    tables = {"train.tsv": 2, "dev.tsv": 1, "test.tsv": 2, "validated.tsv": 3}
    assert (
        summary.notes[0] == f"read of {voice}: train.tsv 2 rows, dev.tsv 1 row, test.tsv 2 rows, validated.tsv 3 rows"
    )
    corpus = Corpus.load(tmp_path / "corpus")
    assert [len(corpus.select(split)) for split in ("train", "dev", "test")] == [3, 1, 2]
    assert corpus.utterances[0].tags == ("age=twenties", "down_votes=0", "gender=female_feminine", "up_votes=2")
    (source,) = corpus.info["sources"]
    assert source["tables"] == tables


def test_common_voice_without_its_splits_or_by_one_table(voice: Path) -> None:
    assert [row.split for row in rows(voice / "dev.tsv", "commonvoice")] == ["dev"]
    assert guess_reader(str(voice / "other.tsv")) == "commonvoice"
    assert [row.text for row in rows(voice / "other.tsv")] == ["jamais"]
    assert [row.split for row in rows(voice / "validated.tsv", "commonvoice")] == [None] * 8
    for name in ("train", "dev", "test"):
        (voice / f"{name}.tsv").unlink()
    assert [row.split for row in rows(voice)] == [None] * 8


def test_common_voice_of_several_languages_and_of_an_early_release(voice: Path, tmp_path: Path) -> None:
    write_tsv(tmp_path / "en/validated.tsv", ("marie", "1", "yes"), locale="en")
    table = tmp_path / "en/validated.tsv"
    table.write_text(table.read_text().replace(".mp3", ""), encoding="utf-8")
    (tmp_path / "en/clips").mkdir()
    assert guess_reader(str(tmp_path)) == "commonvoice"
    first, *others = rows(tmp_path)
    assert (first.language, first.speaker, first.audio.name) == ("en", "marie", "common_voice_fr_1.mp3")
    assert {row.language for row in others} == {"fr"}


def test_a_malformed_line_of_common_voice_goes_alone(voice: Path) -> None:
    with (voice / "train.tsv").open("a", encoding="utf-8") as file:
        file.write("a\tb\n" + "\t".join(["x", "", "texte", *[""] * 8]) + "\n")
    bad = [(row.line, row.reason) for row in read(voice) if isinstance(row, Rejected)]
    assert bad == [(4, "malformed_row"), (5, "malformed_row"), (8, "held_out"), (9, "held_out")]


def test_what_common_voice_refuses(voice: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    message = r"is no release of Common Voice: it needs clips/ and validated\.tsv or train, dev and test\.tsv"
    with pytest.raises(ParlureError, match=message) as caught:
        read(tmp_path / "nothing", "commonvoice")
    assert caught.value.hint.startswith("give the folder of a language, such as cv-corpus-")
    with pytest.raises(ParlureError, match=r"train\.tsv has no column ages; it has: client_id, path") as caught:
        read(voice, speaker="ages")
    assert caught.value.hint == "--speaker age"
    (voice / "train.tsv").write_text("a\tb\n1\t2\n", encoding="utf-8")
    with pytest.raises(ParlureError, match=r"train\.tsv has no column path; it has: a, b") as caught:
        read(voice)
    assert caught.value.hint == "a release has path and sentence; --reader tsv reads a table of another kind"


@pytest.fixture
def libri(tmp_path: Path) -> Path:
    root = tmp_path / "LibriSpeech"
    for subset, speaker in (("dev-clean", 84), ("test-other", 116), ("train-clean-100", 19)):
        chapter = root / subset / str(speaker) / "198"
        for number in range(2):
            noise(chapter / f"{speaker}-198-{number:04d}.flac")
        lines = [f"{speaker}-198-{number:04d} THEY'RE HERE {number}" for number in range(2)]
        (chapter / f"{speaker}-198.trans.txt").write_text("\n".join(lines) + "\n")
    table = (
        ";ID  |SEX| SUBSET           |MINUTES| NAME\n19   | F | train-clean-100  | 25.03 | Kara S\n84 | M | x | 8 | y\n"
    )
    (root / "SPEAKERS.TXT").write_text(table)
    return root


def test_librispeech(libri: Path, tmp_path: Path) -> None:
    assert [guess_reader(str(path)) for path in (libri, libri / "dev-clean", libri / "dev-clean/84/198")] == [
        "librispeech"
    ] * 3
    found = rows(libri)
    assert [(row.id, row.split, row.speaker, row.session) for row in found[::2]] == [
        ("84-198-0000", "dev", "84", "84-198"),
        ("116-198-0000", "test", "116", "116-198"),
        ("19-198-0000", "train", "19", "19-198"),
    ]
    last = found[-1]
    chapter = libri / "train-clean-100/19/198"
    assert (last.text, last.audio, last.line) == ("THEY'RE HERE 1", chapter / "19-198-0001.flac", 2)
    assert last.source == str(chapter / "19-198.trans.txt")
    summary = prepare([libri], tmp_path / "corpus", language="en")
    assert summary.utterances_by_split == {"train": 2, "dev": 2, "test": 2}
    tags = {one.speaker: one.tags for one in Corpus.load(tmp_path / "corpus").utterances}
    assert tags == {
        "84": ("sex=M", "subset=dev-clean"),
        "116": ("subset=test-other",),
        "19": ("sex=F", "subset=train-clean-100"),
    }


def test_a_part_of_librispeech(libri: Path) -> None:
    first, _ = rows(libri / "dev-clean")
    assert (first.split, first.raw["sex"], first.raw["subset"]) == ("dev", "M", "dev-clean")
    assert [row.split for row in rows(libri / "dev-clean/84")] == [None, None]


def test_what_is_wrong_in_a_chapter(libri: Path) -> None:
    chapter = libri / "dev-clean/84/198"
    noise(chapter / "84-198-0002.flac")
    transcript = chapter / "84-198.trans.txt"
    transcript.write_bytes(b"84-198-0000 YES\r\n\nOOPS NO\n84-198-0001 \xe9\n84-198-0007 GONE\n")
    found = read(libri / "dev-clean")
    assert [(row.reason, row.line) for row in found if isinstance(row, Rejected)] == [
        ("malformed_row", 3), ("bad_encoding", 4), ("empty_text", None),
    ]  # fmt: skip
    sentences = [row.sentence for row in found if isinstance(row, Rejected)]
    assert sentences[0] == "the line does not begin with SPEAKER-CHAPTER-NUMBER, a space and the text"
    assert sentences[2] == "84-198.trans.txt has no line for 84-198-0002.flac"
    yes, gone = [row for row in found if isinstance(row, Row)]
    assert (yes.text, gone.audio.name) == ("YES", "84-198-0007.flac")


def test_multilingual_librispeech(tmp_path: Path) -> None:
    root = tmp_path / "mls_french"
    for split, suffix in (("dev", "flac"), ("train", "wav")):
        noise(root / split / "audio/123/456" / f"123_456_000001.{suffix}")
        text = "123_456_000001\tles mots  du livre\nbad line\n"
        (root / split / "transcripts.txt").write_text(text, encoding="utf-8")
    (root / "metainfo.txt").write_text(" SPEAKER | GENDER | PARTITION\n 123 | F | dev | 1.0 | 456 | t | c\n")
    assert guess_reader(str(root)) == guess_reader(str(root / "dev")) == "librispeech"
    found = read(root)
    assert [row.sentence for row in found if isinstance(row, Rejected)] == [
        "the line does not begin with SPEAKER_BOOK_NUMBER, a tab and the text"
    ] * 2
    first, second = [row for row in found if isinstance(row, Row)]
    assert (first.language, first.split, first.speaker, first.session) == ("fr", "dev", "123", "123_456")
    assert (first.text, first.raw["gender"]) == ("les mots  du livre", "F")
    assert first.audio.is_file() and second.audio.is_file()


def test_what_librispeech_refuses(libri: Path, tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="is a tree of LibriSpeech and has no columns to name") as caught:
        read(libri, text="phrase")
    assert caught.value.hint == "leave out --text"
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ParlureError, match="holds no transcript of LibriSpeech") as caught:
        read(tmp_path / "nothing", "librispeech")
    assert (
        caught.value.hint
        == "it has a file SPEAKER-CHAPTER.trans.txt in every chapter, or transcripts.txt beside audio/"
    )
    with pytest.raises(ParlureError, match="there is no folder") as caught:
        read(tmp_path / "nowhere", "librispeech")
    assert caught.value.hint == "check the path"


def write_metadata(folder: Path, kind: str, *lines: dict[str, object]) -> None:
    """``metadata.csv``, ``.jsonl`` or ``.parquet``, and noise for each file that it names."""
    for line in lines:
        noise(folder / str(line["file_name"]))
    if kind == "csv":
        cells = [list(lines[0]), *(list(map(str, line.values())) for line in lines)]
        (folder / "metadata.csv").write_text("".join(",".join(row) + "\n" for row in cells), encoding="utf-8")
    elif kind == "jsonl":
        (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(list(lines)), folder / "metadata.parquet")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("text", ["text", "transcription", "sentence"])
def test_audiofolder(tmp_path: Path, kind: str, text: str) -> None:
    for split in ("train", "validation", "test"):
        lines = [
            {"file_name": f"{n}.wav", text: f"{split} {n}", "speaker_id": n, "age": "old", "start": 7.5}
            for n in range(2)
        ]
        write_metadata(tmp_path / split, kind, *lines)
    assert guess_reader(str(tmp_path)) == "audiofolder"
    found = rows(tmp_path)
    assert [(row.split, row.text, row.speaker) for row in found[::2]] == [
        ("test", "test 0", "0"), ("train", "train 0", "0"), ("validation", "validation 0", "0"),
    ]  # fmt: skip
    row = found[1]
    assert (row.audio, row.source) == (tmp_path / "test/1.wav", str(tmp_path / f"test/metadata.{kind}"))
    assert row.line == (3 if kind == "csv" else 2)
    assert (row.metadata, row.start, row.end) == (("age", "start"), None, None)


def test_one_table_for_all_folders(tmp_path: Path) -> None:
    lines = [{"file_name": f"data/{split}/1.wav", "phrase": "oui", "text": "x"} for split in ("train", "dev", "test")]
    write_metadata(tmp_path, "jsonl", *lines)
    noise(tmp_path / "data/test/2.wav")
    found = read(tmp_path, text="phrase")
    assert [(row.split, row.text) for row in found if isinstance(row, Row)] == [
        ("train", "oui"), ("dev", "oui"), ("test", "oui"),
    ]  # fmt: skip
    assert found[0].metadata == ("text",)  # type: ignore[union-attr]
    lost = found[-1]
    assert isinstance(lost, Rejected)
    assert (lost.reason, lost.sentence, lost.raw) == (
        "empty_text",
        "no table names 2.wav",
        {"audio": "data/test/2.wav"},
    )
    assert [row.split for row in rows(tmp_path / "metadata.jsonl", "audiofolder")] == ["train", "dev", "test"]


def test_lists_in_a_text(tmp_path: Path) -> None:
    tags, phrases = ["a", '["b", "c"]', ""], [{"start": 0.0, "end": 0.2, "text": "oui"}]
    lines = [
        {"file_name": f"{n}.wav", "text": "oui", "tags": tag, "segments": json.dumps(phrases)}
        for n, tag in enumerate(tags)
    ]
    write_metadata(tmp_path, "jsonl", *lines, {"file_name": "3.wav", "text": "oui", "segments": "later"})
    found = read(tmp_path)
    assert [row.tags for row in found if isinstance(row, Row)] == [("a",), ("b", "c"), ()]
    assert found[0].segments[0][:3] == (0.0, 0.2, "oui")  # type: ignore[union-attr, index]
    assert isinstance(found[3], Rejected) and found[3].sentence == "segments is 'later'"


def test_a_table_from_windows(tmp_path: Path) -> None:
    noise(tmp_path / "train/1.wav")
    (tmp_path / "metadata.csv").write_bytes("file_name;text\r\ntrain\\1.wav;Ça va\r\n".encode("utf-8-sig"))
    (row,) = read(tmp_path)
    assert isinstance(row, Row)
    assert (row.text, row.split) == ("Ça va", "train")


def test_other_tables_called_metadata(tmp_path: Path) -> None:
    noise(tmp_path / "wavs/LJ001-0001.wav")
    (tmp_path / "metadata.csv").write_text("LJ001-0001|Printing|Printing\n")
    assert guess_reader(str(tmp_path)) == "folder"


def test_what_audiofolder_refuses(tmp_path: Path) -> None:
    with pytest.raises(
        ParlureError, match=re.escape("holds no metadata.csv, metadata.jsonl, metadata.parquet")
    ) as caught:
        read(tmp_path, "audiofolder")
    assert caught.value.hint == "a table with the columns file_name and text"
    write_metadata(tmp_path, "csv", {"file_name": "a.wav", "texts": "oui"})
    with pytest.raises(ParlureError, match=r"metadata\.csv has no column text; it has: file_name, texts") as caught:
        read(tmp_path)
    assert caught.value.hint == "--text texts"
    with pytest.raises(ParlureError, match=r"metadata\.csv has no column who") as caught:
        read(tmp_path, text="texts", speaker="who")
    assert caught.value.hint == "a table needs file_name and a text; --text names yours"
    (tmp_path / "metadata.csv").rename(tmp_path / "old.csv")
    (tmp_path / "metadata.parquet").write_text("no parquet")
    with pytest.raises(ParlureError, match=r"metadata\.parquet cannot be read as parquet: ") as caught:
        read(tmp_path)
    assert caught.value.hint == "download or write it again"
