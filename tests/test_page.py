"""The page: whole, harmless, the verdict first."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scored import EVIL, report_of, rows_of

from parlure.scoring.align import align
from parlure.scoring.page.build import report_page
from parlure.scoring.page.cards import difference_html
from parlure.scoring.page.marks import points
from parlure.scoring.page.plots import MAX_ROWS, speaker_plot
from parlure.scoring.page.script import script_hash
from parlure.scoring.page.sound import audio_data_uri
from parlure.scoring.page.verdict import verdict_sentence
from parlure.scoring.report import build_report
from parlure.scoring.utterances import score_utterances


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
    ("change", "headline", "part"),
    [
        ({"n_speakers": 3, "keep": "both"}, "Too few speakers to tell", "(a verdict takes 8)"),
        ({"n_speakers": 9, "keep": "base"}, "No evidence of a difference", "0.0 points [0.0, 0.0], p = 1.000"),
        ({"n_speakers": 9, "keep": "swap"}, "Tuned is worse", "+"),
    ],
)
def test_other_verdicts(change, headline, part):
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
