"""WER by hours: parts within parts, equal schedules, what is extrapolated and when nothing is, and going on."""

import json
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from test_loop import recipe

from parlure import cli
from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.recipe import dump_recipe, load_recipe
from parlure.scoring.learning_curve import extrapolate, plain_words
from parlure.scoring.rates import Counts
from parlure.scoring.skills import curve as module
from parlure.scoring.skills.curve import curve, divide, markdown, train_shares

BLOCKS = [number // 2 for number in range(24)]  # twelve of two utterances


def counts(*rates, spread=3):
    """One of 100 words for each utterance; speakers differ by so many errors, alike at every amount."""
    return [[Counts(S=rate + (block % 3 - 1) * spread, N=100) for block in BLOCKS] for rate in rates]


# ------------------------------------------------------------------------------------------ what is extrapolated


def test_a_rate_that_falls_goes_on_between_both_lines():
    found = extrapolate([1.0, 2.0, 4.0], counts(48, 36, 27), BLOCKS)  # a power law: three quarters a doubling
    assert found["why_not"] is None and found["slope"] == pytest.approx(-10.5)
    twice, four = found["predictions"]["2"], found["predictions"]["4"]
    assert (twice["hours"], four["hours"]) == (8.0, 16.0)
    straight, power = np.polyval(np.polyfit([0, 1, 2], [48, 36, 27], 1), [3, 4]), 48 * 0.75 ** np.array([3, 4])
    assert twice["rate"] == pytest.approx((straight[0] + power[0]) / 2, abs=0.1)
    assert four["rate"] == pytest.approx((straight[1] + power[1]) / 2, abs=0.1)
    assert found["missed"] == pytest.approx(27 - (24 + 27) / 2)
    for one, ends in ((twice, (straight[0], power[0])), (four, (straight[1], power[1]))):
        assert one["ci95"][0] <= min(ends) < max(ends) <= one["ci95"][1]
        assert one["gain"] == pytest.approx(one["rate"] - 27) and one["gain95"][0] < one["gain"] < one["gain95"][1]
    wide, narrow = four["ci95"], twice["ci95"]
    assert wide[1] - wide[0] > narrow[1] - narrow[0]
    said = plain_words(4.0, 27.0, found)
    assert said.startswith("Doubling the 4.00 hours would bring the WER from 27.0 % to about 18.")
    assert "the last one would have been missed by 1.5 points; other training data and another seed are not in" in said


def test_a_curve_that_bends_is_less_sure():
    steady, bent = (extrapolate([1, 2, 4], counts(*rates), BLOCKS) for rates in ((40, 34, 28), (40, 30, 29)))
    width = [found["predictions"]["2"]["ci95"][1] - found["predictions"]["2"]["ci95"][0] for found in (steady, bent)]
    assert bent["missed"] > 7 > 1 > steady["missed"] and width[1] > width[0] + 12
    assert "so it may bring nothing" in plain_words(4.0, 29.0, bent)
    assert "so it may bring nothing" not in plain_words(4.0, 28.0, steady)


def test_a_rate_never_falls_below_zero():
    found = extrapolate([1, 2, 4], counts(30, 17, 5), BLOCKS)
    for one in found["predictions"].values():
        assert one["rate"] >= 0 and one["ci95"][0] >= 0 and one["gain95"][0] >= -5.0 - 1e-9


@pytest.mark.parametrize(
    ("hours", "counted", "blocks", "told"),
    [
        ([2.0, 4.0], counts(40, 30), BLOCKS, "2 amounts are no curve, it takes 3"),
        ([1.0, 2.0, 4.0], counts(40, 35, 30), [0] * 12 + [1] * 12, "2 independent groups of speakers are too few, it"),
        ([1.0, 2.0, 4.0], counts(40, 20, 0, spread=0), BLOCKS, "there are amounts without an error left"),
        ([1.0, 2.0, 4.0], counts(30, 30, 31), BLOCKS, "a doubling has brought +0.5 points [+0.5, +0.5] so far, which "
         "cannot be told from nothing"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_said_it_is_said(hours, counted, blocks, told):
    found = extrapolate(hours, counted, blocks)
    assert told in found["why_not"] and "predictions" not in found
    assert plain_words(4.0, 30.0, found).startswith(f"With 4.00 hours the WER is 30.0 %; {told}")


# ------------------------------------------------------------------------------------------ parts of the corpus


def made(n_sessions, speaker_of, tmp_path, n_each=5):
    own = [
        Utterance(id=f"{session}-{number}", recording=f"r{session}.wav", start=10.0 * number, end=10.0 * number + 9,
                  text="a", language="fr", speaker=speaker_of(session, number), session=f"c{session}")
        for session in range(n_sessions)
        for number in range(n_each)
    ]  # fmt: skip
    return Corpus(tmp_path, tuple(own), {})


def test_parts_are_whole_and_each_is_within_the_next(tmp_path):
    corpus = made(20, lambda session, number: f"s{session // 2}", tmp_path)  # ten people with two calls each
    parts, unit = divide(corpus, (0.2, 0.5, 1.0), 1, tmp_path)
    assert unit == "speakers and sessions" and [part.n_units for part in parts] == [2, 5, 10]
    ids = [{u.id for u in part.utterances} for part in parts]
    assert ids[0] < ids[1] < ids[2] and len(ids[2]) == 100
    for part in parts:
        of_speaker = defaultdict(int)
        for u in part.utterances:
            of_speaker[u.speaker] += 1
        assert set(of_speaker.values()) == {10}
        assert part.hours == pytest.approx(part.share * 100 * 9 / 3600)
    assert divide(corpus, (0.2, 0.5, 1.0), 1, tmp_path)[0] == parts
    assert divide(corpus, (0.2, 0.5, 1.0), 2, tmp_path)[0] != parts


def test_where_one_agent_takes_all_calls_parts_are_of_calls(tmp_path):
    corpus = made(12, lambda session, number: "agent" if number % 2 else f"s{session}", tmp_path)
    parts, unit = divide(corpus, (0.25, 0.5, 1.0), 1, tmp_path)
    assert unit == "sessions" and [part.n_units for part in parts] == [3, 6, 12]


def test_what_makes_no_curve_is_refused(tmp_path, corpus_folder):
    with pytest.raises(ParlureError, match=r"2 recordings of .* cannot be divided into such shares of hours") as caught:
        divide(made(2, lambda session, number: "s", tmp_path), (0.25, 1.0), 1, tmp_path)
    assert caught.value.hint == "larger shares, or more recordings: --shares 0.5,1"
    with pytest.raises(ParlureError, match="has no training utterances") as caught:
        divide(Corpus(tmp_path, (), {}), (0.5, 1.0), 1, tmp_path)
    assert caught.value.hint == "give train a share: --ratios 0.8,0.1,0.1"
    for shares in ([1.0], [0.5, 0.5], [0.0, 1.0], [0.5, 1.5]):
        with pytest.raises(ParlureError, match="make no curve") as caught:
            train_shares(recipe(corpus_folder), tmp_path / "out", shares=shares)
        assert caught.value.hint == "two or more different ones, above 0 to 1: --shares 0.25,0.5,1"


# ------------------------------------------------------------------------------------------ the command


@pytest.fixture
def few(corpus, monkeypatch):
    """Six calls to train on by four utterances, and two of dev and test."""
    of_call = defaultdict(list)
    for u in corpus.select("train"):
        of_call[u.session].append(u)
    train = [u for own in of_call.values() for u in own[:4]]
    chosen = tuple(train + [u for split in ("dev", "test") for u in corpus.select(split)[:2]])
    whole = replace(corpus, utterances=chosen)
    load = Corpus.load
    monkeypatch.setattr(Corpus, "load", lambda folder: whole if "corpora" not in str(folder) else load(folder))
    return whole


def asked(corpus_folder, tmp_path):
    settings = recipe(
        corpus_folder, training={"max_steps": 4, "warmup_steps": 2},
        evaluation={"every_steps": 4, "max_utterances": 1}, decoding={"max_new_tokens": 5},
    )  # fmt: skip
    (tmp_path / "recipe.toml").write_text(dump_recipe(settings))
    return settings


def test_the_command_and_the_command_again(few, corpus_folder, tmp_path, capsys, monkeypatch):
    asked(corpus_folder, tmp_path)
    out = tmp_path / "curve"
    command = ["curve", str(tmp_path / "recipe.toml"), "--shares", "0.5,1", "--out", str(out)]
    assert cli.run(command) == 0
    told = capsys.readouterr()
    table = json.loads((out / "curve.json").read_text())
    assert [row["name"] for row in table["points"]] == ["base", "run-0.5", "run-1"]
    hours = [row["hours"] for row in table["points"]]
    assert hours[0] == 0 and hours[2] == pytest.approx(sum(u.duration_s for u in few.select("train")) / 3600)
    assert told.out == markdown(table) and table["sentence"] in told.err
    assert "2 amounts are no curve" in table["sentence"]
    halves, whole = (load_recipe(out / f"run-{share}" / "recipe.toml") for share in ("0.5", "1"))
    share = hours[1] / hours[2]
    assert (whole.training.max_steps, halves.training.max_steps) == (4, round(4 * share))
    assert (whole.training.warmup_steps, halves.training.warmup_steps) == (2, round(2 * share))
    assert halves.training.epochs == whole.training.epochs and halves.evaluation.every_steps == round(4 * share)
    part = Corpus.load(out / "corpora" / "0.5")
    assert part.select("test") == few.select("test") and 0 < len(part.select("train")) < len(few.select("train"))
    page = (out / "curve.html").read_text()
    assert "<svg" in page and "nothing can be said" in page
    before = {path: path.stat().st_mtime_ns for path in out.glob("run-*/metrics.jsonl")}
    (out / "curve.json").unlink()
    monkeypatch.setattr(module, "train", None)  # calling it would fail: nothing is left to train
    assert cli.run(command) == 0
    assert json.loads((out / "curve.json").read_text())["points"] == table["points"]
    assert before == {path: path.stat().st_mtime_ns for path in out.glob("run-*/metrics.jsonl")}


def test_interrupted_it_goes_on_with_the_same_recipe_alone(few, corpus_folder, tmp_path):
    settings = asked(corpus_folder, tmp_path)
    rows = []

    def stop(row):
        rows.append(row)
        if len([one for one in rows if one["kind"] == "notice"]) == 2:  # the second share
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_shares(settings, tmp_path / "out", shares=(0.5, 1.0), on_event=stop)
    assert [path.name for path in (tmp_path / "out").glob("run-*")] == ["run-0.5"]
    seen = []
    parts, _ = train_shares(settings, tmp_path / "out", shares=(0.5, 1.0), on_event=seen.append)
    assert len([row for row in seen if row["kind"] == "step"]) == 4  # of the whole alone
    assert all(part.run.exists() for part in parts)
    other = settings.model_copy(update={"adapter": settings.adapter.model_copy(update={"r": 2})})
    with pytest.raises(ParlureError, match=r"the recipe differs from the one that .*run-0\.5 was started with"):
        train_shares(other, tmp_path / "out", shares=(0.5, 1.0))


def test_refusals(few, corpus, corpus_folder, tmp_path, monkeypatch, capsys):
    settings = asked(corpus_folder, tmp_path)
    only = replace(few, utterances=tuple(replace(u, task="translate") for u in few.utterances))
    monkeypatch.setattr(Corpus, "load", lambda folder: only)
    with pytest.raises(ParlureError, match="has nothing to transcribe in its test split") as caught:
        curve(settings, tmp_path / "out")
    assert caught.value.hint == "choose another --split"
    assert cli.run(["curve", str(tmp_path / "recipe.toml"), "--shares", "a", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "error: --shares a are not numbers" in told and "hint: --shares 0.25,0.5,1" in told
