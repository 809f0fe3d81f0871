"""MODEL names → models, and what is said when there is none."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from transformers import GPT2Config

from parlure.errors import ParlureError
from parlure.recipe import dump_recipe, parse_recipe
from parlure.whisper.load import NANO, base_of, load, load_base, load_tokenizer, locate, weight_files


def test_nano(nano):
    assert locate("nano") == (str(NANO), None)
    assert len(nano.sha256) == 64
    assert not nano.model.training


def test_hub_ids_are_passed_on():
    assert locate("openai/whisper-medium") == ("openai/whisper-medium", None)


def test_run_folder_with_an_adapter(tmp_path):
    adapter = tmp_path / "run" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "nano"}))
    assert locate(str(tmp_path / "run")) == (str(NANO), adapter)
    assert locate(str(adapter)) == (str(NANO), adapter)


def test_base_of_a_run(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text(
        dump_recipe(parse_recipe({"model": {"base": "nano"}, "data": {"corpus": "c"}}, ""))
    )
    assert base_of(str(run)) == "nano"
    for other in ("nano", str(tmp_path)):
        with pytest.raises(ParlureError, match="is not a run folder and does not say what its base is") as caught:
            base_of(other)
        assert caught.value.hint == "name the base: --against openai/whisper-medium"


def test_hugging_face_folder():
    assert locate(str(NANO)) == (str(NANO), None)


HINT = "check the name, and the network if it is a hub id; a model already fetched needs none"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A Hub's cache of two models, one with nano's weights and one with others in the older format; no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("small", "medium"):
        repository, commit = tmp_path / "hub" / f"models--marie--{name}", name[0] * 40
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text(commit)
        shutil.copytree(NANO, repository / "snapshots" / commit)
    weights = load_file(NANO / "model.safetensors")
    weights["model.decoder.layer_norm.bias"] += 1
    (repository / "snapshots" / commit / "model.safetensors").unlink()
    torch.save(weights, repository / "snapshots" / commit / "pytorch_model.bin")
    return tmp_path / "hub"


def test_models_in_the_hubs_cache_have_their_hashes(cache, nano, tmp_path):
    small, medium = load("marie/small"), load("marie/medium")
    assert small.sha256 == nano.sha256
    assert len(medium.sha256) == 64 and medium.sha256 != small.sha256
    assert [path.name for path in medium.weights] == ["pytorch_model.bin"]
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"x")
    assert weight_files("marie/small", adapter) == (*small.weights, adapter / "adapter_model.safetensors")
    assert weight_files("marie/medium", adapter) == (*medium.weights, adapter / "adapter_model.safetensors")


def test_weights_in_parts(tmp_path):
    (tmp_path / "model.fp32.safetensors").write_bytes(b"of no use")
    (tmp_path / "pytorch_model.bin").write_bytes(b"not looked at")
    parts = {"a": "model-00002-of-00002.safetensors", "b": "model-00001-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    assert [path.name for path in weight_files(str(tmp_path), None)] == sorted(parts.values())


@pytest.mark.parametrize("load_it", [load_base, load_tokenizer])
def test_a_model_that_is_not_in_the_cache(cache, load_it):
    with pytest.raises(ParlureError, match=r"the model marie/large cannot be loaded: ") as caught:
        load_it("marie/large")
    assert caught.value.hint == HINT


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_tokenizer_that_is_missing_or_broken(tmp_path, content):
    shutil.copy(NANO / "config.json", tmp_path)
    if content:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ParlureError, match=r"the tokenizer of .* cannot be loaded: ") as caught:
        load_tokenizer(str(tmp_path))
    assert caught.value.hint == "fetch the model again"


def test_missing_and_wrong_models(tmp_path):
    forms = "a model is the word nano, a run folder, a Hugging Face folder, or a hub id such as openai/whisper-medium"
    with pytest.raises(ParlureError, match="there is no model called nonesuch") as caught:
        load("nonesuch")
    assert caught.value.hint == forms
    with pytest.raises(ParlureError, match="holds neither a model nor an adapter") as caught:
        load(str(tmp_path))
    assert caught.value.hint == forms
    GPT2Config().save_pretrained(tmp_path)
    with pytest.raises(ParlureError, match="is a gpt2 model, not a Whisper") as caught:
        load(str(tmp_path))
    assert caught.value.hint == forms


@pytest.mark.parametrize("content", [None, b"x" * 100])
def test_weights_that_are_missing_or_broken(tmp_path, content):
    shutil.copy(NANO / "config.json", tmp_path)
    if content:
        (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ParlureError, match=r"the weights of .* cannot be loaded: ") as caught:
        load_base(str(tmp_path))
    assert caught.value.hint == "fetch the model again"


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_an_adapter_that_names_no_base(tmp_path, content):
    (tmp_path / "adapter_config.json").write_text(content)
    with pytest.raises(ParlureError, match=r"adapter_config\.json does not name the adapter's base") as caught:
        locate(str(tmp_path))
    assert caught.value.hint == "copy the adapter again, whole"


def test_a_broken_config(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ParlureError, match=r"the model .* cannot be loaded: ") as caught:
        load_base(str(tmp_path))
    assert caught.value.hint == HINT
