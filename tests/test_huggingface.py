"""Data sets of parquet shards, in a folder and on a Hub: the real layout, resumed after a kill, every refusal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from replica import hub, mp3, row, write_shard, write_talkbank

from parlure.corpus import gather
from parlure.corpus.hub import Address, open_dataset
from parlure.corpus.manifest import Corpus
from parlure.corpus.prepare import PrepareSummary, prepare
from parlure.errors import ParlureError
from parlure.speech.audio import read_audio

TALKBANK = {"text": "transcript", "speaker": "speaker_id", "session": "transcript_filename", "language": "fr"}


@pytest.fixture(scope="module")
def talkbank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_talkbank(tmp_path_factory.mktemp("data") / "talkbank_4_stt")


def run(source: Path | str, out: Path, **options: Any) -> PrepareSummary:
    return prepare([str(source)], out, **{**TALKBANK, **options})


def command_line(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A process of its own: huggingface_hub reads its address from the environment once."""
    return subprocess.run([sys.executable, "-m", "parlure.cli", *arguments], env=env, capture_output=True, text=True)


def test_a_folder_of_shards(talkbank: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    out = tmp_path / "corpus"
    summary = run(f"{talkbank}?config=fr&split=segment", out, progress=lambda done, total: seen.append((done, total)))
    assert (summary.n_read, summary.n_used, seen[-1]) == (40, 40, (40, 40))
    corpus = Corpus.load(out)
    assert [u.text for u in corpus.utterances] == [f"phrase numéro {n} ." for n in range(40)]
    # A and B recur in every call: they are its parties, and no party or call is on two sides
    for key in ("speaker", "session"):
        sides: dict[str, set[str]] = {}
        for utterance in corpus.utterances:
            sides.setdefault(getattr(utterance, key), set()).add(utterance.split)
        assert len(sides) == (20 if key == "speaker" else 10)
        assert all(len(splits) == 1 for splits in sides.values())
    assert {u.split for u in corpus.utterances} == {"train", "dev", "test"}
    first = corpus.utterances[0]
    assert Path(first.recording).is_relative_to(out / "audio")
    info = soundfile.info(first.recording)
    assert (info.samplerate, info.channels, info.format) == (16_000, 1, "FLAC")
    assert first.duration_s == pytest.approx(info.frames / 16_000)
    assert first.channel is None
    assert not (out / "shards").exists()


def test_what_corpus_json_keeps_of_it(talkbank: Path, tmp_path: Path) -> None:
    run(f"{talkbank}?config=fr&split=segment", tmp_path / "corpus")
    info = json.loads((tmp_path / "corpus/corpus.json").read_text(encoding="utf-8"))
    assert info["licence"] == "cc-by-nc-sa-3.0"
    (source,) = info["sources"]
    assert (source["path"], source["config"], source["splits"]) == (str(talkbank), "fr", ["segment"])
    assert list(source["shards"]) == ["fr/segment-00000-of-00002.parquet", "fr/segment-00001-of-00002.parquet"]
    assert all(len(digest) == len("sha256:") + 64 for digest in source["shards"].values())


def test_the_same_through_a_hub(talkbank: Path, tmp_path: Path) -> None:
    with hub(talkbank) as endpoint:
        env = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
        options = ["--text", "transcript", "--speaker", "speaker_id", "--session", "transcript_filename"]
        source = "hf://owner/talk?config=fr&split=segment&revision=main"
        result = command_line(
            "prepare", source, "--out", str(tmp_path / "corpus"), "--language", "fr", *options, env=env
        )
        assert result.returncode == 0, result.stderr
    (kept,) = json.loads((tmp_path / "corpus/corpus.json").read_text(encoding="utf-8"))["sources"]
    assert (kept["path"], kept["revision"]) == ("owner/talk", "0123456789abcdef0123456789abcdef01234567")
    run(f"{talkbank}?config=fr&split=segment", tmp_path / "local")
    ours, theirs = Corpus.load(tmp_path / "local").utterances, Corpus.load(tmp_path / "corpus").utterances
    assert [(u.text, u.speaker, u.split) for u in ours] == [(u.text, u.speaker, u.split) for u in theirs]


HUB_REFUSALS = [
    ("hf://owner/absent", "there is no data set", "check the name; if it is private: hf auth login"),
    ("hf://owner/gated", "is gated", "ask for access on that page, then: hf auth login"),
    ("hf://owner/talk?revision=v9", "has no revision v9", "a branch, a tag or a commit"),
]


@pytest.mark.parametrize(("source", "message", "hint"), HUB_REFUSALS)
def test_what_a_hub_refuses(talkbank: Path, tmp_path: Path, source: str, message: str, hint: str) -> None:
    with hub(talkbank) as endpoint:
        env = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
        result = command_line("prepare", source, "--out", str(tmp_path / "c"), env=env)
    error, said = result.stderr.splitlines()[-2:]
    assert result.returncode == 2
    assert error.startswith("error: ") and message in error
    assert said == f"hint: {hint}"


def test_a_hub_that_does_not_answer(tmp_path: Path) -> None:
    env = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    result = command_line("prepare", "hf://o/n", "--out", str(tmp_path / "c"), env=env)
    assert result.returncode == 2
    assert "error: the Hub does not answer: " in result.stderr
    assert "hint: check the network; HF_ENDPOINT names a mirror" in result.stderr


def test_a_download_that_breaks_off_and_a_data_set_without_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("connection reset")

    shard = SimpleNamespace(rfilename="data/train-00000-of-00001.parquet", lfs=None, blob_id="b")
    info = SimpleNamespace(sha="0" * 40, siblings=[shard], card_data=None)
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: info)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", broken)
    found = open_dataset("hf://owner/name")
    message = r"train-00000-of-00001\.parquet of .*/owner/name cannot be downloaded: connection reset"
    with pytest.raises(ParlureError, match=message) as caught:
        found.shards[0].fetch()
    assert caught.value.hint == "the same command goes on where it was"
    info.siblings = []
    with pytest.raises(ParlureError, match="hf://owner/name holds no parquet file") as caught:
        open_dataset("hf://owner/name")
    assert caught.value.hint == "the Hub may have made some: hf://owner/name?revision=refs/convert/parquet"


