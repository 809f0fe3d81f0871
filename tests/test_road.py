"""The whole road through the command line, short: recordings → corpus → run → hypotheses → report."""

import json

import pytest

from parlure import cli

RECIPE = """
[model]
base = "nano"
[data]
corpus = "corpus"
[adapter]
r = 8
alpha = 16.0
[training]
max_steps = 4
learning_rate = 1e-3
warmup_steps = 1
batch_seconds = 16
accumulation = 2
full_window_share = 0.1
[evaluation]
every_steps = 4
max_utterances = 4
"""


def run(*arguments):
    assert cli.run([str(a) for a in arguments]) == 0


@pytest.fixture(scope="module")
def road(calls, tmp_path_factory):
    folder = tmp_path_factory.mktemp("road")
    run("prepare", calls, "--out", folder / "corpus", "--ratios", "0.6,0.2,0.2")
    (folder / "recipe.toml").write_text(RECIPE)
    run("train", folder / "recipe.toml", "--out", folder / "run", "--dry-run")
    assert not (folder / "run").exists()
    run("train", folder / "recipe.toml", "--out", folder / "run", "--resume")
    run("evaluate", folder / "corpus", "--model", folder / "run", "--against", "nano", "--out", folder / "report",
        "--split", "dev")  # fmt: skip
    return folder


def manifest(folder):
    return [json.loads(line) for line in (folder / "corpus/manifest.jsonl").read_text().splitlines()]


def test_no_speaker_and_no_call_in_two_splits(road):
    for key in ("speaker", "session"):
        sides = {}
        for row in manifest(road):
            sides.setdefault(row[key], set()).add(row["split"])
        assert all(len(splits) == 1 for splits in sides.values())


def test_the_report_covers_the_split(road):
    report = json.loads((road / "report/report.json").read_text())
    rows = [json.loads(line) for line in (road / "report/utterances.jsonl").read_text().splitlines()]
    assert {row["id"] for row in rows} == {row["id"] for row in manifest(road) if row["split"] == "dev"}
    assert report["systems"].keys() == {"tuned", "base", "tuned (short window)"}  # it was tuned on both
    assert report["systems"]["tuned"]["hash"] != report["systems"]["base"]["hash"]
    changed = [row for row in rows if row["hypotheses"]["tuned"] != row["hypotheses"]["base"]]
    page = (road / "report/report.html").read_text()
    assert ("<audio" in page) == bool(changed)


def test_score_agrees_with_the_report(road, capsys):
    capsys.readouterr()
    hyps = road / "report/hypotheses"
    references = road / "dev.jsonl"
    rows = [row for row in manifest(road) if row["split"] == "dev"]
    references.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("score", references, hyps / "tuned/hyps.jsonl", "--against", hyps / "base/hyps.jsonl", "--json")
    scored = json.loads(capsys.readouterr().out)
    report = json.loads((road / "report/report.json").read_text())
    for profile in scored:
        assert scored[profile]["tuned"] == report["profiles"][profile]["tuned"]
        assert scored[profile]["comparison"] == report["profiles"][profile]["comparison"]


def test_transcribe_with_the_run(road, capsys):
    capsys.readouterr()
    first = manifest(road)[0]
    recording = road / "corpus" / first["recording"]
    told = ["--language", "fr", "--channels", "mix"]
    run("transcribe", recording, "--model", road / "run", *told, "--format", "srt", "--out", road / "subs")
    assert " --> " in (road / "subs" / f"{recording.stem}.srt").read_text()
    run("transcribe", recording, "--model", "nano", *told, "--format", "jsonl")
    assert json.loads(capsys.readouterr().out)["id"] == recording.stem
