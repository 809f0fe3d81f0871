"""Recordings of every kind → a whole corpus: what is used, what is rejected and why, and what stops it altogether."""

from __future__ import annotations

import csv
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from parlure.corpus.manifest import Corpus
from parlure.corpus.naming import safe_name
from parlure.corpus.prepare import PrepareSummary, prepare
from parlure.errors import ParlureError
from parlure.speech.audio import Samples, read_audio

Fields = dict[str, Any]


def tone(duration_s: float = 2.0, rate: int = 16_000, hz: float = 300.0) -> Samples:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(round(duration_s * rate)) / rate)).astype(np.float32)


def write_tone(path: Path, duration_s: float = 2.0, rate: int = 16_000, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(duration_s, rate), rate, **options)
    return path


def write_m4a(path: Path) -> None:
    pcm = (tone(2.0, 44_100) * 32767).astype(np.int16).reshape(1, -1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 44_100, 0, Fraction(1, 44_100)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def write_call(path: Path, turns: str = "0101") -> None:
    """Two parties, one a channel; a turn is a second: 0, 1, both (2) or nobody (-)."""
    parties = [[tone(1.0, 8_000, hz) * (turn in (str(n), "2")) for turn in turns] for n, hz in enumerate((300, 500))]
    soundfile.write(path, np.stack([np.concatenate(party) for party in parties], axis=1), 8_000)


def table(folder: Path, *rows: Fields, name: str = "calls.csv") -> Path:
    path = folder / name
    columns = list(dict.fromkeys(key for row in rows for key in row)) or ["audio", "text"]
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def people(folder: Path, n: int = 10, **fields: Any) -> list[Fields]:
    """Rows of ``n`` people with a recording each."""
    for i in range(n):
        write_tone(folder / f"calls/p{i}.wav", duration_s=2.0)
    return [{"audio": f"calls/p{i}.wav", "text": f"été {i}", "speaker": f"person_{i:03d}", **fields} for i in range(n)]


def rejected(folder: Path) -> list[tuple[str, str]]:
    lines = (folder / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["reason"], row["sentence"]) for row in map(json.loads, lines)]


def run(folder: Path, *rows: Fields, **options: Any) -> PrepareSummary:
    return prepare([table(folder, *rows)], folder / "corpus", **{"language": "fr", **options})


def one(folder: Path, *rows: Fields, **options: Any) -> list[Any]:
    """The utterances of a corpus that is all test: a split does not matter here."""
    run(folder, *rows, ratios=(0, 0, 1), **options)
    return list(Corpus.load(folder / "corpus").utterances)


