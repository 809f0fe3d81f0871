"""Measured rows → lines a person reads, and a section of RESULTS.md, replaced when it is measured again."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from turns import Outcome

RESULTS = Path(__file__).parent / "RESULTS.md"
_TITLE = "# Measured\n\nEach section is what one command printed on one machine; see the head of its script.\n"
_PACKAGES = ("parlure", "torch", "transformers", "peft", "ctranslate2")


def machine(device: str) -> str:
    """The name of the processor or the GPU, and how many cores this process may use."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    info = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    name = named[1] if named else platform.processor() or platform.machine()
    return f"{name}, {cores} core{'s' * (cores != 1)}, {torch.get_num_threads()} thread{'s' * (cores != 1)}"


def versions() -> str:
    """Python's, and those of the packages that matter here."""
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PACKAGES)])


def product_flops(device: str, dtype: torch.dtype) -> float:
    """Operations a second of a plain matrix product here: the best of several."""
    size, times = (8192, 10) if device == "cuda" else (1024, 5)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    alone = device == "cpu" and torch.get_num_threads() == 1
    best = float("inf")
    for _ in range(times + 1):
        torch.cuda.synchronize() if device == "cuda" else None
        start = time.process_time() if alone else time.perf_counter()
        a @ b
        torch.cuda.synchronize() if device == "cuda" else None
        best = min(best, (time.process_time() if alone else time.perf_counter()) - start)
    return 2 * size**3 / best


def memory(outcome: Outcome) -> str:
    """Peak memory: resident and above what importing costs, or allocated on the GPU, in GB."""
    if outcome.gpu_peak:
        return f"{outcome.gpu_peak / 1e9:.2f} on the GPU"
    return f"{outcome.peak / 1e9:.2f} ({(outcome.peak - outcome.idle) / 1e9:.2f})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in lines]  # fmt: skip
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def keep(title: str, body: str, path: Path = RESULTS) -> None:
    """Write a section; the one of the same title is replaced, the others stay."""
    text = path.read_text(encoding="utf-8") if path.exists() else _TITLE
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    kept = [section.strip() for section in sections if section.split("\n")[0] != f"## {title}"]
    kept.append(f"## {title}\n\n{body.strip()}")
    path.write_text("\n\n".join([head.strip(), *sorted(kept)]) + "\n", encoding="utf-8")


def command() -> str:
    """What was typed, without where this checkout lies."""
    script, *arguments = sys.argv
    return " ".join(["python", f"benchmarks/{Path(script).name}", *arguments])


def section(device: str, notes: Sequence[str], printed: str) -> str:
    """The body of a section: where, with what, the notes, the table."""
    lines = [f"`{command()}`", f"{machine(device)}; {versions()}.", *notes]
    return "\n\n".join([*lines, printed])


def as_json(outcomes: Mapping[str, Outcome], peer: str, notes: Sequence[str]) -> str:
    """All of it for a program: ratios to ``peer``, utterances a second, peak memory in bytes."""
    found = {
        "command": command(),
        "ratios": {way: _rounded(outcome.ratio(outcomes[peer])) for way, outcome in outcomes.items()},
        "utterances_per_s": {way: _rounded(outcome.per_s) for way, outcome in outcomes.items()},
        "peak_bytes": {way: outcome.gpu_peak or outcome.peak for way, outcome in outcomes.items()},
        "notes": list(notes),
    }
    return json.dumps(found, ensure_ascii=False)


def _rounded(value: float) -> float:
    """No more digits than were measured."""
    return float(f"{value:.4g}")
