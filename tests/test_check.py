"""Planted defects are found by their published codes, and clean rows are left in peace."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from planted import DEFECTS, clean_rows, noise, sentence, write_corpus

from parlure import cli
from parlure.corpus.check.check import check
from parlure.corpus.check.rules import RULES, chosen_rules, markdown_table
from parlure.errors import ParlureError

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """500 rows without a defect, as a corpus, and their rows."""
    folder = tmp_path_factory.mktemp("clean") / "corpus"
    rows = clean_rows(folder)
    return write_corpus(folder, rows), rows


@pytest.fixture(scope="module")
def planted(clean, tmp_path_factory):
    """The same with a defect in each of the first rows of as many speakers, and those that need several rows."""
    import random

    folder = tmp_path_factory.mktemp("planted") / "corpus"
    shutil.copytree(clean[0] / "audio", folder / "audio")
    rows = [dict(row) for row in clean[1]]
    where = {}
    for place, (code, plant) in enumerate(DEFECTS.items()):
        row = rows[place * 5]  # speakers 0 to 16, train
        plant(row, folder / row["recording"])
        where[code] = row["id"]
    by_id = {row["id"]: row for row in rows}

    def give(code, id_, **values):
        by_id[id_].update(values)
        where[code] = id_

    give("speaker_leak", "s30-0", speaker="speaker-20")
    give("session_leak", "s30-1", session="session-20")
    give("recording_leak", "s30-2", recording="audio/s20-2.wav", start=3.0, end=4.2, text="Un pont de neige.")
    by_id["s20-2"]["end"] = 3.0
    give("overlap_leak", "s30-3", recording="audio/s20-3.wav", start=0.5, end=3.0)
    give("text_leak", "s40-0", text=by_id["s20-4"]["text"][:-1] + " !")
    give("audio_leak", "s40-1")
    shutil.copy(folder / "audio" / "s20-5.wav", folder / "audio" / "s40-1.wav")
    by_id["s40-1"]["end"] = by_id["s20-5"]["end"]
    give("duplicate_audio", "s21-1")
    shutil.copy(folder / "audio" / "s21-0.wav", folder / "audio" / "s21-1.wav")
    by_id["s21-1"]["end"] = by_id["s21-0"]["end"]
    rng = random.Random(77)
    changes = {
        "mixed_casing": ((22,), lambda text: text.lower()),
        "mixed_punctuation": ((23,), lambda text: text.rstrip(".")),
        "spaced_punctuation": ((24, 46, 47, 48), lambda text: text.replace(".", " .")),
        "": ((25, 27), lambda text: text.replace(".", " deux.")),
        "mixed_numbers": ((26,), lambda text: text.replace(".", " 36.")),
    }
    for code, (speakers, change) in changes.items():
        for speaker in speakers:
            for number in range(10):
                by_id[f"s{speaker}-{number}"]["text"] = change(sentence(rng))
        where[code] = f"s{speakers[0]}-3"
    del where[""]
    give("bad_phrases", "s28-0", segments=[[0.0, 2.0, "un"], [1.0, 2.5, "deux"]])
    give("fast_words", "s28-1", end=3.0, text="Il y a un an, on y va, il a su où on va, et on a eu ça à la fin du jeu.")
    return write_corpus(folder, rows, licence=None), where


@pytest.fixture(scope="module")
def found(planted):
    return check(planted[0])


def reasons_of(folder: Path) -> dict[str, set[str]]:
    """Id → codes, as reasons.csv has them."""
    reasons: dict[str, set[str]] = {}
    with (folder / "reasons.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            reasons.setdefault(row["id"], set()).add(row["code"])
    return reasons


def test_every_defect_is_found_by_its_code(planted, found):
    reasons = reasons_of(found.folder)
    missed = {code: id_ for code, id_ in planted[1].items() if code not in reasons.get(id_, set())}
    assert missed == {}
    assert len(planted[1]) >= 40


def test_no_error_on_rows_without_a_defect(planted, found):
    bad = set(planted[1].values())
    errors = {code for code, rule in RULES.items() if rule.severity == "error"}
    wrong = {id_: codes & errors for id_, codes in reasons_of(found.folder).items() if id_ not in bad}
    assert {id_: codes for id_, codes in wrong.items() if codes} == {}


def test_clean_corpus_has_no_error_and_hardly_a_warning(clean):
    found = check(clean[0])
    assert [one.rule.code for one in found.findings if one.rule.severity == "error"] == []
    assert {one.rule.code for one in found.findings if one.rule.severity == "warning"} <= {"few_words"}
