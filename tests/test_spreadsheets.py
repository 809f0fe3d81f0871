"""Tables as spreadsheets, Windows and pandas leave them, and what people give instead of a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_corpora import noise

from parlure.corpus.manifest import Corpus
from parlure.corpus.overlooked import said_of_times
from parlure.corpus.prepare import PrepareSummary, prepare
from parlure.corpus.readers import guess_reader, read_rows
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError


def read(path: Path, content: str, encoding: str = "utf-8") -> list[Row | Rejected]:
    path.write_bytes(content.encode(encoding))
    return list(read_rows(str(path), Columns()))


def texts(found: list[Row | Rejected]) -> list[tuple[int | None, str | None]]:
    return [(row.line, row.text if isinstance(row, Row) else row.reason) for row in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'audio,text\r\na.wav,"Ça, va"\r\nb.wav,oui\r\n'),
        ("a.csv", "audio;text\r\na.wav;Ça, va\r\nb.wav;oui\r\n"),
        ("a.csv", "audio\ttext\r\na.wav\tÇa, va\r\nb.wav\toui\r\n"),
        ("a.tsv", "audio\ttext\r\na.wav\tÇa, va\r\nb.wav\toui\r\n"),
    ],
)
def test_what_spreadsheets_write(tmp_path: Path, name: str, content: str, encoding: str) -> None:
    assert texts(read(tmp_path / name, content, encoding)) == [(2, "Ça, va"), (3, "oui")]


def test_the_line_that_is_for_excel_alone(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", 'sep=;\r\naudio;text\r\na.wav;"un\r\ndeux"\r\nb.wav;oui\r\n')
    assert texts(found) == [(3, "un\r\ndeux"), (5, "oui")]


def test_utf16_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("audio,text\na.wav,oui\nb.wav,non".encode("utf-16")[:-1])
    assert texts(list(read_rows(str(path), Columns()))) == [(2, "oui"), (3, "bad_encoding")]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("2,5", 2.5), ("0:00:02,5", 2.5), ("1:05", 65.0), ("0:01:02.25", 62.25), ("2:00:00", 7200.0), (" 00:07 ", 7.0)],
)
def test_times_of_a_clock(tmp_path: Path, said: str, seconds: float) -> None:
    (row,) = read(tmp_path / "a.jsonl", json.dumps({"audio": "a.wav", "text": "oui", "start": said}))
    assert isinstance(row, Row)
    assert row.start == seconds


@pytest.mark.parametrize("said", ["00:01:10:12", "0:75:00", "1:60", "-0:10", "1h", "12:5x"])
def test_times_of_no_clock(tmp_path: Path, said: str) -> None:
    (row,) = read(tmp_path / "a.jsonl", json.dumps({"audio": "a.wav", "text": "oui", "start": said}))
    assert isinstance(row, Rejected)
    assert row.sentence == f"start is {said!r}, not a time in seconds such as 12.5, or such as 0:00:12.5"


def test_whole_numbers_of_a_column_with_gaps(tmp_path: Path) -> None:
    """pandas makes 12 into 12.0 where a cell of the column is empty."""
    (row,) = read(tmp_path / "a.jsonl", '{"audio": "a.wav", "text": "oui", "speaker": 12.0, "session": 3}')
    assert isinstance(row, Row)
    assert (row.speaker, row.session) == ("12", "3")
    (row,) = read(tmp_path / "a.jsonl", '{"audio": "a.wav", "text": "oui", "speaker": 1.5}')
    assert isinstance(row, Rejected)


@pytest.mark.parametrize("content", [json.dumps([{"audio": "a.wav", "text": "oui"}], indent=1), "[]\n", '"a"', "{}"])
def test_jsonl_without_an_object(tmp_path: Path, content: str) -> None:
    with pytest.raises(
        ParlureError, match=r"a\.jsonl has no line that is a JSON object with something in it; line 1: "
    ) as e:
        read(tmp_path / "a.jsonl", content)
    assert e.value.hint == (
        "JSON Lines has an object a line; jq -c '.[]' FILE.json > FILE.jsonl makes that of a list of objects"
    )


def test_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(ParlureError, match=r"a\.xlsx is a spreadsheet") as caught:
        guess_reader(str(tmp_path / "a.xlsx"))
    assert caught.value.hint == "save the sheet as CSV UTF-8, and prepare that file"
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "dataset_dict.json").write_text("{}")
    with pytest.raises(
        ParlureError, match="saved was written by save_to_disk of datasets, in a format for its"
    ) as caught:
        guess_reader(str(tmp_path / "saved"))
    assert caught.value.hint == (
        "write each split as parquet, dataset['train'].to_parquet('DIR/train.parquet'), and prepare DIR"
    )
    (row,) = read(tmp_path / "a.json", '[{"audio": "a.wav", "text": "oui"}]')
    assert isinstance(row, Rejected)
    assert row.sentence.endswith("; a table in JSON has an object a line, and is called .jsonl")


def prepared(folder: Path, table: str, **options: object) -> PrepareSummary:
    noise(folder / "calls" / "a.wav", 3.0, seed=1)
    noise(folder / "calls" / "b.wav", 3.0, seed=2)
    (folder / "t.csv").write_text(table, encoding="utf-8")
    values = {"language": "fr", "ratios": (1.0, 0.0, 0.0)} | options
    return prepare([folder / "t.csv"], folder / "corpus", **values)  # type: ignore[arg-type]


def test_paths_of_windows(tmp_path: Path) -> None:
    summary = prepared(tmp_path, "audio,text\n.\\calls\\a.wav,oui\ncalls\\b.wav,non\ncalls\\c.wav,si\n")
    assert (summary.n_used, summary.rejected_by_reason) == (2, {"missing_file": 1})
    assert {Path(u.recording).name for u in Corpus.load(tmp_path / "corpus").utterances} == {"a.wav", "b.wav"}


def test_languages_by_name_and_unknown_ones(tmp_path: Path) -> None:
    table = "audio,text,language\ncalls/a.wav,oui,French\ncalls/b.wav,jes,eo\n"
    summary = prepared(tmp_path, table, language="fra")
    assert [u.language for u in Corpus.load(tmp_path / "corpus").utterances] == ["fr", "eo"]
    assert any(
        said.startswith(
            "Whisper does not know the language eo: utterances in it can be checked and scored, and learnt from if"
        )
        for said in summary.warnings
    )


def test_times_under_other_names(tmp_path: Path) -> None:
    summary = prepared(tmp_path, "audio,text,start_ms,end_ms\ncalls/a.wav,oui,0,900\ncalls/b.wav,non,900,1800\n")
    (said,) = [warning for warning in summary.warnings if "start_ms" in warning]
    assert said == (
        f"2 rows of {tmp_path / 't.csv'} stand for a whole recording though there are columns start_ms and end_ms: "
        "times are read from columns called start and end, in seconds"
    )
    noise(tmp_path / "calls" / "long.wav", 32.0)
    with pytest.raises(ParlureError, match="none of the 1 rows can be used: 1 too_long") as caught:
        prepared(tmp_path, "audio,text,begin,duration\ncalls/long.wav,oui,1,2\n")
    assert "though there are columns begin and duration: " in (caught.value.hint or "")


@pytest.mark.parametrize("names", [("start", "end"), ("duration",), ("from_city", "to_city"), ("age", "end_ms")])
def test_columns_that_are_no_times(names: tuple[str, ...]) -> None:
    row = Row(source="t.csv", line=2, raw={}, audio=Path("a.wav"), text="oui", metadata=names)
    assert said_of_times([row]) == []


def test_milliseconds_where_seconds_are_meant(tmp_path: Path) -> None:
    with pytest.raises(ParlureError) as caught:
        prepared(tmp_path, "audio,text,start,end\ncalls/a.wav,oui,500,1500\n")
    assert (caught.value.hint or "").endswith(
        "lasts 3.000 s and the row says from 500 to 1500 s (if these are milliseconds: times are in seconds)"
    )
