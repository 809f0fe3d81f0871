"""Guard corpora: how they are named, what is refused, and what a run does that harms one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_loop import recipe

from parlure import cli
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.recipe import differences, load_recipe, resolved
from parlure.training.guards import Guards, load_guards
from parlure.training.loop import train
from parlure.whisper.load import load


def test_a_guard_has_its_folders_name_or_yours(corpus_folder, corpus):
    found = load_guards([str(corpus_folder), f"general={corpus_folder}"], "test")
    assert list(found) == ["corpus", "general"]
    assert found["general"] == corpus.select("test")


def test_only_what_is_to_be_transcribed(corpus, monkeypatch):
    one, two = corpus.select("test")[:2]
    mixed = replace(corpus, utterances=(one, replace(two, task="translate")))
    monkeypatch.setattr(Corpus, "load", lambda folder: mixed)
    assert load_guards(["x"], "test") == {"x": (one,)}


@pytest.mark.parametrize(
    ("guards", "message", "hint"),
    [
        (["a b=x"], "the guard corpus a b=x has the name 'a b', which is not one word",
         "give it one of letters, digits, - and _: --guard general=FOLDER"),
        (["=x"], "the guard corpus =x has the name '', which is not one word", "give it one of letters, digits"),
        (["x", "here/x"], "two guard corpora are called x", "name them: --guard general=FOLDER"),
        (["nothing=x"], "the guard corpus x has nothing to transcribe in its dev split",
         "prepare it for testing alone: --ratios 0,0,1"),
    ],
)  # fmt: skip
def test_what_is_refused(corpus, monkeypatch, guards, message, hint):
    monkeypatch.setattr(Corpus, "load", lambda folder: replace(corpus, utterances=corpus.select("test")))
    with pytest.raises(ParlureError) as caught:
        load_guards(guards, "dev" if "nothing" in guards[0] else "test")
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


def guarded(folder, out, planted, monkeypatch, **guard):
    """A run whose dev WER falls from evaluation to evaluation, and whose guard's is planted."""
    planted, falling = iter(planted), iter([50.0, 40.0, 30.0, 20.0, 10.0])
    monkeypatch.setattr(Guards, "rates", lambda *_: {"general": next(planted)})
    monkeypatch.setattr("parlure.training.development.Development.word_error_rate", lambda *_: next(falling))
    rows = []
    settings = recipe(
        folder, training={"max_steps": 4}, evaluation={"every_steps": 1, "max_utterances": 1}, guard=guard
    )
    summary = train(settings, out, on_event=rows.append)
    return summary, [row for row in rows if row["kind"] == "evaluation"]


def test_what_harms_is_not_kept_and_what_recovers_is(corpus_folder, tmp_path, monkeypatch):
    summary, rows = guarded(corpus_folder, tmp_path / "run", [10.0, 10.9, 11.1, 10.5, 11.2], monkeypatch)
    assert [row["harmed"] for row in rows] == [[], [], ["general"], [], ["general"]]
    assert [row["best_step"] for row in rows] == [0, 1, 1, 3, 3]
    assert (summary.best_step, summary.best_wer, summary.harmed, summary.stopped_early) == (3, 20.0, True, False)
    assert json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])["guards"] == {"general": 11.2}


def test_a_run_that_goes_on_harming_is_stopped(corpus_folder, tmp_path, monkeypatch):
    summary, rows = guarded(corpus_folder, tmp_path / "run", [10.0, 12.5, 12.5, 0, 0], monkeypatch, max_loss=2.0)
    assert len(rows) == 3
    assert (summary.best_step, summary.stopped_early, summary.harmed) == (0, True, True)
    never, _ = guarded(corpus_folder, tmp_path / "never", [10.0] + [12.5] * 4, monkeypatch, patience=0)
    assert (never.best_step, never.stopped_early) == (0, False)


def test_a_destroyed_model_is_seen_by_a_real_guard_and_not_to_be_deployed(corpus_folder, tmp_path, capsys):
    rows = []
    settings = recipe(
        corpus_folder, training={"max_steps": 2, "learning_rate": 0.5, "warmup_steps": 0},
        evaluation={"every_steps": 1, "max_utterances": 1}, decoding={"max_new_tokens": 8},
        guard={"corpora": [f"same={corpus_folder}"], "max_utterances": 3},
    )  # fmt: skip
    summary = train(settings, tmp_path / "run", on_event=rows.append)
    losses = [row["guards"]["same"] for row in rows if row["kind"] == "evaluation"]
    assert losses[-1] > losses[0] + 1
    assert (summary.best_step, summary.harmed) == (0, True)
    assert cli.run(["train", str(tmp_path / "run" / "recipe.toml"), "--out", str(tmp_path / "run"), "--resume"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "do not deploy: no checkpoint was better than the base, which is what is kept"
    base, kept = load("nano"), load(str(tmp_path / "run"))
    assert all(torch.equal(weight, kept.model.state_dict()[name]) for name, weight in base.model.state_dict().items())


def test_a_guard_of_silence_judges_nothing(corpus, corpus_folder, monkeypatch):
    silent = replace(corpus, utterances=tuple(replace(u, text="") for u in corpus.utterances))
    monkeypatch.setattr(Corpus, "load", lambda folder: silent)
    with pytest.raises(ParlureError, match="no dev utterance of the guard corpus quiet holds a word") as caught:
        Guards.of(recipe(corpus_folder, guard={"corpora": ["quiet=x"]}))
    assert caught.value.hint == "dev needs speech with transcripts"


def test_corpora_of_a_recipe_lie_beside_it(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(
        '[data]\ncorpus = "own"\n[replay]\ncorpus = "general"\n[guard]\ncorpora = ["a", "b=/there", "c=d"]\n'
    )
    loaded = load_recipe(path)
    assert loaded.replay.corpus == str(tmp_path / "general")
    assert loaded.guard.corpora == (str(tmp_path / "a"), "b=/there", f"c={tmp_path / 'd'}")
    assert resolved(loaded) == loaded
    moved = loaded.model_copy(update={"guard": loaded.guard.model_copy(update={"corpora": ("x",)})})
    assert differences(loaded, moved) == []
    assert resolved(recipe("x")).replay.corpus == ""
    assert Path(resolved(recipe("x")).data.corpus).is_absolute()
