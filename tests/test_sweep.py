"""Between base and tuned: the ends to the bit, what is chosen and why, and that what is written is what was judged."""

import json
from dataclasses import replace

import pytest
import torch
from test_loop import recipe

from parlure import cli
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.scoring.rates import Counts
from parlure.scoring.significance import compare
from parlure.scoring.skills import sweep as module
from parlure.scoring.skills.sweep import Judged, choose, explain, sweep
from parlure.training.loop import train
from parlure.whisper.blending import Blend
from parlure.whisper.load import load


@pytest.fixture(scope="module")
def runs(corpus_folder, tmp_path_factory):
    """A run of each kind that is saved in another way, whose weights have moved."""
    made = {}
    for method, more in (("lora", {}), ("dora", {}), ("lora+", {"modules_to_save": ["conv1"]}), ("full", {})):
        out = tmp_path_factory.mktemp("runs") / method
        settings = recipe(
            corpus_folder, adapter={"method": method.strip("+"), **more}, decoding={"max_new_tokens": 5},
            training={"max_steps": 2, "learning_rate": 5e-3, "warmup_steps": 0},
            evaluation={"every_steps": 1, "max_utterances": 1},
        )  # fmt: skip
        with pytest.MonkeyPatch.context() as patch:  # so that the last step is kept
            falling = iter((50.0, 40.0, 30.0)).__next__
            judge = "parlure.training.development.Development.word_error_rate"
            patch.setattr(judge, lambda *_, falling=falling: falling())
            train(settings, out)
        made[method] = out
    return made


@pytest.fixture
def few(corpus, monkeypatch):
    """Four utterances a split."""
    chosen = tuple(u for split in ("train", "dev", "test") for u in corpus.select(split)[:4])
    monkeypatch.setattr(Corpus, "load", lambda folder: replace(corpus, utterances=chosen))


def weights(model):
    return dict(model.named_parameters())


@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_the_ends_are_base_and_tuned_and_the_middle_is_between(runs, nano, method):
    blend, tuned = Blend(str(runs[method])), weights(load(str(runs[method])).model)
    base = weights(nano.model)
    for scale, expected in ((0.0, base), (1.0, tuned), (0.5, {n: (base[n] + tuned[n]) / 2 for n in base})):
        blend.put(scale)
        found = weights(blend.whisper)
        assert found.keys() == expected.keys()
        for name, value in found.items():
            torch.testing.assert_close(value, expected[name], rtol=0, atol=0 if scale in (0, 1) else 1e-6)
    assert not torch.equal(base["model.decoder.layers.0.fc1.weight"], tuned["model.decoder.layers.0.fc1.weight"])


@pytest.mark.parametrize(
    ("method", "kept"), [("lora", "adapter"), ("dora", "model"), ("lora+", "model"), ("full", "model")]
)
def test_what_is_written_is_what_was_judged(runs, corpus_folder, few, tmp_path, monkeypatch, method, kept):
    monkeypatch.setattr(module, "choose", lambda found, max_loss: 0.5)
    table = sweep(str(runs[method]), corpus_folder, tmp_path / "half", scales=[0.5], guards=[f"g={corpus_folder}"])
    assert (table["chosen"], [point["scale"] for point in table["points"]]) == (0.5, [0.0, 0.5, 1.0])
    assert json.loads((tmp_path / "half" / "sweep.json").read_text()) == table
    assert {path.name for path in (tmp_path / "half").iterdir() if path.is_dir()} == {kept}
    blend = Blend(str(runs[method]))
    blend.put(0.5)
    found, expected = weights(load(str(tmp_path / "half")).model), weights(blend.whisper)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)
    for point in table["points"]:
        own, guard = point["corpora"]["corpus"], point["corpora"]["g"]
        assert own == guard  # the same corpus
        assert own["wer"]["N"] > 0
    assert table["points"][0]["corpora"]["corpus"]["comparison"]["difference"] == 0


def judged(*errors):
    """Of the corpus and a guard, at the scales in order: words wrong of 10 in each of 12 speakers' utterances."""

    def one(own, base):
        counts, of_base = ([Counts(S=n, N=10)] * 12 for n in (own, base))
        speakers = [str(number) for number in range(12)]
        return Judged(Counts.total(counts), compare(of_base, counts, speakers, speakers))

    (own_base, guard_base), *_ = errors
    return {
        index / (len(errors) - 1): {"corpus": one(own, own_base), "general": one(guard, guard_base)}
        for index, (own, guard) in enumerate(errors)
    }


@pytest.mark.parametrize(
    ("errors", "chosen", "why"),
    [
        ([(8, 1), (5, 1), (3, 1)], 1.0,
         "The lowest word error rate on the corpus is at 1, 30.0 %. No guard has lost more than it may there."),
        ([(8, 1), (5, 1), (3, 3)], 0.5,
         "The lowest word error rate on the corpus is at 1, 30.0 %. There general loses 20.0 points, and 1 may be "
         "lost. Of the others the lowest is at 0.5, 50.0 %."),
        ([(8, 1), (8, 1), (8, 1)], 0.0,
         "The lowest word error rate on the corpus is at 0, 80.0 %. No guard has lost more than it may there. "
         "That is the base: keep it."),
    ],
)  # fmt: skip
def test_the_choice_and_its_reason(errors, chosen, why):
    found = judged(*errors)
    assert choose(found, 1.0) == chosen
    assert explain(found, chosen, 1.0) == why
    assert choose(found, 100.0) == min(found, key=lambda scale: (found[scale]["corpus"].total.rate, scale))


def test_the_command(runs, corpus_folder, few, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "choose", lambda found, max_loss: 1.0)
    out = tmp_path / "swept"
    assert cli.run(["sweep", str(runs["lora"]), str(corpus_folder), "--out", str(out), "--scales", "0.5"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].split() == ["scale", "corpus"]
    assert [line.split()[0] for line in lines[1:]] == ["0", "0.5", "→"]
    assert "next: parlure evaluate" in printed.err
    assert (out / "README.md").is_file()


def test_refusals(runs, corpus_folder, tmp_path, corpus, monkeypatch, capsys):
    def refused(message, hint, *arguments, **more):
        with pytest.raises(ParlureError) as caught:
            sweep(*arguments, **more)
        assert (caught.value.message, caught.value.hint) == (message, hint)

    run, out = str(runs["lora"]), tmp_path / "out"
    refused("a scale of 1.5 lies beyond base and tuned", "--scales 0,0.25,0.5,0.75,1", run, corpus_folder, out,
            scales=[1.5])  # fmt: skip
    refused(f"{runs['lora']} is not empty", "give a new folder: --out NAME", run, corpus_folder, runs["lora"])
    assert cli.run(["sweep", run, str(corpus_folder), "--out", str(out), "--scales", "half"]) == 2
    assert "error: --scales half are not numbers" in capsys.readouterr().err
    abroad = replace(corpus, utterances=tuple(replace(u, task="translate") for u in corpus.utterances))
    with monkeypatch.context() as patch:
        patch.setattr(Corpus, "load", lambda folder: abroad)
        refused("x has nothing to transcribe in its dev split", "choose another --split", run, "x", out)
    settings = (runs["lora"] / "recipe.toml").read_text()
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "recipe.toml").write_text(settings.replace('"nano"', f'"{run}"'))
    with pytest.raises(ParlureError) as caught:
        Blend(str(tmp_path / "second"))
    assert caught.value.message == f"{tmp_path / 'second'} was tuned from a run with an adapter"
    assert caught.value.hint == "merge that one first: parlure export"
