"""The person's own split: kept where it is one, completed out of train, ours where it is none."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from parlure.corpus.examine import Taken
from parlure.corpus.placing import Placed, place_all
from parlure.corpus.readers.row import Row
from parlure.errors import ParlureError

KEYS = ("speaker", "session")
RECORDING = Path("/calls/a.wav")


def rows(splits: str, n_speakers: int = 99) -> dict[str, Taken]:
    """A row of 10 s for each letter: t(rain), d(ev), e (test), - (none)."""
    names = {"t": "train", "d": "validation", "e": "test", "-": None}
    made = {}
    for n, letter in enumerate(splits):
        speaker = f"person {letter} {n % n_speakers}"
        row = Row("calls.csv", n + 2, {}, RECORDING, "oui", speaker=speaker, session=speaker, split=names[letter])
        made[f"u{n}"] = Taken(row, 0.0, 10.0, None, "oui", "fr", "transcribe")
    return made


def place(by_id: dict[str, Taken], ratios: tuple[float, ...] | None = None, **options: Any) -> Placed:
    names = {RECORDING: "a"}
    return place_all(by_id, names, False, ratios, options.get("group_by", KEYS), options.get("seed", 1))


def counts(placed: Placed) -> tuple[int, int, int]:
    found = [utterance.split for utterance in placed.utterances]
    return found.count("train"), found.count("dev"), found.count("test")


def test_train_alone_is_no_split() -> None:
    placed = place(rows("t" * 30))
    assert counts(placed) == (24, 3, 3)
    assert counts(placed) == counts(place(rows("-" * 30)))
    assert placed.split["method"] == "groups"
    assert placed.warnings[0] == "the only split that the sources name is train: that is none, and was divided"
    assert counts(place(rows("t" * 30), (0.5, 0.2, 0.3))) == (15, 6, 9)
    # a data set of which all is called train, and a table that says nothing
    assert counts(place(rows("t" * 20 + "-" * 10))) == (24, 3, 3)


@pytest.mark.parametrize(
    ("splits", "ratios", "expected", "lacking", "share"),
    [
        ("t" * 36 + "e" * 5, None, (32, 4, 5), "dev", "11%"),
        ("t" * 36 + "d" * 5, None, (32, 5, 4), "test", "11%"),
        ("t" * 36 + "e" * 5, (0.6, 0.2, 0.2), (26, 10, 5), "dev", "28%"),
    ],
)
def test_what_a_split_lacks_comes_out_of_train(
    splits: str, ratios: Any, expected: tuple[int, ...], lacking: str, share: str
) -> None:
    by_id = rows(splits, n_speakers=18)
    placed = place(by_id, ratios)
    assert counts(placed) == expected
    assert placed.warnings[0] == (
        f"the sources' own split has no {lacking}: {share} of the hours of train were made {lacking}, "
        "whole groups at a time"
    )
    sides: dict[str, set[str]] = defaultdict(set)
    for utterance in placed.utterances:
        assert utterance.speaker is not None
        sides[utterance.speaker].add(utterance.split)
        given = by_id[utterance.id].row.split
        assert utterance.split in (("train", lacking) if given == "train" else (given.replace("validation", "dev"),))
    assert all(len(found) == 1 for found in sides.values())
    assert placed.split == {
        "method": "given", "group_by": list(KEYS), "n_groups": len(sides), "taken_from_train": lacking, "seed": 1,
        "ratios": list(ratios or (0.8, 0.1, 0.1)),
    }  # fmt: skip


def test_a_whole_split_goes_before_ratios() -> None:
    placed = place(rows("ttttdee"), (0.5, 0.2, 0.3))
    assert counts(placed) == (4, 1, 2)
    assert placed.warnings[0] == "--ratios was not used: the sources have a split of their own"
    assert not any("--ratios" in warning for warning in place(rows("ttttdee")).warnings)
    no_dev_wanted = place(rows("tttteee"), (0.9, 0, 0.1))
    assert counts(no_dev_wanted) == (4, 0, 3)
    assert no_dev_wanted.split == {"method": "given", "group_by": list(KEYS), "n_groups": 7}


def test_a_test_set_alone_stays_one() -> None:
    placed = place(rows("eeee"))
    assert counts(placed) == (0, 0, 4)
    assert placed.warnings[0] == "the sources' own split has no train: this corpus is for evaluating alone"
    assert counts(place(rows("e" * 10), (0.8, 0.1, 0.1))) == (8, 1, 1)  # unless the person says how to divide it


def test_a_train_that_cannot_give() -> None:
    for splits, hint in (("ttte", "--ratios 0.9,0,0.1 for no dev split"), ("tttd", "--ratios 1,0,0 for no test split")):
        by_id = rows(splits, n_speakers=1)
        with pytest.raises(ParlureError, match="the corpus falls into 1 group without a speaker or session") as caught:
            place(by_id)
        assert caught.value.hint.endswith(hint)
        ratios = tuple(float(part) for part in hint.split()[1].split(","))
        assert sum(counts(place(by_id, ratios))) == 4
