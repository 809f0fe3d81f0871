"""Searching a recipe's values: the space, the luck of the best one, real trials that are killed and gone on with."""

import gc
import json
import os
import signal
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest
from test_loop import recipe
from transformers import WhisperForConditionalGeneration

from parlure import cli
from parlure.errors import ParlureError
from parlure.recipe import dump_recipe, load_recipe
from parlure.search.space import Choice, Span
from parlure.search.study import JOURNAL, Study
from parlure.search.trial import Outcome, folder_of
from parlure.search.tune import tune

RATE = "training.learning_rate"


def quick(corpus, **sections):
    """Three steps, each with an evaluation of one utterance: a second of CPU."""
    return recipe(
        corpus,
        training={"max_steps": 3, "batch_seconds": 4.0} | sections.pop("training", {}),
        evaluation={"every_steps": 1, "max_utterances": 1} | sections.pop("evaluation", {}),
        decoding={"max_new_tokens": 5} | sections.pop("decoding", {}),
        **sections,
    )


# ------------------------------------------------------------------------------------------ the space


SPACE = {RATE: Span(1e-5, 1e-3, log=True), "adapter.r": Choice((4, 8))}


def open_study(folder, seed=1, grace=2, first=None):
    return Study(folder, SPACE, seed, first=first, grace=grace)


def ended(study, wers, reported=()):
    """Run trials that report and end as planted."""
    for wer in wers:
        with study.claimed(99) as claim:
            for step, value in reported:
                claim.report(value, step)
            study.tell(claim, "complete", wer, 0.0, {})


def test_draws_are_those_of_the_seed_whoever_draws_after_whatever_happened(tmp_path):
    for name in "abc":
        (tmp_path / name).mkdir()
    ended(open_study(tmp_path / "a"), range(10, 22))
    for wer in range(10, 22):  # each by another process
        ended(open_study(tmp_path / "b"), [wer])
    ended(open_study(tmp_path / "c", seed=2), [10])
    first, second, other = ([one.params for one in open_study(tmp_path / name).trials] for name in "abc")
    assert first == second and len(first) == 12 and first[0] != other[0]
    assert all(1e-5 <= one[RATE] <= 1e-3 for one in first)
    assert len({one[RATE] for one in first}) == 12  # nothing is drawn again after a restart


