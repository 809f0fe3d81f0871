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

from parlure.scoring.evidence import skills_of, write_evidence
from parlure.scoring.evidence.error_rates import counted
from parlure.scoring.report import build_report, write_report
from parlure.scoring.utterances import score_utterances

SCRIPT = Path(__file__).with_name("independent.py")


REST = SCRIPT.with_name("independent_rest.py")


def _run(folder, script=SCRIPT):
    return subprocess.run([sys.executable, script, folder], capture_output=True, text=True, encoding="utf-8")


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


@pytest.mark.parametrize(("script", "n_lines"), [(SCRIPT, 60), (REST, 110)])
def test_it_is_short_and_imports_no_counting(script, n_lines):
    source = script.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= n_lines
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


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A report with confidences and skills."""
    rows = rows_of(12)
    for number, row in enumerate(rows):
        row["avg_logprob"] = {"base": -0.5 - number / 100, "tuned": -0.01 * (number % 9)}
    scored = score_utterances(rows, ["raw", "fr"])
    asked = []
    for number in range(20):
        said = {"base": {"pinned": "euh" * (number % 3 == 0), "free": "."}, "tuned": {"pinned": "", "free": "oui"}}
        same = {"id": str(number), "block": number}
        silent = {"skill": "silence", "kind": "noise", "duration_s": 2.0, "language": "fr", "hypotheses": said}
        asked.append(same | silent | {"identified": {"base": "fr", "tuned": "en"}})
        asked.append(same | {"skill": "language_identification", "language": "fr",
                             "identified": {"base": "fr" if number % 4 else "en", "tuned": "fr"}})  # fmt: skip
        texts = {"base": "le chat mord", "tuned": "le chat dort"}
        asked.append(same | {"skill": "guard", "corpus": "read"} | counted("fr", "le chat dort", texts))
    path = tmp_path_factory.mktemp("whole")
    skills = skills_of(asked, ["tuned", "base"])
    write_report(path, scored, build_report(scored, systems_of(rows), "fr", skills=skills))
    write_evidence(path, asked)
    return path


def test_the_rest_agrees_too(whole, folder):
    for one in (whole, folder):
        result = _run(one, REST)
        assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (("profiles", "fr", "tuned", "mer"), 1e-6),
        (("profiles", "raw", "base", "wil"), -1e-6),
        (("profiles", "fr", "base", "ser", "wrong"), 1),
        (("profiles", "fr", "comparison", "difference"), 0.1),
        (("profiles", "fr", "comparison", "p_value"), 0.1),
        (("profiles", "fr", "comparison", "ci95", 0), 3.0),
        (("profiles", "fr", "comparison", "ci95", 1), 3.0),
        (("skills", "silence", "base", "value"), 5.0),
        (("skills", "silence.free", "tuned", "value"), -5.0),
        (("skills", "language_identification", "base", "value"), 5.0),
        (("skills", "guard.read", "base", "value"), 0.1),
        (("calibration", "systems", "tuned", "auc"), 0.01),
        (("calibration", "systems", "base", "mean_confidence"), 0.01),
    ],
)
def test_the_rest_notices_a_changed_number(whole, tmp_path, path, change):
    shutil.copytree(whole, tmp_path / "report")
    report = json.loads((whole / "report.json").read_text("utf-8"))
    block = report
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] += change
    (tmp_path / "report" / "report.json").write_text(json.dumps(report), encoding="utf-8")
    result = _run(tmp_path / "report", REST)
    assert result.returncode == 1
    assert result.stderr.startswith(path[0] if path[0] == "calibration" else path[1])
