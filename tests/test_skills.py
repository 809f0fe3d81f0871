"""Evaluation with models: every system on the same clips, every skill, a report that can be computed again."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jiwer
import numpy as np
import pytest
import sacrebleu

from parlure.corpus.manifest import Corpus, Segment, Utterance
from parlure.errors import ParlureError
from parlure.scoring.normalize import get_profile
from parlure.scoring.report import build_report, recompute
from parlure.scoring.skills import evaluate
from parlure.scoring.skills.exam import Exam
from parlure.scoring.skills.findings import utterance_row
from parlure.speech.audio import read_audio, write_audio
from parlure.transcribing import hypothesis
from parlure.transcribing.hypothesis import Hypothesis
from parlure.whisper.load import NANO


@pytest.fixture(scope="module")
def small(corpus):
    """Three test utterances."""
    test = corpus.select("test")[:3]
    return Corpus(corpus.folder, test, corpus.info)


def stop(*arguments, **more):
    raise KeyboardInterrupt


# ------------------------------------------------------------------------------------------ with nano


def test_one_model_against_itself_differs_by_nothing(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    seen = []
    out = tmp_path / "report"
    report = evaluate(
        tmp_path, "nano", out, against="nano", short=True, nonspeech_per_kind=1,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    # two systems on 3 utterances, and on 6 clips without speech twice; tuned on the utterances in short windows
    assert seen[-1] == (33, 33)
    assert report["headline_profile"] == "fr"
    for profile in ("raw", "basic", "fr"):
        assert report["profiles"][profile]["comparison"]["difference"] == 0
        assert report["profiles"][profile]["tuned"] == report["profiles"][profile]["base"]
    assert json.loads((out / "report.json").read_text()) == json.loads(json.dumps(report))
    assert json.loads(json.dumps(recompute(out))) == json.loads(json.dumps(report))
    assert report["broken"] == []
    rows = [json.loads(line) for line in (out / "utterances.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [u.id for u in small.utterances]
    for system, folder in (("tuned", "tuned"), ("base", "base"), ("tuned (short window)", "tuned-short")):
        hyps = [json.loads(line) for line in (out / "hypotheses" / folder / "hyps.jsonl").read_text().splitlines()]
        assert [h["text"] for h in hyps] == [row["hypotheses"][system] for row in rows]
    decode = json.loads((out / "hypotheses/tuned/decode.json").read_text())
    assert len(decode["hash"]) == 64
    assert decode["decode"]["audio_s"] == pytest.approx(sum(u.duration_s for u in small.utterances), abs=0.01)
    # what base was asked is what tuned was asked, and the short window stands beside both
    windows = {name: system["decode"]["window"] for name, system in report["systems"].items()}
    assert windows == {"tuned": "full", "base": "full", "tuned (short window)": "short"}
    spent = {"work_s": 0, "window": "full"}
    decodes = [report["systems"][name]["decode"] | spent for name in windows]
    assert decodes[0] == decodes[1] == decodes[2]
    assert "tuned (short window)" not in report["skills"]["silence"]
    assert set(report["profiles"]["fr"]) == {"tuned", "base", "tuned (short window)", "comparison"}


def test_decoding_goes_on_where_it_stopped(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    whole = evaluate(tmp_path, "nano", tmp_path / "whole", batch_size=1, nonspeech_per_kind=0)

    monkeypatch.setattr("parlure.scoring.skills.evaluation.build_report", stop)
    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path, "nano", tmp_path / "broken", batch_size=1, nonspeech_per_kind=0)
    monkeypatch.setattr("parlure.scoring.skills.evaluation.build_report", build_report)
    monkeypatch.setattr("parlure.transcribing.engines.with_torch.decode", stop)  # nothing is left to decode
    resumed = evaluate(tmp_path, "nano", tmp_path / "broken", batch_size=1, nonspeech_per_kind=0)
    assert (resumed["profiles"], resumed["skills"]) == (whole["profiles"], whole["skills"])
    for name in ("hypotheses/tuned/hyps.jsonl", "skills.jsonl", "utterances.jsonl"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "broken").glob("decoding-*"))


# ------------------------------------------------------------------------------------------ with scripted models

WORDS = ["un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"]
ENGLISH = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Ten speakers, a recording of 40 s each: four timed utterances, one translated, one of silence."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(3)
    utterances = []
    for speaker in range(10):
        recording = str(folder / f"{speaker}.wav")
        write_audio(recording, rng.normal(0, 0.01 * (speaker + 1), 16_000 * 50).astype(np.float32))
        for number in range(4):
            words = [WORDS[(speaker + number + i) % 10] for i in range(4)]
            segments = (Segment(0.0, 4.0, " ".join(words[:2])), Segment(4.5, 8.0, " ".join(words[2:])))
            utterances.append(
                Utterance(id=f"s{speaker}-{number}", recording=recording, start=10.0 * number, end=10.0 * number + 8.5,
                          channel=0, text=" ".join(words), language="fr", speaker=f"s{speaker}",
                          session=f"call{speaker}", split="test", segments=segments)
            )  # fmt: skip
        last = utterances[-1]
        english = " ".join(ENGLISH[(speaker + i) % 10] for i in range(6))
        utterances.append(replace(last, id=f"s{speaker}-en", start=40.0, end=44.0, task="translate", text=english,
                                  segments=None))  # fmt: skip
        utterances.append(replace(last, id=f"s{speaker}-quiet", start=45.0, end=49.0, text="", segments=None))
    return Corpus(folder, tuple(utterances), {})


@pytest.fixture
def scripted(world, monkeypatch):
    """Models ``good``, which never errs, and ``bad``, which has lost all but transcription; counts what is asked."""
    asked = Counter()
    said = {u.id: u.text for u in world.utterances}

    def answer(name, clip, options):
        text = said.get(clip.id, "")
        identified = "en" if name == "bad" else "fr"
        if name == "bad" and (options.task == "translate" or (not text and clip.duration_s > 3)):
            text = "merci"
        return Hypothesis(clip.id, text, options.language, None, 0.5, -0.1, (1,), False, identified)

    def decode(model, tokenizer, clips, options, progress=None):
        asked.update((model.name, clip.id, options.language, options.window) for clip in clips)
        return [answer(model.name, clip, options) for clip in clips]

    def decode_long(model, tokenizer, name, samples, options):
        asked[model.name, name, options.language, "phrases"] += 1
        ids = [name] if name in said else [u.id for u in world.utterances if u.id[:3] == name[:3] and u.text][:4]
        late = 0.0 if model.name == "good" else 1.0
        segments = [hypothesis.Segment(start + late, end, text) for start, end, text in
                    [(0.0, 4.0, said[ids[0]]), (4.5, 8.0, "")]]  # fmt: skip
        text = " ".join(said[i] for i in ids) if model.name == "good" else "un"
        return Hypothesis(name, text, options.language, tuple(segments), None, None, (1,), False)

    def load(name, device=None):
        model = SimpleNamespace(name=name, dtype="torch.float32", device=SimpleNamespace(type="cpu"))
        return SimpleNamespace(model=model, tokenizer=None, name=name, sha256=name * 8)

    monkeypatch.setattr("parlure.transcribing.engines.with_torch.decode", decode)
    monkeypatch.setattr("parlure.transcribing.engines.with_torch.decode_long", decode_long)
    monkeypatch.setattr("parlure.transcribing.engines.choice.load", load)
    monkeypatch.setattr(Corpus, "load", lambda folder: world)
    return asked


def values(report, system):
    return {name: skill[system]["value"] for name, skill in report["skills"].items()}


def test_every_skill_before_and_after(world, scripted, tmp_path):
    out = tmp_path / "report"
    report = evaluate(tmp_path, "bad", out, against="good", guards=["general=x"], nonspeech_per_kind=2)
    assert values(report, "base") == {
        "transcription.fr": 0.0, "translation": 100.0, "translation.bleu": pytest.approx(100.0),
        "language_identification": 100.0, "silence": 0.0, "silence.free": 0.0, "timestamps": 100.0, "long_form": 0.0,
        "guard.general": 0.0,
    }  # fmt: skip
    tuned = values(report, "tuned")
    assert tuned["transcription.fr"] == pytest.approx(100 * 10 / 160)  # a word inserted into each of ten silences
    assert tuned["language_identification"] == 0.0
    assert tuned["timestamps"] == 50.0  # every start is 1 s late
    assert tuned["long_form"] > 90.0  # one word of sixteen, at best
    assert report["broken"] == [
        "transcription.fr", "translation", "translation.bleu", "language_identification", "silence", "silence.free",
        "timestamps", "long_form", "guard.general",
    ]  # fmt: skip
    assert report["skills"]["silence"]["kinds"]["corpus"] == {"n": 10, "base": 0, "tuned": 10}
    assert "from recordings" in report["skills"]["long_form"]["how"]
    assert list(report["skills"]) == Exam.of(world, "test", ["general=x"], 2).skill_names
    assert json.loads(json.dumps(recompute(out))) == json.loads((out / "report.json").read_text())


def test_both_systems_are_asked_the_same(scripted, tmp_path):
    evaluate(tmp_path, "bad", tmp_path / "report", against="good", nonspeech_per_kind=2)
    asked = {name: {key[1:]: n for key, n in scripted.items() if key[0] == name} for name in ("bad", "good")}
    free = {key for key in asked["bad"] if key[1] == "en"}  # what bad takes for English, with a free prompt
    assert len(free) == 12 + 10
    assert {key: n for key, n in asked["bad"].items() if key not in free} == asked["good"]
    assert set(asked["good"].values()) == {1}


def test_numbers_from_the_folder_alone(scripted, tmp_path):
    """Without parlure's rates: jiwer and sacrebleu on what the folder holds."""
    out = tmp_path / "report"
    evaluate(tmp_path, "bad", out, against="good", guards=["general=x"], nonspeech_per_kind=1)
    report = json.loads((out / "report.json").read_text())
    rows = [json.loads(line) for line in (out / "skills.jsonl").read_text().splitlines()]
    of = {name: [row for row in rows if row["skill"] == name] for name in {row["skill"] for row in rows}}
    for system in ("base", "tuned"):
        found = values(report, system)
        translated = of["translation"]
        texts, references = [row["hypotheses"][system] for row in translated], [[r["reference"] for r in translated]]
        assert found["translation"] == pytest.approx(sacrebleu.corpus_chrf(texts, references).score)
        assert found["translation.bleu"] == pytest.approx(sacrebleu.corpus_bleu(texts, references).score)
        identified = [row["identified"][system] == row["language"] for row in of["language_identification"]]
        assert found["language_identification"] == pytest.approx(100 * np.mean(identified))
        for name, prompt in (("silence", "pinned"), ("silence.free", "free")):
            spoken = [bool(row["hypotheses"][system][prompt]) for row in of["silence"]]
            assert found[name] == pytest.approx(100 * np.mean(spoken))
        near = [
            abs(heard[edge] - said[edge]) <= 0.2
            for row in of["timestamps"]
            for said, heard in zip(row["reference"], row["segments"][system], strict=True)
            for edge in (0, 1)
        ]
        assert found["timestamps"] == pytest.approx(100 * np.mean(near))
        for name, skill in (("long_form", "long_form"), ("guard.general", "guard")):
            pairs = [[get_profile(row["profile"]).normalize(text) for text in
                      (row["reference"], row["hypotheses"][system])] for row in of[skill]]  # fmt: skip
            counts = [sum(row["counts"][system][key] for key in "SDI") for row in of[skill]]
            errors = jiwer.process_words(*map(list, zip(*pairs, strict=True)))
            assert sum(counts) == errors.substitutions + errors.deletions + errors.insertions
            assert found[name] == pytest.approx(
                100 * sum(counts) / sum(row["counts"][system]["N"] for row in of[skill])
            )


