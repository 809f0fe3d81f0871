"""CTranslate2 as an engine: torch's tokens and probabilities in float32, torch's rules, a cache of conversions."""

import builtins
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
from faster_whisper import WhisperModel

from parlure import cli
from parlure.cli import arguments
from parlure.errors import ParlureError
from parlure.scoring.rates import Counts, count_words
from parlure.scoring.skills import evaluation
from parlure.speech.calls import VARIANTS
from parlure.speech.features import log_mel, short_window_s
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.decode import Clip, DecodingOptions, window_waves
from parlure.transcribing.engines.choice import engine_for, open_engine
from parlure.transcribing.engines.interface import EngineName
from parlure.transcribing.engines.phrases import Phrase, cut
from parlure.transcribing.engines.with_ctranslate2 import CTranslate2Engine
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.transcribing.pace import Pace, pace_lines
from parlure.whisper import conversion
from parlure.whisper.conversion import Quantization, cache_folder, converted
from parlure.whisper.load import is_ctranslate2, load, locate

FR = DecodingOptions(language="fr", max_new_tokens=60)
NUMBERS = ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize"]
N_SPOKEN = 50


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """Conversions of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield cache_folder()


@pytest.fixture(scope="module")
def torch_engine(nano):
    return TorchEngine(nano)


@pytest.fixture(scope="module")
def fast(cache):
    return CTranslate2Engine("nano")


@pytest.fixture(scope="module")
def said():
    return [f"Il part à {NUMBERS[i % 12]} heures {NUMBERS[(i * 5 + 1) % 12]}." for i in range(N_SPOKEN)]


@pytest.fixture(scope="module")
def heard(said):
    """Sentences by voices nano never heard, then sound without speech: 54 clips."""
    rng = np.random.default_rng(1)
    sounds = [synthesize(text, Voice(f"fr+{VARIANTS[i % len(VARIANTS)]}", 150 + i)) for i, text in enumerate(said)]
    sounds += [np.zeros(32_000, np.float32), np.zeros(100, np.float32)]
    sounds += [rng.normal(0, level, 48_000).astype(np.float32) for level in (0.001, 0.02)]
    return [Clip(str(i), len(sound) / 16_000, lambda sound=sound: sound) for i, sound in enumerate(sounds)]


@pytest.fixture(scope="module")
def by_torch(torch_engine, heard):
    """What torch makes of them in each window."""
    return {
        window: torch_engine.decode(heard, replace(FR, window=window, identify=True)) for window in ("full", "short")
    }


def assert_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        assert replace(one, avg_logprob=None, no_speech_prob=None) == replace(
            other, avg_logprob=None, no_speech_prob=None
        )
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-3)
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-3)


@pytest.mark.parametrize("window", ["full", "short"])
def test_float32_is_torch(fast, by_torch, heard, window):
    """Tokens, texts, identified languages, silence, truncation and probabilities."""
    found = fast.decode(heard, replace(FR, window=window, identify=True))
    assert_same(found, by_torch[window])
    assert {h.identified for h in found[:N_SPOKEN]} == {"fr"}
    assert {h.text for h in found[N_SPOKEN:]} == {""}
    assert len({h.text for h in found[:N_SPOKEN]}) > 20


def test_a_prompt_is_torchs_too(fast, torch_engine, heard):
    prompted = replace(FR, prompt="neuf heures, dix heures")
    found = fast.decode(heard[:8], prompted)
    assert_same(found, torch_engine.decode(heard[:8], prompted))
    assert [h.tokens for h in found] != [h.tokens for h in fast.decode(heard[:8], FR)]


def test_what_it_weighs(fast):
    assert fast.n_bytes > 1_000_000 and fast.n_parameters is None


def test_neither_batch_nor_order_changes_anything(fast, heard):
    """Also: the language each clip is taken for, and short windows of clips that lie apart."""
    for options in (replace(FR, language=None, batch_size=4), replace(FR, window="short", batch_size=3)):
        chosen = heard[:5] + heard[-1:]
        together = fast.decode(chosen, options)
        assert [h.id for h in together] == [c.id for c in chosen]
        assert_same(together, fast.decode(chosen[::-1], replace(options, batch_size=16))[::-1])
        assert_same(together[:2], [fast.decode([clip], options)[0] for clip in chosen[:2]])


def test_free_language_and_all_that_can_be_said_of_silence(fast, torch_engine, heard):
    for options in (replace(FR, language=None), replace(FR, no_speech_threshold=1.0)):
        chosen = heard[:2] + heard[-4:]
        assert_same(fast.decode(chosen, options), torch_engine.decode(chosen, options))


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_the_token_limit_is_torchs(fast, torch_engine, heard, limit):
    options, chosen = replace(FR, max_new_tokens=limit, window="short"), heard[:3] + heard[-1:]
    found = fast.decode(chosen, options)
    assert_same(found, torch_engine.decode(chosen, options))
    assert all(h.truncated and len(h.tokens) == limit for h in found[:3])


def test_the_limit_of_positions(fast, heard):
    """A model that never ends is stopped where the decoder has no position left, 448 with the prompt."""
    end, window_s = fast._special.end, short_window_s(heard[0].duration_s)
    encoded = fast._encode(log_mel(window_waves([heard[0].read()], window_s)).numpy())
    [row] = fast._generate(encoded, [[50_258, 50_265, 50_359, 50_363]], 500, 1, [end], suppress_blank=True)
    assert (len(row.tokens), row.ended) == (444, False)


def test_int8_hears_nearly_the_same(by_torch, heard, said):
    """In the window that nano was trained on; the model is small, so its numbers are coarse."""
    found = CTranslate2Engine("nano", "int8")
    assert found.compute_type == "int8_float32"
    n = 25
    ours, exact = found.decode(heard[:n], FR), by_torch["full"][:n]
    assert sum(one.tokens == other.tokens for one, other in zip(ours, exact, strict=True)) > 0.6 * n
    rates = [
        Counts.total(count_words(text.lower(), one.text.lower()) for text, one in zip(said[:n], own, strict=True)).rate
        for own in (ours, exact)
    ]
    assert abs(rates[0] - rates[1]) < 5.0, rates  # points, of 150 words


def test_beams(fast, torch_engine, heard):
    options, chosen = replace(FR, beam_size=4, window="short"), heard[:4] + heard[-1:]
    best, greedy = fast.decode(chosen, options), fast.decode(chosen, replace(options, beam_size=1))
    assert sum(h.avg_logprob for h in best) >= sum(h.avg_logprob for h in greedy) - 0.1  # they may end elsewhere
    assert best[-1].text == ""
    ours = torch_engine.decode(chosen, options)
    assert sum(one.text == other.text for one, other in zip(best, ours, strict=True)) >= 3  # normalised differently


def test_the_loop_guard_leaves_what_torchs_leaves(fast, torch_engine, heard):
    """nano repeats itself on short input."""
    options = replace(FR, window="short", loop_guard=True)
    ours, theirs = (engine.decode(heard[:12], options) for engine in (torch_engine, fast))
    assert [h.tokens for h in theirs] == [h.tokens for h in ours]
    assert [(h.looped, h.truncated) for h in theirs] == [(h.looped, h.truncated) for h in ours]


def test_long_form_is_torchs(fast, torch_engine, heard):
    pause = np.zeros(8_000, np.float32)
    for first, last in ((0, 2), (2, 7), (7, 26)):
        samples = np.concatenate([part for clip in heard[first:last] for part in (clip.read(), pause)])
        options = replace(FR, language=None if first else "fr", max_new_tokens=224)
        ours, theirs = (engine.decode_long("x", samples, options) for engine in (fast, torch_engine))
        assert ours == theirs
        assert ours.segments
    assert ours.segments[-1].end > 30
    assert fast.decode_long("x", np.zeros(16_000, np.float32), FR).segments == ()


BEGIN = 100


@pytest.mark.parametrize(
    ("tokens", "phrases", "further"),
    [
        # one phrase that ends: nothing follows
        ([100, 1, 2, 150], [Phrase(0.0, 1.0, (100, 1, 2, 150))], 3000),
        # two, and nothing follows
        ([100, 1, 150, 160, 2, 200], [Phrase(0.0, 1.0, (100, 1, 150)), Phrase(1.2, 2.0, (160, 2, 200))], 3000),
        # the second was cut: begin again where the first ended
        ([100, 1, 150, 160, 2], [Phrase(0.0, 1.0, (100, 1, 150))], 100),
        ([100, 1, 150, 160], [Phrase(0.0, 1.0, (100, 1, 150))], 100),
        # text without an end lasts as long as the window
        ([100, 1, 2], [Phrase(0.0, 30.0, (100, 1, 2))], 3000),
        ([], [Phrase(0.0, 30.0, ())], 3000),
        # no window stays where it is
        ([100, 100, 1], [Phrase(0.0, 0.0, (100,))], 2),
    ],
)
def test_windows_are_cut_into_phrases(tokens, phrases, further):
    found, next_ = cut(tokens, BEGIN, 3000)
    assert ([(p.tokens, p.start, p.end) for p in found], next_) == (
        [(p.tokens, pytest.approx(p.start), pytest.approx(p.end)) for p in phrases],
        further,
    )


def test_a_conversion_is_made_once_and_whole(cache, fast, nano, monkeypatch):
    found = converted("nano", "float32")
    assert found.sha256 == fast.sha256 == nano.sha256
    assert found.folder.parent == cache
    assert found.folder.name.startswith(nano.sha256)
    assert found.folder.name.endswith("-float32")
    assert not list(cache.glob(".converting-*"))
    monkeypatch.setattr(conversion, "load", None)  # nothing is loaded again
    assert converted("nano", "float32") == found
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "parlure" / "ctranslate2"


def test_two_who_convert_at_once_get_one_folder(cache):
    """The one who comes second finds the first one's folder."""
    out, nano = cache / "twice", load("nano")  # one to be used up
    conversion.convert(nano, "int8", out)
    before = (out / "model.bin").stat().st_mtime_ns
    conversion.convert(nano, "int8", out)
    assert (out / "model.bin").stat().st_mtime_ns == before
    (cache / "file").touch()
    with pytest.raises(OSError, match="file"):
        conversion.convert(nano, "int8", cache / "file")


