"""MODEL names → models, and what is said when there is none."""

import json

import pytest
from transformers import GPT2Config

from parlure.errors import ParlureError
from parlure.whisper.load import NANO, load, load_base, locate, weights_hash


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


def test_hugging_face_folder():
    assert locate(str(NANO)) == (str(NANO), None)


def test_hash_covers_the_adapter(tmp_path):
    (tmp_path / "adapter_model.safetensors").write_bytes(b"x")
    assert weights_hash(str(NANO), tmp_path) != weights_hash(str(NANO), None)
    assert weights_hash("openai/whisper-medium", None) == ""


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


def test_a_folder_without_weights(tmp_path):
    (tmp_path / "config.json").write_text((NANO / "config.json").read_text())
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
    assert caught.value.hint == "check the name, and the network if it is a hub id; a model already fetched needs none"
