"""whisper.cpp, unmodified, on what parlure writes for it: in a process of its own, for a bad file ends it."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from tuned_runs import tuned_run

from parlure.errors import ParlureError
from parlure.shipping.export import export, open_runtime, with_ggml
from parlure.shipping.export.vocabulary import token_bytes
from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.calls import VARIANTS
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.decode import Clip, DecodingOptions, decode
from parlure.transcribing.engines import with_whispercpp
from parlure.whisper.load import LoadedModel, load

pytest.importorskip("pywhispercpp")
SENTENCES = ["Nous arrivons demain matin.", "Merci beaucoup, bonne soirée.", "Le train part ce soir."]
# what a person writes who has never heard of parlure
THEIRS = """
import json, sys
import numpy as np
from pywhispercpp.model import Model

model = Model(sys.argv[1], context_params={"flash_attn": False}, redirect_whispercpp_logs_to=None, n_threads=1)
sounds = np.load(sys.argv[2])
texts = []
for name in sorted(sounds):
    segments = model.transcribe(
        sounds[name], language="fr", no_timestamps=True, single_segment=True, temperature_inc=0.0, suppress_nst=True,
        print_progress=False,
    )
    texts.append(" ".join(segment.text for segment in segments))
print(json.dumps(texts))
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """ggml's threads wait for each other in a busy loop: with other work on the cores two are slower than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clips():
    sounds = [synthesize(text, Voice(f"fr+{VARIANTS[i]}", rate_wpm=160)) for i, text in enumerate(SENTENCES)]
    return [Clip(str(i), len(sound) / SAMPLE_RATE, lambda s=sound: s) for i, sound in enumerate(sounds)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    out = tmp_path_factory.mktemp("ggml") / "base"
    export("nano", out, to="ggml")
    return out


def heard(loaded, clips, **options):
    return decode(loaded.model, loaded.tokenizer, clips, DecodingOptions(language="fr", **options))


def test_pywhispercpp_writes_what_torch_writes(base, nano, clips, tmp_path):
    clips = clips[:2]  # at 30 s, a second or two each
    np.savez(tmp_path / "sounds.npz", **{clip.id: clip.read().astype(np.float32) for clip in clips})
    command = [sys.executable, "-c", THEIRS, str(base / "ggml-model.bin"), str(tmp_path / "sounds.npz")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [one.text for one in heard(nano, clips)]


def test_a_merged_adapter_has_torchs_tokens(clips, nano, tmp_path):
    run = tuned_run(tmp_path / "run", seed=3)
    export(str(run), tmp_path / "out", to="ggml")
    engine, tuned = open_runtime(tmp_path / "out"), load(str(run), "cpu")
    ours = heard(tuned, clips, window="short")
    theirs = engine.decode(clips, DecodingOptions(language="fr", window="short"))
    assert [one.tokens for one in theirs] == [one.tokens for one in ours]
    assert [one.avg_logprob for one in theirs] == pytest.approx([one.avg_logprob for one in ours], abs=0.01)
    untuned = heard(nano, clips, window="short")
    assert [one.avg_logprob for one in ours] != pytest.approx([one.avg_logprob for one in untuned], abs=0.02)


def test_the_engine_takes_the_options(base, nano, clips, tmp_path):
    engine, one = open_runtime(base), clips[:1]
    short = engine.decode(clips, DecodingOptions(language="fr", window="short"))
    assert [x.tokens for x in short] == [x.tokens for x in heard(nano, clips, window="short")]
    for options in (
        DecodingOptions(language="fr", max_new_tokens=4, window="short"),
        DecodingOptions(language="fr", prompt="bonjour", window="short"),
        DecodingOptions(language="fr", window="short", loop_guard=True),
        DecodingOptions(language="en", task="translate", window="short"),
    ):
        [theirs], [ours] = engine.decode(one, options), decode(nano.model, nano.tokenizer, one, options)
        assert (theirs.tokens, theirs.truncated) == (ours.tokens, ours.truncated), options
    [beamed] = engine.decode(one, DecodingOptions(language="fr", beam_size=2, window="short"))
    assert beamed.text
    [named] = engine.decode(one, DecodingOptions(window="short"))
    assert (named.language, named.identified) == ("fr", "fr")
    counted = []
    brief = Clip("brief", 0.05, lambda: np.zeros(800, np.float32))
    engine.decode([brief], DecodingOptions(language="fr", window="short"), counted.append)
    assert counted == [1]
    with pytest.raises(ValueError, match=r"a clip of 31\.0 s does not fit a window of 30 s"):
        engine.decode([Clip("long", 31, lambda: np.zeros(31 * SAMPLE_RATE, np.float32))], DecodingOptions())
    with pytest.raises(ParlureError, match="this Whisper has no language 'xx'"):
        engine.decode(one, DecodingOptions(language="xx"))
    about = engine.description()
    assert (about["engine"], about["compute_type"]) == ("whisper.cpp", "float16")
    assert (engine.n_bytes, engine.n_parameters) == ((base / "ggml-model.bin").stat().st_size, None)
    assert len(engine.sha256) == 64


def test_a_recording_has_phrases(base, clips):
    pause = np.zeros(SAMPLE_RATE, np.float32)
    wave = np.concatenate([part for clip in clips[:2] for part in (clip.read(), pause)])
    found = open_runtime(base).decode_long("both", wave, DecodingOptions(language="fr"))
    assert found.text.startswith("Nous arrivons demain matin.")
    starts = [segment.start for segment in found.segments]
    assert starts == sorted(starts) and 0 <= starts[0] < 1


@pytest.mark.parametrize("numbers", ["q8_0", "q5_1", "q5_0", "q4_1", "q4_0"])
def test_fewer_bits_are_read(numbers, clips, nano, tmp_path):
    export("nano", tmp_path / "out", to="ggml", quantize=numbers)
    engine = open_runtime(tmp_path / "out")
    assert engine.compute_type == numbers
    [found] = engine.decode(clips[:1], DecodingOptions(language="fr", window="short"))
    assert found.text.startswith("Nous")


def test_the_header_is_the_models(base, nano):
    content = (base / "ggml-model.bin").read_bytes()
    config = nano.model.config
    assert struct.unpack("<12i", content[:48]) == (
        0x67676D6C, 51_865, 1_500, config.d_model, 4, 3, 448, config.d_model, 4, 3, 80, 1,
    )  # fmt: skip
    filters = np.frombuffer(content[56 : 56 + 80 * 201 * 4], "<f4").reshape(80, 201)
    assert struct.unpack("<2i", content[48:56]) == filters.shape
    assert filters.sum(1).min() > 0
    place = 56 + filters.nbytes
    assert struct.unpack("<i", content[place : place + 4]) == (50_257,)
    entries = token_bytes(nano.tokenizer)
    assert (len(entries), entries[220], entries[-1]) == (50_257, b" ", b"")
    assert " é".encode() in entries or "é".encode() in b"".join(entries)


def changed(nano, **config):
    """nano under another configuration."""
    model = type(nano.model)(type(nano.model.config)(**nano.model.config.to_dict() | config))
    return LoadedModel(model, nano.tokenizer, "odd", nano.weights)


def test_a_model_of_large_v3s_shape_is_read(nano, clips, tmp_path, monkeypatch):
    shaped = changed(nano, num_mel_bins=128, vocab_size=51_866)
    monkeypatch.setattr(with_ggml, "load", lambda model, device: shaped)
    with_ggml.to_ggml("odd", tmp_path / "out", "float16")
    engine = with_whispercpp.WhisperCppEngine(tmp_path / "out", "float16")
    library, context = engine._library, engine._context
    assert (library.whisper_model_n_mels(context), library.whisper_model_n_vocab(context)) == (128, 51_866)
    assert library.whisper_token_beg(context) == 50_365  # one more language before the times
    [found] = engine.decode(clips[:1], DecodingOptions(language="fr", window="short", max_new_tokens=3))
    assert len(found.tokens) <= 3


@pytest.mark.parametrize(
    ("config", "quantize", "message", "hint"),
    [
        (
            {"vocab_size": 52_000},
            "float16",
            "odd has 52,000 tokens, and whisper.cpp derives the special ones from 51,864 to 51,866",
            "export it with --to hf or ctranslate2",
        ),
        (
            {"d_model": 16, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64},
            "q4_0",
            "odd is 16 wide, which is no multiple of q4_0's blocks of 32",
            "take --quantize float16",
        ),
        (
            {"decoder_ffn_dim": 320, "activation_function": "relu", "scale_embedding": True},
            "float16",
            "odd has decoder_ffn_dim 320, activation_function relu, scale_embedding, "
            "and whisper.cpp knows only Whispers built as OpenAI's",
            "export it with --to hf or ctranslate2",
        ),
    ],
)
def test_what_whispercpp_cannot_read_is_refused(nano, tmp_path, monkeypatch, config, quantize, message, hint):
    monkeypatch.setattr(with_ggml, "load", lambda model, device: changed(nano, **config))
    with pytest.raises(ParlureError) as caught:
        with_ggml.to_ggml("odd", tmp_path / "out", quantize)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert not (tmp_path / "out").exists()


def test_numbers_too_large_for_float16_are_refused(nano, tmp_path, monkeypatch):
    large = changed(nano)
    with torch.no_grad():
        large.model.model.encoder.layers[0].fc1.weight[0, 0] = 1e5
    monkeypatch.setattr(with_ggml, "load", lambda model, device: large)
    with pytest.raises(ParlureError) as caught:
        with_ggml.to_ggml("odd", tmp_path / "out", "float16")
    assert caught.value.message == "encoder.blocks.0.mlp.0.weight has numbers that float16 does not hold"
    assert caught.value.hint == "take --quantize q8_0"


def test_numbers_that_ggml_lacks_are_refused(tmp_path):
    with pytest.raises(ParlureError) as caught:
        export("nano", tmp_path / "out", to="ggml", quantize="int8")
    assert caught.value.message == "whisper.cpp stores no int8"
    assert caught.value.hint == "choose --quantize float16 or q8_0 or q5_1 or q5_0 or q4_1 or q4_0"


def test_a_damaged_file_is_an_error_and_not_the_end(base, tmp_path):
    whole = (base / "ggml-model.bin").read_bytes()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((base / name).read_bytes())
    with pytest.raises(ParlureError) as caught:
        with_whispercpp.WhisperCppEngine(tmp_path, "float16")
    path = tmp_path / "ggml-model.bin"
    assert caught.value.message == f"there is no {path}"
    assert caught.value.hint == "name a folder that parlure export --to ggml has made"
    for content, reason in (
        (b"no model", "invalid model data (bad magic)"),
        (whole[: len(whole) // 2], "ERROR not all tensors loaded"),
        (whole[:100], "WARN no tensors loaded from model file"),
    ):
        path.write_bytes(content)
        with pytest.raises(ParlureError) as caught:
            with_whispercpp.WhisperCppEngine(tmp_path, "float16")
        assert caught.value.message.startswith(f"whisper.cpp cannot load {path}: {reason}")
        assert caught.value.hint == "export the model again"


def test_without_pywhispercpp(base, monkeypatch):
    monkeypatch.setitem(sys.modules, "_pywhispercpp", None)
    with pytest.raises(ParlureError) as caught:
        open_runtime(base)
    assert caught.value.message == "the engine whisper.cpp needs the package pywhispercpp, which is not installed"
    assert caught.value.hint == 'pip install "parlure[ggml]"'