def test_its_folder_is_a_model_here_and_for_faster_whisper(fast, heard, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(converted("nano", "float32").folder, folder)
    for name in ("generation_config.json", "tokenizer_config.json"):  # others' conversions have neither
        (folder / name).unlink()
    assert is_ctranslate2(str(folder))
    assert engine_for(["nano", str(folder)]) == "ctranslate2"
    engine = open_engine(str(folder))
    options = replace(FR, window="short")
    assert engine.decode(heard[:4], options) == fast.decode(heard[:4], options)
    samples = heard[0].read()
    assert engine.decode_long("x", samples, FR) == fast.decode_long("x", samples, FR)
    assert len(engine.sha256) == 64
    assert engine.description()["compute_type"] == "float32"
    assert WhisperModel(str(folder), device="cpu").hf_tokenizer.get_vocab_size() == 51_865
    with pytest.raises(ParlureError, match="is a CTranslate2 folder, which torch cannot run") as caught:
        locate(str(folder))
    assert caught.value.hint == (
        "transcribe and evaluate take it with --engine ctranslate2; elsewhere, name the model it was made from"
    )
    (folder / "model.bin").write_bytes(b"half")
    with pytest.raises(ParlureError, match=r"CTranslate2 cannot load .*bare: ") as caught:
        open_engine(str(folder))
    assert caught.value.hint == "convert the model again; what parlure has converted itself can be deleted"


def test_an_adapter_is_merged(tmp_path, nano, heard):
    """A run's conversion decodes as the run does in torch, and not as its base."""
    import torch

    from parlure.whisper.adapters import Adapters, attach, save_adapter
    from parlure.whisper.load import load

    torch.manual_seed(1)
    adapted = attach(load("nano", "cpu").model, Adapters(4, 64.0), "nano")
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
    save_adapter(adapted, tmp_path / "run" / "adapter")
    options, run = replace(FR, window="short", max_new_tokens=20), str(tmp_path / "run")
    ours, theirs = (open_engine(run, engine).decode(heard[:6], options) for engine in ("ctranslate2", "torch"))
    assert_same(ours, theirs)
    assert [h.tokens for h in ours] != [h.tokens for h in TorchEngine(nano).decode(heard[:6], options)]


def test_numbers_that_cannot_be_had(monkeypatch):
    with pytest.raises(
        ParlureError, match="--quantize int8 is for the engine ctranslate2, and this is torch"
    ) as caught:
        open_engine("nano", quantize="int8")
    assert caught.value.hint == "add --engine ctranslate2"
    monkeypatch.setattr("ctranslate2.get_supported_compute_types", lambda device: {"float32", "int8", "int16"})
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ParlureError, match="CTranslate2 does not multiply float16 on this machine's CPU") as caught:
        open_engine("nano", "ctranslate2", "float16")
    assert caught.value.hint == "choose --quantize float32 or int8"


