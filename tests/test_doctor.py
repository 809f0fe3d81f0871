"""The doctor: true of this machine, and right about machines that we do not have."""

import importlib.metadata
import shutil
import tomllib
from pathlib import Path

import pytest

from parlure import cli, doctor
from parlure.doctor import examine
from parlure.machine import Gpu, Machine, look

BIG = Machine(16, 200.0, (Gpu("H200", 140.0, True),))


def sentences(machine=BIG):
    return {finding.sentence: finding for finding in examine(machine)}


def test_this_machine(capsys):
    assert cli.run(["doctor"]) == 0
    said = capsys.readouterr().out
    here = look()
    assert f"{here.n_cpus} CPU cores, {here.memory_gb:.0f} GB of memory" in said
    assert "ok      packages: parlure 0.1.0, torch 2." in said
    assert "ok      extra synth, for synthetic speech: parlure demo" in said


def test_gpus():
    assert sentences()["H200, 140 GB, bf16"].state == "ok"
    old = sentences(Machine(4, 16.0, (Gpu("T4", 15.0, False),)))
    assert "T4, 15 GB, no bf16: parlure trains in fp32 there" in old


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (
            BIG,
            "LoRA fits into the GPU's memory (estimated) for openai/whisper-large-v3, openai/whisper-large-v3-turbo, ",
        ),
        (Machine(2, 8.0, ()), "LoRA fits into half of the memory (estimated) for openai/whisper-small, "),
        (Machine(2, 2.0, ()), "no public Whisper fits into half of the memory for LoRA (estimated)"),
    ],
)
def test_which_models_fit(machine, sentence):
    assert any(said.startswith(sentence) for said in sentences(machine))


def test_a_driver_without_a_pytorch_for_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    finding = sentences(Machine(2, 8.0, ()))["an NVIDIA driver is here, but this PyTorch does not see a GPU"]
    assert (finding.state, finding.mend[:15]) == ("missing", "install PyTorch")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert sentences(Machine(2, 8.0, ()))["no GPU: nano tunes in minutes, whisper-small and larger take days"]


def test_a_missing_extra_and_how_to_get_it(monkeypatch):
    wanted = ['ctranslate2>=999; extra == "export"', 'absent>=1; extra == "export"', 'numpy>=1; extra == "score"']
    monkeypatch.setattr(doctor, "requires", lambda name: wanted)
    found = {finding.sentence.partition(",")[0]: finding for finding in examine(BIG)}
    version = importlib.metadata.version("ctranslate2")
    assert found["extra export"].line() == (
        f"missing extra export, for faster-whisper: ctranslate2 {version} (wanted >=999), "
        "absent not installed (wanted >=1)"
        '\n        → pip install "parlure[export]"'
    )
    assert found["extra score"].line() == "ok      extra score, for scores of translations"


def test_every_extra_that_people_install_is_looked_at():
    declared = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    together = {"track", "peers", "dev"}
    assert set(doctor._EXTRAS) == set(declared["optional-dependencies"]) - together


def test_packages_out_of_range(monkeypatch):
    wanted = ["absent-package>=1", "numpy>=999", 'faster-whisper>=1.2; extra == "export"']
    monkeypatch.setattr(doctor, "requires", lambda name: wanted)
    (finding,) = [f for f in examine(BIG) if f.sentence.startswith("packages: ")]
    assert finding.state == "missing"
    assert "absent-package not installed (wanted >=1), numpy 2." in finding.sentence
    assert "(wanted >=999)" in finding.sentence
    assert "faster-whisper" not in finding.sentence


def test_disk_formats_and_token(monkeypatch):
    import huggingface_hub
    import soundfile

    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3_000_000_000))
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": ""})
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a secret")
    lines = [finding.line() for finding in examine(BIG)]
    assert "note    3 GB free on disk: little for models and checkpoints" in lines
    assert "missing libsndfile without mp3\n        → pip install --upgrade soundfile" in lines
    assert any(line.startswith("ok      a Hugging Face token is set") for line in lines)
    assert "a secret" not in "\n".join(lines)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    assert any("no Hugging Face token: public models only" in finding.sentence for finding in examine(BIG))
