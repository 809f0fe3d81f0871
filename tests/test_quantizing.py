"""Weights in 4 and 8 bits: a clear word without bitsandbytes; with it, learning, checkpoints and what is kept."""

import json
import sys

import pytest
import torch
from peft import import_utils
from test_loop import recipe
from test_methods import after_steps, learner, logits, mels  # noqa: F401  fixture
from test_trainee import items  # noqa: F401  fixture
from transformers import WhisperConfig

from parlure.errors import ParlureError
from parlure.recipe import dump_recipe
from parlure.sections import AdapterSection
from parlure.training.checkpoint import keep_best, last, restore, save
from parlure.training.loop import train
from parlure.training.rehearsal import rehearse
from parlure.training.trainable import made_trainable
from parlure.whisper.load import NANO, load, load_base
from parlure.whisper.quantizing import quantized_bytes


@pytest.fixture
def without_bitsandbytes(monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    yield
    for asked in (import_utils.is_bnb_available, import_utils.is_bnb_4bit_available):
        asked.cache_clear()  # PEFT remembers the answer


def test_without_bitsandbytes_it_says_so(without_bitsandbytes):
    with pytest.raises(ParlureError) as caught:
        made_trainable(load_base(str(NANO)), AdapterSection(bits=4))
    assert caught.value.message == "adapter.bits needs the package bitsandbytes, which is not installed"
    assert caught.value.hint == 'pip install "parlure[quantize]"'


def test_a_run_says_what_its_scores_are_of(corpus_folder, tmp_path, without_bitsandbytes):
    rows = []
    with pytest.raises(ParlureError, match=r"adapter\.bits needs the package bitsandbytes"):
        train(recipe(corpus_folder, adapter={"bits": 4}), tmp_path / "run", on_event=rows.append)
    assert [row["text"] for row in rows] == [
        "the base is held in 4 bits, and dev is decoded so; the adapter is kept for the base as it is"
    ]
    assert not (tmp_path / "run" / "recipe.toml").exists()


@pytest.mark.parametrize(
    ("method", "bits", "others"),
    [("full", 4, "lora, rslora, dora, adalora"), ("pissa", 4, "lora, rslora, dora, adalora"),
     ("dora", 8, "lora, rslora, adalora"), ("loha", 8, "lora, rslora, adalora")],
)  # fmt: skip
def test_methods_that_cannot(method, bits, others):
    with pytest.raises(ParlureError) as caught:
        made_trainable(load_base(str(NANO)), AdapterSection(method=method, bits=bits))
    assert caught.value.message == f"adapter.method {method} cannot be trained over weights in {bits} bits"
    assert caught.value.hint == f"these can: {others}; or set adapter.bits to 0"


def test_rows_that_are_not_made_of_whole_blocks():
    assert quantized_bytes(640, 160, 4) == 640 * 160 * (0.5 + 1 / 32 + 4 / (32 * 256))
    with pytest.raises(ParlureError) as caught:
        quantized_bytes(40, 40, 4)
    assert caught.value.message == "a layer of 40 inputs cannot be held in 4 bits, in blocks of 32"
    assert caught.value.hint == "set adapter.bits to 8 or 0"


@pytest.mark.parametrize(("bits", "per_number"), [(4, 0.5 + 1 / 64 + 4 / (64 * 256)), (8, 1 + 4 / 384)])
def test_the_forecast_counts_them(bits, per_number):
    assert quantized_bytes(1536, 384, bits) == pytest.approx(1536 * 384 * per_number)
    tiny = WhisperConfig(vocab_size=1000, pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=0)
    assert (tiny.d_model, tiny.encoder_layers, tiny.encoder_ffn_dim) == (384, 4, 1536)
    whole = rehearse(tiny, AdapterSection(), bf16=False, checkpointing=False)
    few = rehearse(tiny, AdapterSection(bits=bits), bf16=False, checkpointing=False)
    n_linear = 384**2 * (4 * (4 + 8) + 4 * (8 + 8))
    assert whole.weights - few.weights == pytest.approx((4 - per_number) * n_linear, rel=3e-3)
    assert few.fixed - whole.fixed == 4 * 1536 * 384  # one layer's weights while it is computed
    assert (few.gradients, few.states, few.per_second) == (whole.gradients, whole.states, whole.per_second)


@pytest.mark.parametrize(("bits", "method"), [(4, "lora"), (4, "dora"), (4, "adalora"), (8, "rslora"), (8, "adalora")])
def test_over_few_bits(items, corpus_folder, mels, tmp_path, bits, method):  # noqa: F811
    pytest.importorskip("bitsandbytes")
    plain = load_base(str(NANO))
    made = learner(corpus_folder, method=method, bits=bits)
    for name in ("encoder.layers.0.fc1", "decoder.layers.2.encoder_attn.q_proj"):
        layer, weight = made.whisper.model.get_submodule(name).base_layer, plain.model.get_submodule(name).weight
        assert layer.weight.nbytes == weight.numel() * bits / 8
        with torch.no_grad():
            held = layer(torch.eye(weight.shape[1])).T - layer.bias[:, None]
        error = float((held - weight).norm() / weight.norm())
        assert {4: 0.05, 8: 0.002}[bits] < error < {4: 0.12, 8: 0.02}[bits]
    start = logits(made.whisper, mels)
    after_steps(made, items, 2, 1e-2)
    save(tmp_path, 2, made.saveable, made.optimizer, {}, made.states)
    tuned = logits(after_steps(made, items, 2, 1e-2).whisper, mels)
    assert (tuned - start).abs().max() > 0.05
    again = learner(corpus_folder, seed=9, method=method, bits=bits)
    restore(last(tmp_path), again.saveable, again.optimizer, again.states)
    assert torch.equal(logits(after_steps(again, items, 2, 1e-2).whisper, mels), tuned)

    # what is kept is the adapter that was trained, over the base as it is, not quantised
    keep_best(tmp_path, made.saveable, made.tokenizer)
    (tmp_path / "recipe.toml").write_text(dump_recipe(recipe(corpus_folder, adapter={"method": method, "bits": bits})))
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["base_model_name_or_path"] == "nano"
    over_the_base = learner(corpus_folder, method=method)
    found = dict(over_the_base.whisper.named_parameters())
    for name, value in made.whisper.named_parameters():
        if value.requires_grad:
            found[name].data.copy_(value.data)
    expected = logits(over_the_base.whisper, mels)
    torch.testing.assert_close(logits(load(str(tmp_path)).model, mels), expected, rtol=1e-4, atol=1e-4)
