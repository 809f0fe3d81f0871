"""Reports: numbers that can be summed again, and a page that is whole and harmless."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys

import jiwer
import numpy as np
import pytest

from parlure.errors import ParlureError
from parlure.scoring.align import align
from parlure.scoring.normalize import PROFILES
from parlure.scoring.page import points, report_page, verdict_sentence
from parlure.scoring.page_utterances import audio_data_uri, difference_html
from parlure.scoring.plot import MAX_ROWS, speaker_plot
from parlure.scoring.report import build_report, duration_bin, recompute, write_report
from parlure.scoring.utterances import score_utterances, utterance_from_json, utterance_to_json

SPOKEN = "bonjour allô on se rappelle demain vers 14h30 l'été c'est correct là 20 % pis"
WORDS = SPOKEN.split()
EVIL = "<script>alert(1)</script> & \"<img src=x onerror='alert(2)'>"


def _noisy(random_, words, share):
    kept = [random_.choice(WORDS) if random_.random() < share else word for word in words]
    return " ".join(word for word in kept if random_.random() > share / 4)


def _rows(n_speakers=12, *, base=True, language="fr"):
    random_ = random.Random(5)
    rows = []
    for speaker in range(n_speakers):
        for number in range(6):
            words = random_.choices(WORDS, k=random_.randint(2, 12))
            hypotheses = {"base": _noisy(random_, words, 0.5)} if base else {}
            rows.append(
                {
                    "id": f"s{speaker}-{number}",
                    "speaker": f"speaker {speaker}",
                    "session": f"call {speaker}",
                    "duration_s": 0.5 + len(words),
                    "language": language,
                    "task": "transcribe",
                    "tags": ["phone"],
                    "reference": " ".join(words).capitalize() + ".",
                    "hypotheses": hypotheses | {"tuned": _noisy(random_, words, 0.15)},
                    "no_speech_prob": {"tuned": 0.01},
                }
            )
    return rows


def _systems(rows):
    return {name: {"model": "runs/x", "hash": "abc", "decode": {"beam_size": 5}} for name in rows[0]["hypotheses"]}


def _report(rows, warnings=()):
    scored = score_utterances(rows, ["raw", "basic", "fr"])
    return scored, build_report(scored, _systems(rows), "fr", warnings)


@pytest.fixture(scope="module")
def whole():
    return _report(_rows(), ["Two references were corrected."])


def test_shape_of_the_contract(whole):
    report = whole[1]
    assert list(report) == [
        "schema_version", "headline_profile", "systems", "normalizers", "profiles", "skills", "slices", "warnings",
    ]  # fmt: skip
    assert report["systems"]["tuned"] == {"model": "runs/x", "hash": "abc", "decode": {"beam_size": 5}}
    block = report["profiles"]["fr"]
    assert set(block) == {"base", "tuned", "comparison"}
    assert set(block["tuned"]["wer"]) == set(block["tuned"]["cer"]) == {"S", "D", "I", "N", "rate"}
    assert set(block["comparison"]) == {"difference", "ci95", "p_value", "verdict", "n_speakers", "n_blocks"}
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


def test_slices_sum_to_the_whole(whole):
    scored, report = whole
    total = report["profiles"]["fr"]["tuned"]["wer"]
    for name, values in report["slices"].items():
        assert sum(one["n"] for one in values.values()) == len(scored), name
        for key in "SDIN":
            assert sum(one["wer"]["tuned"][key] for one in values.values()) == total[key]
    assert list(report["slices"]["duration_s"]) == ["2-5", "5-10", "10-30"]


def test_duration_bins():
    durations = [0.0, 0.99, 1.0, 2.0, 4.99, 5.0, 10.0, 30.0, None]
    bins = ["<1", "<1", "1-2", "2-5", "2-5", "5-10", "10-30", ">=30", "(unknown)"]
    assert [duration_bin(one) for one in durations] == bins


def test_lines_come_back_as_they_were(whole):
    for utterance in whole[0]:
        line = json.loads(json.dumps(utterance_to_json(utterance)))
        assert utterance_from_json(line) == utterance
        assert line["no_speech_prob"] == {"tuned": 0.01}
        assert set(line["counts"]["fr"]["tuned"]) == {"S", "D", "I", "N", "cer"}


@pytest.mark.parametrize("base", [True, False])
def test_recompute_equals_what_was_written(tmp_path, base):
    scored, report = _report(_rows(10, base=base), ["A warning."])
    report["skills"]["silence"] = {"unit": "%", "better": "lower", "tuned": {"value": 0, "n": 3, "ci95": None}}
    write_report(tmp_path / "report", scored, report)
    stored = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert recompute(tmp_path / "report") == stored == report
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "report.html", "report.json", "utterances.jsonl",
    ]  # fmt: skip


def test_warnings_say_what_weakens_the_numbers():
    rows = _rows(9)
    rows[0] |= {"reference": "", "speaker": None, "session": None}
    rows[1] |= {"reference": "?!"}
    rows[2] |= {"task": "translate"}
    warnings = " ".join(_report(rows)[1]["warnings"])
    for sentence in (
        "1 utterances of another task",
        "1 of 53 utterances have neither speaker nor session",
        "Only 10 independent speakers or sessions: intervals are approximate",
        "1 utterances have an empty reference",
        "1 references have no word left under the profile fr",
    ):
        assert sentence in warnings
    assert "no verdict below 8" in " ".join(_report(_rows(3))[1]["warnings"])
    only = _report([row | {"task": "translate"} for row in _rows(2)])[1]
    assert "there is no error rate" in " ".join(only["warnings"])
    assert only["profiles"]["fr"]["tuned"]["wer"]["rate"] is None


def test_skills_by_language_use_that_languages_profile():
    rows = _rows(8) + [row | {"id": "en" + row["id"]} for row in _rows(8, language="en")]
    skills = _report(rows)[1]["skills"]
    assert {name: skill["profile"] for name, skill in skills.items()} == {
        "transcription.en": "basic",
        "transcription.fr": "fr",
    }


def test_what_cannot_be_reported_is_refused(whole):
    scored, _ = whole
    systems = {"base": {}, "tuned": {}}
    named = score_utterances([row | {"hypotheses": {"comparison": "a"}} for row in _rows(1)], ["raw"])
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
        (lambda: score_utterances([_rows()[0]] * 2, ["raw"]), "s0-0 is scored twice", "ids must be unique"),
        (
            lambda: score_utterances([_rows()[0], _rows(base=False)[1]], ["raw"]),
            "s0-1 has hypotheses of tuned, but s0-0 of base, tuned",
            "every system must decode every utterance",
        ),
        (lambda: score_utterances(_rows(), ["frr"]), "no scoring profile called frr", "did you mean fr?"),
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


# --- the page


def _clip(_id):
    return (0.1 * np.sin(np.arange(16_000) / 16_000 * 2 * np.pi * 300)).astype(np.float32)


def test_page_is_self_contained_and_escapes_everything():
    rows = _rows(9)
    rows[0] |= {"id": EVIL, "speaker": EVIL, "reference": EVIL}
    rows[0]["hypotheses"] = {"base": EVIL + " x y z t u v w", "tuned": EVIL}
    rows[1]["hypotheses"]["tuned"] = (EVIL + " ") * 9
    scored = score_utterances(rows, ["raw", "fr"])
    evil = {"model": EVIL, "hash": EVIL, "decode": {EVIL: EVIL}}
    report = build_report(scored, {"base": evil, "tuned": evil}, "raw", [EVIL])
    page = report_page(scored, report, _clip)
    assert "alert(1)" in page and "<script" not in page and "<img" not in page
    assert page.count("<audio controls") == len(re.findall(r'src="data:audio/', page)) > 1
    loaded = re.findall(r"""(?:src|href)\s*=\s*["'](?!data:audio/|#)|url\((?!#)|@import|<link|<iframe""", page)
    assert not loaded
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_page_says_the_verdict_first(whole):
    scored, report = whole
    page = report_page(scored, report)
    headline, sentence, css = verdict_sentence(report)
    assert (headline, css) == ("Tuned is better", "better")
    assert re.fullmatch(
        r"WER [0-9.]+ % → [0-9.]+ %, −[0-9.]+ points \[−[0-9.]+, −[0-9.]+\], p < 0.001, 12 speakers\.", sentence
    ), sentence
    assert page.index("Tuned is better") < page.index("Two references were corrected") < page.index("<svg")
    assert "currentColor" in page and "#010203" not in page and "<audio" not in page
    assert report["normalizers"]["fr"]["hash"] in page and "abc" in page and "beam_size 5" in page


