"""Scoring files: the same numbers as a report, and every file that cannot be scored refused by name."""

from __future__ import annotations

import json

import pytest

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.normalize import PROFILES
from parlure.scoring.report import build_report
from parlure.scoring.score import pair_files, score, score_report
from parlure.scoring.utterances import read_lines, score_utterances


def _rows():
    said = ["Bonjour, c'est l'été.", "Rappelle demain à 14h30 !", "", "Y a 20 % de rabais", "Allô ?", "On se rappelle."]
    return [
        {
            "id": f"s{speaker}-{number}",
            "speaker": f"speaker {speaker}",
            "session": None,
            "duration_s": 1.5 + number,
            "language": "fr",
            "reference": text,
            "hypotheses": {"base": text.replace("ra", "a").lower() + " euh", "tuned": text.replace("l'", "")},
        }
        for speaker in range(9)
        for number, text in enumerate(said)
    ]


def _write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    rows = _rows()
    manifest = [
        {"id": row["id"], "text": row["reference"], "speaker": row["speaker"], "session": None, "language": "fr",
         "start": 1.0, "end": 1.0 + row["duration_s"], "task": "transcribe", "split": "test", "tags": []}
        for row in rows
    ]  # fmt: skip
    _write(corpus / "manifest.jsonl", [*manifest, manifest[0] | {"id": "other", "split": "train"}])
    tuned = _write(tmp_path / "hyps.jsonl", [{"id": row["id"], "text": row["hypotheses"]["tuned"]} for row in rows])
    base = _write(tmp_path / "base.jsonl", [{"id": row["id"], "text": row["hypotheses"]["base"]} for row in rows])
    return corpus, tuned, base


def test_score_of_a_corpus_is_the_reports(files):
    corpus, tuned, base = files
    scored = score_utterances(_rows(), ["raw", "basic", "fr", "fr-qc"])
    expected = build_report(scored, {"base": {}, "tuned": {}}, "fr")["profiles"]
    assert score(corpus, tuned, against=base, split="test") == expected
    assert score(str(corpus / "manifest.jsonl"), str(tuned.parent), against=str(base), split="test") == expected
    scored, report = score_report(corpus, tuned, split="test", profiles=["raw", "basic"])
    assert report["headline_profile"] == "basic" and list(report["profiles"]) == ["raw", "basic"]
    assert scored[0].duration_s == pytest.approx(_rows()[0]["duration_s"])


def test_the_command_takes_one_split_of_a_corpus(files, capsys):
    corpus, tuned, base = files
    assert cli.run(["score", str(corpus), str(tuned), "--against", str(base), "--json"]) == 2
    assert "--split test takes one split" in capsys.readouterr().err
    arguments = ["score", str(corpus), str(tuned), "--against", str(base), "--split", "test", "--json"]
    assert cli.run(arguments) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        json.dumps(score(corpus, tuned, against=base, split="test"))
    )


def test_score_of_text_files(tmp_path):
    (tmp_path / "ref.txt").write_text("\ufeffLe chat dort.\n\nQuatre-vingts\n", encoding="utf-8")
    (tmp_path / "hyp.txt").write_text("le chat dors\nmerci\n80\n", encoding="utf-8")
    block = score(tmp_path / "ref.txt", tmp_path / "hyp.txt", language="fr")
    assert block["fr"]["tuned"]["wer"] == {"S": 1, "D": 0, "I": 1, "N": 5, "rate": 40.0}
    assert list(score(tmp_path / "ref.txt", tmp_path / "hyp.txt"))[:2] == ["raw", "basic"]


def test_ids_of_one_side_are_named(files, tmp_path):
    corpus, tuned, _ = files
    with pytest.raises(ParlureError, match=r"1 of 55 ids of .*manifest.jsonl are not in .*hyps.jsonl \(other\)"):
        score(corpus, tuned)
    _write(tmp_path / "more.jsonl", [{"id": f"new{number}", "text": ""} for number in range(9)])
    pattern = r"54 of 54 ids .*\(s0-0, s0-1, s0-2, s0-3, s0-4, …\); 9 of 9 ids .*\(new0, new1, new2, new3, new4, …\)"
    with pytest.raises(ParlureError, match=pattern) as caught:
        score(corpus, tmp_path / "more.jsonl", split="test")
    assert caught.value.hint == "score the same utterances on both sides; of a corpus, --split test takes one split"


