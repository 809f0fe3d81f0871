"""ONNX: two graphs whose logits are torch's, an engine whose tokens are, and a script that needs neither."""

import builtins
import copy
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch

from parlure import cli
from parlure.errors import ParlureError
from parlure.shipping.export import export
from parlure.shipping.export.runtimes import open_runtime
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.choice import engine_for, open_engine
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.transcribing.stepping import Stepper
from parlure.whisper import to_onnx
from parlure.whisper.load import load, locate

FR = DecodingOptions(language="fr", max_new_tokens=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Exported once: seconds."""
    out = tmp_path_factory.mktemp("onnx") / "exported"
    export("nano", out, to="onnx")
    return out


@pytest.fixture(scope="module")
def ours(folder):
    return open_runtime(folder)


@pytest.fixture(scope="module")
def theirs(nano):
    return TorchEngine(nano)


@pytest.fixture(scope="module")
def heard(corpus):
    """Four utterances and sound without speech."""
    noise = np.random.default_rng(1).normal(0, 0.02, 48_000).astype(np.float32)
    spoken = [u for u in sorted(corpus.utterances, key=lambda u: u.id) if u.text and u.language == "fr"][:4]
    return [*clips_of(spoken), *(Clip(name, 3.0, lambda s=s: s) for name, s in (("0", noise * 0), ("noise", noise)))]


def session(path):
    """onnxruntime alone, on one core."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, settings)


def assert_same(found, expected):
    assert [replace(one, avg_logprob=None, no_speech_prob=None) for one in found] == [
        replace(one, avg_logprob=None, no_speech_prob=None) for one in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-3)
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize(("n_rows", "n_frames"), [(1, 3000), (3, 150)])
def test_logits_are_torchs_step_by_step(folder, nano, n_rows, n_frames):
    """Over onnxruntime alone, with prompts of several ids and then one at a time, in every shape."""
    encoder, decoder = (session(folder / f"{name}.onnx") for name in ("encoder", "decoder"))
    features = np.random.default_rng(n_rows).normal(size=(n_rows, 80, n_frames)).astype(np.float32)
    cross = dict(
        zip([o.name for o in encoder.get_outputs()], encoder.run(None, {"input_features": features}), strict=True)
    )
    stepper = Stepper(nano.model, nano.model.model.encoder(torch.from_numpy(features)).last_hidden_state)
    past = {name: np.zeros((n_rows, 4, 0, 40), np.float32) for name in to_onnx.layer_names("past_", 3)}
    rng = np.random.default_rng(0)
    for n_ids in (4, 1, 1, 1, 1, 1):
        ids = rng.integers(0, 51_865, (n_rows, n_ids))
        logits, *read = decoder.run(None, {"ids": ids, **past, **cross})
        past = dict(zip(past, read, strict=True))
        np.testing.assert_allclose(logits, stepper(torch.from_numpy(ids)).numpy(), atol=1e-4)
    assert past["past_key_0"].shape == (n_rows, 4, 9, 40)


@pytest.mark.parametrize(
    "options",
    [
        FR,
        replace(FR, window="short", identify=True, language=None, batch_size=2),
        replace(FR, window="short", beam_size=3, batch_size=3),
        replace(FR, window="short", prompt="neuf heures, dix heures, " * 12),  # longer than what is read at once
        replace(FR, window="short", loop_guard=True, max_new_tokens=60),
    ],
)
def test_tokens_are_torchs(ours, theirs, heard, options):
    """Texts, languages, silence and probabilities, greedily and by beams."""
    assert_same(ours.decode(heard, options), theirs.decode(heard, options))


@pytest.mark.parametrize("beam_size", [1, 2])
def test_long_form_is_torchs(ours, theirs, heard, beam_size):
    samples = np.concatenate([part for clip in heard[:4] for part in (clip.read(), np.zeros(8_000, np.float32))])
    options = replace(FR, language=None, beam_size=beam_size, max_new_tokens=224)
    found = ours.decode_long("x", samples, options)
    assert found == theirs.decode_long("x", samples, options)
    assert len(found.segments) > 1
    assert ours.decode_long("x", np.zeros(16_000, np.float32), FR).segments == ()


def test_the_script_beside_it_says_what_torch_says(folder, theirs, heard, tmp_path):
    """Executed as a person does, where importing torch or parlure fails."""
    said = theirs.decode(heard[:1], replace(FR, max_new_tokens=224))[0].text
    soundfile.write(tmp_path / "call.wav", heard[0].read(), 16_000, subtype="FLOAT")
    (tmp_path / "torch.py").write_text("raise ImportError")
    (tmp_path / "parlure.py").write_text("raise ImportError")
    command = [sys.executable, str(folder / "transcribe.py"), "call.wav", "fr"]
    shown = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert said
    assert shown.stdout == said + "\n"
    soundfile.write(tmp_path / "call.wav", heard[0].read(), 8_000)
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "call.wav: 8000 Hz" in refused.stderr


def test_int8_is_smaller_and_still_hears(folder, theirs, heard, tmp_path):
    out = tmp_path / "rounded"
    shutil.copytree(folder, out)
    for name in ("encoder.onnx", "decoder.onnx"):
        to_onnx.round_weights(out / name)
    rounded = open_runtime(out)
    assert rounded.compute_type == "int8"
    assert rounded.n_bytes < 0.5 * sum((folder / name).stat().st_size for name in ("encoder.onnx", "decoder.onnx"))
    kinds = [node.op_type for node in onnx.load(str(out / "decoder.onnx")).graph.node]
    assert kinds.count("MatMulInteger") == 25  # eight a layer, and the output's
    ours, exact = rounded.decode(heard, FR), theirs.decode(heard, FR)
    assert sum(one.tokens[:3] == other.tokens[:3] for one, other in zip(ours, exact, strict=True)) >= 3


def test_weights_too_large_for_one_file_lie_beside_the_graph(nano, tmp_path, monkeypatch):
    monkeypatch.setattr(to_onnx, "_MAX_BYTES_INSIDE", 1_000_000)
    small = copy.deepcopy(nano.model)  # one layer is exported sooner
    small.model.encoder.layers, small.model.decoder.layers = (
        small.model.encoder.layers[:1],
        nano.model.model.decoder.layers[:1],
    )
    small.config.decoder_layers = 1
    to_onnx._write_encoder(small, tmp_path / "encoder.onnx")
    assert (tmp_path / "encoder.onnx.data").stat().st_size > 1_000_000
    assert (tmp_path / "encoder.onnx").stat().st_size < 1_000_000
    before = session(tmp_path / "encoder.onnx")
    features = np.random.default_rng(0).normal(size=(1, 80, 100)).astype(np.float32)
    exact = before.run(None, {"input_features": features})[0]
    to_onnx.round_weights(tmp_path / "encoder.onnx")
    assert not (tmp_path / "encoder.onnx.data").exists()  # a quarter of it fits
    rounded = session(tmp_path / "encoder.onnx").run(None, {"input_features": features})[0]
    assert 0 < np.abs(rounded - exact).max() < 0.5 * np.abs(exact).max()


def test_its_folder_is_a_model_here(folder, ours, heard, tmp_path, capsys):
    assert engine_for(["nano", str(folder)]) == "onnx"
    assert ours.description() | {"device": "cpu"} == ours.description()
    assert set(ours.description()) >= {"engine", "compute_type", "onnxruntime", "torch"}
    assert (ours.compute_type, ours.n_parameters, len(ours.sha256)) == ("float32", None, 64)
    assert ours.n_bytes > 40_000_000
    soundfile.write(tmp_path / "call.wav", heard[0].read(), 16_000)
    texts = []
    for model in (str(folder), "nano"):
        assert cli.run(["transcribe", str(tmp_path / "call.wav"), "--model", model, "--language", "fr"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != ""


def test_what_it_refuses(folder, tmp_path, monkeypatch):
    def refusal(call):
        with pytest.raises(ParlureError) as caught:
            call()
        return caught.value.message, caught.value.hint

    assert refusal(lambda: locate(str(folder))) == (
        f"{folder} is an ONNX folder, which torch cannot run",
        "transcribe and evaluate take it with --engine onnx; elsewhere, name the model it was made from",
    )
    assert refusal(lambda: open_engine("nano", "onnx")) == (
        "the engine onnx runs ONNX folders, and nano is none", "make one: parlure export nano --to onnx --out FOLDER",
    )  # fmt: skip
    assert refusal(lambda: open_engine(str(folder), quantize="int8")) == (
        "--quantize int8 is for the engine ctranslate2, and this is onnx", "add --engine ctranslate2",
    )  # fmt: skip
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "decoder.onnx").write_bytes(b"half")
    message, hint = refusal(lambda: open_engine(str(broken)))
    assert message.startswith(f"onnxruntime cannot load {broken}: ") and hint == "export the model again"
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("onnx"):
            raise ImportError(name, name=name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    assert refusal(lambda: open_engine(str(folder))) == (
        "the engine onnx needs the package onnxruntime, which is not installed", 'pip install "parlure[onnx]"',
    )  # fmt: skip
    assert refusal(lambda: to_onnx.write_onnx(load("nano", "cpu"), tmp_path / "new")) == (
        "the export to ONNX needs the package onnx, which is not installed", 'pip install "parlure[onnx]"',
    )  # fmt: skip
