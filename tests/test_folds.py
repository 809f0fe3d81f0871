"""Several splits of few speakers: everybody is in test once, and nobody on two sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_prepare import people, run, write_tone
from test_split import corpora

from parlure.corpus.agents import Member
from parlure.corpus.folds import assign_folds
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError

KEYS = ("speaker", "session")


def folds(members: list[Member], n: int, **options: Any) -> Any:
    return assign_folds(members, n, **{"ratios": None, "group_by": KEYS, "seed": 1, **options})


@settings(max_examples=40, deadline=None)
@given(corpora(), st.integers(0, 9))
def test_everybody_is_in_test_once_and_nobody_on_two_sides(members: list[Member], seed: int) -> None:
    plans = folds(members, 3, seed=seed)
    tested = Counter(name for plan in plans for name, split in plan.split_of.items() if split == "test")
    assert tested == Counter(member.id for member in members)
    for plan in plans:
        assert set(plan.split_of.values()) == {"train", "dev", "test"}
        sides: dict[Any, set[str]] = defaultdict(set)
        for member in members:
            for key in {("speaker", member.speaker), ("session", member.session)}:
                sides[key].add(plan.split_of[member.id])
        assert all(len(found) == 1 for key, found in sides.items() if key[1] is not None)
    assert folds(members[::-1], 3, seed=seed) == plans


def test_folds_are_of_one_length() -> None:
    plans = folds([Member(f"u{n}", 10 + n, f"person {n}") for n in range(20)], 4)
    for plan in plans:
        assert sum(10 + int(name[1:]) for name, split in plan.split_of.items() if split == "test") in range(92, 104)
        assert plan.warnings == ()
    plans = folds([Member(str(n), 10 + 90 * (n == 0), str(n)) for n in range(5)], 2, ratios=(0.9, 0, 0.1))
    assert plans[0].warnings == ("whole groups do not make folds of one length: 71%, 29% of the hours",)
    assert set(plans[0].split_of.values()) == {"train", "test"}


def test_too_few_groups_for_folds() -> None:
    members = [Member(str(n), 10, str(n)) for n in range(3)]
    with pytest.raises(ParlureError, match=r"5 folds need as many groups without a speaker .* there are 3") as caught:
        folds(members, 5)
    assert caught.value.hint == "--folds 3"
    with pytest.raises(ParlureError, match=r"and there is 1$") as caught:
        folds(members[:1], 2)
    assert caught.value.hint == "add recordings of other people"
    with pytest.raises(ParlureError, match="--folds cannot be 1") as caught:
        folds(members, 1)
    assert caught.value.hint == "--folds 5: each fifth of the speakers is the test split once"


def test_every_fold_is_a_corpus(tmp_path: Path) -> None:
    rows = [{**row, "split": "train"} for row in people(tmp_path, 6)]
    summary = run(tmp_path, *rows, {"audio": "gone.wav", "text": "a", "speaker": "x"}, folds=3)
    assert summary.lines()[2] == f"folds: 3, each a corpus: {tmp_path / 'corpus/fold-1'} …"
    assert summary.warnings[0] == "the sources' own split was not used: --folds makes others"
    whole = Corpus.load(tmp_path / "corpus")
    corpora = [Corpus.load(tmp_path / f"corpus/fold-{n}") for n in (1, 2, 3)]
    assert corpora[0].utterances == whole.utterances
    assert sorted(u.speaker or "" for corpus in corpora for u in corpus.select("test")) == sorted(
        row["speaker"] for row in rows
    )
    for number, corpus in enumerate(corpora, 1):
        assert {u.id: u.recording for u in corpus.utterances} == {u.id: u.recording for u in whole.utterances}
        assert corpus.info["split"] == {
            "method": "folds", "n_folds": 3, "fold": number, "n_groups": 6, "seed": 1, "group_by": list(KEYS)
        }  # fmt: skip
        assert (corpus.info["n_read"], corpus.info["rejected"]) == (7, {"total": 1, "missing_file": 1})
    run(tmp_path, *rows, folds=2, copy_audio=True)
    assert [path.name for path in sorted((tmp_path / "corpus").glob("fold-*"))] == ["fold-1", "fold-2"]
    copied = Corpus.load(tmp_path / "corpus/fold-2").utterances[0]
    assert Path(copied.recording).parent == tmp_path / "corpus/audio"
    run(tmp_path, *rows)
    assert not list((tmp_path / "corpus").glob("fold-*"))


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    rows = people(tmp_path, 4)
    run(tmp_path, *rows)
    write_tone(tmp_path / "corpus/fold-2/mine.wav")
    with pytest.raises(ParlureError, match="fold-2 is not empty and not a corpus"):
        run(tmp_path, *rows, folds=2)
    run(tmp_path, *rows)
    assert (tmp_path / "corpus/fold-2/mine.wav").exists()
