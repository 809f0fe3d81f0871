"""A model for another runtime: written, held against the original, and marked where it is not the model any more."""

import json

import pytest

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.skills import parity as listening
from parlure.shipping.export import EXPORTERS, export, parity
from parlure.shipping.export.runtimes import RUNTIMES, open_runtime
from parlure.whisper.load import is_ctranslate2, load


def test_the_command_writes_and_proves(corpus_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(listening, "MAX_TIMED", 1)  # they are decoded one by one
    out = tmp_path / "exported"
    arguments = ["export", "nano", "--to", "ctranslate2", "--out", str(out), "--parity", str(corpus_folder)]
    assert cli.run([*arguments, "--split", "dev", "--features", "same"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("the same features, 30 s: WER ")
    assert ": passed, all texts are the same\n" in said.out
    assert f"report: {out / 'parity.html'}" in said.err
    assert is_ctranslate2(str(out))
    written = json.loads((out / "export.json").read_text())
    assert {key: written[key] for key in ("format", "quantize", "model", "sha256")} == {
        "format": "ctranslate2", "quantize": "float32", "model": "nano", "sha256": load("nano", "cpu").sha256,
    }  # fmt: skip
    kept = json.loads((out / "parity.json").read_text())
    assert kept["passed"]  # nano was not tuned on short windows
    assert [one["name"] for one in kept["parts"]] == ["the same features, 30 s", "the same features, phrase times"]


def test_what_is_refused(corpus_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(parity.Corpus, "select", lambda corpus, split: ())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for arguments, message, hint in (
        ({"to": "wax"}, "there is no export to wax", f"choose --to {' or '.join(EXPORTERS)}"),
        ({"out": tmp_path / "full"}, f"{tmp_path / 'full'} is not empty", "give another folder: --out NAME"),
        ({"parity": corpus_folder}, f"{corpus_folder} has no test utterances", "choose another --split"),
        (
            {"quantize": "int3"}, "CTranslate2 stores no int3",
            "choose --quantize float32 or float16 or bfloat16 or int8 or int8_float32 or int8_float16 or int8_bfloat16",
        ),
    ):  # fmt: skip
        with pytest.raises(ParlureError) as caught:
            export("nano", **{"out": tmp_path / "new"} | arguments)
        assert (caught.value.message, caught.value.hint) == (message, hint)
        assert not (tmp_path / "new").exists()


def test_what_cannot_be_run(tmp_path):
    with pytest.raises(ParlureError) as caught:
        open_runtime(tmp_path)
    assert caught.value.message == f"{tmp_path} has no export.json that can be read"
    assert caught.value.hint == "name a folder that parlure export has made"
    told = dict.fromkeys(("quantize", "model", "sha256", "parlure"), "") | {"format": "wax"}
    (tmp_path / "export.json").write_text(json.dumps(told))
    with pytest.raises(ParlureError) as caught:
        open_runtime(tmp_path)
    assert caught.value.message == f"{tmp_path} is an export to wax, which parlure cannot run"
    assert caught.value.hint == f"it runs {', '.join(RUNTIMES)}"
