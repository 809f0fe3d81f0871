"""A corpus written as CSV or JSON Lines is the same corpus when it is prepared again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_corpora import make_corpus, noise, said

from parlure import cli
from parlure.corpus.editing.exporting import export_corpus
from parlure.corpus.exporters import EXPORTERS
from parlure.corpus.manifest import Corpus, Segment
from parlure.corpus.prepare import prepare
from parlure.errors import ParlureError


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Every field in use, and texts that a table finds hard."""
    recordings = [str(noise(tmp_path / f"calls/{n}.wav", 4.0, seed=n)) for n in range(3)]
    full = said(
        "full",
        'il dit « "ça, va" »; oui\tet — non',
        start=0.25,
        end=3.123457,
        recording=recordings[0],
        channel=0,
        language="fr",
        task="translate",
        speaker="zoé; dit, 'la' \"grande\"",
        session="call 7/b",
        split="train",
        segments=(Segment(0.0, 1.0, 'ça, "va"', "zoé"), Segment(1.0, 2.5, "oui\nnon")),
        prompt="=avant, ça",
        tags=("age=twenties", 'odd, "tag"', "été"),
    )
    return make_corpus(
        tmp_path / "corpus",
        full,
        said("plain", recording=recordings[1], end=4.0, split="dev", speaker="12"),
        said("-start", "-moins", start=1.0, recording=recordings[2], split="test", speaker="+1", tags=("x",)),
    )


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_what_is_read_back_is_what_was_written(corpus: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "exported"
    assert export_corpus(corpus, out, to=name) == 3
    prepare([out / f"utterances.{name}"], tmp_path / "again", local_speakers=False)
    before, after = Corpus.load(corpus).utterances, Corpus.load(tmp_path / "again").utterances
    assert after[:2] == before[:2]  # the third id is not fit to be a file name, and prepare gives it another
    assert [replace(u, id="") for u in after] == [replace(u, id="") for u in before]


def test_recordings_nearby_are_named_relative_to_the_folder(corpus: Path, tmp_path: Path) -> None:
    export_corpus(corpus, tmp_path / "near", to="jsonl")
    export_corpus(corpus, tmp_path / "far" / "away", to="jsonl")
    near, far = (
        json.loads((tmp_path / place / "utterances.jsonl").read_text(encoding="utf-8").splitlines()[0])["audio"]
        for place in ("near", "far/away")
    )
    assert near == "../calls/0.wav"
    assert far == str(tmp_path / "calls/0.wav")


def test_silence_is_read_back_as_silence(tmp_path: Path) -> None:
    recording = str(noise(tmp_path / "a.wav"))
    corpus = make_corpus(tmp_path / "corpus", said("a", "", recording=recording, split="test"))
    for name in ("csv", "jsonl"):
        export_corpus(corpus, tmp_path / name, to=name)
        prepare([tmp_path / name / f"utterances.{name}"], tmp_path / f"{name} again", empty_text="no-speech")
        assert Corpus.load(tmp_path / f"{name} again").utterances == Corpus.load(corpus).utterances


def test_what_cannot_be_exported(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out, to, message, hint in (
        ("new", "jsnl", "there is no format jsnl to export to", "did you mean jsonl"),
        ("new", "braille", "there is no format braille to export to", f"known are {', '.join(sorted(EXPORTERS))}"),
        (
            "calls",
            "csv",
            f"{tmp_path / 'calls'} is not empty, and an export would mix with what is there",
            "name a new folder",
        ),
        ("file", "csv", f"{tmp_path / 'file'} is a file, and an export is a folder", "name a new folder"),
    ):
        with pytest.raises(ParlureError) as error:
            export_corpus(corpus, tmp_path / out, to=to)
        assert (error.value.message, error.value.hint) == (message, hint)


def test_half_an_export_is_not_left_behind(corpus: Path, tmp_path: Path, monkeypatch) -> None:
    def stopped(corpus: Corpus, out: Path) -> None:
        (out / "half").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setitem(EXPORTERS, "csv", stopped)
    with pytest.raises(KeyboardInterrupt):
        export_corpus(corpus, tmp_path / "out", to="csv")
    assert not (tmp_path / "out").exists()


def test_cells_that_are_no_json_are_rejected_one_by_one(tmp_path: Path) -> None:
    noise(tmp_path / "a.wav")
    (tmp_path / "a.csv").write_text(
        'audio,text,start,end,tags,segments\na.wav,oui,0,1,"[""x""]",\na.wav,oui,0,1.5,x,\na.wav,oui,0,1.8,,oui\n'
    )
    prepare([tmp_path / "a.csv"], tmp_path / "corpus", language="fr", ratios=(0, 0, 1))
    assert [u.tags for u in Corpus.load(tmp_path / "corpus").utterances] == [("x",)]
    sentences = [json.loads(line)["sentence"] for line in (tmp_path / "corpus/rejected.jsonl").read_text().splitlines()]
    assert sentences == ["tags is 'x', not a list of texts", "segments is 'oui'"]


def test_at_the_command_line(corpus: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert cli.run(["corpus", "export", str(corpus), "--to", "csv", "--out", str(out)]) == 0
    assert capsys.readouterr() == ("", f"3 utterances → {out}\n")
    assert cli.run(["corpus", "export", str(corpus), "--to", "csv", "--out", str(out)]) == 2
