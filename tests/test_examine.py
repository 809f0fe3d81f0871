"""Which channel, which phrases, which file: what a row says against what its recording holds."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from test_prepare import Fields, rejected, write_call, write_tone
from test_prepare import one as utterances
from test_prepare import run as run_table

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.prepare import PrepareSummary, prepare
from parlure.errors import ParlureError


def run(folder: Path, *rows: Fields, **options: Any) -> tuple[PrepareSummary, tuple[Utterance, ...]]:
    path = folder / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    summary = prepare([path], folder / "corpus", **{"language": "fr", "ratios": (0, 0, 1), **options})
    return summary, Corpus.load(folder / "corpus").utterances


def test_a_long_row_is_cut_between_phrases(tmp_path: Path) -> None:
    write_tone(tmp_path / "long.wav", 80.0, rate=1_000)
    phrases = [[0, 9.5, "un"], [10.1, 20, "deux"], [20, 40.1, "trois"], [41, 60, "..."], [61, 70, "quatre"]]
    row = {"audio": "long.wav", "text": "un deux trois quatre", "start": 5, "end": 80, "segments": phrases,
           "speaker": "marie", "prompt": "zéro", "tags": ["phone"]}  # fmt: skip
    short = {"audio": "long.wav", "text": "court", "start": 0, "end": 4}
    gone = {"audio": "gone.wav", "text": "a"}
    summary, found = run(tmp_path, row, short, gone)
    assert [(u.id, u.start, u.end, u.text, u.prompt) for u in found] == [
        ("long-005000-025000", 5.0, 25.0, "un deux", "zéro"),
        ("long-025000-045100", 25.0, 45.1, "trois", "un deux"),
        ("long-066000-075000", 66.0, 75.0, "quatre", "trois"),
        ("long-000000-004000", 0.0, 4.0, "court", None),
    ]
    assert found[0].segments == ((0.0, 9.5, "un", None), (10.1, 20.0, "deux", None))
    assert found[2].segments == ((0.0, 9.0, "quatre", None),)
    assert {(u.speaker, u.tags) for u in found[:3]} == {("marie", ("phone",))}
    # rows are counted: used + rejected = read; utterances are more
    assert (summary.n_read, summary.n_used, summary.n_rejected, summary.n_utterances) == (3, 2, 1, 4)
    assert summary.lines()[0].startswith("2 of 3 rows used, 1 rejected")
    assert summary.lines()[1].endswith(" (4 of 2 rows: long ones were cut between phrases)")
    info = json.loads((tmp_path / "corpus/corpus.json").read_text(encoding="utf-8"))
    assert (info["n_read"], info["n_used"], info["n_utterances"], info["rejected"]["total"]) == (3, 2, 4, 1)


def test_exactly_thirty_seconds_fit(tmp_path: Path) -> None:
    write_tone(tmp_path / "long.wav", 60.2, rate=1_000)
    row = {
        "audio": "long.wav",
        "text": "a b",
        "id": "x",
        "segments": [[0.1, 20, "a"], [20, 30.1, "b"], [30.1, 60.1, "c"]],
    }
    whole = {"audio": "long.wav", "text": "d", "start": 10.1, "end": 40.1}
    _, found = run(tmp_path, row, whole)
    assert [(u.id, u.start, u.end, u.text) for u in found] == [
        ("x-1", 0.1, 30.1, "a b"),
        ("x-2", 30.1, 60.1, "c"),
        ("long-010100-040100", 10.1, 40.1, "d"),
    ]
    found = found[:2]
    assert all(u.duration_s <= 30.000001 and u.segments and u.segments[-1].end <= 30 for u in found)


def test_a_piece_that_is_already_there(tmp_path: Path) -> None:
    write_tone(tmp_path / "long.wav", 40.0, rate=1_000)
    piece = {"audio": "long.wav", "text": "a", "start": 0, "end": 20}
    row = {"audio": "long.wav", "text": "a b", "segments": [[0, 20, "a"], [20, 40, "b"]]}
    summary, found = run(tmp_path, piece, row)
    assert [u.id for u in found] == ["long-000000-020000"]
    assert (summary.n_read, summary.n_used, summary.rejected_by_reason) == (2, 1, {"duplicate_id": 1})


CASES = [
    (
        [[0, 35, "a"], [35, 40, "b"]],
        "too_long",
        "a phrase of 35.0 s is more than Whisper's 30 s: give start and end of s",
    ),
    (
        [[0, 20, "..."], [20, 40, "-"]],
        "too_long",
        "40.0 s in one piece is more than Whisper's 30 s: give start and end",
    ),
    ([[0, 41, "a"]], "bad_span", "a segment ends at 41 s of an utterance of 40 s"),
    ([[0, 41, "a"], [2, 3, "b"]], "bad_span", "a segment ends at 41 s of an utterance of 40 s"),
    ([[0, 40, "a"], [40.02, 40.08, "b"]], "bad_span", "a segment ends at 40.08 s of an utterance of 40 s"),
    (
        [[10, 20, "a"], [0, 9, "b"]],
        "bad_span",
        "a segment from 0 to 9 s begins before the one in front of it ends, at 20",
    ),
    ([[0, 20, "a"], [19.8, 40, "b"]], "bad_span", "a segment from 19.8 to 40 s begins before the one in front of it"),
    ([[-1, 20, "a"], [20, 40, "b"]], "malformed_row", "[-1, 20, 'a'] is not a segment"),
]


@pytest.mark.parametrize(("segments", "reason", "sentence"), CASES)
def test_phrases_that_make_no_sense(tmp_path: Path, segments: list[Any], reason: str, sentence: str) -> None:
    write_tone(tmp_path / "long.wav", 40.0, rate=1_000)
    run(tmp_path, {"audio": "long.wav", "text": "a", "start": 0, "end": 1},
        {"audio": "long.wav", "text": "a b", "segments": segments})  # fmt: skip
    ((found, said),) = rejected(tmp_path / "corpus")
    assert found == reason
    assert said.startswith(sentence)


def test_a_tenth_of_a_second_is_forgiven(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", 30.0, rate=1_000)
    _, (found,) = run(tmp_path, {"audio": "a.wav", "text": "a b", "segments": [[0, 20.05, "a"], [20, 30.08, "b"]]})
    assert found.segments == ((0.0, 20.05, "a", None), (20.05, 30.0, "b", None))


@pytest.mark.parametrize("disk", ["NFC", "NFD"])
def test_an_accent_is_spelt_in_two_ways(tmp_path: Path, disk: Any) -> None:
    written = {"NFC": "NFD", "NFD": "NFC"}[disk]
    path = tmp_path / unicodedata.normalize(disk, "été/où.wav")
    write_tone(path)
    _, (found,) = run(tmp_path, {"audio": unicodedata.normalize(written, "été/où.wav"), "text": "a"})  # type: ignore[arg-type]
    assert found.recording == str(path)


def test_a_text_where_a_path_should_be(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav")
    summary, _ = run(tmp_path, {"audio": "a.wav", "text": "a"}, {"audio": "mot " * 100, "text": "a.wav"})
    assert summary.rejected_by_reason == {"missing_file": 1}


def test_different_channels_need_a_word(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav")
    with pytest.raises(ParlureError, match=r"the 2 channels of .*call\.wav carry different sound") as caught:
        run_table(tmp_path, {"audio": "call.wav", "text": "a"})
    assert caught.value.message.endswith("calls.csv line 2 does not say which is transcribed")
    assert caught.value.hint == (
        "a column channel (0, 1), or --channels split (the one that speaks in each span), first, "
        "or mix (when the text holds what all of them say)"
    )
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize(("policy", "channels"), [("first", [0, 0, 1]), ("mix", [None, None, 1]), ("split", [0, 1, 1])])
def test_channel_policies(tmp_path: Path, policy: str, channels: list[int | None]) -> None:
    write_call(tmp_path / "call.wav", "0101")
    rows: list[Fields] = [{"audio": "call.wav", "text": "a", "start": n, "end": n + 1} for n in range(3)]
    rows[2]["channel"] = 1  # the row's own word counts
    assert [utterance.channel for utterance in utterances(tmp_path, *rows, channels=policy)] == channels


def test_a_span_in_which_both_speak_is_not_guessed(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav", "012-")
    rows: list[Fields] = [{"audio": "call.wav", "text": "a", "start": n, "end": n + 1} for n in range(4)]
    assert len(utterances(tmp_path, *rows, channels="split")) == 2
    assert [reason for reason, _ in rejected(tmp_path / "corpus")] == ["ambiguous_channel"] * 2


def test_a_recording_whose_name_is_not_utf8(tmp_path: Path) -> None:
    for name in ("ok", "\udce9"):
        write_tone(tmp_path / "calls" / "x.wav").rename(tmp_path / "calls" / f"{name}.wav")
        (tmp_path / "calls" / f"{name}.txt").write_text("oui")
    summary = prepare([tmp_path / "calls"], tmp_path / "corpus", language="fr", ratios=(0, 0, 1))
    assert (summary.n_used, summary.rejected_by_reason) == (1, {"bad_encoding": 1})
