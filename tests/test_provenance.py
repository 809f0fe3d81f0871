"""Where a report's numbers come from: the data by its hash, the training curve of the run that was judged."""

import json
from dataclasses import replace
from pathlib import Path

from scored import rows_of, systems_of

from parlure.corpus.manifest import Corpus
from parlure.scoring.page.build import report_page
from parlure.scoring.report import build_report, recompute, write_report
from parlure.scoring.skills.provenance import MAX_STEPS, data_of, training_of
from parlure.scoring.utterances import score_utterances


def test_data_are_told_by_hash(corpus_folder):
    utterances = Corpus.load(corpus_folder).select("test")
    data = data_of(corpus_folder, "test", utterances)
    moved = [replace(one, recording=Path("elsewhere")) for one in utterances]
    assert data["utterances_sha256"] == data_of(corpus_folder, "test", moved)["utterances_sha256"]
    changed = [replace(utterances[0], text="autre chose"), *utterances[1:]]
    for others in (changed, utterances[1:], utterances[::-1]):
        assert data["utterances_sha256"] != data_of(corpus_folder, "test", others)["utterances_sha256"]
    assert (data["corpus"], data["split"], data["n_utterances"]) == ("corpus", "test", len(utterances))
    assert abs(data["hours"] * 3600 - sum(one.duration_s for one in utterances)) < 1


def test_the_curve_of_a_run_and_of_none(tmp_path):
    rows = [{"kind": "evaluation", "step": 0, "wer": 90.0, "best_wer": 90.0}]
    rows += [{"kind": "step", "step": n, "loss": 1 / n, "work_s": 1.0} for n in range(1, 1000)]
    rows += [{"kind": "evaluation", "step": 999, "wer": 40.0, "best_wer": 40.0}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    training = training_of(str(tmp_path))
    assert training["evaluations"] == [{"step": 0, "wer": 90.0}, {"step": 999, "wer": 40.0}]
    assert training["best_step"] is None  # of a run from before guards
    assert 100 < len(training["steps"]) <= MAX_STEPS and training["steps"][0] == {"step": 1, "loss": 1.0}
    assert training_of("nano") is None


def test_both_stay_in_the_report_and_on_its_page(tmp_path):
    scored = score_utterances(rows := rows_of(9), ["raw", "fr"])
    data = {"corpus": "calls", "split": "test", "n_utterances": 54, "hours": 0.1, "utterances_sha256": "f00d"}
    training = {
        "steps": [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}],
        "evaluations": [{"step": 2, "wer": 40.0}],
    }
    report = build_report(scored, systems_of(rows), "fr", origin={"data": data, "training": training})
    write_report(tmp_path, scored, report)
    assert recompute(tmp_path) == json.loads((tmp_path / "report.json").read_text()) == report
    page = report_page(scored, report)
    assert "f00d" in page and "How training went" in page and "dev WER, %" in page
    del report["training"]
    assert "How training went" not in report_page(scored, report)