def test_finished_shards_are_not_read_again(talkbank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = f"{talkbank}?config=fr&split=segment", tmp_path / "corpus"
    run(source, tmp_path / "whole")

    def killed(done: int, total: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, out, progress=killed)
    with pytest.raises(ParlureError, match="is not whole"):
        Corpus.load(out)
    opened = []
    read_rows = gather.read_rows
    monkeypatch.setattr(
        gather, "read_rows", lambda path, *rest: opened.append(Path(path).name) or read_rows(path, *rest)
    )
    summary = run(source, out)
    assert opened == ["segment-00001-of-00002.parquet"]
    assert summary.warnings[0] == f"an earlier prepare left {out} not whole: it has been made whole now"
    for name in ("manifest.jsonl", "rejected.jsonl"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize(("announced", "totals"), [(None, {20, 40}), (40, {40}), (50, {50, 40}), (30, {30, 40})])
def test_shards_of_a_hub_are_fetched_one_at_a_time(
    talkbank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announced: int | None, totals: set[int]
) -> None:
    names = [f"fr/segment-0000{number}-of-00002.parquet" for number in range(2)]
    splits = [{"name": "segment", "num_examples": announced}, {"name": "other", "num_examples": 7}]
    card = {"dataset_info": [{"config_name": "fr", "splits": splits}]}
    files = [SimpleNamespace(rfilename=name, lfs=None, blob_id=name) for name in names]
    info = SimpleNamespace(sha="0" * 40, siblings=files, card_data=SimpleNamespace(to_dict=lambda: card))
    seen: list[tuple[int, int]] = []
    fetched: list[tuple[str, int]] = []

    def download(_: str, name: str, **__: Any) -> str:
        fetched.append((name, len(seen)))
        return str(talkbank / name)

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: info)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    source = "hf://owner/name?config=fr&split=segment"
    run(source, tmp_path / "c", progress=lambda *at: seen.append(at))
    assert fetched == [(names[0], 0), (names[1], 20)]
    assert {total for _, total in seen} == totals
    assert seen[-1] == (40, 40)
    assert all(done <= total for done, total in seen)


def test_two_data_sets_with_shards_of_one_name(talkbank: Path, tmp_path: Path) -> None:
    other = write_talkbank(tmp_path / "other", n_rows=6, n_calls=3)
    sources = [f"{talkbank}?config=fr&split=segment", f"{other}?config=fr&split=segment"]
    prepare(sources, tmp_path / "corpus", **TALKBANK)
    recordings = {u.recording for u in Corpus.load(tmp_path / "corpus").utterances}
    assert len(recordings) == 46
    assert sum("-of-00002-2-0" in recording for recording in recordings) == 6


def test_the_sound_is_the_files(talkbank: Path, tmp_path: Path) -> None:
    write_shard(tmp_path / "one.parquet", [row(0, 1, mp3(1.0, 300))])
    (tmp_path / "one.mp3").write_bytes(mp3(1.0, 300))
    run(tmp_path / "one.parquet", tmp_path / "corpus", ratios=(0, 0, 1))
    (utterance,) = Corpus.load(tmp_path / "corpus").utterances
    ours, theirs = read_audio(utterance.recording), read_audio(tmp_path / "one.mp3")
    assert len(ours) == len(theirs)
    assert abs(ours - theirs).max() <= 1 / 32768


def test_a_split_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for number, split in enumerate(("train", "validation", "test")):
        rows = [row(3 * n + number, 99, mp3(0.5, 300)) for n in range(3)]
        write_shard(folder / f"data/{split}-00000-of-00001-0123456789abcdef.parquet", rows)
    run(folder, tmp_path / "corpus")
    corpus = Corpus.load(tmp_path / "corpus")
    assert corpus.info["split"]["method"] == "given"
    assert [len(corpus.select(split)) for split in ("train", "dev", "test")] == [3, 3, 3]


@pytest.mark.parametrize(("splits", "warning"), [(("train",), "that is none"), (("train", "test"), "has no dev")])
def test_a_data_set_without_dev(tmp_path: Path, splits: tuple[str, ...], warning: str) -> None:
    for number, split in enumerate(splits):
        rows = [row(2 * n + number, 99, mp3(0.5, 300)) for n in range(10)]
        write_shard(tmp_path / f"mine/data/{split}-00000-of-00001.parquet", rows)
    summary = run(tmp_path / "mine", tmp_path / "corpus")
    assert all(n > 0 for n in summary.utterances_by_split.values())
    assert any(warning in said for said in summary.warnings)


def test_copying_audio_that_is_already_in_the_corpus(talkbank: Path, tmp_path: Path) -> None:
    summary = run(f"{talkbank}?config=fr&split=segment", tmp_path / "corpus", copy_audio=True)
    assert summary.n_used == 40


@pytest.mark.parametrize(
    ("query", "message", "hint"),
    [
        ("", "has several configs: en, fr", "choose one: {folder}?config=en"),
        ("?config=de", "has no config de", "it has: en, fr"),
        ("?config=fr", "has several splits: segment, switch", "choose one: {folder}?config=fr&split=segment"),
        ("?config=fr&split=turn", "has no split turn", "it has: segment, switch"),
        ("?config=fr&part=2", "part=2 means nothing here", "known are config, split"),
    ],
)
def test_what_has_to_be_chosen(talkbank: Path, query: str, message: str, hint: str) -> None:
    with pytest.raises(ParlureError, match=message) as caught:
        open_dataset(f"{talkbank}{query}")
    assert caught.value.hint == hint.format(folder=talkbank)


def test_other_refusals(talkbank: Path, tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="hf://talkbank names no data set") as caught:
        Address.parse("hf://talkbank")
    assert caught.value.hint == "hf://owner/name?config=fr&split=train"
    (tmp_path / "a.parquet").write_text("no parquet")
    with pytest.raises(ParlureError, match=r"a\.parquet cannot be read as parquet: ") as caught:
        run(tmp_path / "a.parquet", tmp_path / "c")
    assert caught.value.hint == "download or write it again"
    with pytest.raises(ParlureError, match=r"has no column text; it has: transcript") as caught:
        run(f"{talkbank}?config=fr&split=segment", tmp_path / "c", text=None)
    assert caught.value.hint == "--text transcript"
    assert not (tmp_path / "c/audio").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParlureError, match="holds no parquet file") as caught:
        prepare([tmp_path / "empty"], tmp_path / "c", reader="huggingface", language="fr")
    assert caught.value.hint == "check the path"


