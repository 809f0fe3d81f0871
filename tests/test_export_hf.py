"""A Hugging Face folder that transformers of today and of before read, and the adapter by itself."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import ByteLevelBPETokenizer
from tuned_runs import tuned_run

from parlure import cli
from parlure.errors import ParlureError
from parlure.shipping.export import export, open_runtime, read_written
from parlure.shipping.export.with_adapter import vllm_lacks
from parlure.transcribing.decode import DecodingOptions, decode
from parlure.whisper.load import NANO, load

TEXTS = ["Le train part demain à 2 heures, c'est l'été…", " it's nine o'clock", "naïve façade — 北", "a  b\n"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return tuned_run(tmp_path_factory.mktemp("tuned") / "run", seed=3)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("hf") / "out"
    export(str(run), out, to="hf")
    return out


def settings_of(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_transformers_loads_it_with_the_same_logits_and_texts(run, folder, clips):
    from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor, pipeline

    model = AutoModelForSpeechSeq2Seq.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder)
    tuned = load(str(run), "cpu")
    assert model.dtype == torch.float32
    features, ids = torch.randn(1, 80, 3_000), torch.tensor([[50_258, 50_265, 50_359, 50_363, 466]])
    with torch.inference_mode():
        ours, theirs = (one(input_features=features, decoder_input_ids=ids).logits for one in (tuned.model, model))
    assert torch.equal(ours, theirs)
    recognize = pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=processor.tokenizer,
        feature_extractor=processor.feature_extractor,
    )
    [clip] = clips[:1]
    heard = recognize(  # of itself it takes five beams
        {"raw": clip.read(), "sampling_rate": 16_000},
        generate_kwargs={"language": "fr", "max_new_tokens": 8, "num_beams": 1},
    )
    [expected] = decode(
        tuned.model, tuned.tokenizer, [clip], DecodingOptions(language="fr", no_speech_threshold=1, max_new_tokens=8)
    )
    assert heard["text"].strip() == expected.text
    assert open_runtime(folder).tokenizer.vocab_size == tuned.tokenizer.vocab_size


def test_an_older_tokenizer_has_the_same_ids(folder, nano):
    older = ByteLevelBPETokenizer.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    for text in TEXTS:
        assert older.encode(text).ids == nano.tokenizer.encode(text, add_special_tokens=False)
    added = settings_of(folder, "added_tokens.json")
    for token in ("<|endoftext|>", "<|startoftranscript|>", "<|fr|>", "<|notimestamps|>", "<|30.00|>"):
        assert added[token] == nano.tokenizer.convert_tokens_to_ids(token)
    special = settings_of(folder, "special_tokens_map.json")
    assert special["eos_token"] == "<|endoftext|>" and "<|fr|>" in special["additional_special_tokens"]
    settings = settings_of(folder, "tokenizer_config.json")  # transformers 4 does not load a list of extra ones
    assert "extra_special_tokens" not in settings and "<|fr|>" in settings["additional_special_tokens"]
    again = type(nano.tokenizer).from_pretrained(folder)
    assert sorted(again.all_special_ids) == sorted(nano.tokenizer.all_special_ids)


def test_what_older_tools_look_for_is_there(folder):
    assert settings_of(folder, "preprocessor_config.json")["feature_size"] == 80
    assert settings_of(folder, "preprocessor_config.json")["feature_extractor_type"] == "WhisperFeatureExtractor"
    assert settings_of(folder, "processor_config.json")["processor_class"] == "WhisperProcessor"
    assert settings_of(folder, "normalizer.json")["colour"] == "color"
    assert settings_of(folder, "generation_config.json")["lang_to_id"]["<|fr|>"] == 50_265
    assert (folder / "model.safetensors").is_file() and (folder / "config.json").is_file()


@pytest.mark.parametrize("numbers", ["float16", "bfloat16"])
def test_numbers_are_the_ones_asked_for(numbers, tmp_path):
    export("nano", tmp_path / "out", to="hf", quantize=numbers)
    weights = load_file(tmp_path / "out" / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {getattr(torch, numbers)}
    assert settings_of(tmp_path / "out", "config.json")["dtype"] == numbers
    assert read_written(tmp_path / "out").quantize == numbers


def test_an_adapter_is_pefts_and_does_the_same(run, tmp_path, capsys):
    from peft import PeftModel
    from transformers import WhisperForConditionalGeneration

    out = tmp_path / "out"
    assert cli.run(["export", str(run), "--to", "adapter", "--out", str(out)]) == 0
    said = capsys.readouterr().err
    settings = settings_of(out, "adapter_config.json")
    assert settings["base_model_name_or_path"] == str(NANO)
    assert f"note: its base is a folder of this machine, {NANO}: whoever loads the adapter needs it there" in said
    assert f"note: vllm serve {NANO} --enable-lora --max-lora-rank 8 --lora-modules NAME=FOLDER" in said
    assert "note: it changes the encoder too: vLLM keeps account of adapters by the decoder's tokens" in said
    base = WhisperForConditionalGeneration.from_pretrained(settings["base_model_name_or_path"], dtype=torch.float32)
    adapted = PeftModel.from_pretrained(base, str(out)).eval()
    tuned = load(str(run), "cpu").model
    features, ids = torch.randn(1, 80, 3_000), torch.tensor([[50_258, 50_265, 50_359, 50_363, 466]])
    with torch.inference_mode():
        ours, theirs = (one(input_features=features, decoder_input_ids=ids).logits for one in (tuned, adapted))
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_an_adapter_in_half_the_bytes(run, tmp_path):
    export(str(run), tmp_path / "out", to="adapter", quantize="bfloat16")
    weights = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.bfloat16}
    assert open_runtime(tmp_path / "out").n_parameters


def test_vllm_is_told_of_what_it_lacks(tmp_path):
    run = tuned_run(tmp_path / "run", method="dora")
    export(str(run), tmp_path / "out", to="adapter")
    notes = read_written(tmp_path / "out").notes
    assert "vLLM does not take it: DoRA; PEFT does, and --to hf merges it" in notes
    assert not any(note.startswith("vllm serve") for note in notes)


@pytest.mark.parametrize(
    ("settings", "name", "lacking"),
    [
        ({}, "model.decoder.layers.0.fc1", []),
        ({"peft_type": "LOHA"}, "fc1", ["LOHA in the place of LoRA"]),
        ({"use_dora": True}, "fc1", ["DoRA"]),
        ({"modules_to_save": ["conv1"]}, "fc1", ["modules trained whole"]),
        ({"rank_pattern": {"fc1": 2}, "alpha_pattern": {"fc1": 2}}, "fc1", ["ranks that differ", "scales that differ"]),
        ({"trainable_token_indices": {"embed_tokens": [1]}}, "fc1", ["trained tokens"]),
        ({"bias": "all"}, "fc1", ["biases"]),
        ({"bias": "lora_only", "lora_bias": True}, "fc1", ["biases"]),
        ({"r": 513}, "fc1", ["rank 513"]),
        ({}, "model.encoder.conv1", ["an adapter on conv1"]),
    ],
)
def test_what_vllm_lacks(settings, name, lacking):
    weights = {f"base_model.model.{name}.lora_A.weight": torch.zeros(1)}
    assert vllm_lacks({"peft_type": "LORA", "r": 8, "bias": "none"} | settings, weights) == lacking


def test_what_has_no_adapter_is_refused(tmp_path):
    with pytest.raises(ParlureError) as caught:
        export("nano", tmp_path / "out", to="adapter")
    assert caught.value.message == "nano is a whole model, without an adapter to export"
    assert caught.value.hint == "export it with --to hf"
    assert not (tmp_path / "out").exists()


def test_numbers_that_torch_lacks_are_refused(tmp_path):
    with pytest.raises(ParlureError) as caught:
        export("nano", tmp_path / "out", to="hf", quantize="int8")
    assert (caught.value.message, caught.value.hint) == (
        "Hugging Face stores no int8", "choose --quantize float32 or float16 or bfloat16"
    )  # fmt: skip
