"""Each reader: rows with their origin, malformed rows as rejections, and errors that say which column was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from parlure.corpus.manifest import Segment
from parlure.corpus.readers import READERS, guess_reader, read_rows
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError

COLUMNS = ["audio", "text", "speaker", "session", "language", "task", "split", "start", "end", "channel", "id"]
VALUES = ["calls/é.wav", 'il dit "oui"; bien, bon', "marie", "call 1", "fr", "transcribe", "dev", "1.5", "4", "1", "u1"]


def read(path: Path, reader: str | None = None, **columns: str) -> list[Row | Rejected]:
    return list(read_rows(str(path), Columns(**columns), reader))


def rows(path: Path, **columns: str) -> list[Row]:
    found = read(path, **columns)
    assert all(isinstance(row, Row) for row in found)
    return [row for row in found if isinstance(row, Row)]


def rejection(path: Path) -> Rejected:
    (found,) = read(path)
    assert isinstance(found, Rejected)
    return found


def write_csv(folder: Path) -> Path:
    path = folder / "calls.csv"
    cells = ['"' + value.replace('"', '""') + '"' for value in VALUES]
    path.write_text(f"{','.join(COLUMNS)}\n{','.join(cells)}\n", encoding="utf-8")
    return path


def write_french_csv(folder: Path) -> Path:
    path = folder / "calls.csv"
    cells = ['"' + value.replace('"', '""').replace("1.5", "1,5") + '"' for value in VALUES]
    path.write_bytes(f"\ufeff{';'.join(COLUMNS)}\r\n{';'.join(cells)}\r\n".encode())
    return path


def write_tsv(folder: Path) -> Path:
    path = folder / "calls.tsv"
    path.write_text("\t".join(COLUMNS) + "\n" + "\t".join(VALUES) + "\n", encoding="utf-8")
    return path


def write_jsonl(folder: Path) -> Path:
    path = folder / "calls.jsonl"
    # null: a line stands where the header of a table does
    first = {"audio": "calls/other.wav", "text": None}
    row = dict(zip(COLUMNS, [*VALUES[:7], 1.5, 4, 1, "u1"], strict=True))
    path.write_text(f"{json.dumps(first)}\n{json.dumps(row)}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("write", [write_csv, write_french_csv, write_tsv, write_jsonl])
def test_every_column(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path)
    row = rows(path)[-1]
    assert (row.source, row.line) == (str(path), 2)
    assert row.audio == tmp_path / "calls/é.wav"
    assert row.text == 'il dit "oui"; bien, bon'
    assert (row.id, row.speaker, row.session, row.language) == ("u1", "marie", "call 1", "fr")
    assert (row.task, row.split, row.start, row.end, row.channel) == ("transcribe", "dev", 1.5, 4.0, 1)
    assert row.raw["speaker"] == "marie"


def test_only_what_is_required(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,audio,start,speaker,mood\n bonjour ,a.wav,, ,glad\n,/b.wav,,,\n", encoding="utf-8")
    first, second = rows(path)
    assert (first.text, first.start, first.speaker, first.channel, first.split) == ("bonjour", None, None, None, None)
    assert (second.text, second.audio, second.line) == ("", Path("/b.wav"), 3)
    assert first.raw["mood"] == "glad"


def test_named_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("audio,phrase,who,call\na.wav,oui,12,7\n", encoding="utf-8")
    (row,) = rows(path, text="phrase", speaker="who", session="call")
    assert (row.text, row.speaker, row.session) == ("oui", "12", "7")


def test_lines_of_a_text_over_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('audio,text\na.wav,"un\ndeux"\n\nb.wav,trois\n', encoding="utf-8")
    first, second = rows(path)
    assert (first.text, first.line) == ("un\ndeux", 2)
    assert (second.text, second.line) == ("trois", 5)


def test_quotes_of_a_tsv(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('audio\ttext\na.wav\t"oui\nb.wav\t"il dit ""oui"""\n', encoding="utf-8")
    assert [row.text for row in rows(path)] == ['"oui', 'il dit "oui"']


