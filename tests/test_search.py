"""Searching a recipe's values: the space, the luck of the best one, real trials that are killed and gone on with."""

import gc
import json
import os
import signal
import subprocess
import sys
from html import escape
from pathlib import Path

import numpy as np
import pytest
from test_loop import recipe
from transformers import WhisperForConditionalGeneration

from parlure import cli
from parlure.errors import ParlureError
from parlure.recipe import dump_recipe, load_recipe
from parlure.search.found import Found
from parlure.search.luck import Flattery, flattery, flattery_of
from parlure.search.space import Choice, Span, applied, default_space, drawn_of, read_space
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


def test_ranges_and_choices(corpus_folder, tmp_path):
    (tmp_path / "space.toml").write_text(
        '[training]\nlearning_rate = "1e-5..1e-3, log"\n'
        '[adapter]\nr = [4, 8]\ndropout = "0..0.2"\nmethod = "lora|dora"\n'
    )
    space = read_space(
        tmp_path / "space.toml", ["training.warmup_steps=1..100,log", "adapter.r=2|16"], recipe(corpus_folder)
    )
    assert space == {
        RATE: Span(1e-5, 1e-3, log=True),
        "adapter.r": Choice((2, 16)),
        "adapter.dropout": Span(0.0, 0.2),
        "adapter.method": Choice(("lora", "dora")),
        "training.warmup_steps": Span(1, 100, log=True, whole=True),
    }
    assert [one.text() for one in space.values()] == ["1e-05..0.001,log", "2|16", "0..0.2", "lora|dora", "1..100,log"]


def test_the_usual_space_is_ten_times_lower_for_full_fine_tuning(corpus_folder):
    lora, full = recipe(corpus_folder), recipe(corpus_folder, adapter={"method": "full"})
    assert default_space(lora)[RATE] == Span(2e-5, 1e-3, log=True)
    assert default_space(full) == {RATE: Span(2e-6, 1e-4, log=True)}
    assert read_space(None, [], lora) == default_space(lora)


def test_alpha_follows_r(corpus_folder):
    made = applied(recipe(corpus_folder), {"adapter.r": 16, "adapter.alpha_over_r": 4.0, RATE: 1e-3})
    assert (made.adapter.r, made.adapter.alpha, made.training.learning_rate) == (16, 64.0, 1e-3)
    assert drawn_of(made, default_space(made)) == {RATE: 1e-3, "adapter.r": 16, "adapter.alpha_over_r": 4.0,
                                                   "adapter.dropout": 0.1}  # fmt: skip
    assert drawn_of(recipe(corpus_folder), default_space(made)) is None  # its rank of 4 is none of the usual ones


@pytest.mark.parametrize(
    ("option", "message", "hint"),
    [
        ("adapter.r", "--search adapter.r is not section.field=RANGE", "LOW..HIGH, LOW..HIGH,log or A|B|C, as in"),
        ("adapter.r=8", "adapter.r = '8' is no range", "LOW..HIGH, LOW..HIGH,log or A|B|C, as in"),
        ("adapter.r=8..4", "adapter.r = '8..4' is no range", "LOW..HIGH"),
        ("adapter.dropout=0..0.1,log", "adapter.dropout = '0..0.1,log' is no range", "LOW..HIGH"),
        (f"{RATE}=1e-5..1e-3,lin", f"{RATE} = '1e-5..1e-3,lin' is no range", "LOW..HIGH"),
        ("evaluation.profile=fr|raw", "evaluation.profile is not searched: it decides how trials are judged",
         "search fields of model, adapter, training, targets"),
        ("training.seed=1|2", "training.seed is not searched: the best of several seeds is luck", "search fields of"),
        ("data.language=fr|en", "data.language is not searched: trials on other data cannot", "search fields of"),
        ("tracking.project=a|b", "tracking.project is not searched: it changes nothing that", "search fields of"),
        ("training.rate=1..2", "the space: unknown key training.rate", "did you mean training."),
        ("adapter.dropout=0..1.5", "the space: adapter.dropout = 1.5: input should be less than", "adapter.dropout: "),
    ],
)  # fmt: skip
def test_what_a_space_refuses(corpus_folder, option, message, hint):
    with pytest.raises(ParlureError) as caught:
        read_space(None, [option], recipe(corpus_folder))
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


def test_what_is_wrong_with_a_file(corpus_folder, tmp_path):
    cases = {
        None: ("there is no space ", "without --space, a usual one is searched"),
        "r = 8|16": (" is not valid TOML: ", 'ranges need quotes, as in r = "8|16|32"'),
        'r = "8|16"': (": r is not in a section", "write it as a recipe is: [training]"),
        "[adapter]\nr = [[8]]": ("adapter.r = [[8]] is no range", "LOW..HIGH"),
        "[adapter]\nr = 8": ("adapter.r = 8 is no range", "LOW..HIGH"),
    }
    for text, (message, hint) in cases.items():
        path = tmp_path / "space.toml"
        if text is not None:
            path.write_text(text)
        with pytest.raises(ParlureError) as caught:
            read_space(path, [], recipe(corpus_folder))
        assert message in caught.value.message and caught.value.hint.startswith(hint)
    with pytest.raises(ParlureError, match=r"adapter.alpha and adapter.alpha_over_r are the same twice") as caught:
        read_space(None, ["adapter.alpha=1..2", "adapter.alpha_over_r=1|2"], recipe(corpus_folder))
    assert caught.value.hint == "search one of them"