def test_the_whole(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    rows = [*people(tmp_path), {"audio": "nowhere.wav", "text": "non", "speaker": "x"}]
    summary = run(tmp_path, *rows, progress=lambda *at: seen.append(at))

    corpus = Corpus.load(tmp_path / "corpus")
    first = corpus.utterances[0]
    assert (first.id, first.text, first.language, first.task) == ("p0", "été 0", "fr", "transcribe")
    assert (first.start, first.end, first.channel, first.session) == (0.0, 2.0, None, None)
    assert first.recording == str(tmp_path / "calls/p0.wav")
    assert [len(corpus.select(split)) for split in ("train", "dev", "test")] == [8, 1, 1]
    assert (summary.n_read, summary.n_used, summary.n_rejected) == (11, 10, 1)
    assert summary.rejected_by_reason == {"missing_file": 1}
    assert summary.utterances_by_split == {"train": 8, "dev": 1, "test": 1}
    assert summary.hours_by_split["train"] == pytest.approx(16 / 3600, abs=1e-6)
    assert summary.lines()[:2] == [
        "10 of 11 rows used, 1 rejected (1 missing_file): rejected.jsonl says why",
        "utterances: train 8 in 0.00 h, dev 1 in 0.00 h, test 1 in 0.00 h",
    ]
    assert seen == [(n, 11) for n in range(1, 12)]

    info = corpus.info
    split = {"method": "groups", "group_by": ["speaker", "session"], "n_groups": 10, "seed": 1}
    assert info["split"] == {**split, "ratios": [0.8, 0.1, 0.1]}
    assert info["rejected"] == {"total": 1, "missing_file": 1}
    assert info["by_split"]["train"] == {"hours": pytest.approx(16 / 3600, abs=1e-6), "utterances": 8, "speakers": 8}
    assert info["by_language"]["fr"]["utterances"] == 10
    assert list(info["by_speaker"]) == [f"person_{i:03d}" for i in range(10)]
    assert re.fullmatch("[0-9a-f]{64}", info["sources"][0]["sha256"])
    assert info["warnings"] == list(summary.warnings)
    assert any("the test split has 1 known speaker: with fewer than 8" in warning for warning in summary.warnings)


@pytest.mark.parametrize("name", ["wav", "mulaw", "flac", "mp3", "m4a", "stereo"])
def test_any_recording(tmp_path: Path, name: str) -> None:
    paths = {"wav": "a.wav", "mulaw": "a.wav", "flac": "a.flac", "mp3": "a.mp3", "m4a": "a.m4a", "stereo": "a.wav"}
    path = tmp_path / paths[name]
    if name == "m4a":
        write_m4a(path)
    elif name == "stereo":
        soundfile.write(path, np.stack([tone(2.0, 44_100)] * 2, axis=1), 44_100)
    elif name == "mulaw":
        write_tone(path, rate=8_000, subtype="ULAW")
    else:
        write_tone(path, rate=16_000 if name == "wav" else 44_100)
    (found,) = one(tmp_path, {"audio": path.name, "text": "oui"})
    assert found.duration_s == pytest.approx(2.0, abs=0.03)
    assert found.channel is None
    samples = read_audio(found.recording, found.start, found.end)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


def test_spans_and_ids(tmp_path: Path) -> None:
    write_tone(tmp_path / "a b.wav", 10.0)
    write_tone(tmp_path / "x/c.wav")
    write_tone(tmp_path / "y/c.wav")
    rows: list[Fields] = [
        {"audio": "a b.wav", "text": "un", "start": 1.5, "end": 4.25},
        {"audio": "a b.wav", "text": "deux", "start": 4.25, "end": 10.05},
        {"audio": "a b.wav", "text": "trois", "id": "né/3"},
        {"audio": "x/c.wav", "text": "quatre", "channel": 0},
        {"audio": "y/c.wav", "text": "cinq"},
    ]
    found = one(tmp_path, *rows)
    stem = safe_name("a b")
    assert re.fullmatch("a_b-[0-9a-f]{8}", stem)
    ids = [utterance.id for utterance in found]
    assert ids[:3] == [f"{stem}-001500-004250", f"{stem}-004250-010000", safe_name("né/3")]
    assert re.fullmatch("c-[0-9a-f]{8}-c0", ids[3])
    assert re.fullmatch("c-[0-9a-f]{8}", ids[4])
    assert found[1].end == 10.0  # 50 ms past the end are forgiven, and cut
    assert sorted(ids) == sorted(utterance.id for utterance in one(tmp_path, *rows[::-1]))


@pytest.mark.parametrize("text", ["a", "né-3.b_c", "..", "a/b", "a:b", "x" * 300, "語" * 200, ""])
def test_safe_names(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name.encode()) <= 220
    assert not re.search(r'[/\\:*?"<>|\s]', name)
    assert not name.startswith((".", "-"))
    assert (name == text) == (text in ("a", "né-3.b_c"))


def reasons_table(folder: Path) -> list[tuple[str, Fields, str]]:
    write_tone(folder / "long.wav", 31.0)
    write_tone(folder / "ok.wav")
    write_tone(folder / "twice.wav")
    (folder / "junk.wav").write_bytes(b"junk " * 100)
    soundfile.write(folder / "empty.wav", np.zeros((0, 1)), 16_000)
    broken = tone()
    broken[5] = np.nan
    soundfile.write(folder / "nan.wav", broken, 16_000, subtype="FLOAT")
    (folder / "zero.wav").write_bytes(b"")
    header = (folder / "ok.wav").read_bytes()[:44]  # promises two seconds, holds none
    (folder / "header.wav").write_bytes(header)
    return [
        ("undecodable", {"audio": "zero.wav", "text": "a"}, "zero.wav cannot be decoded as audio"),
        ("empty_audio", {"audio": "header.wav", "text": "a"}, "header.wav holds no sound"),
        ("empty_text", {"audio": "ok.wav", "text": "... !"}, "the text '... !' holds no word; --empty-text no-speech"),
        ("missing_file", {"audio": "gone.wav", "text": "a"}, "there is no file .*gone.wav"),
        ("undecodable", {"audio": "junk.wav", "text": "a"}, "junk.wav cannot be decoded as audio"),
        ("empty_audio", {"audio": "empty.wav", "text": "a"}, "empty.wav holds no sound"),
        ("bad_samples", {"audio": "nan.wav", "text": "a"}, "nan.wav holds samples that are not numbers"),
        ("empty_text", {"audio": "ok.wav", "text": " "}, "the text is empty; --empty-text no-speech takes it"),
        ("duplicate_id", {"audio": "twice.wav", "text": "a"}, "recording, span and channel is already in .* line 2"),
        ("duplicate_id", {"audio": "ok.wav", "text": "a", "id": "twice"}, "the id twice is already in .* line 2"),
        ("too_long", {"audio": "long.wav", "text": "a"}, "31.0 s in one piece is more than Whisper's 30 s"),
        ("bad_span", {"audio": "ok.wav", "text": "a", "start": 1, "end": 3}, "lasts 2.000 s and the row says from 1"),
        ("bad_span", {"audio": "ok.wav", "text": "a", "start": 1, "end": 1}, "the row says from 1 to 1 s"),
        ("bad_channel", {"audio": "ok.wav", "text": "a", "channel": 1}, "ok.wav has no channel 1: it has 1"),
        ("malformed_row", {"audio": "ok.wav", "text": "a", "start": "x"}, "start is 'x', not a time"),
        ("malformed_row", {"audio": "ok.wav", "text": "a", "language": "français"}, "language is 'français', not"),
        ("bad_encoding", {"audio": "ok.wav", "text": "\udce9t\udce9"}, r"calls\.csv line 19: text is not proper UTF-8"),
        ("too_fast", {"audio": "ok.wav", "text": "a" * 101}, "101 characters in 2.00 s is faster than anyone speaks"),
    ]


def test_every_reason(tmp_path: Path) -> None:
    cases = reasons_table(tmp_path)
    rows = [{"audio": "twice.wav", "text": "a"}, *(row for _, row, _ in cases)]
    summary = run(tmp_path, *rows, ratios=(0, 0, 1))

    lines = (tmp_path / "corpus/rejected.jsonl").read_text(encoding="utf-8").splitlines()
    listed = {row["line"]: row for row in map(json.loads, lines)}
    for line, (reason, _, sentence) in enumerate(cases, start=3):
        assert listed[line]["reason"] == reason
        assert re.search(sentence, listed[line]["sentence"]), listed[line]["sentence"]
    assert (summary.n_read, summary.n_used, summary.n_rejected) == (len(rows), 1, len(cases))
    assert sum(summary.rejected_by_reason.values()) == len(cases)
    guide = (Path(__file__).parents[1] / "docs/prepare.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", guide.partition("## Reason codes")[2], re.MULTILINE))
    assert documented == set(summary.rejected_by_reason) | {"ambiguous_channel", "held_out", "repeated"}


