"""The page: whole, harmless, the verdict first."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from scored import EVIL, report_of, rows_of, systems_of

from parlure.scoring.align import align
from parlure.scoring.page.build import report_page
from parlure.scoring.page.cards import difference_html
from parlure.scoring.page.evidence import evidence_section
from parlure.scoring.page.marks import points
from parlure.scoring.page.plots import MAX_ROWS, speaker_plot
from parlure.scoring.page.script import script_hash
from parlure.scoring.page.sound import audio_data_uri
from parlure.scoring.page.verdict import advice, verdict_sentence
from parlure.scoring.report import build_report
from parlure.scoring.terms import Term
from parlure.scoring.utterances import score_utterances
from parlure.scoring.words import confusions, gained_and_lost


@pytest.fixture(scope="module")
def whole():
    return report_of(rows_of(), ["Two references were corrected."])


def _clip(_id):
    return (0.1 * np.sin(np.arange(16_000) / 16_000 * 2 * np.pi * 300)).astype(np.float32)


def test_page_is_self_contained_and_escapes_everything():
    rows = rows_of(9)
    rows[0] |= {"id": EVIL, "speaker": EVIL, "reference": EVIL}
    rows[0]["hypotheses"] = {"base": EVIL + " x y z t u v w", "tuned": EVIL}
    rows[1]["hypotheses"]["tuned"] = (EVIL + " ") * 9
    scored = score_utterances(rows, ["raw", "fr"])
    evil = {"model": EVIL, "hash": EVIL, "decode": {EVIL: EVIL}}
    report = build_report(scored, {"base": evil, "tuned": evil}, "raw", [EVIL])
    page = report_page(scored, report, _clip)
    assert "alert(1)" in page and "<img" not in page
    assert re.findall(r"<script[^>]*>", page) == ['<script type="application/json" id="evidence-data">', "<script>"]
    assert f"script-src '{script_hash()}'" in page.split("<style>")[0]  # no other would run
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
    scored, report = report_of(rows_of(9, base=False))
    headline, sentence, css = verdict_sentence(report)
    assert re.fullmatch(r"WER [0-9.]+ %", headline) and "95 % interval [" in sentence and css == ""
    page = report_page(scored, report)
    assert (
        "Where the errors are" in page
        and "Nothing to compare with" in page
        and "difference" not in page.split("<h2")[0]
    )


@pytest.mark.parametrize(
    ("change", "headline", "part", "told"),
    [
        (
            {"n_speakers": 3, "keep": "both"},
            "Too few speakers to tell",
            "(a verdict takes 8)",
            "Nothing to decide by: test on more speakers.",
        ),
        (
            {"n_speakers": 9, "keep": "base"},
            "No evidence of a difference",
            "0.0 points [0.0, 0.0], p = 1.000",
            "Do not deploy: nothing shows that tuning helped.",
        ),
        ({"n_speakers": 9, "keep": "swap"}, "Tuned is worse", "+", "Do not deploy: the base is better."),
    ],
)
def test_other_verdicts(change, headline, part, told):
    rows = rows_of(change["n_speakers"])
    for row in rows:
        base, tuned = row["hypotheses"]["base"], row["hypotheses"]["tuned"]
        row["hypotheses"] = {
            "both": {"base": base, "tuned": tuned},
            "base": {"base": base, "tuned": base},
            "swap": {"base": tuned, "tuned": base},
        }[change["keep"]]
    scored, report = report_of(rows)
    assert verdict_sentence(report)[0] == headline and part in verdict_sentence(report)[1]
    assert headline in report_page(scored, report)
    assert advice(report) == told and told in report_page(scored, report)


def test_what_follows_from_a_better_model(whole):
    _, report = whole
    good = "Deploy, if the test is what it will meet: better, and nothing that was measured got worse."
    assert advice(report | {"broken": []}) == good
    told = advice(report | {"broken": ["silence", "guard.en"]})
    assert told == "Do not deploy before you have looked at what tuning made worse: silence, guard.en."
    assert advice(report_of(rows_of(9, base=False))[1]) == ""


def test_sentence_counts_groups_where_they_are_not_the_speakers():
    rows = [row | {"speaker": None} for row in rows_of(9)]
    assert "0 speakers in 9 independent groups" in verdict_sentence(report_of(rows)[1])[1]


def test_page_without_any_rate():
    scored, report = report_of([row | {"task": "translate"} for row in rows_of(2)])
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


def test_what_rates_do_not_show_is_on_the_page():
    rows = rows_of(9)
    for index, row in enumerate(rows):
        row["avg_logprob"] = {"base": -0.9, "tuned": -0.1 * (1 + index % 4)}
        row["truncated"] = {"base": False, "tuned": index == 3}
    rows[5]["hypotheses"]["tuned"] = "on se rappelle " * 12
    rows[6] |= {"reference": "", "tags": ["music"]}
    scored = score_utterances(rows, ["raw", "fr"])
    systems = {name: {"model": "m", "hash": "h", "decode": None} for name in ("base", "tuned")}
    report = build_report(scored, systems, "fr", terms=[Term("bonjour", None)])
    page = report_page(scored, report)
    for part in (
        "Beyond the error rate", "with loops collapsed", "stopped by the token limit", "music (1)", "words a minute",
        ">bonjour</th>", ">numbers</th>", "casing of the words that are right", "expected calibration error",
        "Verdict: better or worse where", "MAPSSWE", "macro average", "Which words", "Words gained",
    ):  # fmt: skip
        assert part in page, part


def test_words_gained_and_lost():
    rows = [
        {"id": "a", "reference": "le chat dort", "hypotheses": {"base": "le rat dort", "tuned": "le chat dore"}},
        {"id": "b", "reference": "un chat", "hypotheses": {"base": "un rat", "tuned": "un chat chat"}},
    ]
    scored = score_utterances(rows, ["raw"])
    gained, lost = gained_and_lost(scored, "raw", 5)
    assert [(one.word, one.n, one.base, one.tuned) for one in gained] == [("chat", 2, 0, 2)]
    assert [(one.word, one.n, one.base, one.tuned) for one in lost] == [("dort", 1, 1, 0)]
    assert confusions(scored, "raw", "base") == {("chat", "rat"): 2}
    assert confusions(scored, "raw", "tuned") == {("dort", "dore"): 1, ("", "chat"): 1}


def test_the_table_holds_every_utterance_and_its_difference():
    rows = rows_of(4)
    rows[0] |= {"reference": "</script><b>x", "speaker": None}
    scored = score_utterances(rows, ["raw"])
    page = evidence_section(scored, ("base", "tuned"), "raw", None, frozenset())
    data = json.loads(re.search(r'id="evidence-data">(.*?)</script>', page, re.DOTALL)[1])
    assert [row["i"] for row in data["rows"]] == [row["id"] for row in rows]
    for row, utterance in zip(data["rows"], scored, strict=True):
        for system, errors, steps in zip(("base", "tuned"), row["e"], row["o"], strict=True):
            assert errors == utterance.counts["raw"][system].words.edits == sum(isinstance(one, list) for one in steps)
            said = [one[0] if isinstance(one, list) else one for one in steps]
            assert [word for word in said if word is not None] == utterance.reference.split()


def test_the_table_has_sound_as_far_as_it_goes(monkeypatch):
    monkeypatch.setattr("parlure.scoring.page.evidence.SOUND_BUDGET_S", 12.0)
    scored = score_utterances(rows_of(4), ["raw"])
    page = evidence_section(scored, ("base", "tuned"), "raw", _clip, frozenset({scored[0].id}))
    data = json.loads(re.search(r'id="evidence-data">(.*?)</script>', page, re.DOTALL)[1])
    heard = [row for row in data["rows"] if "a" in row]
    assert heard and sum(row["d"] for row in heard) <= 12.0 and scored[0].id not in {row["i"] for row in heard}
    assert max(max(row["e"]) for row in heard) == max(max(row["e"]) for row in data["rows"] if row["d"] <= 12.0)


def test_base_stands_before_tuned_whatever_the_reports_order():
    scored = score_utterances(rows := rows_of(9), ["raw", "fr"])
    systems = systems_of(rows)
    report = build_report(scored, {"tuned": systems["tuned"], "base": systems["base"]}, "fr")
    page = report_page(scored, report)
    data = json.loads(re.search(r'id="evidence-data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["systems"] == ["base", "tuned"] and data["pair"] == [0, 1] and data["judged"] == 1
    assert page.index("base [95 %]") < page.index("tuned [95 %]")
    assert page == report_page(scored, build_report(scored, systems, "fr"))