def test_page_of_one_system():
    scored, report = _report(_rows(9, base=False))
    headline, sentence, css = verdict_sentence(report)
    assert re.fullmatch(r"WER [0-9.]+ %", headline) and "95 % interval [" in sentence and css == ""
    page = report_page(scored, report)
    assert (
        "Where the errors are" in page
        and "Nothing to compare with" in page
        and "difference" not in page.split("<h2>")[0]
    )


@pytest.mark.parametrize(
    ("change", "headline", "part"),
    [
        ({"n_speakers": 3, "keep": "both"}, "Too few speakers to tell", "(a verdict takes 8)"),
        ({"n_speakers": 9, "keep": "base"}, "No evidence of a difference", "0.0 points [0.0, 0.0], p = 1.000"),
        ({"n_speakers": 9, "keep": "swap"}, "Tuned is worse", "+"),
    ],
)
def test_other_verdicts(change, headline, part):
    rows = _rows(change["n_speakers"])
    for row in rows:
        base, tuned = row["hypotheses"]["base"], row["hypotheses"]["tuned"]
        row["hypotheses"] = {
            "both": {"base": base, "tuned": tuned},
            "base": {"base": base, "tuned": base},
            "swap": {"base": tuned, "tuned": base},
        }[change["keep"]]
    scored, report = _report(rows)
    assert verdict_sentence(report)[0] == headline and part in verdict_sentence(report)[1]
    assert headline in report_page(scored, report)