def test_jsonl_extras(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = {"audio": "a.wav", "text": "a b", "segments": [[0, 1, "a"], [1, 2, "b"]], "prompt": "c", "tags": ["x"]}
    path.write_text(json.dumps({**row, "speaker": 12}) + "\n", encoding="utf-8")
    (found,) = rows(path)
    assert found.segments == (Segment(0.0, 1.0, "a"), Segment(1.0, 2.0, "b"))
    assert (found.prompt, found.tags, found.speaker) == ("c", ("x",), "12")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"start": "soon"}, "start is 'soon', not a time in seconds such as 12.5"),
        ({"start": -1}, "start is -1, not a time"),
        ({"end": "nan"}, "end is 'nan', not a time"),
        ({"end": [1]}, "end is [1], not a time"),
        ({"end": 10**400}, "end is 1000"),
        ({"end": True}, "end is True, not a time"),
        ({"channel": "left"}, "channel is 'left', not a channel number from 0"),
        ({"channel": -1}, "channel is -1, not a channel number"),
        ({"channel": 0.5}, "channel is 0.5, not a channel number"),
        ({"task": "sing"}, "task is 'sing', neither transcribe nor translate"),
        ({"text": 12}, "text is 12, not a text"),
        ({"speaker": ["a"]}, "speaker is ['a'], not a text"),
        ({"audio": " "}, "the row names no audio file"),
        ({"audio": None}, "the row names no audio file"),
        ({"segments": [[1, 0, "a"]]}, "[1, 0, 'a'] is not a segment"),
        ({"tags": "x"}, "tags is 'x', not a list of texts"),
    ],
)
def test_malformed_field(tmp_path: Path, fields: dict[str, object], sentence: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"audio": "a.wav", "text": "a", **fields}) + "\n", encoding="utf-8")
    found = rejection(path)
    assert found.reason == "malformed_row"
    assert found.sentence.startswith(sentence)
    assert found.to_json()["row"] == {"audio": "a.wav", "text": "a", **fields}
    assert found.to_json()["line"] == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "audio,text\na.wav,oui, non\n", "the row has 3 cells, the header 2"),
        ("a.csv", "audio,text\na.wav\n", "the row has 1 cells, the header 2"),
        ("a.csv", 'audio,text\na.wav,"oui" non\n', "the row is not proper CSV"),
        ("a.csv", "audio,text,channel\na.wav,oui,x\n", "channel is 'x'"),
        ("a.tsv", "audio\ttext\na.wav\toui\tnon\n", "the row has 3 cells, the header 2"),
    ],
)
def test_malformed_row(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = rejection(tmp_path / name)
    assert (found.reason, found.line) == ("malformed_row", 2)
    assert found.sentence.startswith(sentence)


def test_one_bad_row_does_not_take_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('audio,text\na.wav,"oui" non\nb.wav,si\n', encoding="utf-8")
    bad, good = read(tmp_path / "a.csv")
    assert isinstance(bad, Rejected) and isinstance(good, Row)
    assert (bad.line, good.line, good.text) == (2, 3, "si")


@pytest.mark.parametrize(("line", "sentence"), [("{", "the line is not JSON"), ("[1]", "the line is JSON but not an")])
def test_malformed_json(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"audio": "a.wav", "text": "a"}\n' + line + "\n", encoding="utf-8")
    good, bad = read(path)
    assert isinstance(good, Row) and isinstance(bad, Rejected)
    assert bad.sentence.startswith(sentence)
    assert (bad.line, bad.raw) == (2, {"content": line})


BAD_ENCODING = {
    "a.csv": b"audio,text,note\na.wav,oui,\xe9\nb.wav,\xe9t\xe9,\nc.wav,non,\n",
    "a.tsv": b"audio\ttext\na.wav\toui\nb.wav\t\xe9t\xe9\nc.wav\tnon\n",
    "a.jsonl": b'\n{"audio": "a.wav", "text": "oui"}\n{"audio": "b.wav", "text": "\xe9t\xe9"}\n'
    b'{"audio": "c.wav", "text": "non"}',
    "half.jsonl": b'\n{"audio": "a.wav", "text": "oui"}\n{"audio": "b.wav", "text": "ok \\ud83d"}\n'
    b'{"audio": "c.wav", "text": "non"}',
    "deep.jsonl": b'\n{"audio": "a.wav", "text": "oui"}\n{"audio": "b.wav", "text": "",'
    b'"segments": [[0, 1, "\\udc80"]]}\n'
    b'{"audio": "c.wav", "text": "non"}',
}


@pytest.mark.parametrize("name", BAD_ENCODING)
def test_a_row_that_is_not_utf8_goes_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BAD_ENCODING[name])
    first, bad, last = read(path)
    assert isinstance(first, Row) and isinstance(last, Row)  # what no column needs may be as it likes
    assert isinstance(bad, Rejected)
    field = "segments" if name == "deep.jsonl" else "text"
    assert (bad.line, bad.reason) == (3, "bad_encoding")
    assert bad.sentence == f"{name} line 3: {field} is not proper UTF-8"
    json.dumps(bad.to_json(), ensure_ascii=False).encode()