# ------------------------------------------------------------------------------------------ luck


def test_trials_that_err_alike_are_not_flattered_more_than_one():
    errors, words = np.array([[3, 1, 4, 1, 5]] * 6), np.array([10, 10, 10, 10, 10])
    worse = np.array([[0], [5], [5], [5], [5], [5]])
    for planted in (errors, errors + worse):  # one may be better in every block
        assert flattery(planted, words).high == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("spread", [0.0, 2.0], ids=["equally good", "unlike"])
def test_what_choosing_costs_lies_in_what_is_said(spread):
    """Searches of twelve trials of about 30 %: what the lowest dev WER hides, on average, and what is said of it."""
    rng = np.random.default_rng(0)
    words, true = np.full(60, 20), 30 + spread * rng.standard_normal((300, 12))
    errors = rng.binomial(20, true[:, :, None] / 100, (300, 12, 60))
    dev = 100 * errors.sum(axis=2) / words.sum()
    best = dev.argmin(axis=1)
    truly = np.mean((true - dev)[np.arange(300), best])
    said = [flattery(one, words, seed) for seed, one in enumerate(errors[:40])]
    low, high = np.mean([one.low for one in said]), np.mean([one.high for one in said])
    assert low - 0.1 < truly < high + 0.1
    assert high == pytest.approx(2.1, abs=0.2)
    assert 0.4 * high < low < 0.85 * high


def test_a_block_is_a_speaker_or_a_session(tmp_path):
    rows = [{"id": n, "speaker": f"s{n // 2}", "session": None, "errors": n, "words": 9} for n in range(6)]
    for name, own in (("a", rows), ("b", rows), ("c", rows[1:])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in own))
    found = flattery_of([tmp_path / "a", tmp_path / "b"], "dev.jsonl")
    assert (round(found.low), found.n_blocks) == (0, 3)
    assert flattery_of([tmp_path / "a", tmp_path / "c"], "dev.jsonl") is None  # not of the same utterances
    assert flattery_of([tmp_path], "dev.jsonl") is None


def outcome(number, wer, state="complete", harm=0.0, **facts):
    return Outcome(number, {RATE: 1e-4 * (number + 1)}, state, wer, 2, facts.pop("base", 50.0), harm, 4, 60.0, **facts)


@pytest.mark.parametrize(
    ("trials", "flattered", "said"),
    [
        ([outcome(0, 40.0), outcome(1, 38.0), outcome(2, 45.0, "pruned"), outcome(3, 20.0, harm=1.0)],
         Flattery(1.0, 1.5, 9),
         ["4 trials, of which 1 pruned, 1 harmed a guard: trial 1 has the lowest dev WER, 38.0 % (base 50.0 %, your "
          "recipe 40.0 %)",
          "the lowest of 2 on 80 dev utterances is too low by some 1.0 to 1.5 points, because it was chosen on them "
          "(bootstrap over 9 blocks of speakers and sessions); its advantage over your recipe is 2.0",
          "the test split was not used to choose: judge the best one there, once"]),
        ([outcome(0, 40.0), outcome(1, 39.0)], Flattery(1.0, 1.5, 9),
         [None, "… is 1.0: it may be nothing but luck", None]),
        ([outcome(0, 40.0), outcome(1, 39.0)], Flattery(0.0, 0.0, 1),
         [None, "how much of that is luck cannot be estimated: dev needs several speakers or sessions", None]),
        ([outcome(0, 51.0)], Flattery(0.0, 0.0, 1),
         ["1 trial: none is better than the base's dev WER of 50.0 %",
          "search lower learning rates or more epochs; if …"]),
        ([outcome(0, 20.0, harm=2.0)], None,
         ["1 trial, of which 1 harmed a guard: none went to its end without harm to a guard, so there is no …"]),
    ],
)  # fmt: skip
def test_what_is_said(trials, flattered, said):
    sentences = Found(tuple(trials), {RATE: Span(1e-5, 1e-3)}, True, flattered, 80).sentences()
    assert len(sentences) == len(said)
    for sentence, expected in zip(sentences, said, strict=True):
        if expected:
            begin, _, end = expected.partition("…")
            assert sentence.startswith(begin.strip()) and sentence.endswith(
                end.strip() if "…" in expected else sentence
            )


# ------------------------------------------------------------------------------------------ the study


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
