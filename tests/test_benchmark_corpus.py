"""The benchmark of preparing runs, and all that it measures find the same rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "corpus.py"


def test_it_runs_and_compares():
    arguments = [sys.executable, str(SCRIPT), "--rows", "60"]
    out = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert "\n60 rows, " in out
    assert "parlure, jsonl" in out and "parlure, lhotse's cuts" in out and "h of audio/s" in out
    for peer, way in (("datasets", "jsonl"), ("lhotse", "cuts")):
        mine = "jsonl" if peer == "datasets" else "lhotse's cuts"
        assert f"times the CPU time of parlure, {mine}" in out or f"{peer} is not installed and was left out" in out
        assert f"{peer}, {way}" in out or f"{peer} is not installed" in out
