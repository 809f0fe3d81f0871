"""A script that shares none of parlure's counting comes to the report's numbers, and notices when one is another."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scored import rows_of, systems_of

from parlure.scoring.report import build_report, write_report
from parlure.scoring.utterances import score_utterances

SCRIPT = Path(__file__).with_name("independent.py")


def _run(folder):
    return subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rows = rows_of(9)
    for number, row in enumerate(rows):
        row |= {
            "channel": number % 2,
            "level_db": -15.0 - number,
            "snr_db": number / 1.5,
            "tags": ["a", "b"][: number % 3],
        }
    rows[0] |= {"reference": "", "speaker": None, "session": None, "duration_s": None}
    rows[1] |= {"duration_s": None, "language": None, "channel": None, "snr_db": None}
    rows[2] |= {"task": "translate"}
    rows[3] |= {"duration_s": 0.4}
    rows[4] |= {"duration_s": 31.0, "snr_db": -2.0}
    scored = score_utterances(rows, ["raw", "basic", "fr"])
    path = tmp_path_factory.mktemp("report")
    write_report(path, scored, build_report(scored, systems_of(rows), "fr"))
    return path


def test_it_is_short_and_imports_no_counting():
    source = SCRIPT.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 60
    imported = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    ours = {node.module for node in imported if isinstance(node, ast.ImportFrom) and "parlure" in node.module}
    assert ours == {"parlure.scoring.normalize"}
    assert not any("parlure" in alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names)


def test_it_agrees_on_every_rate_and_slice(folder):
    assert set(json.loads((folder / "report.json").read_text("utf-8"))["slices"]) == {
        "speaker", "session", "channel", "duration_s", "level_db", "snr_db", "speech_rate", "tags", "language",
    }  # fmt: skip
    result = _run(folder)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (("profiles", "basic", "base", "cer", "S"), 1),
        (("profiles", "raw", "tuned", "wer", "rate"), 1e-9),
        (("slices", "tags", "a", "n"), 1),
        (("slices", "duration_s", "5-10", "seconds"), 0.5),
        (("slices", "speech_rate", "<1", "wer", "tuned", "D"), 1),
        (("slices", "session", "(no session)", "wer", "base", "I"), -1),
        (("slices", "speaker", "nobody"), None),
    ],
)
def test_it_notices_a_changed_number(folder, tmp_path, path, change):
    shutil.copytree(folder, tmp_path / "report")
    report = json.loads((folder / "report.json").read_text("utf-8"))
    block = report
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = {"n": 0, "seconds": 0, "wer": {}} if change is None else block[path[-1]] + change
    (tmp_path / "report" / "report.json").write_text(json.dumps(report), encoding="utf-8")
    result = _run(tmp_path / "report")
    assert result.returncode == 1 and result.stderr


def test_it_notices_a_changed_text(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "report")
    lines = (folder / "utterances.jsonl").read_text("utf-8").splitlines()
    row = json.loads(lines[5])
    lines[5] = json.dumps(row | {"hypotheses": row["hypotheses"] | {"tuned": "tout autre chose"}})
    (tmp_path / "report" / "utterances.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert row["id"] in _run(tmp_path / "report").stderr
