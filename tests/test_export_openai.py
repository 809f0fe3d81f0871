"""openai-whisper, unmodified, on what parlure writes for it: a small model with OpenAI's own vocabulary.

The package brings numba and llvmlite (200 MB), so it is not among what `make test` installs; without it these are
skipped. ``pip install --no-deps openai-whisper tiktoken``, and numba and more-itertools, are enough.
"""

import base64
import json
import sys
from pathlib import Path

import pytest
import torch
from transformers.convert_slow_tokenizer import bytes_to_unicode

from parlure.errors import ParlureError
from parlure.shipping.export import export, open_runtime
from parlure.shipping.export.vocabulary import ENGLISH, MULTILINGUAL, fingerprint, token_bytes
from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.decode import Clip, DecodingOptions, decode
from parlure.whisper.load import NANO, load, load_tokenizer


def ranks(name):
    """The entries of one of openai-whisper's vocabularies, in the order of their ranks."""
    whisper = pytest.importorskip("whisper")
    lines = (Path(whisper.__file__).parent / "assets" / f"{name}.tiktoken").read_bytes().splitlines()
    found = {int(rank): base64.b64decode(entry) for entry, rank in map(bytes.split, lines)}
    return [found[rank] for rank in range(len(found))]


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    """nano's weights over OpenAI's vocabulary: what it writes means nothing, and is the same everywhere."""
    folder = tmp_path_factory.mktemp("standard")
    for path in NANO.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "model.safetensors").symlink_to(NANO / "model.safetensors")
    letters = bytes_to_unicode()
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    spelt = ["".join(letters[byte] for byte in entry) for entry in ranks("multilingual")]
    tokenizer["model"] |= {"vocab": {entry: id_ for id_, entry in enumerate(spelt)}, "merges": []}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    from whisper.tokenizer import get_tokenizer

    theirs = get_tokenizer(multilingual=True)
    rules = json.loads((folder / "generation_config.json").read_text())
    special = (theirs.transcribe, theirs.translate, theirs.sot, theirs.sot_prev, theirs.sot_lm, theirs.no_speech)
    rules["suppress_tokens"] = sorted({*theirs.non_speech_tokens, *special})
    (folder / "generation_config.json").write_text(json.dumps(rules))
    return folder


@pytest.fixture(scope="module")
def exported(standard, tmp_path_factory):
    out = tmp_path_factory.mktemp("openai") / "out"
    export(str(standard), out, to="openai")
    return out


@pytest.fixture(scope="module")
def clips():
    told = ("Nous arrivons demain matin.", "Merci beaucoup.")
    sounds = [synthesize(text, Voice("fr+belinda", rate_wpm=160)) for text in told]
    return [Clip(str(i), len(sound) / SAMPLE_RATE, lambda s=sound: s) for i, sound in enumerate(sounds)]


def test_its_vocabularies_are_known_by_their_fingerprints(standard):
    assert fingerprint(ranks("multilingual")) == MULTILINGUAL
    assert fingerprint(ranks("gpt2")) == ENGLISH
    assert token_bytes(load_tokenizer(str(standard))) == ranks("multilingual")
    assert fingerprint([b"a", b"b"]) != fingerprint([b"ab"])


@torch.inference_mode()
def test_its_logits_are_torchs(standard, exported):
    whisper = pytest.importorskip("whisper")
    theirs, ours = whisper.load_model(str(exported / "model.pt"), device="cpu"), load(str(standard), "cpu").model
    features, ids = torch.randn(1, 80, 3_000), torch.tensor([[50_258, 50_265, 50_359, 50_363, 466]])
    expected = ours(input_features=features, decoder_input_ids=ids).logits
    torch.testing.assert_close(theirs(features, ids), expected, atol=1e-4, rtol=1e-4)