def test_a_recording_whose_name_is_not_utf8(tmp_path: Path) -> None:
    import os

    for name in (b"ok.wav", b"\xe9t\xe9.wav", b"\xe9t\xe9.txt", b"\xe9.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    found = read(tmp_path)
    assert [(one.reason if isinstance(one, Rejected) else one.audio.name) for one in found] == [
        "ok.wav",
        "bad_encoding",
        "missing_file",
    ]
    bad = found[1].to_json()
    assert bad["sentence"].endswith("?t?.wav is not UTF-8: rename it")
    assert bad["row"] == {"audio": "?t?.wav"}


def test_whatever_a_row_holds_can_be_written() -> None:
    from datetime import date
    from decimal import Decimal

    raw = {
        "a": date(2024, 5, 1),
        "b": Decimal("1.50"),
        "c": {"d": [b"123", float("nan"), 1.5, None, True]},
        7: "\ud83d",
    }
    row = Rejected("a", 1, raw, "too_fast", "a sentence").to_json()["row"]
    assert row == {"a": "2024-05-01", "b": "1.50", "c": {"d": ["3 bytes", "nan", 1.5, None, True]}, "7": "?"}


@pytest.mark.parametrize("reader", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize(
    ("found", "columns", "message", "hint"),
    [
        (["audio", "transcript"], {}, "has no column text; it has: audio, transcript", "--text transcript"),
        (["path", "text"], {}, "has no column audio; it has: path, text", "rename the column path to audio"),
        (["audio", "Text"], {}, "has no column text", "--text Text"),
        (["audio", "x"], {}, "has no column text", "a manifest needs the columns audio and text; --text names yours"),
        (["x", "text"], {}, "has no column audio", "a manifest needs the columns audio and text"),
        (["audio", "text", "spk_id"], {"speaker": "spkid"}, "has no column spkid", "--speaker spk_id"),
        (["audio", "text", "call_id"], {"session": "appels"}, "has no column appels", "--session call_id"),
    ],
)
def test_missing_column(
    tmp_path: Path, reader: str, found: list[str], columns: dict[str, str], message: str, hint: str
) -> None:
    path = tmp_path / f"a.{reader}"
    if reader == "jsonl":
        path.write_text(json.dumps(dict.fromkeys(found, "x")), encoding="utf-8")
    else:
        separator = {"csv": ",", "tsv": "\t"}[reader]
        path.write_text(separator.join(found) + "\n" + separator.join("x" for _ in found), encoding="utf-8")
    with pytest.raises(ParlureError, match=re.escape(f"{path} {message}")) as caught:
        read(path, **columns)
    assert caught.value.hint == hint


SAVE_AS_UTF8 = "save it as UTF-8 (in a spreadsheet: CSV UTF-8), then prepare again"


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"audio,text,\xe9t\xe9\na.wav,oui,\n", r"a\.csv line 1 is not UTF-8", SAVE_AS_UTF8),
        (b"", r"a\.csv is empty", "the first line names the columns: audio,text,speaker"),
        (b"\n\n", r"a\.csv is empty", "the first line names the columns: audio,text,speaker"),
        (
            b'audio,text\na.wav,oui\nb.wav,"non\nc.wav,si\n',
            r"a\.csv: the quote opened in the row at line 3 is never closed",
            'close it, or write "" for a quote inside a quoted text',
        ),
        (b'"audio"x,text\n', r"a\.csv line 1: the row is not", "the first line names the columns: audio,text,speaker"),
        (b"audio,text,text\na,b,c\n", r"a\.csv has 2 columns called text", "rename all but one"),
    ],
)
def test_table_that_cannot_be_read(tmp_path: Path, content: bytes, message: str, hint: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ParlureError, match=message) as caught:
        read(path)
    assert caught.value.hint == hint


