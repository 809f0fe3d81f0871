"""The benchmark of scoring runs, on few pairs, and its three scorers agree there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "scoring.py"


def test_it_runs_and_compares():
    arguments = [sys.executable, str(SCRIPT), "--pairs", "300", "--characters", "--report"]
    out = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert out.startswith("300 pairs, ")
    assert "jiwer, words: " in out and "jiwer, characters: " in out and "times parlure's CPU time" in out
    assert "parlure, files → report" in out
