"""The JSON that transcription with Whisper leaves, in the shape of each tool, with the lines that segments begin on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

from parlure.corpus.readers import READERS, guess_reader, read_rows
from parlure.corpus.readers.language_names import code_of, is_code
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError

WORDS = [{"word": "oui", "start": 0.0, "end": 0.5, "score": 0.9}]
OPENAI = {
    "text": " Oui. Non.",
    "segments": [
        {"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": " Oui.", "tokens": [1, 2], "words": WORDS},
        {"id": 1, "seek": 0, "start": 1.5, "end": 3, "text": " Non.", "tokens": [3]},
    ],
    "language": "fr",
}
WHISPERX = {
    "segments": [
        {"start": 0.0, "end": 1.5, "text": " Oui.", "words": WORDS, "speaker": "SPEAKER_00"},
        {"start": 1.5, "end": 3.0, "text": "Non.", "speaker": "SPEAKER_01"},
    ],
    "word_segments": WORDS,
    "language": "fr",
}
VERBOSE = {"task": "transcribe", "duration": 3.0} | OPENAI | {"language": "french"}
CPP = {
    "systeminfo": "AVX = 1",
    "result": {"language": "fr"},
    "transcription": [
        {"timestamps": {"from": "00:00:00,000"}, "offsets": {"from": 0, "to": 1500}, "text": " Oui."},
        {"timestamps": {"from": "00:00:01,500"}, "offsets": {"from": 1500, "to": 3000}, "text": " Non."},
    ],
}
PIPELINE = {
    "text": "Oui. Non.",
    "chunks": [{"timestamp": [0.0, 1.5], "text": " Oui."}, {"timestamp": [1.5, 3.0], "text": " Non."}],
}
SHAPES: dict[str, tuple[Any, str | None, list[str | None]]] = {
    "openai-whisper": (OPENAI, "fr", [None, None]),
    "WhisperX": (WHISPERX, "fr", ["SPEAKER_00", "SPEAKER_01"]),
    "verbose_json": (VERBOSE, "fr", [None, None]),
    "whisper.cpp": (CPP, "fr", [None, None]),
    "transformers": (PIPELINE, None, [None, None]),
    "a list": (OPENAI["segments"], None, [None, None]),
}


def read(path: Path, content: Any) -> list[Row | Rejected]:
    raw = content if isinstance(content, (bytes, str)) else json.dumps(content, ensure_ascii=False)
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return list(read_rows(str(path), Columns()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spaces", [None, 2])
def test_shapes(tmp_path: Path, shape: str, spaces: int | None) -> None:
    document, language, speakers = SHAPES[shape]
    (tmp_path / "call.wav").touch()
    name = "call.wav.json" if shape == "whisper.cpp" else "call.json"
    text = json.dumps(document, indent=spaces)
    found = [row for row in read(tmp_path / name, text) if isinstance(row, Row)]
    assert [(row.start, row.end, row.text) for row in found] == [(0.0, 1.5, "Oui."), (1.5, 3.0, "Non.")]
    assert [row.speaker for row in found] == speakers
    assert {row.language for row in found} == {language}
    assert {row.audio for row in found} == {tmp_path / "call.wav"}
    assert "words" not in found[0].raw and "tokens" not in found[0].raw
    begins = [number for number, line in enumerate(text.split("\n"), start=1) if "Oui." in line or "Non." in line]
    lines = [row.line or 0 for row in found]
    assert lines == [1, 1] if spaces is None else lines[0] < lines[1]
    if shape == "a list" and spaces:
        assert text.split("\n")[lines[1] - 1].strip() == "{" and lines[1] < begins[1]


@settings(max_examples=30)
@given(
    st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
                 lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5),
    st.sampled_from([None, 0, 3]),
)  # fmt: skip
def test_segments_stand_on_their_lines(
    tmp_path_factory: pytest.TempPathFactory, other: Any, texts: list[str], spaces: int | None
) -> None:
    segments = [{"start": i, "end": i + 1, "text": text} for i, text in enumerate(texts)]
    text = json.dumps({"other": other, "segments": segments, "rest": [other]}, indent=spaces)
    path = tmp_path_factory.mktemp("json") / "a.json"
    found = [row for row in read(path, text) if isinstance(row, Row)]
    assert [row.text for row in found] == [text.strip() for text in texts]
    lines = text.split("\n")
    for row, segment in zip(found, segments, strict=True):
        if spaces is not None:
            assert lines[(row.line or 0) - 1].strip() == "{"
            assert json.loads(lines[(row.line or 0)].strip().rstrip(",").partition(":")[2]) == segment["start"]


@pytest.mark.parametrize(
    ("content", "line", "reason", "sentence"),
    [
        ("", None, "empty_text", "a.json is empty"),
        ("{\n\n'a': 1}", 3, "malformed_row", "a.json is not JSON: Expecting property name"),
        ('{"a": 1}\n{"a": 2}\n', 2, "malformed_row", "a.json is not JSON: Extra data: line 2"),
        ("[" * 100_000, 1, "malformed_row", "a.json is not JSON: "),
        ({"clip": "a.wav", "text": "oui"}, 1, "malformed_row",
         "a.json is JSON but not of Whisper: it has no list called segments, transcription, chunks"),
        ([1, 2], 1, "malformed_row", "a.json is JSON but not of Whisper"),
        ([], 1, "malformed_row", "a.json is JSON but not of Whisper"),
        ("12", 1, "malformed_row", "a.json is JSON but not of Whisper"),
        ({"segments": []}, None, "empty_text", "a.json holds no phrase"),
        ({"segments": ["oui"]}, 1, "malformed_row", "the segment is not an object with start, end and text"),
        ({"segments": [{"text": "oui", "end": 1}]}, 1, "malformed_row", "the phrase has no start"),
        ({"segments": [{"text": "oui", "start": 1, "end": None}]}, 1, "malformed_row", "the phrase has no end"),
        ({"transcription": [{"text": "oui", "offsets": {"from": 0, "to": 10**400}}]}, 1, "malformed_row",
         "end is 1000"),
        ({"transcription": [{"text": "oui", "offsets": {"from": "tôt", "to": 5}}]}, 1, "malformed_row",
         "start is 'tôt', not a time"),
        ({"chunks": [{"text": "oui", "timestamp": [1, None]}]}, 1, "malformed_row", "the phrase has no end"),
        ({"segments": [{"text": "oui", "start": "tôt", "end": 1}]}, 1, "malformed_row", "start is 'tôt', not a time"),
        ({"segments": [{"text": 5, "start": 0, "end": 1}]}, 1, "malformed_row", "text is 5, not a text"),
        ({"segments": [{"text": "oui", "start": 2, "end": 1}]}, 1, "bad_span",
         "the phrase ends at 1 s, not after its start at 2 s"),
        ('{"segments": [{"text": "\\ud83d", "start": 0, "end": 1}]}', 1, "bad_encoding",
         "a.json line 1: text is not proper UTF-8"),
        (b'{"segments": [{"text": "\xe9"}]}', 1, "bad_encoding", "a.json is not UTF-8 on line 1: save it as UTF-8"),
    ],
)  # fmt: skip
def test_what_is_rejected(tmp_path: Path, content: Any, line: int | None, reason: str, sentence: str) -> None:
    (found,) = read(tmp_path / "a.json", content)
    assert isinstance(found, Rejected)
    assert (found.line, found.reason) == (line, reason)
    assert found.sentence.startswith(sentence)


def test_one_bad_segment_goes_alone(tmp_path: Path) -> None:
    bad, good = read(tmp_path / "a.json", {"segments": [{"text": "a"}, {"text": "b", "start": 0, "end": 1}]})
    assert isinstance(bad, Rejected) and isinstance(good, Row)


def test_a_text_without_words_is_a_row(tmp_path: Path) -> None:
    (row,) = read(tmp_path / "a.json", {"segments": [{"text": None, "start": 0, "end": 1}]})
    assert isinstance(row, Row) and row.text is None  # prepare says that it has no transcript


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "call.wav").touch()
    (tmp_path / "info.json").write_text('{"name": "a corpus"}')
    assert guess_reader(str(tmp_path)) == "folder"
    (tmp_path / "call.json").write_text(json.dumps(OPENAI))
    assert guess_reader(str(tmp_path)) == "whisper"
    found = list(read_rows(str(tmp_path), Columns()))
    assert [type(one) for one in found] == [Row, Row, Rejected]
    (tmp_path / "call.json").write_text('{"audio_filepath": "call.wav", "text": "oui", "segments": []}')
    assert guess_reader(str(tmp_path)) == "folder"


def test_names_of_columns(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match="is read as the JSON of Whisper and has no columns to name") as caught:
        list(READERS["whisper"](str(tmp_path / "a.json"), Columns(speaker="who")))
    assert caught.value.hint == "leave out --speaker"


def test_languages() -> None:
    assert {name: code_of(name.title()) for name in TO_LANGUAGE_CODE} == TO_LANGUAGE_CODE
    assert [code_of("fr"), code_of("klingon")] == ["fr", "klingon"]
    assert [is_code("fr"), is_code("pt-BR"), is_code("haw"), is_code("final"), is_code("")] == [
        True, True, True, False, False
    ]  # fmt: skip


def test_translations(tmp_path: Path) -> None:
    """A translation learnt as a transcription would teach the model to translate unasked."""
    for document in (VERBOSE | {"task": "translate"}, CPP | {"params": {"translate": True}}):
        assert {row.task for row in read(tmp_path / "a.json", document) if isinstance(row, Row)} == {"translate"}
    for document in (VERBOSE, CPP | {"params": {"translate": False}}, CPP | {"params": None}, OPENAI["segments"]):
        assert {row.task for row in read(tmp_path / "a.json", document) if isinstance(row, Row)} == {None}


def test_chunks_with_a_language_or_a_speaker(tmp_path: Path) -> None:
    chunks = [chunk | {"language": name} for chunk, name in zip(PIPELINE["chunks"], ["french", None], strict=True)]
    found = read(tmp_path / "a.json", PIPELINE | {"chunks": chunks})
    assert [row.language for row in found if isinstance(row, Row)] == ["fr", None]
    speakers = [chunk | {"speaker": f"SPEAKER_0{n}"} for n, chunk in enumerate(PIPELINE["chunks"])]
    found = read(tmp_path / "a.json", {"speakers": speakers} | PIPELINE)
    assert [(row.speaker, row.text) for row in found if isinstance(row, Row)] == [
        ("SPEAKER_00", "Oui."), ("SPEAKER_01", "Non.")
    ]  # fmt: skip
    found = read(tmp_path / "a.json", PIPELINE | {"speakers": []})
    assert [row.text for row in found if isinstance(row, Row)] == ["Oui.", "Non."]
    found = read(tmp_path / "a.json", OPENAI | {"speakers": ["SPEAKER_00"]})
    assert [row.text for row in found if isinstance(row, Row)] == ["Oui.", "Non."]
