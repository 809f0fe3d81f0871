"""What is no Whisper: transformers' pipeline runs it, a text depends on its clip alone, and what it lacks is said."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from other_models import write_moonshine, write_parakeet, write_transducer, write_wav2vec2
from transformers import Qwen3ASRConfig, pipeline
from transformers.models.auto import modeling_auto

from parlure import cli
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.scoring.skills import evaluate
from parlure.speech.audio import write_audio
from parlure.speech.features import short_window_s
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.with_pipeline import CTC, TOLD, TRANSDUCERS, WRITERS, PipelineEngine, is_for_pipeline
from parlure.transcribing.engines.with_torch import TorchEngine

FR = DecodingOptions(language="fr", max_new_tokens=12)
KINDS = {"wav2vec2": write_wav2vec2, "parakeet": write_parakeet, "tdt": write_transducer, "moonshine": write_moonshine}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("models")
    return {name: write(home / name) for name, write in KINDS.items()}


@pytest.fixture(scope="module")
def sounds():
    """Three lengths that share a window, and one that does not."""
    rng = np.random.default_rng(1)
    return [rng.normal(0, 0.1, n).astype(np.float32) for n in (8_000, 9_001, 12_345, 40_000)]


@pytest.fixture(scope="module")
def clips(sounds):
    return [Clip(f"c{i}", len(sound) / 16_000, lambda sound=sound: sound) for i, sound in enumerate(sounds)]


@pytest.mark.parametrize("name", KINDS)
def test_the_texts_are_the_pipelines_and_no_neighbour_changes_them(folders, clips, sounds, name):
    """The reference: every clip by itself, with its silence behind it."""
    engine = open_engine(folders[name])
    assert isinstance(engine, PipelineEngine)
    reference = pipeline("automatic-speech-recognition", model=folders[name])
    settings = {"num_beams": 1, "max_new_tokens": 12} if name == "moonshine" else {}
    alone = []
    for sound in sounds:
        n_samples = round(short_window_s(len(sound) / 16_000) * 16_000)
        padded = np.pad(sound, (0, n_samples - len(sound)))
        alone.append(reference(padded, generate_kwargs=settings)["text"].strip())
    assert len(set(alone)) > 1 and all(alone)
    for batch_size, order in ((16, [0, 1, 2, 3]), (1, [3, 1, 0, 2])):
        found = engine.decode(
            [clips[i] for i in order], DecodingOptions("fr", batch_size=batch_size, max_new_tokens=12)
        )
        assert [one.text for one in found] == [alone[i] for i in order]
        assert [one.id for one in found] == [f"c{i}" for i in order]
    assert {one.identified for one in found} == {None} and {one.language for one in found} == {"fr"}


def test_the_pipelines_own_batches_do_change_them(folders, sounds):
    """Why the engine does not use them; if this fails, transformers has mended it, and the engine could be simpler."""
    reference = pipeline("automatic-speech-recognition", model=folders["wav2vec2"])
    alone = [reference(sound)["text"] for sound in sounds]
    assert alone != [one["text"] for one in reference(list(sounds), batch_size=4)]


def test_what_it_says_of_itself(folders):
    engine = open_engine(folders["parakeet"])
    about = engine.description()
    assert (about["engine"], about["architecture"]) == ("pipeline", "parakeet_ctc")
    assert about["window"] == "its own length and up to 1 s of silence"
    assert engine.n_bytes == (Path(folders["parakeet"]) / "model.safetensors").stat().st_size > 40_000
    assert engine.n_parameters > 10_000 and len(engine.sha256) == 64


def test_whispers_stay_whispers(nano, folders):
    assert isinstance(open_engine("nano"), TorchEngine)
    assert not is_for_pipeline("nonesuch") and not is_for_pipeline("nano")
    assert TorchEngine(nano).n_parameters == sum(p.numel() for p in nano.model.parameters())
    assert TorchEngine(nano).n_bytes == sum(path.stat().st_size for path in nano.weights) > 1_000_000


def test_every_kind_is_one_that_transformers_knows():
    """And of those that it lists for the task none is overlooked, but for what does not transcribe."""
    listed = {*modeling_auto.MODEL_FOR_CTC_MAPPING_NAMES, *modeling_auto.MODEL_FOR_TDT_MAPPING_NAMES}
    listed |= {*modeling_auto.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES, *modeling_auto.MODEL_FOR_RNNT_MAPPING_NAMES}
    ours = CTC | TRANSDUCERS | WRITERS | TOLD
    others = {"whisper", "dia", "pop2piano", "speecht5", "vibevoice", "moonshine_streaming", "granite_speech5_ctc"}
    assert listed - ours == others
    assert ours - listed <= {"glmasr"}


def test_a_long_recording_is_cut_where_nobody_speaks(folders, tmp_path, capsys):
    pause = np.zeros(48_000, np.float32)
    said = [synthesize(text, Voice("fr+belinda", 170)) for text in ("Nous arrivons demain.", "Merci beaucoup.")]
    engine = open_engine(folders["parakeet"])
    found = engine.decode_long("call", np.concatenate([pause, said[0], pause, said[1], pause]), FR)
    assert len(found.segments) == 2
    assert 2.5 < found.segments[0].start < 3.2 and found.segments[1].start > 3 + len(said[0]) / 16_000 + 2.5
    assert found.text == " ".join(one.text for one in found.segments)
    write_audio(tmp_path / "call.wav", said[0])
    assert cli.run(["transcribe", str(tmp_path / "call.wav"), "--model", folders["parakeet"], "--format", "srt"]) == 0
    assert "-->" in capsys.readouterr().out


def test_a_whisper_is_evaluated_against_it(folders, corpus, corpus_folder, tmp_path, monkeypatch):
    """Every skill is asked; the language, which it cannot name, counts for the Whisper alone."""
    few = tuple(u for u in corpus.select("test") if u.duration_s >= 2)[:2]
    monkeypatch.setattr(Corpus, "load", lambda folder: replace(corpus, utterances=few))
    asked = {"against": folders["parakeet"], "nonspeech_per_kind": 1}
    report = evaluate(corpus_folder, "nano", tmp_path / "report", **asked)
    assert report["systems"]["base"]["decode"]["engine"] == "pipeline"
    assert report["systems"]["base"]["decode"]["window"] == "its own length and up to 1 s of silence"
    assert "base" in report["skills"]["transcription.fr"] and "base" in report["skills"]["silence"]
    named = report["skills"]["language_identification"]
    assert "tuned" in named and "base" not in named
    with pytest.raises(ParlureError, match="is no Whisper, and a report is about one") as caught:
        evaluate(corpus_folder, folders["parakeet"], tmp_path / "other")
    assert caught.value.hint == "give it as --against, or see parlure baseline"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (DecodingOptions("fr", task="translate"), "never translates"),
        (DecodingOptions("fr", beam_size=5), "never searches with beams"),
        (DecodingOptions("fr", loop_guard=True), "never has a loop guard"),
        (DecodingOptions("fr", prompt="Alma"), "never reads a prompt"),
    ],
)
def test_what_only_whisper_does_is_refused(folders, clips, options, told):
    with pytest.raises(ParlureError, match="a wav2vec2 model, never") as caught:
        open_engine(folders["wav2vec2"]).decode(clips, options)
    assert told in caught.value.message and caught.value.hint == "ask a Whisper for that"


def test_what_cannot_be_run_is_one_sentence(folders, clips, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(folders["wav2vec2"], broken)
    (broken / "preprocessor_config.json").unlink()
    with pytest.raises(ParlureError, match=r"transformers' pipeline cannot load .*broken: ") as caught:
        open_engine(str(broken))
    assert (
        caught.value.hint == "fetch the model again, whole: its config, weights, tokenizer and preprocessor_config.json"
    )
    shutil.copytree(folders["tdt"], tmp_path / "unfinished")
    (tmp_path / "unfinished" / "generation_config.json").unlink()
    with pytest.raises(ParlureError, match=r"transformers' pipeline cannot run .*unfinished: ") as caught:
        open_engine(str(tmp_path / "unfinished")).decode(clips, FR)
    assert caught.value.hint == "baseline compares texts made elsewhere too: --texts NAME=FILE"
    shutil.copytree(folders["wav2vec2"], tmp_path / "telephone")
    settings = json.loads((tmp_path / "telephone" / "preprocessor_config.json").read_text())
    (tmp_path / "telephone" / "preprocessor_config.json").write_text(json.dumps(settings | {"sampling_rate": 8000}))
    with pytest.raises(ParlureError, match="telephone hears 8000 Hz, and all here is at 16000") as caught:
        open_engine(str(tmp_path / "telephone"))
    assert caught.value.hint == "choose another model"


def test_what_needs_a_prompt_is_refused(tmp_path):
    Qwen3ASRConfig().save_pretrained(tmp_path)
    told = "is a qwen3_asr model, which is told in a prompt what to do, and transformers' pipeline gives none"
    with pytest.raises(ParlureError, match=told) as caught:
        open_engine(str(tmp_path))
    hint = "transcribe the same utterances with its own tools: baseline compares such texts, --texts NAME=FILE"
    assert caught.value.hint == hint
