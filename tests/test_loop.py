"""Training: exact loss whatever the accumulation, resume, early stopping, full fine-tuning, and every refusal."""

import errno
import json
import os
import signal
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from peft import PeftModel
from safetensors.torch import load_file
from test_batches import full_window

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.recipe import load_recipe, parse_recipe, resolved
from parlure.training import checkpoint, loop
from parlure.training.batches import MicroBatch
from parlure.training.items import training_items
from parlure.training.job import asked_for
from parlure.training.loop import learning_rate, train
from parlure.training.plan import Plan
from parlure.training.team import Team
from parlure.training.trainee import Trainee, optimisation_step
from parlure.training.windows import own_window
from parlure.whisper.load import NANO, load_base, load_tokenizer
from parlure.whisper.prompt import SpecialTokens


def recipe(corpus, **sections):
    tree = {
        "model": {"base": "nano"},
        "data": {"corpus": str(corpus)},
        "adapter": {"r": 4, "alpha": 8.0, "dropout": 0.1},
        "training": {"max_steps": 4, "learning_rate": 1e-3, "warmup_steps": 1, "batch_seconds": 12.0, "accumulation": 1,
                     "full_window_share": 0.0},
        "evaluation": {"every_steps": 2, "max_utterances": 2},
        "decoding": {"max_new_tokens": 20},
    }  # fmt: skip
    for name, values in sections.items():
        tree[name] = tree.get(name, {}) | values
    return parse_recipe(tree, "test")


def trainee(corpus, dropout=0.0):
    torch.manual_seed(0)
    settings = recipe(corpus, adapter={"dropout": dropout})
    made = Trainee.of(settings, load_base(str(NANO)), load_tokenizer(str(NANO)), torch.device("cpu"))
    for name, parameter in made.whisper.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.05)
    return made


def alone():
    return Team(Accelerator(mixed_precision="no"))


@pytest.mark.parametrize("size", [8, 4, 2, 1])
def test_loss_and_gradient_do_not_depend_on_the_accumulation(corpus, corpus_folder, size):
    items = sorted(training_items(corpus, load_tokenizer(str(NANO))), key=lambda item: item.id)[:8]
    assert len({len(item.labels.inputs) for item in items}) > 2  # unequal label lengths
    windows = tuple(map(own_window, items))
    whole = (MicroBatch(windows, 6.0),)
    parts = tuple(MicroBatch(windows[i : i + size], 6.0) for i in range(0, 8, size))
    results = [optimisation_step(trainee(corpus_folder), alone(), step, 0.0, 1.0) for step in (whole, parts)]
    assert results[1] == pytest.approx(results[0], rel=1e-4)


def test_loss_equals_hugging_faces(corpus, corpus_folder):
    item = training_items(corpus, load_tokenizer(str(NANO)))[0]
    made = trainee(corpus_folder)
    ours, _ = optimisation_step(made, alone(), (MicroBatch((full_window(item),), 30.0),), 0.0, 1.0)
    from parlure.speech.features import log_mel
    from parlure.training.batches import collate

    tensors = collate(MicroBatch((full_window(item),), 30.0), 50_257)
    made.whisper.eval()
    with torch.inference_mode():
        theirs = made.whisper(
            input_features=log_mel(tensors.waves), decoder_input_ids=tensors.inputs, labels=tensors.targets
        ).loss
    assert ours == pytest.approx(float(theirs), rel=1e-5)


def test_a_run_from_start_to_end(corpus_folder, tmp_path):
    rows = []
    out = tmp_path / "run"
    summary = train(recipe(corpus_folder), out, on_event=rows.append)
    assert summary.n_steps == 4
    assert [row["step"] for row in rows if row["kind"] == "evaluation"] == [0, 2, 4]
    assert [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()] == rows
    assert summary.best_wer == pytest.approx(min(row["wer"] for row in rows if row["kind"] == "evaluation"))
    for name in ("recipe.toml", "environment.json", "corpus.json"):
        assert (out / name).stat().st_size > 50
    assert sorted(p.name for p in (out / "checkpoints").iterdir()) == ["step-000002", "step-000004"]
    loaded = PeftModel.from_pretrained(load_base(str(NANO)), str(out / "adapter"))
    assert loaded.peft_config["default"].base_model_name_or_path == "nano"