def test_what_the_command_and_the_row_say(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav")
    for text in ("", "...", "- ?"):
        (found,) = one(tmp_path, {"audio": "a.wav", "text": text}, empty_text="no-speech")
        assert found.text == ""
    row = {"audio": "a.wav", "text": "yes", "language": "EN-ca", "task": "translate", "session": "s"}
    (found,) = one(tmp_path, row)
    assert (found.language, found.task, found.session) == ("en", "translate", "s")


def test_calls_with_a_and_b(tmp_path: Path) -> None:
    rows: list[Fields] = []
    for n in range(6):
        write_call(tmp_path / f"call{n}.wav")
        rows += [{"audio": f"call{n}.wav", "text": "a", "speaker": who, "channel": i} for i, who in enumerate("AB")]
    summary = run(tmp_path, *rows)
    utterances = Corpus.load(tmp_path / "corpus").utterances
    assert [utterance.speaker for utterance in utterances[:3]] == ["call0/A", "call0/B", "call1/A"]
    assert "are taken for the parties of each one" in summary.warnings[0]
    assert len({(utterance.recording, utterance.split) for utterance in utterances}) == 6


def test_recordings_stay_whole_without_names(tmp_path: Path) -> None:
    for n in range(5):
        write_tone(tmp_path / f"a{n}.wav", 10.0)
    rows = [{"audio": f"a{n}.wav", "text": "a", "start": s, "end": s + 2} for n in range(5) for s in range(0, 10, 2)]
    summary = run(tmp_path, *rows)
    utterances = Corpus.load(tmp_path / "corpus").utterances
    assert len({(utterance.recording, utterance.split) for utterance in utterances}) == 5
    assert any("25 of 25 utterances name no speaker" in warning for warning in summary.warnings)


def test_the_split_does_not_depend_on_the_order(tmp_path: Path) -> None:
    rows = people(tmp_path, 20)
    run(tmp_path, *rows)
    first = {u.id: u.split for u in Corpus.load(tmp_path / "corpus").utterances}
    run(tmp_path, *rows[::-1])
    assert {u.id: u.split for u in Corpus.load(tmp_path / "corpus").utterances} == first


def test_too_few_people(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="the corpus falls into 2 groups without a speaker or session in common"):
        run(tmp_path, *people(tmp_path, 2))
    summary = run(tmp_path, *people(tmp_path, 2), ratios=(1, 0, 0))
    assert summary.warnings == ("there is no test split: nothing can be proved with this corpus",)


def test_a_split_of_ones_own(tmp_path: Path) -> None:
    splits = ["train", "validation", "test"]
    rows = [{**row, "split": split} for row, split in zip(people(tmp_path, 3), splits, strict=True)]
    run(tmp_path, *rows)
    corpus = Corpus.load(tmp_path / "corpus")
    assert [utterance.split for utterance in corpus.utterances] == ["train", "dev", "test"]
    assert corpus.info["split"] == {"method": "given", "group_by": ["speaker", "session"], "n_groups": 3}

    rows[2]["speaker"] = rows[0]["speaker"]
    with pytest.raises(ParlureError, match="the speaker person_000 is in train and test"):
        run(tmp_path, *rows)
    run(tmp_path, *rows, group_by=("session",))
    with pytest.raises(ParlureError, match=r"calls\.csv line 4 has no split though other rows have one") as caught:
        run(tmp_path, rows[0], rows[1], {**rows[2], "split": ""})
    assert caught.value.hint == "fill the column split in every row, or leave it out and parlure divides"
    with pytest.raises(ParlureError, match=r"calls\.csv line 2: there is no split holdout") as caught:
        run(tmp_path, {**rows[0], "split": "holdout"})
    assert caught.value.hint == "a split column says train, dev (or validation) or test"


def test_folder(tmp_path: Path) -> None:
    people(tmp_path, 4)
    for n in range(3):
        (tmp_path / f"calls/p{n}.txt").write_text(f" été {n}\n", encoding="utf-8")
    summary = prepare([tmp_path / "calls"], tmp_path / "corpus", language="fr")
    assert (summary.n_used, summary.rejected_by_reason) == (3, {"empty_text": 1})
    corpus = Corpus.load(tmp_path / "corpus")
    assert [utterance.text for utterance in corpus.utterances] == ["été 0", "été 1", "été 2"]
    source = corpus.info["sources"][0]
    (tmp_path / "calls/p0.txt").write_text("eté 0", encoding="utf-8")
    prepare([tmp_path / "calls"], tmp_path / "corpus", language="fr")
    assert Corpus.load(tmp_path / "corpus").info["sources"][0]["sha256"] != source["sha256"]


def test_copied_audio(tmp_path: Path) -> None:
    write_call(tmp_path / "call.wav")
    rows: list[Fields] = [{"audio": "call.wav", "text": "a", "start": n, "end": n + 1, "channel": n} for n in range(2)]
    found = one(tmp_path, *rows, copy_audio=True)
    corpus = tmp_path / "corpus"
    assert [utterance.recording for utterance in found] == [str(corpus / f"audio/{u.id}.flac") for u in found]
    assert '"recording": "audio/call-000000-001000-c0.flac"' in (corpus / "manifest.jsonl").read_text()
    assert [(u.start, u.end, u.channel) for u in found] == [(0.0, 1.0, None)] * 2
    assert soundfile.info(found[1].recording).samplerate == 16_000
    np.testing.assert_allclose(read_audio(found[1].recording), read_audio(tmp_path / "call.wav", 1, 2, 1), atol=1e-4)

    with pytest.raises(ParlureError, match="lies in the corpus that is to be written") as caught:
        one(tmp_path, {"audio": "corpus/audio/call-000000-001000-c0.flac", "text": "a"}, copy_audio=True)
    assert caught.value.hint == "--out another folder"
    summary = run(tmp_path, rows[0], copy_audio=True, ratios=(0, 0, 1))
    assert "audio/ holds 1 file of an earlier run that nothing uses: remove them by hand" in summary.warnings
    assert len(list((corpus / "audio").iterdir())) == 2


def test_strict(tmp_path: Path) -> None:
    rows = people(tmp_path, 4)
    assert not run(tmp_path, *rows, strict=True).gate_failed
    summary = run(tmp_path, *rows, {"audio": "gone.wav", "text": "a", "speaker": "x"}, strict=True)
    assert summary.gate_failed
    assert summary.lines()[-1] == "corpus.json was not written: --strict, and rows were rejected"
    assert rejected(tmp_path / "corpus")[0][0] == "missing_file"
    with pytest.raises(ParlureError, match="not whole"):
        Corpus.load(tmp_path / "corpus")
    assert not run(tmp_path, *rows).gate_failed  # what a strict run left may be made again


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="is not empty and not a corpus"):
        prepare([table(tmp_path, *people(tmp_path, 4))], tmp_path, language="fr")