def test_header_only(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("audio,text\n", encoding="utf-8")
    assert read(tmp_path / "a.csv") == []


def test_folder(tmp_path: Path) -> None:
    for name in ("b/2.wav", "a.WAV", "b/1.mp3", "b/lost.flac", "b/latin.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"sound")
    (tmp_path / "a.txt").write_text(" un\n", encoding="utf-8-sig")
    (tmp_path / "b/1.txt").write_text("deux", encoding="utf-8")
    (tmp_path / "b/2.txt").write_text("", encoding="utf-8")
    (tmp_path / "b/latin.txt").write_bytes(b"un\n\xe9t\xe9\n")
    (tmp_path / "b/alone.txt").write_text("quatre", encoding="utf-8")

    found = read(tmp_path)

    texts = [(row.audio.name, row.text) for row in found if isinstance(row, Row)]
    assert texts == [("a.WAV", "un"), ("1.mp3", "deux"), ("2.wav", ""), ("lost.flac", None)]
    rejected = [(row.reason, row.sentence) for row in found if isinstance(row, Rejected)]
    assert rejected == [
        ("bad_encoding", "latin.txt is not UTF-8 on line 2"),
        ("missing_file", "no recording lies beside alone.txt"),
    ]
    assert found[1].raw == {"audio": "b/1.mp3"}


def test_folder_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="holds no recording") as caught:
        read(tmp_path)
    assert caught.value.hint.startswith("known are .3gp .aac ")
    with pytest.raises(ParlureError, match="is a folder and has no columns to name") as caught:
        read(tmp_path, text="phrase")
    assert caught.value.hint == "leave out --text, or give a table"
    with pytest.raises(ParlureError, match="there is no folder") as caught:
        read(tmp_path / "nowhere", reader="folder")
    assert caught.value.hint == "check the path"
    with pytest.raises(ParlureError, match="there is no manifest") as caught:
        read(tmp_path / "nowhere.csv", reader="csv")
    assert caught.value.hint == "check the path"


def test_guessing(tmp_path: Path) -> None:
    names = {"a.csv": "csv", "a.TSV": "tsv", "a.jsonl": "jsonl", "a.cha": "chat"}
    for name, reader in names.items():
        (tmp_path / name).write_text("", encoding="utf-8")
        assert guess_reader(str(tmp_path / name)) == reader
    assert guess_reader(str(tmp_path)) == "chat"
    (tmp_path / "a.cha").unlink()
    assert guess_reader(str(tmp_path)) == "folder"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.parquet").touch()
    for source in ("hf://owner/name?config=fr", str(tmp_path / "data"), f"{tmp_path / 'data'}?split=train"):
        assert guess_reader(source) == "huggingface"
    assert {*names.values(), "folder", "huggingface"} <= set(READERS)


@pytest.mark.parametrize(
    ("source", "reader", "message", "hint"),
    [
        ("a.doc", None, r"a\.doc: its suffix does not say what it is", "--reader NAME; known are csv"),
        ("nowhere.csv", None, r"there is no source .*nowhere\.csv", "check the path"),
        ("s3://owner/name", None, "s3://owner/name is not a file or folder", "download it first; known are csv"),
        ("a.doc", "jsonlines", "there is no reader jsonlines", "did you mean jsonl"),
        ("a.doc", "xyz", "there is no reader xyz", "known are csv, tsv, jsonl, folder, huggingface"),
    ],
)
def test_source_that_no_reader_takes(tmp_path: Path, source: str, reader: str | None, message: str, hint: str) -> None:
    (tmp_path / "a.doc").write_text("", encoding="utf-8")
    where = source if "://" in source else str(tmp_path / source)
    with pytest.raises(ParlureError, match=message) as caught:
        read_rows(where, Columns(), reader)
    assert caught.value.hint.startswith(hint)
