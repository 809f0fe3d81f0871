"""Corpora put together: names that stand for two things, utterances that are twice there, shared splits."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_corpora import ids, make_corpus, rejected, said

from parlure import cli
from parlure.corpus.editing.merging import merge_corpora
from parlure.corpus.manifest import Corpus, Segment
from parlure.errors import ParlureError


def test_names_that_stand_for_two_things_get_the_corpus_in_front(tmp_path: Path) -> None:
    phrases = (Segment(0, 1, "oui", "A"), Segment(1, 2, "non", "B"))
    calls = make_corpus(
        tmp_path / "calls",
        said("1", recording="/c/1.wav", speaker="A", session="1"),
        said("2", recording="/c/1.wav", start=2, end=4, segments=phrases),
    )
    clinic = make_corpus(
        tmp_path / "clinic",
        said("1", recording="/k/1.wav", speaker="A", session="1"),
        said("9", recording="/k/9.wav", speaker="zoé", session="9"),
    )
    summary = merge_corpora([calls, clinic], tmp_path / "both")
    first, second, third, last = Corpus.load(tmp_path / "both").utterances
    assert [first.id, second.id, third.id, last.id] == ["calls-1", "2", "clinic-1", "9"]
    assert [first.speaker, third.speaker, last.speaker] == ["calls/A", "clinic/A", "zoé"]
    assert [first.session, third.session, last.session] == ["calls/1", "clinic/1", "9"]
    assert [phrase.speaker for phrase in second.segments or ()] == ["calls/A", "B"]
    assert summary.notes == (
        "1 id of several corpora got the corpus' name in front: 1",
        "1 speaker of several corpora got the corpus' name in front: A; if they are the same, say --same-names",
        "1 session of several corpora got the corpus' name in front: 1; if they are the same, say --same-names",
    )
    merge_corpora([calls, clinic], tmp_path / "same", same_names=True)
    assert [u.speaker for u in Corpus.load(tmp_path / "same").utterances] == ["A", None, "A", "zoé"]


def test_an_id_that_another_corpus_has_already_is_not_given_twice(tmp_path: Path) -> None:
    calls = make_corpus(tmp_path / "calls", said("1"), said("clinic-1"))
    clinic = make_corpus(tmp_path / "clinic", said("1", recording="/k/1.wav"))
    other = make_corpus(tmp_path / "deep" / "clinic", said("1", recording="/d/1.wav"))
    merge_corpora([calls, clinic, other], tmp_path / "all")
    assert ids(tmp_path / "all") == ["calls-1", "clinic-1", "clinic-1-2", "clinic-2-1"]


def test_what_is_in_both_is_kept_once_and_its_people_are_the_same(tmp_path: Path) -> None:
    shared = said("1", recording="/c/1.wav", speaker="A", session="s")
    calls = make_corpus(
        tmp_path / "calls", shared, said("2", recording="/c/1.wav", start=2, end=4, speaker="A", session="s")
    )
    part = make_corpus(
        tmp_path / "part",
        shared,
        said("x", recording="/c/1.wav", start=2, end=4, speaker="A", session="s"),  # the span of 2 under another name
        said("3", recording="/c/1.wav", start=5, end=6, speaker="A", session="s"),
    )
    summary = merge_corpora([calls, part], tmp_path / "both")
    assert ids(tmp_path / "both") == ["1", "2", "3"]
    assert {u.speaker for u in Corpus.load(tmp_path / "both").utterances} == {"A"}
    assert (summary.n_read, summary.n_kept, summary.left_out_by_reason) == (5, 3, {"duplicate": 2})
    assert [line["sentence"] for line in rejected(tmp_path / "both")] == [
        f"the same recording, span, channel and text is already in {calls / 'manifest.jsonl'} line {n}" for n in (1, 2)
    ]


def leaky(tmp_path: Path, **info) -> list[Path]:
    return [
        make_corpus(
            tmp_path / "a", said("1", speaker="zoé", split="train"), said("2", speaker="luc", split="test"), **info
        ),
        make_corpus(
            tmp_path / "b",
            said("3", speaker="zoé", split="test"),
            said("4", recording="/calls/1.wav", start=3, end=4),
            **info,
        ),
    ]


def test_two_samples_of_one_corpus_have_the_same_people(tmp_path: Path) -> None:
    """An utterance that both hold says so, though it is kept once and each has a recording of its own for each."""
    one, two, three = (said(str(n), f"texte {n}", recording=f"/c/{n}.wav", speaker="A", session="s") for n in range(3))
    first = make_corpus(tmp_path / "first", one, two)
    second = make_corpus(tmp_path / "second", one, three)
    summary = merge_corpora([first, second], tmp_path / "both")
    found = [(u.id, u.speaker, u.session) for u in Corpus.load(tmp_path / "both").utterances]
    assert found == [("0", "A", "s"), ("1", "A", "s"), ("2", "A", "s")]
    assert not any("got the corpus' name in front" in note for note in summary.notes)


def test_a_speaker_on_two_sides_is_refused_accepted_or_divided_anew(tmp_path: Path) -> None:
    folders = leaky(tmp_path)
    with pytest.raises(ParlureError) as error:
        merge_corpora(folders, tmp_path / "out", same_names=True)
    assert error.value.message == (
        "once merged, the speaker zoé is in train and test: the score would be of what the model has heard"
    )
    assert error.value.hint == "divide anew: --ratios 0.8,0.1,0.1, or accept it: --group-by session"
    merge_corpora(folders, tmp_path / "accepted", same_names=True, group_by=("session",))
    info = Corpus.load(tmp_path / "accepted").info
    assert info["split"] == {"method": "merged", "n_groups": 3, "group_by": ["session"]}
    merge_corpora(folders, tmp_path / "anew", same_names=True, ratios=(0.5, 0, 0.5), seed=2)
    anew = Corpus.load(tmp_path / "anew")
    assert {u.id: u.split for u in anew.utterances}["1"] == {u.id: u.split for u in anew.utterances}["3"]
    assert anew.info["split"] == {
        "method": "groups", "n_groups": 2, "seed": 2, "ratios": [0.5, 0, 0.5], "group_by": ["speaker", "session"],
    }  # fmt: skip
    assert anew.info["edit"]["arguments"] == {
        "same_names": True, "group_by": ["speaker", "session"], "ratios": [0.5, 0, 0.5], "seed": 2,
    }  # fmt: skip


def test_a_recording_on_two_sides_is_a_leak_too(tmp_path: Path) -> None:
    a = make_corpus(tmp_path / "a", said("1", recording="/c/1.wav", split="train"))
    b = make_corpus(tmp_path / "b", said("2", recording="/c/1.wav", start=5, end=6, split="test"))
    with pytest.raises(ParlureError, match=r"once merged, the session recording /c/1\.wav is in train and test"):
        merge_corpora([a, b], tmp_path / "out")


def test_nothing_is_asked_of_the_whole_that_a_part_did_not_hold_to(tmp_path: Path) -> None:
    folders = leaky(tmp_path, split={"group_by": ["session"]})
    merge_corpora(folders, tmp_path / "out", same_names=True)
    assert Corpus.load(tmp_path / "out").info["split"]["group_by"] == ["session"]
    make_corpus(tmp_path / "b", said("3", speaker="zoé", split="test"), split={"group_by": ["none"]})
    merge_corpora(folders, tmp_path / "none", same_names=True)
    assert Corpus.load(tmp_path / "none").info["split"]["group_by"] == ["none"]


def test_licences_are_joined(tmp_path: Path) -> None:
    folders = [
        make_corpus(tmp_path / "a", said("1"), licence="CC-BY-4.0, CC0-1.0", sources=[{"path": "a"}]),
        make_corpus(tmp_path / "b", said("2"), licence="CC0-1.0", sources=[{"path": "b"}]),
        make_corpus(tmp_path / "c", said("3")),
    ]
    summary = merge_corpora(folders, tmp_path / "out")
    info = Corpus.load(tmp_path / "out").info
    assert info["licence"] == "CC-BY-4.0, CC0-1.0"
    assert info["sources"] == [{"path": "a"}, {"path": "b"}]
    assert summary.notes == (
        f"no licence is known of {tmp_path / 'c'}: what is said of the whole is of the others alone",
    )


def test_one_corpus_is_no_merge(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path / "a", said("1"))
    with pytest.raises(ParlureError) as error:
        merge_corpora([folder, folder], tmp_path / "out")
    assert error.value.message == "a merge is of two corpora or more"
    assert error.value.hint == "parlure corpus merge CALLS CLINIC --out BOTH"


def test_at_the_command_line(tmp_path: Path, capsys) -> None:
    a, b = (make_corpus(tmp_path / name, said(name)) for name in "ab")
    assert cli.run(["corpus", "merge", str(a), str(b), "--out", str(tmp_path / "c"), "--group-by", "session"]) == 0
    assert ids(tmp_path / "c") == ["a", "b"]
    assert cli.run(["corpus", "merge", str(a), str(b), "--out", str(tmp_path / "d"), "--group-by", "call"]) == 2
    assert "utterances cannot be grouped by call" in capsys.readouterr().err
