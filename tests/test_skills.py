"""Evaluation with a model: both systems on the same utterances, a report that can be recomputed."""

import json
import shutil
from dataclasses import replace

import pytest

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.scoring.report import build_report, recompute
from parlure.scoring.skills import evaluate
from parlure.transcribing.hypothesis import Hypothesis
from parlure.whisper.load import NANO


@pytest.fixture(scope="module")
def small(corpus):
    """Six test utterances."""
    test = corpus.select("test")[:6]
    return Corpus(corpus.folder, test, corpus.info)


def stop(*arguments):
    raise KeyboardInterrupt


def test_one_model_against_itself_differs_by_nothing(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    seen = []
    out = tmp_path / "report"
    report = evaluate(tmp_path, "nano", out, against="nano", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (12, 12)
    assert report["headline_profile"] == "fr"
    for profile in ("raw", "basic", "fr"):
        assert report["profiles"][profile]["comparison"]["difference"] == 0
        assert report["profiles"][profile]["tuned"] == report["profiles"][profile]["base"]
    assert json.loads((out / "report.json").read_text()) == json.loads(json.dumps(report))
    assert recompute(out)["profiles"] == json.loads(json.dumps(report["profiles"]))
    assert "<audio" not in (out / "report.html").read_text()  # players are for utterances that changed: none did
    rows = [json.loads(line) for line in (out / "utterances.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [u.id for u in small.utterances]
    hyps = [json.loads(line) for line in (out / "hypotheses/tuned/hyps.jsonl").read_text().splitlines()]
    assert [h["text"] for h in hyps] == [row["hypotheses"]["tuned"] for row in rows]
    decode = json.loads((out / "hypotheses/tuned/decode.json").read_text())
    assert len(decode["hash"]) == 64
    assert decode["decode"]["audio_s"] == pytest.approx(sum(u.duration_s for u in small.utterances), abs=0.01)


def test_decoding_goes_on_where_it_stopped(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    whole = evaluate(tmp_path, "nano", tmp_path / "whole", batch_size=1)

    monkeypatch.setattr("parlure.scoring.skills.build_report", stop)
    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path, "nano", tmp_path / "broken", batch_size=1)
    monkeypatch.setattr("parlure.scoring.skills.build_report", build_report)
    monkeypatch.setattr("parlure.scoring.skills.decode", stop)  # nothing is left to decode
    resumed = evaluate(tmp_path, "nano", tmp_path / "broken", batch_size=1)
    assert resumed["profiles"] == whole["profiles"]
    name = "hypotheses/tuned/hyps.jsonl"
    assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "broken").glob("decoding-*"))


def test_what_one_model_decoded_is_never_anothers(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    copy = tmp_path / "copy"
    shutil.copytree(NANO, copy)  # the same weights by another name: the tokenizer may differ
    decoded = []

    def hear_nothing(model, tokenizer, clips, options):
        decoded.extend(clips)
        return [Hypothesis(clip.id, "", "fr", None, None, None, (), False) for clip in clips]

    monkeypatch.setattr("parlure.scoring.skills.decode", hear_nothing)
    monkeypatch.setattr("parlure.scoring.skills.build_report", stop)
    for name in ("nano", str(copy)):
        decoded.clear()
        with pytest.raises(KeyboardInterrupt):
            evaluate(tmp_path, name, tmp_path / "report", batch_size=6)
        assert len(decoded) == 6


def test_against_the_runs_own_base(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    monkeypatch.setattr("parlure.scoring.skills.base_of", {"run": "nano"}.get)
    seen = []

    def see(name):
        seen.append(name)
        raise KeyboardInterrupt

    monkeypatch.setattr("parlure.scoring.skills._evaluate", lambda utterances, model, base, *others: see((model, base)))
    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path, "run", tmp_path / "report", against="base")
    assert seen == [("run", "nano")]


def test_one_model_alone(small, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "load", lambda folder: small)
    report = evaluate(tmp_path, "nano", tmp_path / "report")
    assert list(report["systems"]) == ["tuned"]
    assert "comparison" not in report["profiles"]["fr"]


def test_an_empty_split(small, tmp_path, monkeypatch):
    nobody = Corpus(small.folder, tuple(replace(u, split="train") for u in small.utterances), small.info)
    monkeypatch.setattr(Corpus, "load", lambda folder: nobody)
    with pytest.raises(ParlureError, match="has no test utterances") as caught:
        evaluate(tmp_path, "nano", tmp_path / "report")
    assert caught.value.hint == "choose another --split, or prepare with other --ratios"
