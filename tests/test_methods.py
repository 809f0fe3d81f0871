"""Every way to fine-tune: it begins as the base, learns what it should, and is saved, merged and resumed exactly."""

import json
import os
import signal

import pytest
import torch
from peft import PeftModel
from test_loop import alone, recipe, trained_weights
from test_trainee import items  # noqa: F401  fixture

from parlure.errors import ParlureError
from parlure.recipe import dump_recipe
from parlure.sections import AdapterSection
from parlure.shipping.export import export
from parlure.speech.features import log_mel
from parlure.training.batches import MicroBatch
from parlure.training.checkpoint import keep_best, last, restore, save
from parlure.training.loop import train
from parlure.training.rehearsal import rehearse
from parlure.training.trainable import made_trainable
from parlure.training.trainee import Trainee, optimisation_step
from parlure.training.windows import own_window
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.whisper.adapters import scaled_saved
from parlure.whisper.load import NANO, load, load_base, load_tokenizer

KIN = ["lora", "rslora", "dora", "pissa", "adalora"]
OTHERS = {"loha": "LOHA", "lokr": "LOKR", "oft": "OFT", "vera": "VERA", "ia3": "IA3"}  # each saved in PEFT's own form
METHODS = [*KIN, *OTHERS, "full"]
N_STEPS = 4
PROMPT = torch.tensor([[50_258, 50_265, 50_359, 50_363, 300, 301]])


@pytest.fixture(scope="module")
def mels():
    torch.manual_seed(3)
    return log_mel(torch.randn(1, 30 * 16_000) * 0.1, 80)


@torch.no_grad()
def logits(model, mels):
    return model.eval()(input_features=mels, decoder_input_ids=PROMPT).logits


def learner(folder, n_steps=4, seed=0, average=0.0, **adapter):
    torch.manual_seed(seed)
    settings = recipe(folder, adapter={"dropout": 0.0} | adapter, training={"average": average})
    return Trainee.of(settings, load_base(str(NANO)), load_tokenizer(str(NANO)), torch.device("cpu"), n_steps=n_steps)


def after_steps(made, items, n, rate=1e-3):  # noqa: F811
    step = (MicroBatch(tuple(map(own_window, items[:3])), 6.0),)
    for _ in range(n):
        optimisation_step(made, alone(), step, rate, 1.0)
    return made


class Trained:
    """Four steps with a moving average, a checkpoint after the second, and what a run would keep."""

    def __init__(self, method, corpus_folder, items, mels, run):  # noqa: F811
        self.method, self.run, self.corpus_folder = method, run, corpus_folder
        adapter = {"method": method} | ({} if method == "full" else {"modules_to_save": ["conv1", "layer_norm"]})
        self.made = learner(corpus_folder, N_STEPS, average=0.5, **adapter)
        self.start = logits(self.made.whisper, mels)
        after_steps(self.made, items, 2)
        save(run, 2, self.made.saveable, self.made.optimizer, {"step": 2}, self.made.states)
        after_steps(self.made, items, 2)
        self.last = {name: p.detach().clone() for name, p in self.made.whisper.named_parameters() if p.requires_grad}
        (run / "recipe.toml").write_text(dump_recipe(recipe(corpus_folder)))
        with self.made.as_kept():
            self.kept = logits(self.made.whisper, mels)
            keep_best(run, self.made.saveable, self.made.tokenizer)


