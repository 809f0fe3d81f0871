"""Reports: numbers that can be summed again, and a page that is whole and harmless."""

from __future__ import annotations

import json
import subprocess
import sys

import jiwer
import pytest
from scored import report_of, rows_of, systems_of

from parlure.errors import ParlureError
from parlure.scoring.normalize import PROFILES
from parlure.scoring.page.verdict import verdict_sentence
from parlure.scoring.report import build_report, recompute, write_report
from parlure.scoring.terms import Term
from parlure.scoring.utterances import score_utterances, utterance_from_json, utterance_to_json


@pytest.fixture(scope="module")
def whole():
    return report_of(rows_of(), ["Two references were corrected."])


def test_shape_of_the_contract(whole):
    report = whole[1]
    assert list(report) == [
        "schema_version", "headline_profile", "systems", "normalizers", "profiles", "skills", "broken", "slices",
        "slice_summary", "hallucination", "numbers", "writing", "warnings",
    ]  # fmt: skip
    assert report["systems"]["tuned"] == {"model": "runs/x", "hash": "abc", "decode": {"beam_size": 5}}
    block = report["profiles"]["fr"]
    assert set(block) == {"base", "tuned", "comparison"}
    assert set(block["tuned"]["wer"]) == set(block["tuned"]["cer"]) == {"S", "D", "I", "N", "rate"}
    assert set(block["comparison"]) == {
        "difference", "ci95", "p_value", "verdict", "n_speakers", "n_blocks", "rule", "bootstrap95", "mapsswe",
    }  # fmt: skip
    assert set(report["profiles"]["raw"]["comparison"]) == set(block["comparison"]) - {"mapsswe"}
    assert block["comparison"]["verdict"] == "better"
    skill = report["skills"]["transcription.fr"]
    assert (skill["better"], skill["verdict"], skill["profile"]) == ("lower", "better", "fr")
    assert set(skill["base"]) == {"value", "n", "ci95"} and skill["base"]["n"] == 72
    assert set(report["normalizers"]["fr"]) == {"version", "hash"}
    json.dumps(report, allow_nan=False)


def test_numbers_are_jiwers(whole):
    scored, report = whole
    for profile in ("raw", "basic", "fr"):
        normalize = PROFILES[profile].normalize
        for system in ("base", "tuned"):
            references = [normalize(one.reference) for one in scored]
            hypotheses = [normalize(one.hypotheses[system]) for one in scored]
            block = report["profiles"][profile][system]
            assert block["wer"]["rate"] == pytest.approx(100 * jiwer.wer(references, hypotheses))
            assert block["cer"]["rate"] == pytest.approx(100 * jiwer.cer(references, hypotheses))
    comparison = report["profiles"]["fr"]["comparison"]
    rates = [report["profiles"]["fr"][system]["wer"]["rate"] for system in ("base", "tuned")]
    assert comparison["difference"] == pytest.approx(rates[1] - rates[0])


def test_mapsswe_has_the_errors_of_the_headline(whole):
    report = whole[1]
    found = report["profiles"]["fr"]["comparison"]["mapsswe"]
    base, tuned = (report["profiles"]["fr"][system]["wer"] for system in ("base", "tuned"))
    errors = [one["S"] + one["D"] + one["I"] for one in (base, tuned)]
    assert found["mean"] * found["n_segments"] == pytest.approx(errors[1] - errors[0])
    assert found["z"] < -5 and found["p_value"] < 1e-6 and found["n_segments"] > 50


def test_below_six_blocks_the_sentence_has_no_interval():
    report = report_of(rows_of(3))[1]
    assert report["profiles"]["fr"]["comparison"]["ci95"] is None
    headline, sentence, _ = verdict_sentence(report)
    assert headline == "Too few speakers to tell" and " points, p = 0.250, 3 speakers (a verdict takes 8)." in sentence


def test_slices_sum_to_the_whole(whole):
    scored, report = whole
    total = report["profiles"]["fr"]["tuned"]["wer"]
    for name, values in report["slices"].items():
        assert sum(one["n"] for one in values.values()) == len(scored), name
        for key in "SDIN":
            assert sum(one["wer"]["tuned"][key] for one in values.values()) == total[key]
    assert list(report["slices"]["duration_s"]) == ["2-5", "5-10", "10-30"]


def test_lines_come_back_as_they_were(whole):
    for utterance in whole[0]:
        line = json.loads(json.dumps(utterance_to_json(utterance)))
        assert utterance_from_json(line) == utterance
        assert line["no_speech_prob"] == {"tuned": 0.01}
        assert set(line["counts"]["fr"]["tuned"]) == {"S", "D", "I", "N", "cer"}


@pytest.mark.parametrize("base", [True, False])
def test_recompute_equals_what_was_written(tmp_path, base):
    scored, report = report_of(rows_of(10, base=base), ["A warning."])
    write_report(tmp_path / "report", scored, report)
    stored = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert recompute(tmp_path / "report") == stored == report
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "report.html", "report.json", "utterances.jsonl",
    ]  # fmt: skip


