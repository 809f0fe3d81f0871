"""Several reports side by side: the same utterances or none, and no run that shines by chance."""

from __future__ import annotations

import json
import re

import pytest
from scored import report_of, rows_of

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.comparing import compare_reports, write_comparison
from parlure.scoring.report import write_report


@pytest.fixture
def reports(tmp_path):
    """Base with two runs, the second of which leaves every other word out."""
    rows = rows_of()
    worse = [
        row | {"hypotheses": row["hypotheses"] | {"tuned": " ".join(row["reference"].split()[::2])}} for row in rows
    ]
    for name, some in (("one", rows), ("two", worse)):
        write_report(tmp_path / name, *report_of(some))
    return tmp_path


def test_every_run_is_compared_with_base(reports):
    utterances, comparison = compare_reports([reports / "one", reports / "two"])
    alone = json.loads((reports / "one" / "report.json").read_text())["profiles"]["fr"]
    assert list(comparison["systems"]) == ["base", "one", "two"] and comparison["against"] == "base"
    one = comparison["systems"]["one"]
    assert {key: one["wer"][key] for key in ("S", "D", "I", "N", "rate")} == {
        key: alone["tuned"]["wer"][key] for key in ("S", "D", "I", "N", "rate")
    }
    assert list(one["comparison"]["ci95"]) == pytest.approx(alone["comparison"]["ci95"])
    assert one["comparison"]["verdict"] == "better" and "comparison" not in comparison["systems"]["base"]
    assert set(utterances[0].hypotheses) == {"base", "one", "two"}
    assert (
        compare_reports([reports / "one", reports / "two"], "one")[1]["systems"]["two"]["comparison"]["verdict"]
        == "worse"
    )


def test_holm_never_makes_p_smaller_and_keeps_its_order(reports):
    systems = compare_reports([reports / "one", reports / "two"])[1]["systems"]
    compared = sorted(
        (row["comparison"]["p_value"], row["comparison"]["p_holm"]) for row in systems.values() if "comparison" in row
    )
    assert compared[0][1] == pytest.approx(min(1.0, 2 * compared[0][0]))
    assert all(p <= holm <= 1 for p, holm in compared) and compared[0][1] <= compared[1][1]


def test_the_command_writes_a_page_with_every_utterance(reports, capsys):
    arguments = ["compare", str(reports / "one"), str(reports / "two"), "--out", str(reports / "both")]
    assert cli.run(arguments) == 0
    told = capsys.readouterr().err
    assert re.search(r"one: WER [0-9.]+ %, against base: better", told) and "comparison.html" in told
    page = (reports / "both" / "comparison.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="evidence-data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["systems"] == ["base", "one", "two"] and len(data["rows"]) == 72
    assert "Lowest WER: one" in page and "p, Holm" in page
    assert json.loads((reports / "both" / "comparison.json").read_text())["n_utterances"] == 72


def test_what_cannot_be_compared_is_refused(reports, tmp_path):
    one = reports / "one"
    other = rows_of(11)
    write_report(tmp_path / "fewer", *report_of(other))
    (tmp_path / "elsewhere").mkdir()
    write_report(tmp_path / "elsewhere" / "one", *report_of(rows_of()))
    scored, report = report_of(rows_of())
    report["systems"]["base"]["hash"] = "another"
    write_report(tmp_path / "based", scored, report)
    report["normalizers"]["fr"]["hash"] = "older"
    write_report(tmp_path / "older", scored, report)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "report.json").write_text("{")
    (tmp_path / "file").write_text("")
    alone, both = [one], [one, reports / "two"]
    elsewhere, names = tmp_path / "elsewhere" / "one", "give their folders names of their own"
    unlike, corpus = "were not evaluated on the same utterances: s11-", "evaluate all runs on one corpus and split"
    profile, version = "were not scored with the same profile fr", "score both with this version of parlure"
    for folders, against, message, hint in (
        (alone, None, "there is nothing to compare", "give at least two report folders"),
        ([one, tmp_path / "none"], None, r"cannot read .*report\.json", "give folders that parlure evaluate made"),
        ([one, tmp_path / "broken"], None, "broken does not hold a whole report: JSONDecodeError", "evaluate again"),
        ([one, tmp_path / "fewer"], None, unlike, corpus),
        ([one, elsewhere], None, "two of the reports are called one", names),
        ([one, tmp_path / "based"], None, "based has another base model than the first", "compare runs of one base"),
        ([one, tmp_path / "older"], None, profile, version),
        (both, "three", "there is no system called three to compare with", "choose among base, one, two"),
    ):
        with pytest.raises(ParlureError, match=message) as caught:
            compare_reports(folders, against)
        assert caught.value.hint == hint
    with pytest.raises(ParlureError, match=r"cannot write the comparison into .*file") as caught:
        write_comparison(tmp_path / "file", [one, reports / "two"])
    assert caught.value.hint == "choose another --out"