def test_two_processes_have_two_trials_and_a_killed_ones_is_gone_on_with(tmp_path):
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_search import open_study
from pathlib import Path
with open_study(Path({str(tmp_path)!r})).claimed(3) as claim:
    claim.report(40.0, 1)
    print(claim.number, claim.draw, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        begun = other.stdout.readline().strip()
        assert begun.startswith("0 ")
        with open_study(tmp_path).claimed(3) as mine:
            assert mine.number == 1
            with open_study(tmp_path).claimed(2) as none:
                assert none is None  # two are under way, and two were asked for
        os.kill(other.pid, signal.SIGKILL)
    study = open_study(tmp_path)
    with study.claimed(3) as left:
        assert f"{left.number} {left.draw}" == begun
        assert not left.report(40.0, 1)  # it is done again, and noted once
        assert study.trials[0].intermediate_values == {1: 40.0}
        study.tell(left, "failed", None, 0.0, {})
    with study.claimed(3) as mine:
        assert mine.number == 1  # was left too, without an end


def test_a_journal_whose_last_line_has_no_end_is_mended(tmp_path):
    ended(open_study(tmp_path), [10.0, 20.0])
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"op_code": 4, "wor')
    ended(open_study(tmp_path), [30.0])
    assert [one.value for one in open_study(tmp_path).trials] == [10.0, 20.0, 30.0]


def test_a_trial_behind_the_median_is_stopped_but_not_at_its_first_evaluation(tmp_path):
    study = open_study(tmp_path, grace=2)
    with study.claimed(9) as claim:
        assert not claim.report(90.0, 4)  # nothing to compare with
        study.tell(claim, "complete", 90.0, 0.0, {})
    ended(study, [40.0, 41.0, 42.0], reported=[(1, 45.0), (2, 42.0)])
    with study.claimed(9) as claim:
        assert [claim.report(60.0, 1), claim.report(60.0, 2)] == [False, True]
        study.tell(claim, "pruned", 60.0, 0.0, {})
    assert [one.state.name for one in study.trials] == ["COMPLETE"] * 4 + ["PRUNED"]


def test_without_optuna(corpus_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ParlureError) as caught:
        tune(quick(corpus_folder), tmp_path / "search")
    assert caught.value.message == "searching needs the package optuna, which is not installed"
    assert caught.value.hint == 'pip install "parlure[tune]"'


# ------------------------------------------------------------------------------------------ real trials


RATES = [f"{RATE}=1e-5..1e-3,log"]


@pytest.fixture(scope="module")
def straight(corpus_folder, tmp_path_factory):
    """A search of three trials."""
    out = tmp_path_factory.mktemp("searches") / "straight"
    rows = []
    found = tune(quick(corpus_folder), out, n_trials=3, search=RATES, on_event=rows.append)
    return out, found, rows


def models_alive():
    gc.collect()
    return sum(type(one) is WhisperForConditionalGeneration for one in gc.get_objects())


def comparable(found):
    return [one.facts() | {"work_s": 0} for one in found.trials]


def test_a_search_from_start_to_end(straight, corpus_folder):
    out, found, rows = straight
    assert found.trials[0].draw == {RATE: 1e-3}  # the recipe itself
    assert [one.state for one in found.trials] == ["complete"] * 3
    assert found.best.wer == min(one.wer for one in found.trials)
    assert load_recipe(out / "best.toml").training.learning_rate == found.best.draw[RATE]
    for one in found.trials:
        run = folder_of(out, one.number)
        assert (run / "adapter").is_dir() == (one == found.best)  # one model, and no checkpoint
        assert not (run / "checkpoints").exists() and (run / "metrics.jsonl").exists()
        assert load_recipe(run / "recipe.toml").training.learning_rate == one.draw[RATE]
        evaluations = [row for row in rows if row["kind"] == "evaluation" and row["trial"] == one.number]
        assert one.wer == min(row["wer"] for row in evaluations[1:])
    written = json.loads((out / "trials.json").read_text())
    assert written["trials"] == [one.facts() for one in found.trials]
    assert (written["best"], written["space"]) == (found.best.number, {RATE: "1e-05..0.001,log"})
    page = (out / "tune.html").read_text()
    assert page.count("<svg") == 2 and f"in trial {found.best.number}" in page and "<script" in page


def test_no_model_is_left_in_memory(straight, corpus_folder, tmp_path):
    before = models_alive()
    tune(quick(corpus_folder), straight[0], n_trials=4, search=RATES)
    assert models_alive() == before


def test_an_interrupted_search_goes_on_to_the_same_trials(straight, corpus_folder, tmp_path):
    def interrupt(row):
        if row["kind"] == "step" and (row["trial"], row["step"]) == (1, 1):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        tune(quick(corpus_folder), tmp_path / "broken", n_trials=3, search=RATES, on_event=interrupt)
    states = [one["state"] for one in json.loads((tmp_path / "broken" / "trials.json").read_text())["trials"]]
    assert states == ["complete", "running"]
    rows = []
    found = tune(quick(corpus_folder), tmp_path / "broken", n_trials=3, search=RATES, on_event=rows.append)
    assert comparable(found) == comparable(straight[1])[:3]
    assert [row["step"] for row in rows if row["kind"] == "step" and row["trial"] == 1] == [
        2,
        3,
    ]  # on from its checkpoint


def test_a_trial_that_harms_a_guard_is_no_best_one(corpus_folder, tmp_path):
    settings = quick(
        corpus_folder,
        training={"max_steps": 2, "learning_rate": 0.5, "warmup_steps": 0},  # which destroys the model
        evaluation={"every_steps": 2},
        decoding={"max_new_tokens": 8},
        guard={"corpora": [f"general={corpus_folder}"], "max_utterances": 3, "patience": 0},
    )
    found = tune(settings, tmp_path / "search", n_trials=1, search=[f"{RATE}=0.5|0.6"])
    (one,) = found.trials
    assert one.state == "complete" and one.harm > 0 and found.best is None
    assert not (tmp_path / "search" / "best.toml").exists()
    assert not (folder_of(tmp_path / "search", 0) / "adapter").exists()


def test_a_real_trial_is_pruned_at_its_second_evaluation(straight, corpus_folder):
    out, _, _ = straight
    study = Study(out, {RATE: Span(1e-5, 1e-3, log=True)}, 1, first=None, grace=2)
    n = len(study.trials)
    for number in range(n, n + 9):  # planted, much better, and no best ones
        with study.claimed(99) as claim:
            claim.report(1.0, 1)
            claim.report(1.0, 2)
            planted = Outcome(number, claim.draw, "complete", 1.0, 2, 50.0, 1.0, 3)
            study.tell(claim, "complete", 1.0, 1.0, planted.facts())
    found = tune(quick(corpus_folder), out, n_trials=n + 10, search=RATES, on_event=None)
    last = found.trials[-1]
    assert (last.state, last.n_steps) == ("pruned", 3)
    rows = (folder_of(out, last.number) / "metrics.jsonl").read_text().splitlines()
    assert max(json.loads(row)["step"] for row in rows) == 2
    assert not (folder_of(out, last.number) / "checkpoints").exists()


def test_a_trial_that_cannot_be_run_is_listed_if_another_one_could(corpus_folder, tmp_path):
    settings = quick(corpus_folder, training={"max_steps": 1, "seed": 2}, adapter={"last_layers": 1})
    out = tmp_path / "search"
    found = tune(settings, out, n_trials=2, search=["adapter.last_layers=1|97|98|99"])
    failed = [one for one in found.trials if one.state == "failed"]
    assert found.trials[0].state == "complete" and failed
    assert all(one.draw["adapter.last_layers"] > 90 and "layers" in one.why for one in failed)
    assert escape(failed[0].why) in (out / "tune.html").read_text()
    with pytest.raises(ParlureError):
        tune(quick(corpus_folder, adapter={"last_layers": 99}), tmp_path / "first", n_trials=1,
             search=["adapter.last_layers=1|99"])  # fmt: skip


def test_another_recipe_space_or_folder_is_refused(straight, corpus_folder, tmp_path):
    out, _, _ = straight
    for settings, search, what in (
        (quick(corpus_folder, training={"warmup_steps": 3}), RATES, "training.warmup_steps"),
        (quick(corpus_folder), ["adapter.dropout=0..0.1"], "the space"),
    ):
        with pytest.raises(ParlureError, match=f"was begun otherwise: {what}") as caught:
            tune(settings, out, search=search)
        assert caught.value.hint == "trials would not be comparable: give another --out"
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ParlureError, match="holds something else than a search") as caught:
        tune(quick(corpus_folder), tmp_path)
    assert caught.value.hint == "give another folder: --out NAME"


def test_the_command(straight, corpus_folder, tmp_path, capsys):
    out, _, _ = straight
    (tmp_path / "recipe.toml").write_text(dump_recipe(quick(corpus_folder)))
    assert (
        cli.run(["tune", str(tmp_path / "recipe.toml"), "--trials", "3", "--out", str(out), "--search", RATES[0]]) == 0
    )
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].split() == ["trial", "state", "dev", "WER", "step", "min", "learning_rate"]
    assert [line.split()[0].strip("→") for line in lines[1:4]] == ["0", "1", "2"] or lines[1].startswith("→")
    assert sum(line.startswith("→") for line in lines) == 1
    assert "lowest dev WER" in said.err or "none is better than the base" in said.err
    assert "next: parlure evaluate" in said.err