def test_every_measure_is_recomputed_and_no_order_changes_it(tmp_path):
    rows = rows_of(10)
    for number, row in enumerate(rows):
        row |= {"channel": number % 2, "level_db": -20.0 - number, "snr_db": number / 2}
        row |= {"avg_logprob": {"tuned": -0.01 * number, "base": None}, "truncated": {"tuned": False, "base": True}}
    rows[3] |= {"reference": "", "tags": ["hold music", "phone"]}
    rows[4]["hypotheses"]["base"] += " merci" * 9
    scored = score_utterances(rows, ["raw", "fr"])
    terms = [Term("l'été", True), Term("Vidéotron", False)]
    report = build_report(scored, systems_of(rows), "fr", terms=terms)
    assert set(report) >= {"hallucination", "false_text", "terms", "numbers", "writing", "calibration"}
    assert list(report["calibration"]["systems"]) == ["tuned"]
    assert set(report["slices"]) >= {"channel", "level_db", "snr_db", "speech_rate", "tags", "language", "session"}
    write_report(tmp_path, scored, report)
    assert recompute(tmp_path) == json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    backwards = build_report(scored[::-1], systems_of(rows), "fr", terms=terms)
    for name in ("slice_summary", "hallucination", "false_text", "terms", "numbers", "writing", "calibration"):
        assert backwards[name] == report[name], name


def test_what_there_is_nothing_to_measure_of_is_left_out():
    rows = [{"id": "a", "reference": "le chat", "hypotheses": {"tuned": "le chat"}}]
    report = report_of(rows)[1]
    assert "hallucination" in report
    assert not set(report) & {"false_text", "terms", "numbers", "writing", "calibration"}


def test_warnings_say_what_weakens_the_numbers():
    rows = rows_of(9)
    rows[0] |= {"reference": "", "speaker": None, "session": None}
    rows[1] |= {"reference": "?!"}
    rows[2] |= {"task": "translate"}
    warnings = " ".join(report_of(rows)[1]["warnings"])
    for sentence in (
        "1 utterances of another task",
        "1 of 53 utterances have neither speaker nor session",
        "Only 9 independent speakers or sessions: intervals are approximate",
        "1 utterances have an empty reference",
        "1 references have no word left under the profile fr",
    ):
        assert sentence in warnings
    assert "no verdict below 8" in " ".join(report_of(rows_of(3))[1]["warnings"])
    only = report_of([row | {"task": "translate"} for row in rows_of(2)])[1]
    assert "there is no error rate" in " ".join(only["warnings"])
    assert only["profiles"]["fr"]["tuned"]["wer"]["rate"] is None


def test_skills_by_language_use_that_languages_profile():
    rows = rows_of(8) + [row | {"id": "en" + row["id"]} for row in rows_of(8, language="en")]
    scored = score_utterances(rows, ["raw", "en", "fr"])
    skills = build_report(scored, systems_of(rows), "fr")["skills"]
    assert {name: skill["profile"] for name, skill in skills.items()} == {
        "transcription.en": "en",
        "transcription.fr": "fr",
    }


def test_what_cannot_be_reported_is_refused(whole):
    scored, _ = whole
    systems = {"base": {}, "tuned": {}}
    named = score_utterances([row | {"hypotheses": {"comparison": "a"}} for row in rows_of(1)], ["raw"])
    names = "name each system that was scored; no name may be better, comparison, profile, unit, verdict"
    for call, message, hint in (
        (lambda: build_report([], systems, "fr"), "there is no utterance to report on", "is the split empty?"),
        (lambda: build_report(scored, systems, "de"), "the profile de was not scored", "scored: raw, basic, fr"),
        (
            lambda: build_report(scored, {"tuned": {}}, "fr"),
            "is for tuned, but there are hypotheses of base, tuned",
            names,
        ),
        (lambda: build_report(named, {"comparison": {}}, "raw"), "the report is for comparison", names),
        (lambda: score_utterances([rows_of()[0]] * 2, ["raw"]), "s0-0 is scored twice", "ids must be unique"),
        (
            lambda: score_utterances([rows_of()[0], rows_of(base=False)[1]], ["raw"]),
            "s0-1 has hypotheses of tuned, but s0-0 of base, tuned",
            "every system must decode every utterance",
        ),
        (lambda: score_utterances(rows_of(), ["frr"]), "no scoring profile called frr", "did you mean fr?"),
    ):
        with pytest.raises(ParlureError, match=message) as caught:
            call()
        assert caught.value.hint == hint


def test_folders_that_are_no_report_are_refused(tmp_path, whole):
    with pytest.raises(ParlureError, match=r"cannot read .*report\.json") as caught:
        recompute(tmp_path)
    assert caught.value.hint == "give a report's folder"
    write_report(tmp_path, *whole)
    (tmp_path / "utterances.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(ParlureError, match="does not hold a whole report: KeyError") as caught:
        recompute(tmp_path)
    assert caught.value.hint == "evaluate or score again"
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(ParlureError, match="does not hold a whole report: JSONDecodeError") as caught:
        recompute(tmp_path)
    assert caught.value.hint == "evaluate or score again"
    (tmp_path / "file").write_text("")
    with pytest.raises(ParlureError, match=r"cannot write the report into .*file") as caught:
        write_report(tmp_path / "file", *whole)
    assert caught.value.hint == "choose another --out"


def test_scoring_loads_neither_torch_nor_transformers():
    code = (
        "import sys, parlure.scoring.score, parlure.scoring.report\n"
        "heavy = {'torch', 'transformers', 'matplotlib', 'rapidfuzz'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
