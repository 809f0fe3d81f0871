"""NeMo manifests: its documented keys, read and written."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from made_corpus import again, gist, make_corpus, rows_of, write_noise

from parlure.corpus.exporters.nemo import export_nemo
from parlure.corpus.manifest import Segment
from parlure.corpus.readers import guess_reader
from parlure.errors import ParlureError
from parlure.speech.audio import probe, read_audio


def write_manifest(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_manifest(tmp_path: Path) -> None:
    write_noise(tmp_path / "audio" / "a.wav")
    path = write_manifest(
        tmp_path / "speech.json",
        {"audio_filepath": "audio/a.wav", "duration": 1.25, "offset": 0.5, "text": "bonjour là", "speaker": 12,
         "lang": "fr-CA", "pred_text": "bonjour las", "age": "twenties", "snr": 12.5, "pnc": "yes", "shouted": False,
         "words": [["bonjour", 0.5]], "orig_sr": None},
        {"audio_filepath": "/b.wav", "duration": 2, "text": ""},
        {"audio_filepath": "/c.wav", "offset": 3},
    )  # fmt: skip
    assert guess_reader(str(path)) == "nemo"
    (first, second, third), rejected = rows_of(path)
    assert rejected == []
    assert (first.source, first.line, first.text, first.speaker) == (str(path), 1, "bonjour là", "12")
    assert first.audio.samefile(tmp_path / "audio" / "a.wav")
    assert (first.start, first.end, first.language, first.task) == (0.5, 1.75, "fr", None)
    assert first.tags == ("age=twenties", "snr=12.5", "pnc=yes", "shouted=false")
    assert first.raw["pred_text"] == "bonjour las"
    assert (second.audio, second.start, second.end, second.text) == (Path("/b.wav"), None, 2.0, "")
    assert (third.start, third.end, third.text) == (3.0, None, None)


@pytest.mark.parametrize(
    ("keys", "task", "language"),
    [
        ({}, None, None),
        ({"lang": "fr"}, None, "fr"),
        ({"taskname": "asr", "source_lang": "unk", "target_lang": "unk"}, "transcribe", None),
        ({"lang": "en", "source_lang": "fr"}, None, "fr"),
        ({"source_lang": "fr", "target_lang": "fr"}, None, "fr"),
        ({"source_lang": "fr", "target_lang": "en"}, "translate", "fr"),  # Canary 2 goes by the languages alone
        ({"taskname": "asr", "source_lang": "de", "target_lang": "de"}, "transcribe", "de"),
        ({"taskname": "ast", "source_lang": "de", "target_lang": "en"}, "translate", "de"),
        ({"taskname": "s2t_translation", "source_lang": "de"}, "translate", "de"),
        ({"task": "ast", "source_lang": "German", "target_lang": "English"}, "translate", "de"),
    ],
)
def test_tasks_and_languages(tmp_path: Path, keys: dict[str, str], task: str | None, language: str | None) -> None:
    path = write_manifest(tmp_path / "a.json", {"audio_filepath": "a.wav", "duration": 1, "text": "a", **keys})
    ((row,), _) = rows_of(path)
    assert (row.task, row.language, row.tags) == (task, language, ())


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"duration": "long"}, "end is 'long', not a time in seconds"),
        ({"offset": "late"}, "start is 'late', not a time in seconds"),
        ({"offset": -1}, "start is -1, not a time in seconds"),
        ({"audio_filepath": ["a.wav", "b.wav"]}, "audio_filepath is ['a.wav', 'b.wav']: parlure takes one recording"),
        ({"audio_filepath": None}, "audio_filepath is None: parlure takes one recording a line"),
        ({"text": ["a"]}, "text is ['a'], not a text"),
        ({"taskname": "sing"}, "the task 'sing' is neither asr nor ast"),
        ({"source_lang": "en", "target_lang": "de"}, "the text is a translation into de, and Whisper translates into"),
        ({"taskname": "ast", "target_lang": "de"}, "the text is a translation into de"),
        ({"lang": 7}, None),
    ],
)
def test_lines_that_are_not_taken(tmp_path: Path, keys: dict[str, object], sentence: str | None) -> None:
    row = {"audio_filepath": "a.wav", "duration": 1, "text": "a", **keys}
    rows, rejected = rows_of(write_manifest(tmp_path / "a.json", row))
    if sentence is None:
        assert rows[0].language == "7"
    else:
        assert [(one.reason, one.line, one.raw) for one in rejected] == [("malformed_row", 1, row)]
        assert rejected[0].sentence.startswith(sentence)


def test_broken_lines_go_alone(tmp_path: Path) -> None:
    good = b'{"audio_filepath": "a.wav", "duration": 1, "text": "a"}\n'
    path = tmp_path / "a.jsonl"
    path.write_bytes(good + b'\n{"audio\n[1]\n' + good.replace(b'"a"', b'"\xe9"') + good)
    rows, rejected = rows_of(path)
    assert [row.line for row in rows] == [1, 6]
    assert [(one.line, one.reason) for one in rejected] == [
        (3, "malformed_row"), (4, "malformed_row"), (5, "bad_encoding")
    ]  # fmt: skip
    assert rejected[0].sentence.startswith("the line is not JSON: ")
    assert rejected[1].sentence == "the line is JSON but not an object"


def test_named_columns(tmp_path: Path) -> None:
    row = {"audio_filepath": "a.wav", "duration": 1, "text": "A.", "plain": "a", "call_id": 7, "who": "ann"}
    path = write_manifest(tmp_path / "a.json", row)
    ((found,), _) = rows_of(path, text="plain", session="call_id", speaker="who")
    assert (found.text, found.session, found.speaker, found.tags) == ("a", "7", "ann", ())
    with pytest.raises(ParlureError, match="has no column call; it has: audio_filepath, duration, text") as caught:
        rows_of(path, session="call")
    assert caught.value.hint == "--session call_id"


def test_what_is_a_nemo_manifest(tmp_path: Path) -> None:
    ours = write_manifest(tmp_path / "ours.jsonl", {"audio": "a.wav", "text": "a"})
    assert guess_reader(str(ours)) == "jsonl"
    nemo = write_manifest(tmp_path / "theirs.jsonl", {"audio_filepath": "a.wav", "text": "a", "duration": 1})
    assert guess_reader(str(nemo)) == "nemo"
    whisper = write_manifest(tmp_path / "a.json", {"text": "a", "segments": []})
    assert guess_reader(str(whisper)) == "whisper"
    assert guess_reader(str(tmp_path)) == "whisper"
    whisper.unlink()
    assert guess_reader(str(tmp_path)) == "folder"
    nemo.rename(tmp_path / "train_manifest.json")
    write_manifest(tmp_path / "manifest_val.jsonl", {"audio_filepath": "b.wav", "text": "b", "duration": 1})
    assert guess_reader(str(tmp_path)) == "nemo"
    assert [(row.text, row.split) for row in rows_of(tmp_path)[0]] == [("b", "dev"), ("a", "train")]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="there is no manifest") as caught:
        rows_of(tmp_path / "a.json", "nemo")
    assert caught.value.hint == "check the path"
    with pytest.raises(ParlureError, match="holds no NeMo manifest") as caught:
        rows_of(tmp_path, "nemo")
    assert caught.value.hint == "name the file: parlure prepare train_manifest.json"
    whole = gzip.compress(b"".join(b'{"audio_filepath": "%d.wav", "text": "a"}\n' % n for n in range(500)))
    (tmp_path / "a.json.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ParlureError, match=r"a\.json\.gz cannot be unpacked after line \d+: ") as caught:
        rows_of(tmp_path / "a.json.gz")
    assert caught.value.hint == "copy it again, or see what gzip -t says of it"
    broken = bytearray(whole)
    broken[len(whole) // 2 :] = b"\xff" * (len(whole) - len(whole) // 2)
    (tmp_path / "b.json.gz").write_bytes(broken)
    with pytest.raises(ParlureError, match=r"b\.json\.gz cannot be unpacked after line"):
        rows_of(tmp_path / "b.json.gz", "nemo")


def test_export_and_back(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    export_nemo(corpus, tmp_path / "nemo")
    back = again(tmp_path / "nemo", tmp_path / "again")
    more = ("id", "task", "prompt", "segments")
    assert {gist(one, *more) for one in back.utterances} == {gist(one, *more) for one in corpus.utterances}
    by_id = {one.id: one for one in back.utterances}
    for one in corpus.utterances:
        other = by_id[one.id]
        assert sorted(other.tags) == sorted(one.tags)
        sound = [read_audio(it.recording, it.start, it.end, it.channel) for it in (one, other)]
        np.testing.assert_allclose(sound[1], sound[0], atol=1e-3)
    assert by_id["u4"].segments == (Segment(0.0, 0.5, "that is"), Segment(0.5, 1.25, "the rest"))


def test_what_is_exported_has_nemos_keys(tmp_path: Path) -> None:
    export_nemo(make_corpus(tmp_path), tmp_path / "nemo")
    lines = {}
    for split in ("train", "dev", "test"):
        path = tmp_path / "nemo" / f"{split}_manifest.json"
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            info = probe(path.parent / row["audio_filepath"])
            assert info.n_channels == 1 and row["offset"] + row["duration"] <= info.duration_s + 1e-6
            lines[row["id"]] = row
    assert lines["u1"]["text"] == "allô\u00a0? oui"
    assert (lines["u1"]["gender"], lines["u1"]["age"], lines["u1"]["tags"]) == ("female", "twenties", ["noisy"])
    assert lines["u6"]["tags"] == ["text=spoken"]  # a key of that name means something else
    assert [lines["u5"][key] for key in ("taskname", "source_lang", "target_lang", "lang")] == ["ast", "de", "en", "en"]
    assert [lines["u4"][key] for key in ("taskname", "source_lang", "target_lang", "lang")] == ["asr", "en", "en", "en"]
    assert lines["u5"]["audio_filepath"] == "../memo.wav" and "speaker" not in lines["u6"]
    assert re.fullmatch(r"audio/call_1-[0-9a-f]{8}-A\.flac", lines["u1"]["audio_filepath"])


def test_what_a_tarred_manifest_lacks(tmp_path: Path) -> None:
    write_noise(tmp_path / "here.wav")
    path = write_manifest(
        tmp_path / "tarred_audio_manifest.json",
        {"audio_filepath": "calls-1.wav", "duration": 1, "text": "a", "shard_id": 3},
        {"audio_filepath": "here.wav", "duration": 1, "text": "b", "shard_id": 3, "decodercontext": ""},
    )
    ((row,), (bad,)) = rows_of(path)
    assert (row.text, row.tags) == ("b", ("shard_id=3",))  # an empty value is none given
    assert (bad.reason, bad.sentence) == (
        "missing_file",
        "calls-1.wav lies in the tar file of shard 3: unpack the tar files beside the manifest",
    )
