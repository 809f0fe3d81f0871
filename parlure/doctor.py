"""What this machine can do and what it lacks, each with the command that mends it: the command ``parlure doctor``."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from parlure.machine import SIZES, Machine, look

State = Literal["ok", "missing", "note"]
# what an extra is for
_EXTRAS = {
    "synth": "synthetic speech: parlure demo",
    "export": "faster-whisper",
    "ggml": "running what is exported for whisper.cpp",
    "onnx": "ONNX",
    "segment": "voice-activity detection",
    "serve": "parlure serve and the studio",
    "quantize": "training over weights in 4 or 8 bits",
    "score": "scores of translations",
    "meeting": "cpWER of several speakers",
    "tune": "parlure tune",
    "tensorboard": "TensorBoard",
    "mlflow": "MLflow",
    "wandb": "Weights & Biases",
    "trackio": "trackio",
}
_LITTLE_DISK_GB = 20.0  # a medium checkpoint, its download and a run


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's: ``mend`` is a command, where there is one."""

    state: State
    sentence: str
    mend: str = ""

    def line(self) -> str:
        """What a person reads."""
        return f"{self.state:8}{self.sentence}" + (f"\n        → {self.mend}" if self.mend else "")


def examine(machine: Machine | None = None) -> list[Finding]:
    """Look at Python, packages, extras, memory, GPUs, disk and sound formats; ``machine`` None looks at this one."""
    machine = machine or look()
    return [*_packages(), *_extras(), *_hardware(machine), *_models(machine), _disk(), *_formats(), _hub()]


def _packages() -> Iterator[Finding]:
    yield Finding("ok", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    if wrong := _lacking(""):
        yield Finding("missing", f"packages: {', '.join(wrong)}", "pip install --upgrade parlure")
    else:
        names = ("parlure", "torch", "transformers", "peft", "accelerate")
        yield Finding("ok", "packages: " + ", ".join(f"{name} {version(name)}" for name in names))


def _extras() -> Iterator[Finding]:
    for extra, purpose in _EXTRAS.items():
        sentence = f"extra {extra}, for {purpose}"
        if wrong := _lacking(extra):
            yield Finding("missing", f"{sentence}: {', '.join(wrong)}", f'pip install "parlure[{extra}]"')
        else:
            yield Finding("ok", sentence)


def _lacking(extra: str) -> list[str]:
    """What parlure wants by itself (no extra) or for an extra, and is not here in such a version."""
    wrong = []
    for text in requires("parlure") or ():
        requirement = Requirement(text)
        marker = requirement.marker
        always = marker is None or marker.evaluate({"extra": ""})
        wanted = not always and marker is not None and marker.evaluate({"extra": extra}) if extra else always
        if not wanted:
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            found = "not installed"
        if found == "not installed" or not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} {found} (wanted {requirement.specifier})")
    return wrong


def _hardware(machine: Machine) -> Iterator[Finding]:
    yield Finding("ok", f"{machine.n_cpus} CPU cores, {machine.memory_gb:.0f} GB of memory")
    for gpu in machine.gpus:
        precision = "bf16" if gpu.has_bf16 else "no bf16: parlure trains in fp32 there"
        yield Finding("ok", f"{gpu.name}, {gpu.memory_gb:.0f} GB, {precision}")
    if machine.gpus:
        return
    if shutil.which("nvidia-smi"):
        yield Finding(
            "missing",
            "an NVIDIA driver is here, but this PyTorch does not see a GPU",
            "install PyTorch for your CUDA version: https://pytorch.org/get-started/locally",
        )
    else:
        yield Finding("note", "no GPU: nano tunes in minutes, whisper-small and larger take days")


def _models(machine: Machine) -> Iterator[Finding]:
    able = [size.name for size in SIZES if machine.fits(size)]
    where = "the GPU's memory" if machine.gpus else "half of the memory"
    if able:
        yield Finding("ok", f"LoRA fits into {where} (estimated) for {', '.join(able)}")
    else:
        yield Finding("note", f"no public Whisper fits into {where} for LoRA (estimated)")


def _disk() -> Finding:
    free_gb = shutil.disk_usage(Path.home() if Path.home().exists() else Path("/")).free / 1e9
    if free_gb < _LITTLE_DISK_GB:
        return Finding("note", f"{free_gb:.0f} GB free on disk: little for models and checkpoints")
    return Finding("ok", f"{free_gb:.0f} GB free on disk")


def _formats() -> Iterator[Finding]:
    import soundfile

    if "MP3" in soundfile.available_formats():
        yield Finding("ok", f"sound: libsndfile {soundfile.__libsndfile_version__} with mp3, PyAV for m4a, webm, amr")
    else:
        yield Finding("missing", "libsndfile without mp3", "pip install --upgrade soundfile")


def _hub() -> Finding:
    from huggingface_hub import constants, get_token

    cache = constants.HF_HUB_CACHE
    if get_token() is None:
        return Finding("note", f"no Hugging Face token: public models only; cache {cache}", "hf auth login")
    return Finding("ok", f"a Hugging Face token is set; cache {cache}")