def test_without_the_package(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("ctranslate2"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ParlureError, match="the engine ctranslate2 needs the package ctranslate2") as caught:
        open_engine("nano", "ctranslate2")
    assert caught.value.hint == 'pip install "parlure[export]"'


def test_the_command_line_names_the_engines_and_numbers_there_are():
    for flag, names in ((arguments.Engine, EngineName), (arguments.Quantize, Quantization)):
        assert get_args(get_args(get_args(flag)[0])[0]) == get_args(names)


def test_transcribe_and_its_pace(corpus, tmp_path, capsys):
    from parlure.speech.audio import read_audio, write_audio

    u = corpus.utterances[0]
    write_audio(tmp_path / "un.wav", read_audio(u.recording, u.start, u.end, u.channel)[:48_000])
    texts = []
    for flags in ([], ["--engine", "ctranslate2"], ["--engine", "ctranslate2", "--quantize", "int8"]):
        assert cli.run(["transcribe", str(tmp_path / "un.wav"), "--model", "nano", "--language", "fr", *flags]) == 0
        out, err = capsys.readouterr()
        texts.append(out)
        assert "RTFx " in err.splitlines()[-1]
    assert texts[0] == texts[1]
    assert Pace(30.0, 2.0).line() == "RTFx 15.0: 30.0 s of audio in 2.0 s"
    systems = {"base": {"decode": {"audio_s": 30.0, "work_s": 3.0}}, "tuned": {"decode": {"audio_s": 30, "work_s": 0}}}
    assert pace_lines({"systems": systems})[0] == "base: RTFx 10.0: 30.0 s of audio in 3.0 s"


@pytest.mark.parametrize(("asked", "then"), [(None, "int8_float32"), ("int8", "int8")])
def test_all_models_of_a_report_multiply_the_same_numbers(tmp_path, monkeypatch, asked, then):
    """What the first model holds the second is to have too, unless the person says which."""
    opened = []

    def open_(name, engine, quantize):
        opened.append((name, engine, quantize))
        about = {"engine": engine, "compute_type": "int8_float32"}
        tokenizer = SimpleNamespace(init_kwargs={})
        return SimpleNamespace(
            model=name, sha256="0", compute_type="int8_float32", description=lambda: about, tokenizer=tokenizer
        )

    monkeypatch.setattr(evaluation, "open_engine", open_)
    exam = SimpleNamespace(
        n_questions=0, utterances=(), through=None, questions=lambda utterances: [], put_to=lambda ear, found: None
    )
    names = {"tuned": "folder", "base": "nano"}
    heard = evaluation._listen(exam, names, tmp_path, False, DecodingOptions(), "ctranslate2", asked, None)
    assert opened == [("folder", "ctranslate2", asked), ("nano", "ctranslate2", then)]
    settings = heard.decoded["base"].description["decode"]
    assert (settings["engine"], settings["compute_type"], settings["beam_size"]) == ("ctranslate2", "int8_float32", 1)
    assert settings["method"] == "greedy"
