"""Names that other tools' manifests use: languages, splits, genders, paths, metadata."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.corpus.readers.elsewhere import found_from, gender, split_named, splits_named, spoken_language
from parlure.corpus.readers.tags import metadata_of, tags_of


def test_whispers_languages_by_all_their_names() -> None:
    from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE

    for name, code in [*((name, code) for code, name in LANGUAGES.items()), *TO_LANGUAGE_CODE.items()]:
        assert spoken_language(name) == code
    assert [spoken_language(code) for code in LANGUAGES] == list(LANGUAGES)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("French", "fr"), ("fra", "fr"), ("fre", "fr"), ("FR", "fr"), ("fr-CA", "fr"), ("en_US", "en"), ("eng", "en"),
        ("Mandarin", "zh"), ("deu", "de"), (" german ", "de"), ("Haitian Creole", "ht"), ("yue", "yue"),
        ("klingon", "klingon"), ("", ""), ("French/English", "French/English"),
    ],
)  # fmt: skip
def test_languages(name: str, code: str) -> None:
    assert spoken_language(name) == code


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("dev", "dev"), ("valid", "dev"), ("test", "test"), ("eval", "test"),
        ("train_clean_100", "train"), ("dev-other", "dev"), ("librispeech_cuts_test-clean.jsonl.gz", "test"),
        ("train_manifest", "train"), ("train_nodup", "train"), ("train_dev", None), ("eval2000", None),
        ("contest", None), ("", None),
    ],
)  # fmt: skip
def test_splits(name: str, split: str | None) -> None:
    assert split_named(name) == split


def test_half_a_split_is_none() -> None:
    assert splits_named(["train", "dev_clean"]) == {"train": "train", "dev_clean": "dev"}
    assert splits_named(["train", "more"]) == {"train": None, "more": None}
    assert splits_named([]) == {}


def test_genders() -> None:
    assert [gender(value) for value in ("m", "F", "female", " M ", "nonbinary")] == [
        "male", "female", "female", "male", "nonbinary",
    ]  # fmt: skip


def test_paths_count_from_the_manifest_or_from_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "s5" / "data" / "train"
    folder.mkdir(parents=True)
    assert found_from("wavs/a.wav", folder) == folder / "wavs" / "a.wav"  # as the manifest has it, to be named
    for place in (tmp_path / "s5", folder):  # from far to near: the nearest goes first
        (place / "wavs").mkdir()
        (place / "wavs" / "a.wav").touch()
        assert found_from("wavs/a.wav", folder) == place / "wavs" / "a.wav"
    assert found_from("/nowhere/a.wav", folder) == Path("/nowhere/a.wav")
    assert found_from("x" * 5000, folder) == folder / ("x" * 5000)


def test_metadata_that_becomes_tags() -> None:
    metadata = {"age": "twenties", "snr": 12.5, "n": 3, "pro": True, "none": None, "words": [1], "deep": {"a": 1}}
    assert tags_of(metadata) == ("age=twenties", "snr=12.5", "n=3", "pro=true")


@given(st.lists(st.text("ab=", max_size=4)))
def test_no_tag_is_lost(tags: list[str]) -> None:
    named, others = metadata_of(tags, reserved=("a",))
    assert sorted([*tags_of(named), *others]) == sorted(tags)
    assert "a" not in named
