"""Several adapters over one base: each says what its run says alone, in any order, and the base comes back exactly."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from tuned_runs import tuned_run

import parlure
from parlure.errors import ParlureError
from parlure.speech.audio import write_audio
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.shared import SharedBase

OPTIONS = DecodingOptions("fr", max_new_tokens=8)
KINDS = {
    "lora": {},
    "rslora": {"method": "rslora", "parts": "decoder", "r": 2},
    "dora": {"method": "dora"},
    "with convolutions v1.2": {"modules_to_save": ["conv1", "layer_norm"]},  # a dot, which PEFT takes in no name
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("shared")
    return {name: tuned_run(place / name, seed, **kind) for seed, (name, kind) in enumerate(KINDS.items(), 1)}


@pytest.fixture(scope="module")
def shared(runs):
    made = SharedBase("nano", "cpu")
    for name, run in runs.items():
        made.add_adapter(name, str(run))
    return made


def tokens(engine, clips):
    return [one.tokens for one in engine.decode(clips[:2], OPTIONS)]


def test_each_says_what_its_run_says_alone_whichever_came_before(runs, shared, clips):
    alone = {name: tokens(open_engine(str(run)), clips) for name, run in runs.items()}
    assert len(set(map(str, alone.values()))) == len(alone)  # they differ from each other
    engines = {name: shared.engine(name) for name in shared.names}
    for name in (*reversed(shared.names), shared.names[0]):
        assert tokens(engines[name], clips) == alone[name]
    with ThreadPoolExecutor(4) as pool:
        at_once = pool.map(lambda name: tokens(engines[name], clips), shared.names)
        assert dict(zip(shared.names, at_once, strict=True)) == alone


def test_with_none_it_is_the_base_to_the_bit(nano, shared):
    x = torch.randn(1, 80, 3000)
    prompt = torch.tensor([[50_258, 50_265, 50_359, 50_363]])
    with torch.no_grad(), shared.using("dora") as tuned:
        assert not torch.equal(
            tuned.model(x, decoder_input_ids=prompt).logits, nano.model.cpu()(x, decoder_input_ids=prompt).logits
        )
    with torch.no_grad(), shared.using(None) as base:
        assert torch.equal(
            base.model(x, decoder_input_ids=prompt).logits, nano.model(x, decoder_input_ids=prompt).logits
        )
        assert base.name == "nano"


def test_the_weights_are_there_once(runs):
    made = SharedBase("nano", "cpu")
    with made.using(None) as base:
        n_base = sum(p.numel() for p in base.model.parameters())
        for name in ("lora", "rslora", "dora"):
            made.add_adapter(name, str(runs[name]))
        assert n_base < sum(p.numel() for p in base.model.parameters()) < 1.2 * n_base


def test_files_are_transcribed_with_the_adapter_that_is_named(runs, shared, clips, tmp_path):
    write_audio(tmp_path / "call.wav", clips[0].read())
    call = [tmp_path / "call.wav"]
    both = [parlure.transcribe(call, model=shared.engine(name), language="fr") for name in ("lora", "dora")]
    texts = [[heard.tokens for _, heard in one] for one in both]  # read only now, one after the other
    alone = [
        [heard.tokens for _, heard in parlure.transcribe(call, model=str(runs[name]), language="fr")]
        for name in ("lora", "dora")
    ]
    assert texts == alone
    engine = shared.engine("lora")
    assert (engine.model, engine.compute_type) == (str(runs["lora"]), "float32")
    assert engine.sha256 == open_engine(str(runs["lora"])).sha256
    assert engine.description()["engine"] == "torch"
    assert engine.decode_long("call", clips[0].read(), OPTIONS).tokens


def test_refusals(runs, shared, tmp_path):
    lokr, whole = tuned_run(tmp_path / "lokr", method="lokr"), tuned_run(tmp_path / "whole", method="full")
    tuned = SharedBase(str(whole), "cpu")
    base = f"{Path(parlure.__file__).parent / 'whisper' / 'nano' / 'model'}"
    for act, message, hint in (
        (lambda: shared.add_adapter("lora", str(runs["dora"])), "there is an adapter called lora already",
         "give another name"),
        (lambda: shared.add_adapter("new", str(whole)), f"{whole} is a whole model: it has no adapter",
         "load it by itself"),
        (lambda: shared.add_adapter("new", str(lokr)),
         f"the adapter of {lokr} is LOKR, which cannot stand beside others", "load it by itself"),
        (lambda: tuned.add_adapter("new", str(runs["lora"])),
         f"the adapter of {runs['lora']} is for {base}, and the base here is {whole}",
         "share a base among adapters that were trained over it"),
        (lambda: shared.engine("nobody"), "there is no adapter called nobody",
         "there are lora, rslora, dora, with convolutions v1.2"),
        (lambda: next(parlure.transcribe([tmp_path / "a.wav"], model=shared.engine("lora"), engine="torch")),
         "engine, quantize and device are for a MODEL's name, and this engine is ready", "leave them out"),
    ):  # fmt: skip
        write_audio(tmp_path / "a.wav", torch.zeros(16_000).numpy())
        with pytest.raises(ParlureError) as caught:
            act()
        assert (caught.value.message, caught.value.hint) == (message, hint)
    assert shared.names == tuple(KINDS)