def test_an_existing_corpus_survives_a_mistake(tmp_path: Path) -> None:
    rows = people(tmp_path, 4)
    run(tmp_path, *rows)
    with pytest.raises(ParlureError):
        run(tmp_path, *rows, language=None)
    assert len(Corpus.load(tmp_path / "corpus").utterances) == 4


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"language": None}, r"calls\.csv line 2 does not say its language", "--language fr, or a column language"),
        ({"language": "klingon"}, "klingon is not a language code", "--language fr, en, es: two or three letters"),
        ({"task": "sing"}, "--task cannot be sing", "--task transcribe|translate"),
        ({"channels": "left"}, "--channels cannot be left", "--channels first|split|mix"),
        ({"empty_text": "keep"}, "--empty-text cannot be keep", "--empty-text reject|no-speech"),
        ({"ratios": (0.5, 0.5, 0.5)}, "are not three shares that make 1", "--ratios 0.8,0.1,0.1"),
        (
            {"group_by": ("mood",)},
            "cannot be grouped by mood",
            "--group-by speaker,session, one of them, customer, or none",
        ),
        ({"text": "phrase"}, r"calls\.csv has no column phrase; it has: audio, text, speaker", "--text"),
    ],
)
def test_bad_options(tmp_path: Path, options: Fields, message: str, hint: str) -> None:
    with pytest.raises(ParlureError, match=message) as caught:
        run(tmp_path, *people(tmp_path, 4), **options)
    assert hint in caught.value.hint
    assert not (tmp_path / "corpus").exists()