def test_sentence_counts_groups_where_they_are_not_the_speakers():
    rows = [row | {"speaker": None} for row in _rows(9)]
    assert "0 speakers in 9 independent groups" in verdict_sentence(_report(rows)[1])[1]


def test_page_without_any_rate():
    scored, report = _report([row | {"task": "translate"} for row in _rows(2)])
    page = report_page(scored, report)
    assert "WER – → –" in page and "<svg" not in page


def test_differences_are_told_by_more_than_colour():
    html = difference_html(align(["a", "b", "c"], ["a", "x", "c", "<d>"]))
    assert html == 'a <span class="sub"><del>b</del> <ins>x</ins></span> c <ins>&lt;d&gt;</ins>'
    assert difference_html(align(["a&b"], [])) == "<del>a&amp;b</del>"


def test_points():
    assert [points(-31.14), points(31.14, sign=True), points(-0.01, sign=True), points(None)] == [
        "−31.1",
        "+31.1",
        "0.0",
        "–",
    ]


def test_clips_are_small():
    seconds = np.tile(_clip(""), 5)
    uri = audio_data_uri(seconds)
    assert uri.startswith("data:audio/") and len(uri) < 60_000 < 5 * 32_000


def test_plot_draws_the_largest_speakers_and_takes_any_name():
    names = [f"$x_{number}$ <&> very long name" for number in range(40)]
    speakers = {name: {"wer": {"tuned": {"N": number, "rate": 1.0 * number}}} for number, name in enumerate(names)}
    svg = speaker_plot(speakers, ("tuned",))
    assert svg.count("&lt;&amp;&gt;") == MAX_ROWS and "$x_39$" in svg and "$x_9$" not in svg
    assert svg == speaker_plot(speakers, ("tuned",))
    assert speaker_plot({"a": {"wer": {"tuned": {"N": 0, "rate": None}}}}, ("tuned",)) == ""


def test_scoring_loads_neither_torch_nor_transformers():
    code = (
        "import sys, parlure.scoring.score, parlure.scoring.report\n"
        "heavy = {'torch', 'transformers', 'matplotlib', 'rapidfuzz'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