def test_one_model_alone_and_progress(world, scripted, tmp_path):
    seen = []
    report = evaluate(
        tmp_path, "good", tmp_path / "report", nonspeech_per_kind=1, progress=lambda *pair: seen.append(pair)
    )
    assert list(report["systems"]) == ["tuned"]
    assert "comparison" not in report["profiles"]["fr"]
    assert {skill["verdict"] for skill in report["skills"].values()} == {None}
    total = Exam.of(world, "test", (), 1).n_questions
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_one_model_decoded_is_never_anothers(scripted, tmp_path, monkeypatch):
    monkeypatch.setattr("parlure.scoring.skills.evaluation.build_report", stop)
    for name in ("good", "bad", "good"):  # after another model, even one's own is begun again
        scripted.clear()
        with pytest.raises(KeyboardInterrupt):
            evaluate(tmp_path, name, tmp_path / "report", nonspeech_per_kind=1)
        assert sum(scripted.values()) >= 60 + 6 + 40 + 10
    scripted.clear()
    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path, "good", tmp_path / "report", nonspeech_per_kind=1)
    assert not scripted


def test_the_same_weights_by_another_name_are_another_model(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    copy = tmp_path / "copy"
    shutil.copytree(NANO, copy)  # the tokenizer may differ
    decoded = []

    def hear_nothing(model, tokenizer, clips, options, progress=None):
        decoded.extend(clips)
        return [Hypothesis(clip.id, "", "fr", None, None, None, (), False) for clip in clips]

    monkeypatch.setattr("parlure.transcribing.engines.with_torch.decode", hear_nothing)
    monkeypatch.setattr("parlure.scoring.skills.evaluation.build_report", stop)
    for name in ("nano", str(copy)):
        decoded.clear()
        with pytest.raises(KeyboardInterrupt):
            evaluate(tmp_path, name, tmp_path / "report", batch_size=6, nonspeech_per_kind=0)
        assert len(decoded) == 3


def test_against_the_runs_own_base(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    monkeypatch.setattr("parlure.scoring.skills.evaluation.base_of", {"run": "nano"}.get)
    seen = []

    def see(exam, names, *others):
        seen.append(names)
        raise KeyboardInterrupt

    monkeypatch.setattr("parlure.scoring.skills.evaluation._listen", see)
    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path, "run", tmp_path / "report", against="base")
    assert seen == [{"tuned": "run", "base": "nano"}]


def test_a_bad_gate_is_refused_before_anything_is_decoded(scripted, tmp_path):
    for expression, message in (
        ("transcription.de>1", "this report has no transcription.de"),
        ("guard.general>1", "this report has no guard.general"),
        ("broken>0", "broken needs a base to compare with"),
    ):
        with pytest.raises(ParlureError, match=message):
            evaluate(tmp_path, "good", tmp_path / "report", fail_if=[expression])
    assert not scripted
    assert not (tmp_path / "report").exists()


# ------------------------------------------------------------------------------------------ what is asked


def test_an_empty_split(world):
    with pytest.raises(ParlureError, match="has no dev utterances") as caught:
        Exam.of(world, "dev")
    assert caught.value.hint == "choose another --split, or prepare with other --ratios"


def test_what_does_not_fit_the_window_is_refused(world):
    long = replace(world.utterances[0], end=31.0)
    with pytest.raises(ParlureError, match=r"is 31\.00 s long, Whisper hears 30 s"):
        Exam.of(replace(world, utterances=(long,)), "test")


def test_skills_that_a_corpus_cannot_show_are_not_asked_for(world):
    plain = [
        replace(u, segments=None, end=u.start + 1.9) for u in world.utterances if u.text and u.task == "transcribe"
    ]
    exam = Exam.of(replace(world, utterances=tuple(plain[:2])), "test", nonspeech_per_kind=0)
    assert exam.skill_names == ["transcription.fr"]
    assert exam.n_questions == 2


def test_many_timed_utterances_are_thinned_evenly(world, monkeypatch):
    monkeypatch.setattr("parlure.scoring.skills.exam.MAX_TIMED", 10)
    exam = Exam.of(world, "test")
    assert len(exam.timed) == 10
    assert len({u.speaker for u in exam.timed}) == 10


def test_a_recording_stands_for_its_session(world):
    nameless = tuple(replace(u, speaker=None, session=None) for u in world.utterances)
    exam = Exam.of(replace(world, utterances=nameless), "test")
    assert len(set(exam.blocks)) == 10


def test_a_line_says_how_an_utterance_sounds(world):
    one = world.utterances[-2]
    heard = {"tuned": Hypothesis(one.id, "oui", "fr", None, 0.123456, -0.5, (1,), True, "fr")}
    samples = read_audio(one.recording, one.start, one.end, one.channel)
    row = utterance_row(one, samples, heard)
    assert (row["channel"], row["snr_db"]) == (0, 0.0)  # steady noise
    assert row["level_db"] == pytest.approx(-20.0, abs=0.3)
    assert (row["truncated"], row["avg_logprob"], row["no_speech_prob"]) == (
        {"tuned": True}, {"tuned": -0.5}, {"tuned": 0.12346},
    )  # fmt: skip
    assert Path(one.recording).exists()
