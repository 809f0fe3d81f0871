"""The same sound, or the same seconds, in two splits: said, whoever made the split."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
from test_prepare import Fields, run, tone, write_tone


def said(folder: Path, *rows: Fields, **options: Any) -> list[str]:
    warnings = run(folder, *rows, group_by=("none",), **options).warnings
    return [warning for warning in warnings if "another split" in warning]


def rows(**second: Any) -> list[Fields]:
    first = {"audio": "a.wav", "text": "a", "start": 0, "end": 2, "channel": 0, "split": "train"}
    return [first, {**first, "split": "test", **second}, {**first, "audio": "b.wav", "split": "dev"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, hz in (("a", 300.0), ("b", 500.0)):
        sound = tone(8.0, hz=hz) * (0.2 + tone(8.0, hz=0.1)) * (1 + tone(8.0, hz=0.05))
        soundfile.write(tmp_path / f"{name}.wav", sound, 16_000)
    return tmp_path


def test_a_copy_of_a_recording(folder: Path) -> None:
    shutil.copy(folder / "a.wav", folder / "copy.wav")
    sound, rate = soundfile.read(folder / "a.wav", dtype="int16")
    soundfile.write(folder / "again.flac", sound, rate)
    warning = (
        "an utterance holds the very same sound as one of another split (copy-000000-002000-c0 in test and "
        "a-000000-002000-c0 in train): leave out one of each"
    )
    assert said(folder, *rows(audio="copy.wav")) == [warning]
    assert said(folder, *rows(audio="again.flac")) == [warning.replace("copy", "again")]
    both = said(folder, *rows(audio="copy.wav"), {**rows()[1], "audio": "again.flac"})
    assert both[0].startswith("2 utterances hold the very same sound as one of another split (the first: copy-0")
    assert said(folder, *rows(audio="copy.wav", split="train"), {**rows()[0], "audio": "b.wav", "start": 3, "end": 5,
                "split": "test"}) == []  # fmt: skip


def test_seconds_in_two_splits(folder: Path) -> None:
    warning = (
        "an utterance shares seconds of a recording with one of another split (a-001500-003000-c0 in test and "
        "a-000000-002000-c0 in train): divide by session, or mend the times"
    )
    assert said(folder, *rows(start=1.5, end=3)) == [warning]
    assert said(folder, *rows(start=2, end=4)) == []
    assert said(folder, *rows(start=1, end=3, channel=None))[0].startswith("an utterance shares seconds")
    # a span inside a long one, behind a short one that ended before
    long = {**rows()[0], "end": 7, "channel": None}
    between = {**rows()[0], "start": 1, "end": 2.5}
    found = said(folder, *rows(start=5, end=6), long, between)
    assert "(a-005000-006000-c0 in test and a-000000-007000 in train)" in found[0]


def test_silence_is_nobodys(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_tone(tmp_path / f"{name}.wav", 8.0)
        soundfile.write(tmp_path / f"{name}.wav", tone(8.0) * 0, 16_000)
    assert said(tmp_path, *rows(audio="b.wav", start=3, end=5)) == []