def test_nothing_left(tmp_path: Path) -> None:
    rows = [{"audio": "gone.wav", "text": "a"}, {"audio": "lost.wav", "text": ""}]
    message = r"none of the 2 rows can be used: 1 missing_file, 1 empty_text; .*rejected\.jsonl says why"
    with pytest.raises(ParlureError, match=message) as caught:
        run(tmp_path, *rows)
    assert [reason for reason, _ in rejected(tmp_path / "corpus")] == ["missing_file", "empty_text"]
    with pytest.raises(ParlureError, match="not whole"):
        Corpus.load(tmp_path / "corpus")
    run(tmp_path, *people(tmp_path, 4))  # a whole corpus is left alone
    with pytest.raises(ParlureError, match=r"1 missing_file, 1 empty_text$"):
        run(tmp_path, *rows)
    assert len(Corpus.load(tmp_path / "corpus").utterances) == 4
    assert re.search(r"the first, .*calls\.csv line 2: there is no file .*gone\.wav", caught.value.hint)


def test_options_are_looked_at_before_the_sources(tmp_path: Path) -> None:
    for options, message in (({"ratios": (1, 1, 1)}, "the ratios 1,1,1"), ({"group_by": ("mood",)}, "by mood")):
        with pytest.raises(ParlureError, match=message):
            prepare([tmp_path / "nowhere.csv"], tmp_path / "corpus", **options)


def test_a_source_whose_name_is_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match=r"the name of .*udce9.* is not UTF-8") as caught:
        prepare([tmp_path / "\udce9.csv"], tmp_path / "corpus", language="fr")
    assert caught.value.hint == "rename it"


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="the sources hold no row") as caught:
        prepare([table(tmp_path)], tmp_path / "corpus", language="fr")
    assert caught.value.hint == "a table has a line for each utterance, under its header"
    with pytest.raises(ParlureError, match="prepare needs a list of sources") as caught:
        prepare([], tmp_path / "corpus", language="fr")
    assert caught.value.hint == "parlure prepare calls.csv --out corpus --language fr"
