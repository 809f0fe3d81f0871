"""The gate of exports: what differs is counted from the lines that are kept, judged by the precision, and shown."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from parlure.corpus.manifest import Utterance
from parlure.errors import ParlureError
from parlure.scoring.parity.figures import Part, figures_of, judge
from parlure.scoring.parity.page import parity_page
from parlure.scoring.parity.report import build_parity, lines_of
from parlure.scoring.parity.tolerance import TOLERANCES, Tolerance, precision_of, tolerance_for
from parlure.scoring.skills.parity import MAX_TIMED, heard_in

SAME, OWN, TIMED = Part("same"), Part("own"), Part("same", timed=True)
RIGHT = "le train part ce soir de la gare du nord"
WRONG = RIGHT.replace("nord", "sud")
HOW = {
    "model": "nano", "hash": "0", "n_bytes": 2_500_000, "engine": "torch", "compute_type": "float32", "device": "cpu",
    "torch": "2.13.0", "audio_s": 72.0, "work_s": 1.8,
}  # fmt: skip


def lines(exported_of, n_speakers=40, part=SAME, phrases=None):
    """Forty utterances of ten words, which the model hears right."""
    return [
        {
            "id": f"u{i}", "speaker": f"s{i % n_speakers}", "session": None, "duration_s": 1.8, "language": "fr",
            "reference": RIGHT,
            "parts": {
                part.name: {
                    "texts": [RIGHT, exported_of(i)],
                    "tokens": [[1, 2, 3], [1, 2, 3] if exported_of(i) == RIGHT else [1, 4]],
                    "phrases": phrases(i) if phrases else None,
                }
            },
        }
        for i in range(40)
    ]  # fmt: skip


def report_on(utterances, *parts, precision="float32"):
    listened = {system: {part.name: HOW for part in parts} for system in ("original", "exported")}
    data = {
        "model": "run", "export": "exported", "format": "onnx", "quantize": precision, "corpus": "corpus",
        "split": "test", "n_utterances": 40, "n_translations_left_out": 2,
    }  # fmt: skip
    return build_parity(utterances, parts, listened, data, precision, TOLERANCES[precision])


@pytest.mark.parametrize(
    ("n_wrong", "n_speakers", "part", "precision", "passed", "because"),
    [
        (0, 2, SAME, "float32", True, "all texts are the same"),
        (1, 40, SAME, "float32", False, "97.5 % of texts are the same, < 99.5 %"),
        (1, 40, SAME, "fewer bits", True, "at most 0.7 points of WER are lost, ≤ 1"),
        (1, 40, OWN, "float32", True, "at most 0.7 points of WER are lost, ≤ 1"),
        (8, 40, OWN, "float32", False, "up to 3.3 points of WER may be lost, > 1"),
        (8, 40, SAME, "fewer bits", False, "up to 3.3 points of WER may be lost, > 1"),
        (1, 2, OWN, "float32", False, "too few independent speakers to tell what is lost"),
    ],
)
def test_the_verdict(n_wrong, n_speakers, part, precision, passed, because):
    utterances = lines(lambda i: WRONG if i < n_wrong else RIGHT, n_speakers, part)
    figures = figures_of(part, utterances)
    assert judge(part, figures, TOLERANCES[precision]) == (passed, because)
    assert figures["texts"] == {"n": 40, "n_same": 40 - n_wrong, "share": 100 * (40 - n_wrong) / 40}
    assert figures["tokens"] == {
        "n_same": 40 - n_wrong, "n_edits": 2 * n_wrong, "n_tokens": 120, "share": 100 * (120 - 2 * n_wrong) / 120,
    }  # fmt: skip
    assert figures["original"] == {"S": 0, "D": 0, "I": 0, "N": 400, "rate": 0.0}
    assert figures["exported"] == {"S": n_wrong, "D": 0, "I": 0, "N": 400, "rate": n_wrong / 4}
    assert figures["comparison"]["difference"] == n_wrong / 4


def test_a_person_may_ask_for_more_or_less():
    figures = figures_of(SAME, lines(lambda i: RIGHT if i else WRONG))
    assert judge(SAME, figures, tolerance_for("float32", min_same=97))[0]
    assert not judge(SAME, figures, tolerance_for("fewer bits", min_same=98))[0]
    assert not judge(SAME, figures, tolerance_for("fewer bits", max_loss=0.1))[0]
    for limits, message, hint in (
        ({"min_same": 101}, "--min-same 101 is no share of texts", "give per cent, such as --min-same 99.5"),
        (
            {"max_loss": -1},
            "--max-loss -1 asks for a gain",
            "give points of WER that may be lost, such as --max-loss 1",
        ),
    ):
        with pytest.raises(ParlureError) as caught:
            tolerance_for("float32", **limits)
        assert (caught.value.message, caught.value.hint) == (message, hint)


def test_the_coarsest_numbers_decide():
    assert precision_of("float32", "float32") == "float32"
    assert precision_of("float16", "float32") == precision_of("f16") == precision_of("bfloat16") == "float16"
    for numbers in ("int8", "int8_float32", "int8_float16", "q5_0"):
        assert precision_of(numbers, "float32") == "fewer bits"
    assert [one.max_loss for one in TOLERANCES.values()] == [1.0] * 3


def test_times_are_told_and_not_judged():
    """Boundaries move by 0.1 s on every utterance but the first, which has a phrase more."""

    def phrases(i):
        return [[[0.0, 1.0]], [[0.0, 1.1]] if i else [[0.0, 0.5], [0.5, 1.0]]]

    report = report_on(lines(lambda i: RIGHT, part=TIMED, phrases=phrases), TIMED)
    [part] = report["parts"]
    assert part["passed"] is None and report["passed"]
    moved = [0.0, 0.1] * 39
    assert part["drift"] == {
        "n_boundaries": 78, "median_s": pytest.approx(np.percentile(moved, 50)),
        "p95_s": pytest.approx(np.percentile(moved, 95)), "n_other": 1,
    }  # fmt: skip
    assert lines_of(report) == [
        "the same features, phrase times: boundaries move by 0.05 s (median) and 0.10 s (95th percentile) of 78, 1 "
        "utterances with another number of phrases left out, 40 of 40 texts the same, 100.00 % of tokens",
        "  torch float32, 90 s of work an hour of sound, 2.5 MB → torch float32, 90 s of work an hour of sound, 2.5 MB",
    ]
    silent = figures_of(TIMED, lines(lambda i: RIGHT, part=TIMED, phrases=lambda i: [[], []]))
    assert silent["drift"] == {"n_boundaries": 0, "median_s": None, "p95_s": None, "n_other": 0}


def test_every_number_is_recomputed_from_what_is_kept():
    report = report_on(lines(lambda i: WRONG if i % 3 == 0 else RIGHT), SAME)
    kept = json.loads(json.dumps(report))
    again = build_parity(
        kept["utterances"],
        [Part(part["features"], part["window"], part["timed"]) for part in kept["parts"]],
        {s: {part["name"]: HOW for part in kept["parts"]} for s in ("original", "exported")},
        kept["data"],
        kept["tolerance"]["precision"],
        Tolerance(*(kept["tolerance"][key] for key in ("min_same", "max_loss", "reason"))),
    )
    assert json.loads(json.dumps(again)) == kept
    assert lines_of(kept) == lines_of(report)
    assert lines_of(report)[0].startswith(
        "the same features, 30 s: WER 0.0 % (S 0, D 0, I 0, N 400) → 3.5 % (S 14, D 0, I 0, N 400), +"
    )
    assert "26 of 40 texts the same, 76.67 % of tokens: FAILED, up to " in lines_of(report)[0]


class Words(HTMLParser):
    """The text of a page, and that its tags are closed in order."""

    def __init__(self, page):
        super().__init__()
        self.text, self._open, self.tags = "", [], []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_shows_what_differs_and_closes_its_tags():
    utterances = lines(lambda i: "<b>" + WRONG if i < 3 else RIGHT)
    report = report_on(utterances, SAME)
    page = Words(parity_page(report))
    assert "The export is not the model any more" in page.text
    assert "37 of 40" in page.text and "2 translations left out" in page.text
    assert page.text.count("nord sud") == 3
    assert ("ins", {}) in page.tags and not any(tag == "b" for tag, _ in page.tags)
    assert "torch 2.13.0" in page.text and "90 s" in page.text and "2.5 MB" in page.text
    assert not [attrs for tag, attrs in page.tags if tag in ("link", "img", "iframe") or "src" in attrs]
    fine = Words(parity_page(report_on(lines(lambda i: RIGHT), SAME)))
    assert "The export is still the model" in fine.text and "None of 40." in fine.text
    many = [line | {"id": f"v{i}-{line['id']}"} for i in range(6) for line in lines(lambda i: WRONG)]
    assert "The 200 with the most changes are here, the others in parity.json." in parity_page(report_on(many, SAME))


def test_times_are_heard_on_some():
    one = Utterance(id="0", recording=Path("call.wav"), start=0.0, end=1.0, text="oui", language="fr")
    spoken = [replace(one, id=str(i)) for i in range(101)]
    assert heard_in(SAME, spoken) == spoken
    drawn = heard_in(TIMED, [*spoken, replace(spoken[0], text="")])
    assert [u.id for u in drawn] == [str(i) for i in range(0, 101, 3)] and len(drawn) <= MAX_TIMED
