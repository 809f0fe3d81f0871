"""A corpus comes back as it was written; a bad one is refused by file and line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parlure.corpus.manifest import (
    Corpus,
    Segment,
    Utterance,
    begin_corpus,
    finish_corpus,
    parse_segments,
    write_lines,
)
from parlure.errors import ParlureError


def utterance(tmp_path: Path, **changes: Any) -> Utterance:
    path = str(tmp_path / "calls" / "été.wav")
    plain = Utterance(id="a", recording=path, start=1.5, end=4.0, text="ça va", language="fr")
    return replace(plain, **changes)


def write(folder: Path, *utterances: Utterance) -> None:
    begin_corpus(folder)
    write_lines(folder, utterances, [{"reason": "empty_text"}])
    finish_corpus(folder, {"n_used": len(utterances)})


def test_round_trip(tmp_path: Path) -> None:
    full = utterance(
        tmp_path,
        id="b",
        channel=1,
        task="translate",
        speaker="marie",
        session="call 1",
        split="test",
        segments=(Segment(0.0, 1.0, "ça"), Segment(1.0, 2.5, "va", "jean")),
        prompt="bonjour",
        tags=("phone",),
    )
    folder = tmp_path / "corpus"
    write(folder, utterance(tmp_path), full)

    corpus = Corpus.load(folder)

    assert corpus.utterances == (utterance(tmp_path), full)
    assert corpus.info == {"schema_version": 1, "n_used": 2}
    assert corpus.select("test") == (full,)
    assert corpus.select("dev") == ()
    assert full.duration_s == 2.5
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert "ça va" in lines[0]
    assert json.loads(lines[1])["segments"] == [[0.0, 1.0, "ça"], [1.0, 2.5, "va", "jean"]]
    assert list(json.loads(lines[0])) == (
        "id recording start end channel text language task speaker session split segments prompt tags".split()  # noqa: SIM905
    )
    assert sorted(path.name for path in folder.iterdir()) == ["corpus.json", "manifest.jsonl", "rejected.jsonl"]


def test_recordings_near_the_corpus_move_with_it(tmp_path: Path) -> None:
    near, home = tmp_path / "near", tmp_path / "elsewhere.wav"
    write(near / "corpus", utterance(near), utterance(near, id="b", recording=str(home)))
    first, second = (json.loads(line) for line in (near / "corpus/manifest.jsonl").read_text("utf-8").splitlines())
    assert first["recording"] == "../calls/été.wav"
    assert second["recording"] == home.as_posix()

    near.rename(tmp_path / "moved")

    assert Corpus.load(tmp_path / "moved/corpus").utterances[0].recording == str(tmp_path / "moved/calls/été.wav")


def test_unknown_split_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "corpus", utterance(tmp_path))
    with pytest.raises(ParlureError, match="there is no split eval") as caught:
        Corpus.load(tmp_path / "corpus").select("eval")
    assert caught.value.hint == "the splits are train, dev, test"


def test_not_whole(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="there is no corpus folder") as caught:
        Corpus.load(tmp_path / "corpus")
    assert caught.value.hint == "make one: parlure prepare SOURCE --out CORPUS"
    begin_corpus(tmp_path / "corpus")
    write_lines(tmp_path / "corpus", [], [])
    with pytest.raises(ParlureError, match=r"is not whole: it has no corpus\.json") as caught:
        Corpus.load(tmp_path / "corpus")
    assert caught.value.hint == (
        "parlure prepare writes it last, so it was interrupted, or this is another folder: prepare it again"
    )
    begin_corpus(tmp_path / "corpus")  # a corpus that was interrupted may be made again


def test_begin_takes_the_whole_out_of_a_corpus(tmp_path: Path) -> None:
    write(tmp_path / "corpus", utterance(tmp_path))
    begin_corpus(tmp_path / "corpus")
    with pytest.raises(ParlureError, match="not whole"):
        Corpus.load(tmp_path / "corpus")


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refusals = {"": "is not empty and not a corpus", "thesis.txt": r"thesis\.txt is a file, not a folder"}
    for name, message in refusals.items():
        with pytest.raises(ParlureError, match=message) as caught:
            begin_corpus(tmp_path / name)
        assert caught.value.hint == "name a new folder: --out corpus"


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("{", r"corpus\.json is not JSON: Expecting", "prepare the corpus again"),
        ('{"schema_version": 9}', "version 9, this parlure reads 1", "update parlure, or prepare the corpus again"),
        ("[]", "has schema version None", "update parlure, or prepare the corpus again"),
    ],
)
def test_bad_info(tmp_path: Path, content: str, message: str, hint: str) -> None:
    write(tmp_path / "corpus", utterance(tmp_path))
    (tmp_path / "corpus/corpus.json").write_text(content)
    with pytest.raises(ParlureError, match=message) as caught:
        Corpus.load(tmp_path / "corpus")
    assert caught.value.hint == hint


def test_missing_manifest(tmp_path: Path) -> None:
    write(tmp_path / "corpus", utterance(tmp_path))
    (tmp_path / "corpus/manifest.jsonl").unlink()
    with pytest.raises(ParlureError, match=r"has no manifest\.jsonl") as caught:
        Corpus.load(tmp_path / "corpus")
    assert caught.value.hint == "prepare it again: parlure prepare"


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"start": "1"}, "the field start cannot be '1'", "prepare the corpus again"),
        ({"end": float("inf")}, "the field end cannot be inf", "prepare the corpus again"),
        ({"end": 1.0}, "the utterance ends at 1.0 s, before its start at 1.5 s", "prepare the corpus again"),
        ({"text": None}, "the field text cannot be None", "prepare the corpus again"),
        ({"id": ""}, "the field id cannot be ''", "prepare the corpus again"),
        ({"recording": None}, "the field recording cannot be None", "prepare the corpus again"),
        ({"split": "eval"}, "the field split cannot be 'eval'", "prepare the corpus again"),
        ({"task": "sing"}, "the field task cannot be 'sing'", "prepare the corpus again"),
        ({"channel": -1}, "the field channel cannot be -1", "prepare the corpus again"),
        ({"channel": True}, "the field channel cannot be True", "prepare the corpus again"),
        ({"speaker": 3}, "the field speaker cannot be 3", "prepare the corpus again"),
        ({"tags": "phone"}, "the field tags cannot be 'phone'", "prepare the corpus again"),
        ({"segments": "x"}, "segments is 'x'", "segments is [[start, end, text], …] in seconds, or null"),
        ({"segments": [[0, 0, "a"]]}, "is not a segment", "a segment is [start, end, text], times in seconds"),
        ({"speeker": "x"}, "an utterance has no field speeker", "did you mean speaker"),
        ({"zzz": "x"}, "an utterance has no field zzz", "the fields are id, recording"),
        ({"id": "a"}, "the id a is already on line 1", "prepare the corpus again"),
    ],
)
def test_bad_line(tmp_path: Path, changes: dict[str, Any], message: str, hint: str) -> None:
    write(tmp_path / "corpus", utterance(tmp_path), utterance(tmp_path, id="b"))
    path = tmp_path / "corpus/manifest.jsonl"
    first, second = path.read_text("utf-8").splitlines()
    path.write_text(first + "\n" + json.dumps({**json.loads(second), **changes}) + "\n", encoding="utf-8")
    with pytest.raises(ParlureError, match=message) as caught:
        Corpus.load(tmp_path / "corpus")
    assert str(caught.value).startswith(f"{path} line 2: ")
    assert caught.value.hint.startswith(hint)
    assert bool(caught.value.hint) == bool(hint)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (b"{", "line 2: Expecting", "prepare the corpus again"),
        (b"[]", "line 2: the line is not a JSON object", "prepare the corpus again"),
        (b'{"text": "\xe9"}', "line 2: 'utf-8' codec", "prepare the corpus again"),
        (b'{"recording": "a"}', "line 2: the field id is missing", "the fields are id, recording, start, end"),
    ],
)
def test_line_that_is_no_utterance(tmp_path: Path, line: bytes, message: str, hint: str) -> None:
    write(tmp_path / "corpus", utterance(tmp_path))
    path = tmp_path / "corpus/manifest.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(ParlureError, match=message) as caught:
        Corpus.load(tmp_path / "corpus")
    assert caught.value.hint.startswith(hint)
    assert bool(caught.value.hint) == bool(hint)


def test_parse_segments() -> None:
    assert parse_segments(None) is None
    assert parse_segments([[0, 1, "a"], [1, 2, "b", "x"]]) == (Segment(0.0, 1.0, "a"), Segment(1.0, 2.0, "b", "x"))
    for bad in ([[0, 1]], [["0", 1, "a"]], [[0, 1, 2]], [[1, 0, "a"]], ["a"]):
        with pytest.raises(ParlureError, match="is not a segment"):
            parse_segments(bad)
