"""Lhotse manifests: read as Lhotse itself reads them, written so that Lhotse reads them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_corpus import again, gist, make_corpus, rows_of, write_noise

from parlure.corpus.exporters.lhotse import export_lhotse
from parlure.corpus.readers import guess_reader
from parlure.corpus.readers.row import Row
from parlure.errors import ParlureError
from parlure.speech.audio import pick_channel, read_channels

Json = dict[str, Any]


def write_lines(path: Path, rows: Iterable[object]) -> Path:
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def recording(path: Path | str, channels: tuple[int, ...] = (0,), **more: object) -> Json:
    sources = [{"type": "file", "channels": list(channels), "source": str(path)}]
    sizes = {"sampling_rate": 8000, "num_samples": 16000, "duration": 2.0, "channel_ids": list(channels)}
    return {"id": "r1", "sources": sources, **sizes, **more}


def supervision(**more: object) -> Json:
    return {"id": "s1", "recording_id": "r1", "start": 0.25, "duration": 0.5, "channel": 0, "text": "oui", **more}


def cut(*supervisions: Json, **more: object) -> Json:
    whole = {"id": "c1", "start": 0.5, "duration": 1.0, "channel": 0, "supervisions": list(supervisions)}
    return {**whole, "recording": recording("a.wav"), "type": "MonoCut", **more}


def only(tmp_path: Path, row: Json) -> Row:
    ((found,), rejected) = rows_of(write_lines(tmp_path / "mine.jsonl", [row]), "lhotse")
    assert rejected == []
    return found


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_supervisions_and_their_recordings(tmp_path: Path, suffix: str) -> None:
    audio = write_noise(tmp_path / "wavs" / "a.wav")
    write_lines(tmp_path / f"mine_recordings_dev{suffix}", [recording("wavs/a.wav")])
    custom = {"age": "twenties", "session": "call 1", "words": [[0, 1]], "snr": 3.5, "prompt": "et puis"}
    about = {"speaker": "ann", "gender": "F", "language": "French", "custom": custom}
    path = write_lines(
        tmp_path / f"mine_supervisions_dev{suffix}", [supervision(**about), supervision(id="s2", recording_id="r7")]
    )
    assert guess_reader(str(path)) == guess_reader(str(tmp_path)) == "lhotse"
    for source in (path, tmp_path):
        (row,), (lost,) = rows_of(source)
        assert (row.source, row.line, row.id, row.text) == (str(path), 1, "s1", "oui")
        assert row.audio.samefile(audio)
        assert (row.start, row.end, row.channel) == (0.25, 0.75, None)
        assert (row.speaker, row.language, row.session, row.prompt) == ("ann", "fr", "call 1", "et puis")
        assert (row.tags, row.split) == (("gender=female", "age=twenties", "snr=3.5"), "dev")
        assert (lost.reason, lost.sentence) == ("missing_file", "the recording r7 is not among the recordings")


def test_cuts(tmp_path: Path) -> None:
    second = supervision(id="s2", start=-0.125, text="non", custom={"mood": "sad", "mic": 2})
    rows, _ = rows_of(write_lines(tmp_path / "a.jsonl", [cut(supervision(), second, custom={"mood": "glad"}), cut()]))
    found = [(row.line, row.id, row.text, row.start, row.end, row.tags) for row in rows]
    assert found == [
        (1, "s1", "oui", 0.75, 1.25, ("mood=glad",)),
        (1, "s2", "non", 0.375, 0.875, ("mood=sad", "mic=2")),
        (2, "c1", None, 0.5, 1.5, ()),
    ]


def test_times_are_seconds_at_any_rate(tmp_path: Path) -> None:
    resample = {"name": "Resample", "kwargs": {"source_sampling_rate": 8000, "target_sampling_rate": 48000}}
    faster = recording("a.wav", sampling_rate=48000, num_samples=96000, transforms=[resample])
    row = only(tmp_path, cut(supervision(), recording=faster))
    assert (row.start, row.end) == (0.75, 1.25)
    assert only(tmp_path, cut(supervision(start=-0.50001))).start == 0.0  # rounding


STEREO = recording("a.wav", (0, 1))
ARRAY = recording("a.wav") | {
    "sources": [{"type": "file", "channels": [n], "source": f"{n}.wav"} for n in range(2)]
    + [{"type": "file", "channels": [5, 7], "source": "5.wav"}]
}


@pytest.mark.parametrize(
    ("recording", "channel", "file", "expected"),
    [
        (recording("a.wav"), 0, "a.wav", None),
        (STEREO, 0, "a.wav", 0),
        (STEREO, 1, "a.wav", 1),
        (STEREO, [1], "a.wav", 1),
        (STEREO, [0, 1], "a.wav", None),  # their mean
        (ARRAY, 1, "1.wav", None),
        (ARRAY, 7, "5.wav", 1),
        (ARRAY, [5, 7], "5.wav", None),
    ],
)
def test_channels(tmp_path: Path, recording: Json, channel: object, file: str, expected: int | None) -> None:
    row = only(tmp_path, cut(supervision(channel=channel), recording=recording, type="MultiCut"))
    assert (row.audio.name, row.channel) == (file, expected)


def of_type(kind: str) -> Json:
    return recording("a.wav") | {"sources": [{"type": kind, "channels": [0], "source": "x"}]}


ONCE = "write the sound to a file once (lhotse's save_audios does) and name that"


@pytest.mark.parametrize(
    ("row", "reason", "sentence"),
    [
        (cut(type="PaddingCut"), "malformed_row", "a PaddingCut holds no recording"),
        (cut(type="MixedCut"), "malformed_row",
         "a MixedCut is made of several recordings, or of one with silence: save the cuts it was mixed from"),
        (cut(type="DataCut"), "malformed_row", "a cut of type DataCut is neither MonoCut nor MultiCut"),
        (cut(supervision(), recording=of_type("command")), "missing_file",
         f"its sound is of type command, and parlure reads files alone: {ONCE}"),
        (cut(supervision(), recording=of_type("url")), "missing_file",
         f"its sound is of type url, and parlure reads files alone: {ONCE}"),
        (cut(supervision(), recording=recording("a.wav", transforms=[{"name": "Speed", "kwargs": {"factor": 1.1}}])),
         "missing_file", f"its sound is the file's after Speed, which parlure does not do: {ONCE}"),
        (cut(supervision(), recording=None, features={"type": "fbank"}), "missing_file",
         "no recording goes with it, features alone at most, and parlure needs the sound"),
        (cut(supervision(channel=3)), "missing_file",
         "its channels [3] lie in no files: parlure takes one channel, or the mean of all of one file"),
        (cut(supervision(channel=[0, 1]), recording=ARRAY), "missing_file",
         "its channels [0, 1] lie in 2 files: parlure takes one channel, or the mean of all of one file"),
        (cut(supervision(channel=[0, 2]), recording=recording("a.wav", (0, 1, 2))), "missing_file",
         "it takes the channels [0, 2] of [0, 1, 2]: parlure takes one channel, or the mean of all"),
        (cut(supervision(start="soon")), "malformed_row",
         "start and duration of a cut and of a supervision are numbers of seconds"),
        (cut(supervision(start=-0.8)), "malformed_row",
         "start is -0.3, not a time in seconds such as 12.5, or such as 0:00:12.5"),
        (cut(supervision(text=5)), "malformed_row", "text is 5, not a text"),
    ],
)  # fmt: skip
def test_what_is_not_taken(tmp_path: Path, row: Json, reason: str, sentence: str) -> None:
    rows, rejected = rows_of(write_lines(tmp_path / "mine.jsonl", [cut(supervision()), row]))
    assert [one.line for one in rows] == [1]
    assert [(one.line, one.reason, one.sentence) for one in rejected] == [(2, reason, sentence)]


def test_broken_lines_go_alone(tmp_path: Path) -> None:
    cuts, supervisions = tmp_path / "cuts.jsonl", tmp_path / "supervisions.jsonl"
    write_lines(tmp_path / "recordings.jsonl", [recording("a.wav")])
    for path, row in ((cuts, cut(supervision())), (supervisions, supervision())):
        path.write_text(json.dumps(row) + "\n{\n" + json.dumps(row), encoding="utf-8")
        rows, (broken,) = rows_of(path)
        assert [one.line for one in rows] == [1, 3]
        assert (broken.line, broken.reason) == (2, "malformed_row")
        assert broken.sentence.startswith("the line is not JSON: ")


def test_cuts_go_before_supervisions_of_their_name(tmp_path: Path) -> None:
    write_lines(tmp_path / "recordings_train.jsonl", [recording("a.wav")])
    write_lines(tmp_path / "supervisions_train.jsonl", [supervision()])
    write_lines(tmp_path / "supervisions_test.jsonl", [supervision(text="non")])
    write_lines(tmp_path / "recordings_test.jsonl", [recording("a.wav")])
    write_lines(tmp_path / "cuts_train.jsonl.gz", [cut(supervision(text="si"))])
    assert [(row.text, row.split) for row in rows_of(tmp_path)[0]] == [("si", "train"), ("non", "test")]


def test_named_columns(tmp_path: Path) -> None:
    row = cut(supervision(custom={"plain": "non", "call": 7}))
    path = write_lines(tmp_path / "cuts.jsonl", [row])
    ((found,), _) = rows_of(path, text="plain", session="call")
    assert (found.text, found.session, found.tags) == ("non", "7", ())
    with pytest.raises(
        ParlureError, match=r"no supervision of .* has a field appel; they have: call, channel"
    ) as caught:
        rows_of(path, session="appel")
    assert caught.value.hint == "--session names a field of the supervisions or of their custom fields"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    recordings = write_lines(tmp_path / "recordings.jsonl", [recording("a.wav")])
    assert guess_reader(str(recordings)) == "lhotse"
    with pytest.raises(ParlureError, match=r"recordings\.jsonl holds recordings and no text") as caught:
        rows_of(recordings)
    assert caught.value.hint == "name the file of supervisions or of cuts instead"
    with pytest.raises(ParlureError, match=r"x\.jsonl is no manifest of Lhotse") as caught:
        rows_of(write_lines(tmp_path / "x.jsonl", [{"audio": "a.wav"}]), "lhotse")
    assert caught.value.hint == "its lines are cuts or supervisions, as JSON"
    with pytest.raises(ParlureError, match=r"there is no manifest .*nowhere\.jsonl") as caught:
        rows_of(tmp_path / "nowhere.jsonl", "lhotse")
    with pytest.raises(ParlureError, match="holds no cuts or supervisions of Lhotse") as caught:
        rows_of(tmp_path, "lhotse")
    assert caught.value.hint == "name the file of cuts or supervisions"
    alone = write_lines(tmp_path / "my_supervisions.jsonl", [supervision()])
    recordings.unlink()
    with pytest.raises(ParlureError, match=r"my_supervisions\.jsonl has no recordings beside it") as caught:
        rows_of(alone)
    assert caught.value.hint == "put my_recordings.jsonl.gz or my_recordings.jsonl there"


def test_export_and_back(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    export_lhotse(corpus, tmp_path / "lhotse")
    more = ("id", "task", "prompt", "segments", "recording", "channel")
    for source in (tmp_path / "lhotse", tmp_path / "halves"):
        if source.name == "halves":  # recordings and supervisions say what the cuts do
            source.mkdir()
            for path in (tmp_path / "lhotse").glob("[rs]*"):
                (source / path.name).write_bytes(path.read_bytes())
        back = again(source, tmp_path / f"{source.name} again")
        assert {gist(one, *more) for one in back.utterances} == {gist(one, *more) for one in corpus.utterances}
        tags = {one.id: sorted(one.tags) for one in back.utterances}
        assert tags == {one.id: sorted(one.tags) for one in corpus.utterances}


def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    for name in ("one", "two"):
        export_lhotse(corpus, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_lhotse_reads_what_is_exported(tmp_path: Path) -> None:
    lhotse = pytest.importorskip("lhotse")
    from lhotse.qa import validate, validate_recordings_and_supervisions

    corpus = make_corpus(tmp_path)
    export_lhotse(corpus, tmp_path / "lhotse")
    by_id = {one.id: one for one in corpus.utterances}
    seen = set()
    for split in ("train", "dev", "test"):
        recordings = lhotse.RecordingSet.from_file(tmp_path / "lhotse" / f"recordings_{split}.jsonl.gz")
        supervisions = lhotse.SupervisionSet.from_file(tmp_path / "lhotse" / f"supervisions_{split}.jsonl.gz")
        validate_recordings_and_supervisions(recordings.to_eager(), supervisions.to_eager(), read_data=True)
        cuts = lhotse.CutSet.from_file(tmp_path / "lhotse" / f"cuts_{split}.jsonl.gz").to_eager()
        validate(cuts, read_data=True)
        for one in cuts:
            mine, (said,) = by_id[one.id], one.supervisions
            seen.add(one.id)
            assert (mine.split, mine.text, mine.speaker, mine.language) == (
                split,
                said.text,
                said.speaker,
                said.language,
            )
            assert (one.start, round(one.end, 6)) == (mine.start, mine.end)
            frames, rate = read_channels(mine.recording, mine.start, mine.end)
            assert rate == one.sampling_rate
            np.testing.assert_allclose(
                one.load_audio().mean(axis=0), pick_channel(frames, mine.channel, mine.recording), atol=1e-6
            )
    assert seen == set(by_id)


def test_what_lhotse_writes_is_read_as_lhotse_does(tmp_path: Path) -> None:
    lhotse = pytest.importorskip("lhotse")
    two = lhotse.Recording.from_file(write_noise(tmp_path / "two.wav", 4, n_channels=2))
    one = lhotse.Recording.from_file(write_noise(tmp_path / "one.wav", 6, rate=16000, seed=2))
    said = [
        lhotse.SupervisionSegment("s1", "two", 0.1, 1.2, 0, "oui", "French", "ann", "F", custom={"mood": "glad"}),
        lhotse.SupervisionSegment("s2", "two", 1.5, 2.0, 1, "non", "French", "bob", "M"),
        lhotse.SupervisionSegment("s3", "one", 0.5, 1.0, 0, "a", "English"),
        lhotse.SupervisionSegment("s4", "one", 2.0, 1.5, 0, "b", "English"),
        lhotse.SupervisionSegment("s5", "one", 4.0, 2.0, 0, "c", "English"),
    ]
    cuts = lhotse.CutSet.from_manifests(
        recordings=lhotse.RecordingSet.from_recordings([two, one]),
        supervisions=lhotse.SupervisionSet.from_segments(said),
    )
    ways = {
        "whole": cuts,
        "trimmed": cuts.trim_to_supervisions(keep_overlapping=False),
        "windows": cuts.cut_into_windows(3.0, keep_excessive_supervisions=True),
        "resampled": cuts.resample(16000),
    }
    for name, them in ways.items():
        path = tmp_path / f"{name}.jsonl.gz"
        them.to_file(path)
        rows, rejected = rows_of(path)
        expected = []
        for each in lhotse.CutSet.from_file(path):
            for each_said in each.supervisions:
                # where Lhotse itself says that the supervision lies in the recording
                start = each.start + each_said.start
                expected.append((each_said.id, each_said.text, each_said.speaker, start, start + each_said.duration))
        assert rejected == [], name
        assert [(r.id, r.text, r.speaker) for r in rows] == [e[:3] for e in expected], name
        times = [(r.start, r.end) for r in rows]
        np.testing.assert_allclose(times, [e[3:] for e in expected], atol=1e-6, err_msg=name)
        originals = {s.id: (s.start, s.end) for s in said}
        np.testing.assert_allclose(times, [originals[r.id or ""] for r in rows], atol=1e-3, err_msg=name)
    rows, _ = rows_of(tmp_path / "whole.jsonl.gz")
    assert [row.channel for row in rows] == [0, 1, None, None, None]
    assert rows[0].tags == ("gender=female", "mood=glad")
    mixed = tmp_path / "padded.jsonl.gz"
    cuts.pad(duration=10).to_file(mixed)
    assert {one.reason for one in rows_of(mixed)[1]} == {"malformed_row"} and not rows_of(mixed)[0]


def test_kaldi_folders_as_lhotse_reads_them(tmp_path: Path) -> None:
    """The same folder through Lhotse's own import of Kaldi data."""
    lhotse_kaldi = pytest.importorskip("lhotse.kaldi")
    write_noise(tmp_path / "call-1.wav", 4)
    tables = {
        "wav.scp": f"call-1 {tmp_path / 'call-1.wav'}\n",
        "segments": "ann-1 call-1 0.5 1.25\nann-2 call-1 1.5 2.75\nbob-1 call-1 3 -1\n",
        "text": "ann-1 bonjour là\nann-2 oui\nbob-1 ça va ?\n",
        "utt2spk": "ann-1 ann\nann-2 ann\nbob-1 bob\n",
        "utt2lang": "ann-1 fr\nann-2 fr\nbob-1 fr\n",
        "spk2gender": "ann f\nbob m\n",
    }
    for name, text in tables.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    _, supervisions, _ = lhotse_kaldi.load_kaldi_data_dir(tmp_path, sampling_rate=8000)
    rows, _ = rows_of(tmp_path, "kaldi")
    found = [(r.id, r.start, 4.0 if r.end is None else r.end, r.text, r.speaker, r.language) for r in rows]
    assert found == [(s.id, s.start, s.end, s.text, s.speaker, s.language) for s in supervisions]
    assert [row.tags for row in rows] == [("gender=female",), ("gender=female",), ("gender=male",)]