def test_its_tokens_are_torchs(standard, exported, clips):
    ours, engine = load(str(standard), "cpu"), open_runtime(exported)
    options = DecodingOptions(language="fr", max_new_tokens=8, identify=True)
    expected = decode(ours.model, ours.tokenizer, clips, options)
    counted = []
    found = engine.decode(clips, options, counted.append)
    assert [one.tokens for one in found] == [one.tokens for one in expected]
    assert [one.text for one in found] == [one.text for one in expected]
    assert [one.identified for one in found] == [one.identified for one in expected]
    assert [one.truncated for one in found] == [one.truncated for one in expected]
    assert [one.no_speech_prob for one in found] == pytest.approx([one.no_speech_prob for one in expected], abs=1e-3)
    assert sum(counted) == 2
    assert engine.description()["engine"] == "openai-whisper"
    assert engine.n_parameters == sum(p.numel() for p in ours.model.parameters()) - 1_500 * 160  # a constant there
    assert (engine.n_bytes, len(engine.sha256)) == ((exported / "model.pt").stat().st_size, 64)
    with pytest.raises(ParlureError) as caught:
        engine.decode(clips, DecodingOptions(window="short"))
    assert caught.value.message == "openai-whisper hears 30 s windows only"
    assert caught.value.hint == "leave out the short ones"


def test_a_recording_has_phrases(exported, clips):
    found = open_runtime(exported).decode_long("one", clips[0].read(), DecodingOptions(language="fr"))
    assert found.tokens and found.language == "fr"
    assert all(0 <= one.start <= one.end <= 30 for one in found.segments)


def test_half_the_bytes(standard, tmp_path):
    export(str(standard), tmp_path / "out", to="openai", quantize="float16")
    kept = torch.load(tmp_path / "out" / "model.pt", weights_only=True)
    assert {tensor.dtype for tensor in kept["model_state_dict"].values()} == {torch.float16}
    assert kept["dims"]["n_text_ctx"] == 448
    assert "decoder.blocks.0.cross_attn.key.weight" in kept["model_state_dict"]


def test_another_vocabulary_is_refused(tmp_path):
    with pytest.raises(ParlureError) as caught:
        export("nano", tmp_path / "out", to="openai")
    assert caught.value.message == "nano has a vocabulary of its own, and openai-whisper brings OpenAI's"
    assert caught.value.hint == "export it with --to hf, ctranslate2 or ggml, which store the vocabulary"
    assert not (tmp_path / "out").exists()


def test_more_tokens_are_refused(standard, tmp_path):
    larger = load(str(standard), "cpu").model
    larger.resize_token_embeddings(51_900)
    folder = tmp_path / "larger"
    larger.save_pretrained(folder)
    for path in standard.glob("tokenizer*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ParlureError) as caught:
        export(str(folder), tmp_path / "out", to="openai")
    assert caught.value.message == f"{folder} has 51,900 tokens, and openai-whisper knows 51,864 to 51,866"
    assert caught.value.hint == "export it with --to hf or ctranslate2"


def test_a_damaged_file(exported, tmp_path):
    for path in exported.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    torch.save({"dims": {}, "model_state_dict": {}}, tmp_path / "model.pt")
    with pytest.raises(ParlureError) as caught:
        open_runtime(tmp_path)
    assert caught.value.message.startswith(f"openai-whisper cannot load {tmp_path / 'model.pt'}: ")
    assert caught.value.hint == "export the model again"


def test_without_openai_whisper(tmp_path, monkeypatch):
    told = {"format": "openai", "quantize": "float32", "model": "nano", "sha256": "", "parlure": ""}
    (tmp_path / "export.json").write_text(json.dumps(told))
    monkeypatch.setitem(sys.modules, "whisper", None)
    with pytest.raises(ParlureError) as caught:
        open_runtime(tmp_path)
    assert caught.value.message == "the engine openai-whisper needs the package openai-whisper, which is not installed"
    assert caught.value.hint == "pip install openai-whisper"