def test_files_that_cannot_be_scored_are_refused(files, tmp_path):
    corpus, tuned, _ = files
    text = tmp_path / "a.txt"
    text.write_text("un\ndeux\n")
    (tmp_path / "b.txt").write_text("un\n")
    (tmp_path / "latin.txt").write_bytes("été".encode("latin-1"))
    (tmp_path / "empty.txt").write_text("")
    for call, message, hint in (
        (
            lambda: score(text, tmp_path / "b.txt"),
            "a.txt has 2 lines, but .*b.txt has 1",
            "both files must match line by line",
        ),
        (
            lambda: score(text, tuned),
            "hyps.jsonl is jsonl, but its references are text",
            "plain text has no ids: both sides must be of it, or neither; --format names what a file is",
        ),
        (lambda: score(text), "a.txt holds references alone", "name the file of the hypotheses after it"),
        (
            lambda: score(text, text, format_name="jsonlines"),
            "there is no format called jsonlines",
            "did you mean jsonl?",
        ),
        (
            lambda: score(text, text, format_name="csv"),
            "there is no format called csv",
            "formats are text, jsonl, trn, stm, nemo, leaderboard",
        ),
        (
            lambda: score(corpus, tuned, split="dev"),
            "has no utterance of the split dev",
            "check the file and the split",
        ),
        (lambda: score(tmp_path / "empty.txt", text), "empty.txt has no utterance", "check the file and the split"),
        (lambda: score(tmp_path / "none.txt", text), "cannot read .*none.txt: No such file", "check the path"),
        (lambda: read_lines(tmp_path / "latin.txt"), r"latin.txt is not UTF-8 text \(byte 0\)", "convert it to UTF-8"),
        (lambda: pair_files(tmp_path / "corpus" / "x", tuned), "cannot read", "check the path"),
        (
            lambda: score(tmp_path, tuned),
            "the folder .* has no manifest.jsonl",
            "give a file, or a folder that holds manifest.jsonl",
        ),
        (
            lambda: score(corpus, corpus, split="test"),
            "the folder .* has no hyps.jsonl",
            "give a file, or a folder that holds hyps.jsonl",
        ),
        (
            lambda: score(corpus, tuned, split="test", profiles=["wer"]),
            "no scoring profile called wer",
            f"profiles are {', '.join(PROFILES)}",
        ),
    ):
        with pytest.raises(ParlureError, match=message) as caught:
            call()
        assert caught.value.hint == hint


def test_the_languages_own_profiles_are_scored_and_a_lenient_one_never_leads(tmp_path):
    (tmp_path / "ref.txt").write_text("pis là\nicitte\n", encoding="utf-8")
    (tmp_path / "hyp.txt").write_text("puis là\nici\n", encoding="utf-8")
    files = tmp_path / "ref.txt", tmp_path / "hyp.txt"
    _, report = score_report(*files, language="fr")
    assert list(report["profiles"]) == ["raw", "basic", "fr", "fr-qc"] and report["headline_profile"] == "fr"
    rates = [report["profiles"][name]["tuned"]["wer"]["rate"] for name in ("fr", "fr-qc")]
    assert rates == [pytest.approx(200 / 3), 0]
    assert list(score(*files, language="en")) == ["raw", "basic", "en"]
    assert list(score(*files)) == ["raw", "basic", "plain"]
    assert score_report(*files, language="fr", profiles=["basic", "fr-qc"])[1]["headline_profile"] == "basic"
    with pytest.raises(ParlureError, match="fr-qc cannot be the headline") as caught:
        score(*files, language="fr", profiles=["fr-qc"])
    assert caught.value.hint == "lead with fr and set fr-qc beside it: --profile fr --profile fr-qc"


def test_character_rates_of_a_script_without_spaces(tmp_path):
    (tmp_path / "ref.txt").write_text("今天天气很好。\n", encoding="utf-8")
    (tmp_path / "hyp.txt").write_text("今天天汽很好\n", encoding="utf-8")
    tuned = score(tmp_path / "ref.txt", tmp_path / "hyp.txt", language="zh")["plain"]["tuned"]
    assert tuned["wer"]["rate"] == tuned["cer"]["rate"] == pytest.approx(100 / 6)