@pytest.fixture(scope="module", params=METHODS)
def each(request, items, corpus_folder, mels, tmp_path_factory):  # noqa: F811
    return Trained(request.param, corpus_folder, items, mels, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def base(mels):
    return logits(load_base(str(NANO)), mels)


def test_it_begins_as_the_base_and_learns(each, base):
    torch.testing.assert_close(each.start, base, rtol=1e-4, atol=1e-4)
    assert (each.kept - base).abs().max() > 0.05


def test_what_is_kept_loads_and_merges_to_the_same(each, base, mels):
    torch.testing.assert_close(logits(load(str(each.run)).model, mels), each.kept, rtol=1e-4, atol=1e-4)
    if each.method == "full":
        return
    folder = each.run / "adapter"
    saved = json.loads((folder / "adapter_config.json").read_text())
    assert saved["peft_type"] == OTHERS.get(each.method, "LORA")
    assert (saved.get("use_dora", False), saved["base_model_name_or_path"]) == (each.method == "dora", "nano")
    unmerged = PeftModel.from_pretrained(load_base(str(NANO)), str(folder))
    torch.testing.assert_close(logits(unmerged.get_base_model(), mels), each.kept, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits(scaled_saved(load_base(str(NANO)), folder, 0.0), mels), base)


def test_a_checkpoint_goes_on_to_the_same_weights_and_average(each, items, corpus_folder, mels):  # noqa: F811
    torch.manual_seed(99)  # nothing that a checkpoint lacks may come from here
    adapter = {"method": each.method} | ({} if each.method == "full" else {"modules_to_save": ["conv1", "layer_norm"]})
    again = learner(corpus_folder, N_STEPS, seed=5, average=0.5, **adapter)
    restore(last(each.run), again.saveable, again.optimizer, again.states)
    after_steps(again, items, 2)
    found = {name: p for name, p in again.whisper.named_parameters() if p.requires_grad}
    assert found.keys() == each.last.keys()
    assert [name for name, value in found.items() if not torch.equal(value, each.last[name])] == []
    with again.as_kept():
        assert torch.equal(logits(again.whisper, mels), each.kept)


@pytest.mark.parametrize("target", ["hf", "ctranslate2", "adapter"])
def test_its_export_says_what_the_run_says(each, clips, tmp_path, target):
    """The other runtimes get the same merged weights, and are tested on one run each (test_export_*, test_onnx)."""
    if target == "adapter" and each.method == "full":
        with pytest.raises(ParlureError, match="is a whole model, without an adapter to export"):
            export(str(each.run), tmp_path / "exported", to=target)
        return
    export(str(each.run), tmp_path / "exported", to=target)
    options = DecodingOptions("fr", max_new_tokens=30)
    ours = open_engine(str(each.run)).decode(clips[:2], options)
    theirs = open_engine(str(tmp_path / "exported")).decode(clips[:2], options)
    assert [one.tokens for one in theirs] == [one.tokens for one in ours]


def test_an_interrupted_run_resumes_to_the_same_weights_and_ranks(corpus_folder, tmp_path):
    settings = recipe(
        corpus_folder, adapter={"method": "adalora"}, training={"max_steps": 6, "average": 0.5},
        evaluation={"every_steps": 5, "max_utterances": 1}, decoding={"max_new_tokens": 5},
    )  # fmt: skip
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(settings, straight)

    def interrupt(row):
        if row["kind"] == "step" and row["step"] == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(settings, broken, on_event=interrupt)
    train(settings, broken, resume=True)
    first, second = trained_weights(straight), trained_weights(broken)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert load(str(broken)).name == str(broken)


def test_adalora_ends_with_the_ranks_that_are_wanted(items, corpus_folder):  # noqa: F811
    made = after_steps(learner(corpus_folder, 10, method="adalora", r=4), items, 10)
    ranks = [int((p != 0).sum()) for name, p in made.saveable.named_parameters() if "lora_E" in name]
    assert len(ranks) == 3 * 6 + 3 * 10
    assert sum(ranks) == 4 * len(ranks)
    assert len(set(ranks)) > 1  # dealt out, not cut everywhere alike


def test_the_average_over_adalora_has_the_ranks_that_are_left(items, corpus_folder):  # noqa: F811
    made = after_steps(learner(corpus_folder, 10, method="adalora", r=4, average=0.9), items, 10)
    ranks = {name: p for name, p in made.saveable.named_parameters() if "lora_E" in name}
    left = {name: p != 0 for name, p in ranks.items()}
    assert sum(int(one.sum()) for one in left.values()) == 4 * len(ranks)
    with made.as_kept():
        assert [name for name, p in ranks.items() if not torch.equal(p != 0, left[name])] == []


def test_adaloras_penalty_is_pefts(items, corpus_folder, mels):  # noqa: F811
    made = after_steps(learner(corpus_folder, 10, method="adalora"), items, 2)
    made.whisper.eval()
    labels = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        plain = made.whisper(input_features=mels, labels=labels).loss
        theirs = made.saveable.base_model(input_features=mels, labels=labels).loss
        assert float(made.ranks.penalty()) == pytest.approx(float(theirs - plain), rel=1e-3)


def trained(**adapter):
    whisper = made_trainable(load_base(str(NANO)), AdapterSection(r=2, **adapter))[0]
    names = [name for name, p in whisper.named_parameters() if p.requires_grad]
    return {name.replace(".lora_A.default", "").replace(".lora_B.default", "") for name in names}


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize(
    ("parts", "last_layers", "layers"),
    [
        ("both", 0, {"encoder": {0, 1, 2}, "decoder": {0, 1, 2}}),
        ("encoder", 0, {"encoder": {0, 1, 2}}),
        ("decoder", 0, {"decoder": {0, 1, 2}}),
        ("both", 1, {"encoder": {2}, "decoder": {2}}),
        ("decoder", 2, {"decoder": {1, 2}}),
    ],
)
def test_what_is_trained_is_what_was_asked_for(method, parts, last_layers, layers):
    found = {}
    for name in trained(method=method, parts=parts, last_layers=last_layers):
        _, part, *rest = name.split(".")
        if rest[0] == "layers":
            found.setdefault(part, set()).add(int(rest[1]))
        else:
            assert method == "full" and part in layers
            assert not last_layers or rest[0] == "layer_norm"
            assert name != "model.encoder.embed_positions.weight"
    assert found == layers


def test_modules_saved_whole_are_trained_in_fp32():
    whisper = made_trainable(load_base(str(NANO)), AdapterSection(modules_to_save=("conv1", "conv2")), bf16=True)[0]
    whole = {name: p for name, p in whisper.named_parameters() if p.requires_grad and "lora_" not in name}
    assert {name.split(".")[2] for name in whole} == {"conv1", "conv2"}
    assert {p.dtype for p in whole.values()} == {torch.float32}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bf16", [False, True])
def test_memory_is_rehearsed_for_each(method, bf16):
    whisper = load_base(str(NANO))
    adapter = AdapterSection(method=method, r=8, modules_to_save=() if method == "full" else ("conv1", "layer_norm"))
    need = rehearse(whisper.config, adapter, bf16=bf16, checkpointing=False)
    made_trainable(whisper, adapter, bf16=bf16)
    assert need.gradients == sum(p.nbytes for p in whisper.parameters() if p.requires_grad)
    assert need.per_second > 1e5


@pytest.mark.parametrize(
    ("adapter", "message", "hint"),
    [
        ({"last_layers": 4}, "adapter.last_layers is 4, and the encoder has 3", "0 means all"),
        (
            {"last_layers": 4, "method": "full"},
            "adapter.last_layers is 4, and the encoder has 3",
            "0 means all",
        ),
        (
            {"method": "oft", "r": 12},
            "adapter.r is 12, the size of oft's blocks, and model.encoder.layers.0.self_attn.k_proj has 160 inputs",
            "take a size above 1 that divides it, such as adapter.r = 32",
        ),
        (
            {"modules_to_save": ["embed_tokens"]},
            "adapter.modules_to_save names embed_tokens, which cannot be trained beside adapters",
            "these can: conv1, conv2, encoder_attn_layer_norm, final_layer_norm, layer_norm, self_attn_layer_norm",
        ),
        (
            {"modules_to_save": ["conv1"], "method": "full"},
            "adapter.modules_to_save goes with adapters, and adapter.method is full",
            "leave it empty: full trains every module of the chosen parts",
        ),
    ],
)
def test_refusals(adapter, message, hint):
    with pytest.raises(ParlureError) as caught:
        made_trainable(load_base(str(NANO)), AdapterSection(**adapter))
    assert (str(caught.value), caught.value.hint) == (message, hint)