def trained_weights(out):
    last = sorted((out / "checkpoints").iterdir())[-1]
    return load_file(last / "trainable.safetensors")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_run_resumes_to_the_same_weights(corpus_folder, tmp_path, number):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(recipe(corpus_folder), straight)

    def interrupt(row):
        if row["kind"] == "step" and row["step"] == 3:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        train(recipe(corpus_folder), broken, on_event=interrupt)
    assert json.loads((broken / "checkpoints/step-000003/progress.json").read_text())["step"] == 3
    train(recipe(corpus_folder), broken, resume=True)
    first, second = trained_weights(straight), trained_weights(broken)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    steps = [json.loads(line)["step"] for line in (broken / "metrics.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 2, 3, 4, 4]


def test_resume_of_nothing_starts_and_of_a_finished_run_stops(corpus_folder, tmp_path):
    one_step = recipe(corpus_folder, training={"max_steps": 1})
    first = train(one_step, tmp_path / "run", resume=True)
    rows = []
    again = train(one_step, tmp_path / "run", resume=True, on_event=rows.append)
    assert again == replace(first, was_finished=True)
    assert rows == []


def test_early_stopping(corpus_folder, tmp_path):
    # a learning rate of next to nothing cannot improve on the base
    still = recipe(
        corpus_folder,
        training={"max_steps": 6, "learning_rate": 1e-12},
        evaluation={"every_steps": 1, "patience": 2, "max_utterances": 1},
    )
    summary = train(still, tmp_path / "run")
    assert summary.stopped_early
    assert summary.best_step == 0


def test_full_fine_tuning_writes_a_whole_model(corpus_folder, tmp_path):
    from parlure.whisper.load import load

    out = tmp_path / "run"
    train(recipe(corpus_folder, adapter={"method": "full"}, training={"max_steps": 1}), out)
    assert (out / "model" / "preprocessor_config.json").is_file()
    positions = load(str(out)).model.model.encoder.embed_positions.weight
    assert torch.equal(positions, load_base(str(NANO)).model.encoder.embed_positions.weight)


def test_dry_run_checks_and_trains_nothing(corpus_folder, tmp_path):
    summary = train(recipe(corpus_folder), tmp_path / "run", dry_run=True)
    assert summary.n_steps == 4
    assert not (tmp_path / "run").exists()


def test_steps_follow_from_epochs(corpus):
    tokenizer = load_tokenizer(str(NANO))
    settings = recipe("x", training={"max_steps": 0, "epochs": 2.0}).training
    plan = Plan(training_items(corpus, tokenizer), settings, SpecialTokens.of(tokenizer))
    one = replace(plan, training=settings.model_copy(update={"epochs": 1.0})).count_steps()
    assert one < plan.count_steps() <= 2 * one + 2
    assert len(plan.epoch(0)) == one
    from_the_middle = plan.steps(0, one - 1)
    assert [next(from_the_middle)[:2] for _ in range(2)] == [(0, one), (1, 1)]


def test_learning_rate_rises_and_falls():
    settings = recipe("x", training={"warmup_steps": 10, "learning_rate": 1.0}).training
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(1 / 90)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_refusals(corpus_folder, corpus, tmp_path, monkeypatch):
    taken = tmp_path / "taken"  # a person's work is spared, with --resume as without
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine")
    with pytest.raises(ParlureError, match=f"the run folder {taken} is not empty") as caught:
        train(recipe(corpus_folder), taken)
    assert caught.value.hint == "give another --out, or --resume to go on with that run"
    for name in ("model/precious.txt", "adapter/precious.txt", "recipe.toml"):
        foreign = tmp_path / f"foreign-{len(name)}"
        (foreign / name).parent.mkdir(parents=True)
        (foreign / name).write_text("mine")
        for options in ({"resume": True}, {"dry_run": True}):
            with pytest.raises(ParlureError, match=f"{foreign} holds something else than a run") as caught:
                train(recipe(corpus_folder), foreign, **options)
            assert caught.value.hint == "give another folder: --out NAME"
        assert (foreign / name).read_text() == "mine"
    train(recipe(corpus_folder, training={"max_steps": 1}), tmp_path / "run")
    with pytest.raises(ParlureError, match=r"the recipe differs from the one .*: training\.max_steps") as caught:
        train(recipe(corpus_folder, training={"max_steps": 2}), tmp_path / "run", resume=True)
    assert caught.value.hint == f"use {tmp_path / 'run/recipe.toml'}, or another --out"
    changed = Corpus(corpus.folder, corpus.utterances, {**corpus.info, "hours": 0})
    monkeypatch.setattr(Corpus, "load", lambda folder: changed)
    with pytest.raises(
        ParlureError, match=f"the corpus {corpus.folder} has changed since .*run was started with it"
    ) as caught:
        train(recipe(corpus_folder, training={"max_steps": 1}), tmp_path / "run", resume=True)
    assert caught.value.hint == "train anew: another --out"
    monkeypatch.undo()
    with pytest.raises(ParlureError, match="is a run with an adapter") as caught:
        train(recipe(corpus_folder, model={"base": str(tmp_path / "run")}), tmp_path / "next")
    assert caught.value.hint == "start from its base"
    for split, message, hint in (
        ("dev", "has no dev utterances to choose the best checkpoint by", "give dev a share: --ratios 0.8,0.1,0.1"),
        ("train", "has no training utterances", "give train a share: --ratios 0.8,0.1,0.1"),
    ):
        kept = tuple(u for u in corpus.utterances if u.split != split)
        monkeypatch.setattr(Corpus, "load", lambda folder, kept=kept: Corpus(corpus.folder, kept, corpus.info))
        with pytest.raises(ParlureError, match=message) as caught:
            train(recipe(corpus_folder), tmp_path / "none")
        assert caught.value.hint == hint
    silent = tuple(replace(u, text="") for u in corpus.utterances)
    monkeypatch.setattr(Corpus, "load", lambda folder: Corpus(corpus.folder, silent, corpus.info))
    with pytest.raises(ParlureError, match=f"no dev utterance of {corpus.folder} holds a word") as caught:
        train(recipe(corpus_folder), tmp_path / "none")
    assert caught.value.hint == "dev needs speech with transcripts"
    for split in ("train", "dev"):
        long = tuple(replace(u, end=u.start + 30.5) if u.split == split else u for u in corpus.utterances)
        monkeypatch.setattr(Corpus, "load", lambda folder, long=long: Corpus(corpus.folder, long, corpus.info))
        with pytest.raises(ParlureError, match=r"utterance \S+ is 30\.50 s long, Whisper hears 30 s") as caught:
            train(recipe(corpus_folder), tmp_path / "none", dry_run=True)
        assert caught.value.hint == "split it into shorter spans, and prepare the corpus again"
    endless = tuple(replace(u, text="z" * 460) for u in corpus.utterances)
    monkeypatch.setattr(Corpus, "load", lambda folder: Corpus(corpus.folder, endless, corpus.info))
    with pytest.raises(ParlureError, match="label tokens, Whisper takes 448"):
        train(recipe(corpus_folder), tmp_path / "none")


def test_a_run_goes_on_from_another_folder_with_a_moved_corpus(corpus_folder, corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(corpus_folder.parent)
    out = tmp_path / "run"
    checkpoint.open_run(out, resolved(recipe("corpus")), corpus)
    monkeypatch.chdir(tmp_path)
    kept = load_recipe(out / "recipe.toml")
    assert kept.data.corpus == str(corpus_folder)
    checkpoint.check_run(out, kept, corpus, resume=True)
    checkpoint.check_run(out, recipe("moved"), corpus, resume=True)
    (out / "recipe.toml").rename(out / "recipe.toml.part")  # killed while it began
    checkpoint.check_run(out, kept, corpus, resume=True)
    checkpoint.open_run(out, kept, corpus)
    assert load_recipe(out / "recipe.toml") == kept


def small():
    model = torch.nn.Linear(2, 2)
    return model, torch.optim.AdamW(model.parameters())


def test_a_checkpoint_written_again_is_whole_or_the_former(tmp_path, monkeypatch):
    model, optimizer = small()
    checkpoint.save(tmp_path, 3, model, optimizer, {"step": 3, "to_judge": True})
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.weight.data.add_(1.0)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(tmp_path, 3, model, optimizer, {"step": 3})
    assert checkpoint.restore(checkpoint.last(tmp_path), model, optimizer) == {"step": 3, "to_judge": True}
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
    monkeypatch.undo()
    checkpoint.save(tmp_path, 3, model, optimizer, {"step": 3})
    assert checkpoint.restore(checkpoint.last(tmp_path), model, optimizer) == {"step": 3}
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000003"]


def test_a_full_disk_is_said_as_the_disk_says_it(tmp_path, monkeypatch):
    def full(*_):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 704 vs 598")  # noqa: B904  as torch.save does

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left on device"):
        checkpoint.save(tmp_path, 3, *small(), {})


def test_a_recipe_narrows_the_corpus_and_says_so(corpus, corpus_folder, monkeypatch):
    mixed = tuple(replace(u, language="en" if n % 3 else "fr") for n, u in enumerate(corpus.utterances))
    monkeypatch.setattr(Corpus, "load", lambda folder: replace(corpus, utterances=mixed))
    rows = []
    narrow = asked_for(recipe(corpus_folder, data={"language": "fr", "task": "transcribe"}), rows.append)
    n_kept = -(-len(mixed) // 3)
    assert [u.language for u in narrow.utterances] == ["fr"] * n_kept
    assert (narrow.info["n_utterances"], list(narrow.info["by_language"])) == (n_kept, ["fr"])  # the card reads it
    assert narrow.info["hours"] < corpus.info["hours"]
    assert rows == [
        f"{len(mixed) - n_kept} of {len(mixed)} utterances are in another language or task than the recipe's: left out"
    ]
    with pytest.raises(ParlureError, match=r"no utterance of .* is in the recipe's language and task") as caught:
        asked_for(recipe(corpus_folder, data={"language": "fr", "task": "translate"}), rows.append)
    assert caught.value.hint == "it has en (transcribe), fr (transcribe)"


def test_precision_is_what_the_gpu_computes_in_itself(monkeypatch):
    settings = recipe("x").training
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for native, precision in ((False, "no"), (True, "bf16")):  # a T4 emulates bf16
        monkeypatch.setattr(
            torch.cuda,
            "is_bf16_supported",
            lambda including_emulation=True, native=native: including_emulation or native,
        )
        assert loop._precision(settings) == precision
