"""``parlure parity`` by hand: a true export passes, one with a weight changed does not, and what is kept says why."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.parity.figures import Part, figures_of
from parlure.scoring.skills import parity as listening
from parlure.shipping.export import export
from parlure.shipping.export import parity as command
from parlure.shipping.export.parity import parity, parts_of


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Seven speakers who say one sentence each, and a translation that nobody scores."""
    from parlure.corpus.prepare import prepare
    from parlure.speech.audio import write_audio
    from parlure.speech.calls import VARIANTS
    from parlure.speech.synth import Voice, synthesize

    folder = tmp_path_factory.mktemp("small")
    rows = []
    for i in range(8):
        text = f"Le train part à {('deux', 'trois', 'quatre', 'cinq')[i % 4]} heures."
        write_audio(folder / f"{i}.wav", synthesize(text, Voice(f"fr+{VARIANTS[i]}")))
        task = "translate" if i == 7 else "transcribe"
        rows.append(
            {"audio": f"{i}.wav", "text": text, "speaker": f"s{i}", "language": "fr", "split": "test", "task": task}
        )
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    prepare([folder / "rows.jsonl"], folder / "corpus")
    return folder / "corpus"


@pytest.fixture(autouse=True)
def few_with_times(monkeypatch):
    """They are decoded one by one."""
    monkeypatch.setattr(listening, "MAX_TIMED", 2)


@pytest.fixture(scope="module")
def true(tmp_path_factory):
    out = tmp_path_factory.mktemp("exports") / "true"
    export("nano", out, to="hf")
    return out


def test_a_true_export_passes_and_all_it_says_is_kept(true, small, tmp_path, capsys):
    out = tmp_path / "report"
    assert cli.run(["parity", "nano", str(true), "--corpus", str(small), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "7 of 7 texts the same, 100.00 % of tokens: passed, all texts are the same" in said.out
    assert "boundaries move by 0.00 s (median) and 0.00 s (95th percentile)" in said.out
    assert sorted(path.name for path in out.iterdir()) == [".lock", "parity.html", "parity.json"]
    kept = json.loads((out / "parity.json").read_text())
    assert kept["passed"] and kept["data"]["n_translations_left_out"] == 1
    assert len(kept["utterances"]) == 7
    for told in kept["parts"]:
        figures = figures_of(Part(told["features"], told["window"], told["timed"]), kept["utterances"])
        for system in ("original", "exported"):
            how = told[system].pop("listened")
            assert how["work_s_per_audio_hour"] == 3600 * how["work_s"] / how["audio_s"] > 0
            assert how["n_bytes"] > 1_000_000 and how["compute_type"] == "float32"
        assert json.loads(json.dumps(figures)).items() <= told.items()


def test_one_changed_weight_fails_and_ends_with_3(true, small, tmp_path, capsys):
    planted = tmp_path / "planted"
    shutil.copytree(true, planted)
    [path] = planted.rglob("model.safetensors")
    weights = load_file(path)
    name = next(name for name in weights if "decoder.layers.1.fc2.weight" in name)
    weights[name] *= -1
    save_file(weights, path, {"format": "pt"})
    assert cli.run(["parity", "nano", str(planted), "--corpus", str(small)]) == 3
    said = capsys.readouterr()
    assert ": FAILED, " in said.out
    assert "the export is not the model any more with the same features, 30 s" in said.err
    assert f"{planted / 'parity.json'} has the figures and parity.html the texts" in said.err
    assert "take wider numbers, or more speakers" in said.err
    assert json.loads((planted / "parity.json").read_text())["passed"] is False
    assert "The export is not the model any more" in (planted / "parity.html").read_text()


def test_faster_whisper_hears_it_with_features_of_its_own(small, tmp_path):
    out = tmp_path / "ctranslate2"
    export("nano", out, to="ctranslate2")
    found = parity("nano", out, small, features="own")
    own, timed = found["parts"]
    assert own["name"] == "the runtime's own features, 30 s"
    assert own["exported"]["listened"]["engine"] == "faster-whisper"
    assert own["texts"]["n"] == 7 and own["exported"]["N"] == own["original"]["N"] == 42
    assert all(line["parts"][own["name"]]["texts"][1] for line in found["utterances"])
    assert timed["drift"]["n_boundaries"] > 0
    assert len(parts_of(out, True, "both")) == 4


def test_what_was_heard_is_not_heard_again(true, small, tmp_path, monkeypatch):
    """Stopped after the model: the next call goes on with the export."""
    heard, real = [], listening.Ear.hear

    def hear(ear, *arguments, **named):
        if ear._system == "exported" and not heard:
            heard.append(None)
            raise KeyboardInterrupt
        return real(ear, *arguments, **named)

    monkeypatch.setattr(listening.Ear, "hear", hear)
    with pytest.raises(KeyboardInterrupt):
        parity("nano", true, small, out=tmp_path)
    kept = sorted(tmp_path.glob("decoding-original-*.jsonl"))
    before = [path.read_text().count("\n") for path in kept]
    assert len(kept) == 2 and min(before) > 1
    opened = []
    monkeypatch.setattr(command, "open_engine", lambda model: opened.append(real_engine(model)) or Deaf(opened[0]))
    assert parity("nano", true, small, out=tmp_path)["passed"]
    assert not list(tmp_path.glob("decoding-*"))


class Deaf:
    """An engine that is what another one is, and hears nothing."""

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        assert not name.startswith("decode"), "it was heard already"
        return getattr(self._engine, name)


real_engine = command.open_engine


def test_what_is_refused(true, small, tmp_path, monkeypatch):
    def refusal(call):
        with pytest.raises(ParlureError) as caught:
            call()
        return caught.value.message, caught.value.hint

    other = tmp_path / "other"
    other.mkdir()
    told = json.loads((true / "export.json").read_text())
    (other / "export.json").write_text(json.dumps(told | {"sha256": "0", "model": "run"}))
    assert refusal(lambda: parity("nano", other, small)) == (
        f"{other} was not made from nano as it is now, but from run",
        "name the model that it was made from, or export again",
    )
    assert refusal(lambda: parity("nano", true, small, split="dev")) == (
        f"{small} has no dev utterances", "choose another --split",
    )  # fmt: skip
    (other / "export.json").write_text(json.dumps(told | {"format": "ggml"}))
    assert refusal(lambda: parity("nano", other, small, features="same")) == (
        f"the runtime of {other} takes sound alone and makes its own features", "leave out --features, or say own",
    )  # fmt: skip
    monkeypatch.setattr(
        command.Corpus, "select", lambda corpus, split: [one for one in corpus.utterances if one.task == "translate"]
    )
    assert refusal(lambda: parity("nano", true, small)) == (
        "nobody says a word in the utterances that the export is judged by", "choose another split or corpus",
    )  # fmt: skip
