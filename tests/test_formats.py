"""Formats: what each file says arrives, every bad line is named, and one test set scores alike in all of them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure import cli
from parlure.errors import ParlureError
from parlure.scoring.formats import FORMATS, guess_format
from parlure.scoring.formats.ctm import Word, read_ctm, words_of_segments
from parlure.scoring.formats.table import SEVERAL_REFERENCES
from parlure.scoring.formats.trn import speaker_of
from parlure.scoring.score import pair_files, score, score_report

SAID = [
    ("anne", "call1", "oui allô", "oui à l'eau"),
    ("bob", "call1", "ça va bien", "ça va"),
    ("anne", "call2", "", "euh"),
]
JSONL = 'such as {"id": "a1", "text": "bonjour"}'
NEMO = 'such as {"audio_filepath": "a.wav", "duration": 1.5, "text": "bonjour", "pred_text": "bonsoir"}'
TRN = "such as le chat dort (spk1-utt7)"
STM = "such as call1 A anne 0.10 2.03 oui allô: recording, channel, speaker, begin and end in seconds, words"
CTM = "such as call1 A 0.35 0.20 allô: recording, channel, begin and duration in seconds, word"


def write(path, lines):
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return path


def both_sides(name, folder):
    """The test set above in a format: references, and hypotheses unless one file holds both."""
    ids = [f"{speaker}-{number}" for number, (speaker, *_) in enumerate(SAID)]
    if name == "text":
        return [write(folder / f"{side}.txt", [row[side] for row in SAID]) for side in (2, 3)]
    if name == "jsonl":
        return [
            write(folder / f"{side}.jsonl", [{"id": key, "text": row[side], "speaker": row[0], "session": row[1]}
                                             for key, row in zip(ids, SAID, strict=True)])
            for side in (2, 3)
        ]  # fmt: skip
    if name == "trn":
        lines = [[f"{row[side]} ({key})" for key, row in zip(ids, SAID, strict=True)] for side in (2, 3)]
        return [write(folder / f"{side}.trn", [";; a comment", *some]) for side, some in enumerate(lines)]
    if name == "stm":
        segments = [f"{row[1]} A {row[0]} {2 * n} {2 * n + 2} <o,f> {row[2]}" for n, row in enumerate(SAID)]
        words = [f"{row[1]} A {2 * n + 0.3 * place:.2f} 0.2 {word}"
                 for n, row in enumerate(SAID) for place, word in enumerate(row[3].split())]  # fmt: skip
        return [write(folder / "ref.stm", [";; a comment", "", *segments]), write(folder / "hyp.ctm", words)]
    rows = [
        {"audio_filepath": f"{key}.wav", "duration": 2, "text": row[2], "pred_text": row[3], "speaker": row[0]}
        | ({"time": 0.1} if name == "leaderboard" else {})
        for key, row in zip(ids, SAID, strict=True)
    ]
    return [write(folder / "manifest.json", rows)]


@pytest.mark.parametrize("name", FORMATS)
def test_one_test_set_scores_alike_in_every_format(name, tmp_path):
    files = both_sides(name, tmp_path)
    assert guess_format(files[0]) == name
    block = score(*files, language="fr")["fr"]["tuned"]
    assert block["wer"] == {"S": 1, "D": 1, "I": 3, "N": 5, "rate": 100.0}
    assert block["empty_references"] == {"n": 1, "I": 1, "wer_of_the_others": 80.0}
    assert score(*files, language="fr", format_name=name)["fr"]["tuned"] == block
    rows, cautions = pair_files(*files)
    assert cautions == []
    if name != "text":
        assert [row["speaker"] for row in rows] == ["anne", "bob", "anne"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_without_a_telling_suffix_is_known_by_its_lines(name, tmp_path):
    for path, kind in zip(both_sides(name, tmp_path), (name, "ctm" if name == "stm" else name), strict=False):
        assert guess_format(path.rename(tmp_path / path.stem)) == kind


@given(texts=st.lists(st.text(), min_size=1, max_size=4), name=st.sampled_from(["jsonl", "trn", "nemo"]))
def test_what_was_written_is_read(tmp_path_factory, texts, name):
    folder = tmp_path_factory.mktemp("round")
    if name == "trn":  # words, of which none looks like an alternative
        texts = [" ".join(re.sub(r"[{}]", "", text).split()) for text in texts]
        lines = [f"{text} (a-{number})" for number, text in enumerate(texts)]
    else:
        key = {"jsonl": "id", "nemo": "audio_filepath"}[name]
        lines = [{key: f"a-{number}", "text": text} for number, text in enumerate(texts)]
    rows = FORMATS[name](write(folder / "file", lines))
    assert {key: row["text"] for key, row in rows.items()} == {f"a-{n}": text for n, text in enumerate(texts)}


def test_a_guess_by_lines_is_said(tmp_path):
    ref, hyp = (path.rename(tmp_path / f"{path.stem}.txt") for path in both_sides("trn", tmp_path))
    _, cautions = pair_files(ref, hyp)
    assert cautions == [f"{path} looks like trn and is read as such; --format says otherwise." for path in (ref, hyp)]
    assert pair_files(ref, hyp, format_name="trn")[1] == []
    assert pair_files(ref, hyp, format_name="text")[0][0]["reference"] == ";; a comment"


def test_numbers_for_names_and_for_durations(tmp_path):
    rows = ['{"id": "a", "text": "x", "speaker": 3, "session": 0, "start": 1, "end": NaN, "duration_s": 2}']
    (row,), _ = pair_files(write(tmp_path / "a.jsonl", rows), tmp_path / "a.jsonl")
    assert (row["speaker"], row["session"], row["duration_s"]) == ("3", "0", 2.0)


def test_a_guess_is_not_taken_in_by_remarks(tmp_path):
    assert guess_format(write(tmp_path / "a", ["bonjour (rires)", "salut (bis)"])) == "text"
    assert guess_format(write(tmp_path / "a", ["{un} deux"])) == "text"
    assert guess_format(write(tmp_path / "a", [])) == "text"
    assert guess_format(write(tmp_path / "a.json", [])) == "jsonl"
    assert guess_format(write(tmp_path / "a.jsonl", [{"id": "a", "audio_filepath": "a.wav", "text": "x"}])) == "jsonl"


@pytest.mark.parametrize(("key", "speaker"), [("anne-7", "anne"), ("cmh_sa01", "cmh"), ("a_b-1", "a_b"), ("x1", None)])
def test_speaker_of_a_trn_id(key, speaker):
    assert speaker_of(key) == speaker


def test_segments_carry_what_the_stm_says(tmp_path):
    lines = ["call1 A anne 0.5 2.0 <o,f> oui", f"call1 A bob 2.0 3.5 {'IGNORE_TIME_SEGMENT_IN_SCORING'}", "c B x 0 1"]
    rows = FORMATS["stm"](write(tmp_path / "a.stm", lines))
    assert list(rows) == ["call1/A/anne/0.500-2.000", "call1/A/bob/2.000-3.500", "c/B/x/0.000-1.000"]
    first, second, third = rows.values()
    assert first == {
        "text": "oui", "speaker": "anne", "session": "call1", "channel": "A", "start": 0.5, "end": 2.0,
        "tags": ["o", "f"], "ignored": False,
    }  # fmt: skip
    assert second["ignored"] and third["text"] == ""


def test_words_go_to_the_first_segment_that_ends_after_their_middle(tmp_path):
    ref = write(tmp_path / "a.stm", ["r A s 1.0 2.0 un", "r A s 3.0 4.0 deux", "r B t 0.0 9.0 trois"])
    words = [
        "r A 0.20 0.20 avant",  # before the first
        "r A 1.90 0.19 dedans",  # its middle is 1.995
        "r A 1.91 0.20 passé",  # its middle is 2.01: to the next
        "r A 2.40 0.20 pause",
        "r A 9.00 0.20 après",  # after the last
        "R b 0.10 0.20 ailleurs",
    ]
    segments = FORMATS["stm"](ref)
    expected = ["avant dedans", "passé pause après", "ailleurs"]
    assert list(words_of_segments(read_ctm(write(tmp_path / "a.ctm", words)), segments).values()) == expected
    assert list(words_of_segments(read_ctm(write(tmp_path / "a.ctm", words[::-1])), segments).values()) == expected


def test_what_stands_in_the_way_of_a_ctm_is_said(tmp_path):
    ref = write(
        tmp_path / "a.stm",
        ["r A s 0 2 un deux", "r A t 1 3 trois", "r A s 3 4 IGNORE_TIME_SEGMENT_IN_SCORING", "q A u 0 1 rien"],
    )
    hyp = write(tmp_path / "a.ctm", ["r A 0.1 0.2 un", "r A 2.5 0.2 trois", "r A 3.5 0.2 bruit"])
    scored, report = score_report(ref, hyp, profiles=["raw"])
    assert [one.hypotheses["tuned"] for one in scored] == ["un", "trois", ""]
    assert [one.extra["channel"] for one in scored] == ["A"] * 3 and scored[0].session == "r"
    said = " ".join(report["warnings"])
    assert "1 of 4 segments begin before the one before them in their channel has ended" in said
    assert "Nothing was recognised in 1 recordings' channels (q/a): all is deleted there." in said
    assert "1 segments are marked to be ignored, and what was recognised in them is." in said


def test_stm_against_stm(tmp_path):
    ref = write(tmp_path / "a.stm", ["r A s 0 2 un deux"])
    same = write(tmp_path / "b.stm", ["r A s 0.00 2.0 un"])
    assert score(ref, same, profiles=["raw"])["raw"]["tuned"]["wer"]["D"] == 1


def test_a_manifest_compares_with_another(tmp_path):
    texts = {"text": "un deux", "pred_text": "un deux", "lang": "fr"}
    rows = [{"audio_filepath": "a.wav", "offset": number, "speaker": number} | texts for number in (0.5, 1)]
    tuned = write(tmp_path / "tuned.json", rows)
    base = write(
        tmp_path / "base.json", [{k: v for k, v in row.items() if k != "text"} | {"pred_text": "un"} for row in rows]
    )
    scored, report = score_report(tuned, against=base)
    assert [one.id for one in scored] == ["a.wav@0.5", "a.wav@1"] and scored[0].language == "fr"
    assert [one.speaker for one in scored] == [None, "1"]
    assert report["profiles"]["fr"]["base"]["wer"]["D"] == 2 and report["profiles"]["fr"]["tuned"]["wer"]["D"] == 0


def test_chunks_of_the_leaderboard_are_joined(tmp_path):
    rows = [
        {"audio_filepath": f"x{n}", "parent_id": "x", "chunk_index": n, "duration": 30, "time": 1,
         "text": "un deux trois", "pred_text": text}
        for n, text in ((1, " trois "), (0, "un"), (2, None))
    ] + [{"audio_filepath": "y", "duration": None, "time": 1, "text": "quatre", "pred_text": "quatre"}]  # fmt: skip
    path = write(tmp_path / "m.jsonl", rows)
    assert guess_format(path) == "leaderboard"
    scored, _ = score_report(path, profiles=["raw"])
    assert [(one.id, one.hypotheses["tuned"], one.duration_s) for one in scored] == [
        ("x", "un trois", 90),
        ("y", "quatre", None),
    ]
    write(path, [rows[0], rows[2]])
    with pytest.raises(ParlureError, match="line 1: the chunks of x are not whole") as caught:
        score(path)
    assert caught.value.hint == "chunk_index counts from 0 without a gap"


@pytest.mark.parametrize(
    ("name", "line", "message", "hint"),
    [
        ("a.jsonl", '{"id": "a"}', "text is missing or is no string", JSONL),
        ("a.jsonl", "{}", "id and text is missing or is no string", JSONL),
        ("a.jsonl", '{"id": 3, "text": "x"}', "id is missing or is no string", JSONL),
        ("a.jsonl", '{"id": "a", "text": null}', "text is missing or is no string", JSONL),
        ("a.jsonl", '{"id": "a", "text": ["x", "y"]}', "text is a list: several references", SEVERAL_REFERENCES),
        ("a.jsonl", '{"id": "a", "text": "x", "speaker": ["b"]}', "speaker is no name", 'such as "speaker": "anne"'),
        ("a.jsonl", "[1]", "not a JSON object", JSONL),
        ("a.jsonl", "{oops}", r"not JSON \(Expecting", "one JSON object a line"),
        ("a.trn", "le chat dort", "does not end with its id in brackets", TRN),
        ("a.trn", "{ chat / chien } dort (a-1)", r"leaves a choice of wordings: \{ chat / chien", SEVERAL_REFERENCES),
        ("a.stm", "call1 A anne 0.1 oui", "is no segment", STM),
        ("a.stm", "call1 A anne 2.0 1.0 oui", "ends at 1 s, before it begins at 2 s", STM),
        ("a.stm", "c A anne 1 2 { oui / { ok / @ } }", r"leaves a choice of wordings: \{ ok / @", SEVERAL_REFERENCES),
        ("a.ctm", "call1 A 0.1 oui", "is no word with its times", CTM),
        ("a.ctm", "call1 A nan 0.1 oui", "is no word with its times", CTM),
        ("a.ctm", "call1 A * * <ALT_BEGIN>", "leaves a choice of wordings: <ALT_BEGIN>", SEVERAL_REFERENCES),
        ("a.json", '{"audio_filepath": 1, "text": "x"}', "audio_filepath is missing or is no string", NEMO),
        ("a.json", '{"audio_filepath": "a", "text": ["x"]}', "text is a list: several references", SEVERAL_REFERENCES),
    ],
)  # fmt: skip
def test_bad_lines_are_named(tmp_path, name, line, message, hint):
    path = write(tmp_path / name, ["", line])
    read = read_ctm if name == "a.ctm" else FORMATS["nemo" if name == "a.json" else name[2:]]
    with pytest.raises(ParlureError, match=rf"{name}, line 2: {message}") as caught:
        read(path)
    assert caught.value.hint == hint


def test_every_bad_line_is_named(tmp_path):
    path = write(tmp_path / "a.trn", ["un (a-1)", "deux", "trois (a-1)", "{ x / y } (a-2)"])
    with pytest.raises(ParlureError) as caught:
        FORMATS["trn"](path)
    assert caught.value.message == (
        f"{path} has 3 lines that cannot be read: line 2: does not end with its id in brackets; "
        "line 3: the id a-1 comes twice; line 4: leaves a choice of wordings: { x / y }"
    )
    assert caught.value.hint == f"{TRN}; ids must be unique; {SEVERAL_REFERENCES}"
    with pytest.raises(ParlureError, match=r"line 20: .*; and 5 more$"):
        FORMATS["trn"](write(path, ["sans numéro"] * 25))


def test_manifest_lines_must_be_of_one_kind(tmp_path):
    rows = [{"audio_filepath": "a", "text": "x", "pred_text": "y"}, {"audio_filepath": "b", "text": "x"}]
    with pytest.raises(ParlureError, match="line 2: pred_text is missing or is no string") as caught:
        score(write(tmp_path / "a.json", rows))
    assert caught.value.hint == NEMO


def test_files_that_do_not_go_together_are_refused(tmp_path):
    stm, ctm = both_sides("stm", tmp_path)
    trn = both_sides("trn", tmp_path)[0]
    refs = write(tmp_path / "refs.json", [{"audio_filepath": "a", "text": "x"}])
    hyps = write(tmp_path / "hyps.json", [{"audio_filepath": "a", "pred_text": "x"}])
    other = write(tmp_path / "other.ctm", ["call1 B 0 1 oui", "call9 A 0 1 oui"])
    for call, message, hint in (
        (lambda: score(ctm, ctm), "hyp.ctm is a ctm: words without utterances", "give the stm with their segments as"),
        (lambda: score(trn, ctm), "hyp.ctm is a ctm, but its references are no stm", "give the stm with its segments"),
        (lambda: score(stm), "ref.stm holds references alone", "name the file of the hypotheses after it"),
        (lambda: score(refs), "refs.json holds no hypotheses", "its lines need a pred_text"),
        (lambda: score(hyps, hyps), "hyps.json holds no references", "its lines need a text beside the pred_text"),
        (
            lambda: score(stm, other),
            "2 recognised words are of recordings or channels without a segment: call1 B, call9 A",
            "recordings and channels must have one name on both sides",
        ),
    ):
        with pytest.raises(ParlureError, match=message) as caught:
            call()
        assert caught.value.hint.startswith(hint)
    many = [Word((str(number), "A"), 0.0, 0.5, "oui") for number in range(9)]
    with pytest.raises(ParlureError, match=r"9 recognised words .*: 0 A, 1 A, 2 A, 3 A, 4 A, …"):
        words_of_segments(many, {})


def test_the_command_reads_a_manifest_of_both_sides(tmp_path, capsys):
    (path,) = both_sides("nemo", tmp_path)
    assert cli.run(["score", str(path), "--language", "fr", "--group-by", "speaker"]) == 0
    out, err = capsys.readouterr()
    assert "fr     tuned WER 100.00 % (S 1, D 1, I 3, N 5), CER" in out and ", SER 100.00 %" in out
    assert "empty references 1 of 3, words inserted there 1, WER of the others 80.00 %" in out
    assert "bob tuned WER 33.33 % (N 3, utterances 1)" in out
    assert "note: 1 utterances have an empty reference" in err
    assert cli.run(["score", str(path), "--format", "nemo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["raw"]["tuned"]["ser"] == {"wrong": 3, "n": 3, "rate": 100.0}
    assert cli.run(["score", str(path), "--group-by", "mood"]) == 2
    err = capsys.readouterr().err
    assert "there are no slices by mood" in err and "hint: there are some by speaker, " in err
