"""Columns without a field → tags: which are taken, how values are written, what is said, and slices by them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from replica import mp3

from parlure import cli
from parlure.corpus.examine import Taken
from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import PrepareSummary, prepare
from parlure.corpus.readers.row import Row
from parlure.corpus.tagging import tag_rows, tag_value
from parlure.errors import ParlureError

AGES = ["twenties", "thirties", ""]


def write_corpus(folder: Path, name: str, n_rows: int = 6, **columns: Any) -> Path:
    """A table of noise, half a second a row, with further columns: a list, or one value for all rows."""
    samples = np.random.default_rng(1).normal(0, 0.1, 8_000)
    rows = []
    for number in range(n_rows):
        soundfile.write(folder / f"{number}.wav", samples, 16_000)
        others = {key: value[number] if isinstance(value, list) else value for key, value in columns.items()}
        rows.append({"audio": f"{number}.wav", "text": "oui", "speaker": f"s{number}", **others})
    path = folder / name
    if name.endswith("jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        separator = {"csv": ",", "tsv": "\t"}[name[-3:]]
        lines = [separator.join(rows[0]), *(separator.join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(source: Path, **options: Any) -> tuple[PrepareSummary, list[list[str]]]:
    summary = prepare([source], source.parent / "corpus", language="fr", ratios=(0, 0, 1), **options)
    return summary, [list(one.tags) for one in Corpus.load(source.parent / "corpus").utterances]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_columns_whose_values_come_back(tmp_path: Path, name: str) -> None:
    ids = [f"clip-{number}" for number in range(6)]
    source = write_corpus(tmp_path, name, age=AGES * 2, utt=ids, note="x" * 65, empty="", votes=["2"] * 6)
    summary, tags = run(source)
    assert tags[:3] == [["age=twenties", "votes=2"], ["age=thirties", "votes=2"], ["votes=2"]]
    (note,) = summary.notes
    assert note == (
        "tags from columns: age, votes; left out: empty (empty); note (longer than 64 characters, or no text or "
        "number); utt (no value comes twice)"
    )
    assert note in summary.lines()
    kept = json.loads((tmp_path / "corpus/corpus.json").read_text(encoding="utf-8"))["tags"]
    assert kept["columns"] == ["age", "votes"]
    assert kept["left_out"]["utt"] == "no value comes twice"


def test_columns_of_parquet(tmp_path: Path) -> None:
    sound = {"bytes": mp3(0.5, 300), "path": None}
    rows = [{"audio": sound, "text": "oui", "age": [20, 30][n % 2], "channel": 0, "raw": b"x"} for n in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    summary, tags = run(tmp_path / "x.parquet")
    assert tags == [["age=20"], ["age=30"]] * 2
    assert summary.notes == ("tags from columns: age; left out: channel (where a clip was cut from)",)
    assert run(tmp_path / "x.parquet", tags=["channel"])[1] == [["channel=0"]] * 4


def test_more_than_fifty_values_are_taken_only_if_named(tmp_path: Path) -> None:
    many = [f"v{number % 51}" for number in range(102)]
    fifty = [f"v{number % 50}" for number in range(102)]
    source = write_corpus(tmp_path, "a.csv", 102, many=many, fifty=fifty)
    summary, tags = run(source)
    assert {len(one) for one in tags} == {1}
    assert summary.notes[0] == "tags from columns: fifty; left out: many (more than 50 different values)"
    summary, tags = run(source, tags=["many"])
    assert tags[50] == ["many=v50"]
    assert summary.notes[0] == "tags from columns: many; left out: fifty (not named in --tags)"
    assert run(source, tags=["none"]) == (run(source, tags=["none"])[0], [[]] * 102)


def test_a_column_is_one_in_all_sources(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    one = write_corpus(tmp_path / "a", "a.csv", 2, age=["twenties", "thirties"])
    two = write_corpus(tmp_path / "b", "b.csv", 2, age=["twenties", "forties"])
    prepare([one, two], tmp_path / "c", language="fr", ratios=(0, 0, 1))
    ages = [tag for utterance in Corpus.load(tmp_path / "c").utterances for tag in utterance.tags]
    assert ages == ["age=twenties", "age=thirties", "age=twenties", "age=forties"]


def test_own_tags_come_first_and_none_comes_twice(tmp_path: Path) -> None:
    source = write_corpus(tmp_path, "a.jsonl", tags=[["music", "age=20"]] * 6, age=20, part={"of": "x"})
    summary, tags = run(source)
    assert tags == [["music", "age=20"]] * 6
    assert "part (longer than 64 characters, or no text or number)" in summary.notes[0]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("  twenties ", "twenties"), (3, "3"), (25.0, "25"), (0.1, "0.1"), (True, "true"), (False, "false"),
        (None, ""), ("", ""), (float("nan"), ""), ("nan", ""), ("x" * 64, "x" * 64), ("x" * 65, None),
        ("a\nb", None), ([1], None), ({"a": 1}, None),
    ],
)  # fmt: skip
def test_how_a_value_is_written(value: Any, written: str | None) -> None:
    assert tag_value(value) == written


@pytest.mark.parametrize(
    ("name", "hint"),
    [("agee", "--tags age"), ("speaker", "--tags age,gender names columns that parlure has no field for")],
)
@pytest.mark.parametrize("kind", ["a.csv", "x.parquet"])
def test_a_column_that_is_not_there(tmp_path: Path, name: str, hint: str, kind: str) -> None:
    source = write_corpus(tmp_path, "a.csv", age=AGES * 2)
    if kind == "x.parquet":
        rows = [{"audio": {"bytes": mp3(0.5, 300), "path": None}, "text": "oui", "age": "x"}]
        pq.write_table(pa.Table.from_pylist(rows), source := tmp_path / kind)
    with pytest.raises(ParlureError, match=f"no source has a column {name} to make tags of; there are: age") as caught:
        run(source, tags=[name])
    assert caught.value.hint == hint
    assert not (tmp_path / "corpus" / "corpus.json").exists()


def test_rows_share_their_tags() -> None:
    raws = [{"age": f"a{number % 7}", "clip": f"c{number}"} for number in range(2_000)]
    rows = [Row("a", number, raw, Path("a"), "x", metadata=tuple(raw)) for number, raw in enumerate(raws)]
    taken = [Taken(row, 0.0, 1.0, None, "x", "fr", "transcribe") for row in rows]
    assert tag_rows(taken, None).columns == ["age"]
    assert len({id(tag) for one in taken for tag in one.row.tags}) == 7
    assert max(map(sys.getsizeof, (one.row.tags for one in taken))) <= 56


def test_a_report_is_cut_by_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_corpus(tmp_path, "a.csv", age=AGES * 2)
    corpus = str(tmp_path / "corpus")
    arguments = ["prepare", str(source), "--out", corpus, "--language", "fr", "--ratios", "0,0,1", "--tags", " age "]
    assert cli.run(arguments) == 0
    assert "tags from columns: age\n" in capsys.readouterr().err
    heard = ["oui", "non", "oui", "oui", "oui", "oui"]
    lines = [{"id": one.id, "text": text} for one, text in zip(Corpus.load(corpus).utterances, heard, strict=True)]
    (tmp_path / "hyps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert cli.run(["score", corpus, str(tmp_path / "hyps.jsonl"), "--group-by", "tag:age"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "(unknown) tuned WER 0.00 % (N 2, utterances 2)",
        "thirties tuned WER 50.00 % (N 2, utterances 2)",
        "twenties tuned WER 0.00 % (N 2, utterances 2)",
    ]
    assert cli.run(["score", corpus, str(tmp_path / "hyps.jsonl"), "--group-by", "age"]) == 2
    assert "there are some by speaker, duration_s, speech_rate, language, tag:age" in capsys.readouterr().err