def test_columns_of_recordings(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sound = {"bytes": mp3(0.5, 300), "path": None}
    cases = [
        ({"text": "oui"}, "has no column of recordings; it has: text", "audio holds the bytes of a file and its path"),
        (
            {"text": "oui", "a": sound, "b": sound},
            "has several columns of recordings: a, b",
            "call the right one audio",
        ),
    ]
    for fields, message, hint in cases:
        pq.write_table(pa.Table.from_pylist([fields]), tmp_path / "x.parquet")
        with pytest.raises(ParlureError, match=message) as caught:
            prepare([tmp_path / "x.parquet"], tmp_path / "c", language="fr")
        assert caught.value.hint == hint
    pq.write_table(pa.Table.from_pylist([{"text": "oui", "sound": sound}]), tmp_path / "x.parquet")
    assert prepare([tmp_path / "x.parquet"], tmp_path / "c", language="fr", ratios=(0, 0, 1)).n_used == 1


def test_a_card_that_cannot_be_read(tmp_path: Path) -> None:
    write_shard(tmp_path / "mine/train.parquet", [row(0, 1, mp3(0.5, 300))])
    (tmp_path / "mine/README.md").write_text("---\n: [\n---\n")
    with pytest.raises(ParlureError, match=r"README\.md: its front matter cannot be read") as caught:
        open_dataset(str(tmp_path / "mine"))
    assert caught.value.hint == "mend it, or move it away"


def test_names_of_classes(tmp_path: Path) -> None:
    """``datasets`` writes a ClassLabel as its number, and the names into the schema."""
    names = {"gender": ["male", "female"], "language": ["fr", "en"]}
    features = {name: {"names": names[name], "_type": "ClassLabel"} for name in names}
    rows = [
        {
            "audio": {"bytes": mp3(0.5 + n / 10, 300.0), "path": None},
            "text": f"mot {n}",
            "gender": sex,
            "language": n % 2,
        }
        for n, sex in enumerate((1, 0, -1, 1))
    ]
    table = pa.Table.from_pylist(rows)
    about = {b"huggingface": json.dumps({"info": {"features": {**features, "lost": 1}}}).encode()}
    path = tmp_path / "train-00000-of-00001.parquet"
    pq.write_table(table.replace_schema_metadata(about), path)
    prepare([str(path)], tmp_path / "corpus", ratios=(1.0, 0.0, 0.0))
    found = Corpus.load(tmp_path / "corpus").utterances
    assert [(u.language, u.tags) for u in found] == [
        ("fr", ("gender=female",)), ("en", ("gender=male",)), ("fr", ()), ("en", ("gender=female",)),
    ]  # fmt: skip
