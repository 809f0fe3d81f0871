"""Text, JSON, SubRip, WebVTT, TSV, TextGrid, ELAN; and the names of the files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from parlure.errors import ParlureError
from parlure.transcribing.hypothesis import Hypothesis, Segment, Word
from parlure.transcribing.outputs import targets
from parlure.transcribing.recordings import Recording
from parlure.transcribing.tiers import Recorded
from parlure.transcribing.writers import SUFFIXES, WITH_RECORDING, WRITERS, by_word, formats_of, written

HYPOTHESIS = Hypothesis(
    id="appel",
    text="Bonjour. R&D <là>",
    language="fr",
    segments=(Segment(0.0, 1.5, "Bonjour."), Segment(3661.004, 3662.0, "R&D <là>")),
    no_speech_prob=0.123456789,
    avg_logprob=None,
    tokens=(1, 2),
    truncated=False,
)


def test_text():
    assert WRITERS["text"](HYPOTHESIS) == "Bonjour. R&D <là>\n"


def test_jsonl_round_trips():
    row = json.loads(WRITERS["jsonl"](HYPOTHESIS))
    assert row["segments"][1] == {"start": 3661.004, "end": 3662.0, "text": "R&D <là>"}
    assert (row["id"], row["no_speech_prob"], row["avg_logprob"]) == ("appel", 0.12346, None)


def test_srt():
    assert WRITERS["srt"](HYPOTHESIS) == (
        "1\n00:00:00,000 --> 00:00:01,500\nBonjour.\n\n2\n01:01:01,004 --> 01:01:02,000\nR&D <là>\n\n"
    )


def test_vtt_escapes():
    assert WRITERS["vtt"](HYPOTHESIS) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nBonjour.\n\n01:01:01.004 --> 01:01:02.000\nR&amp;D &lt;là&gt;\n"
    )


def test_every_format_has_a_suffix():
    assert SUFFIXES.keys() == {**WRITERS, **WITH_RECORDING}.keys()
    assert formats_of("srt, textgrid,srt") == ("srt", "textgrid")
    with pytest.raises(ParlureError, match="there is no format docx") as caught:
        formats_of("srt,docx")
    assert caught.value.hint == "--format text, jsonl, json, srt, vtt, tsv, textgrid, eaf"


WORDS = (Word(0.5, 0.75, "R&D", 0.5), Word(0.75, 0.75, "<là>", 0.25), Word(0.75, 1.5, "va.", 1.0))
DIALOGUE = Hypothesis(
    id="appel",
    text="R&D <là> va. Oui, oui.",
    language="fr",
    segments=(
        Segment(0.5, 1.5, "R&D <là> va.", "agent", WORDS, 0.6, 0.25),
        Segment(1.25, 3603.0, 'Oui, "oui".', "caller"),
    ),
    no_speech_prob=None,
    avg_logprob=None,
    tokens=(1, 2),
    truncated=False,
)


def test_who_speaks_when():
    assert WRITERS["text"](DIALOGUE) == '[00:00] agent: R&D <là> va.\n[00:01] caller: Oui, "oui".\n'
    assert "1\n00:00:00,500 --> 00:00:01,500\nagent: R&D <là> va.\n\n2\n" in WRITERS["srt"](DIALOGUE)
    assert WRITERS["tsv"](DIALOGUE) == (
        'start\tend\tspeaker\ttext\n500\t1500\tagent\tR&D <là> va.\n1250\t3603000\tcaller\tOui, "oui".\n'
    )
    # a time that is not later than the one before it is left out: WebVTT forbids it
    assert WRITERS["vtt"](DIALOGUE).splitlines()[3] == "<v agent>R&amp;D <00:00:00.750>&lt;là&gt; va."


def test_a_cue_for_every_word():
    assert WRITERS["tsv"](by_word(DIALOGUE)).splitlines()[1:] == [
        "500\t750\tagent\tR&D",
        "750\t750\tagent\t<là>",
        "750\t1500\tagent\tva.",
        '1250\t3603000\tcaller\tOui, "oui".',  # its words are not known
    ]


def test_openai_shape(tmp_path):
    of = Recorded(tmp_path / "appel.wav", 3604.0, tmp_path / "appel.json")
    row = json.loads(written("json", DIALOGUE, of))
    assert (row["language"], row["duration"], row["text"]) == ("fr", 3604.0, DIALOGUE.text)
    assert row["segments"][0] == {
        "id": 0, "start": 0.5, "end": 1.5, "text": "R&D <là> va.", "speaker": "agent",
        "probability": 0.6, "min_probability": 0.25,
    }  # fmt: skip
    assert row["words"][0] == {"word": "R&D", "start": 0.5, "end": 0.75, "probability": 0.5}
    assert "words" not in json.loads(written("json", HYPOTHESIS, of))


@pytest.fixture
def tiered(tmp_path):
    """The dialogue in Praat's and ELAN's formats, beside its recording."""
    import numpy as np

    from parlure.speech.audio import write_audio

    write_audio(tmp_path / "appel.wav", np.full(16_000 * 2, 0.1, np.float32))
    for form in ("textgrid", "eaf"):
        file = tmp_path / f"appel{SUFFIXES[form]}"
        short = replace(DIALOGUE, segments=(DIALOGUE.segments[0], replace(DIALOGUE.segments[1], end=2.0)))
        file.write_text(written(form, short, Recorded(tmp_path / "appel.wav", 2.0, file)), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("reader", ["textgrid", "elan"])
def test_our_readers_read_what_is_said_and_not_its_words(tiered, reader):
    from parlure.corpus.readers import READERS
    from parlure.corpus.readers.row import Columns, Row

    rows = list(READERS[reader](str(tiered), Columns()))
    assert all(isinstance(row, Row) for row in rows)
    assert sorted((row.start, row.end, row.text, row.speaker) for row in rows) == [
        (0.5, 1.5, "R&D <là> va.", "agent"),
        (1.25, 2.0, 'Oui, "oui".', "caller"),
    ]


def test_silence_is_a_tier_without_phrases(tmp_path):
    textgrid = pytest.importorskip("praatio.textgrid")
    silent = replace(HYPOTHESIS, text="", segments=())
    for form in ("textgrid", "eaf"):
        file = tmp_path / f"a{SUFFIXES[form]}"
        file.write_text(written(form, silent, Recorded(tmp_path / "a.wav", 2.0, file)), encoding="utf-8")
    grid = textgrid.openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=True)
    assert [tuple(one) for one in grid.getTier("transcript").entries] == [(0.0, 2.0, "")]
    assert 'TIER_ID="transcript"' in (tmp_path / "a.eaf").read_text(encoding="utf-8")


def test_praat_and_elan_read_them(tiered):
    textgrid = pytest.importorskip("praatio.textgrid")
    elan = pytest.importorskip("pympi.Elan")
    grid = textgrid.openTextgrid(str(tiered / "appel.TextGrid"), includeEmptyIntervals=False)
    assert grid.tierNames == ("agent", "agent - words", "caller")
    # a word that lasts no time is joined to the next: Praat has no interval of no length
    assert [tuple(one) for one in grid.getTier("agent - words").entries] == [
        (0.5, 0.75, "R&D"), (0.75, 1.5, "<là> va."),
    ]  # fmt: skip
    file = elan.Eaf(str(tiered / "appel.eaf"))
    assert list(file.get_tier_names()) == ["agent", "agent - words", "caller"]
    assert sorted(one[:3] for one in file.get_annotation_data_for_tier("agent - words")) == [
        (500, 750, "R&D"), (750, 1500, "<là> va."),
    ]  # fmt: skip
    assert file.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == "appel.wav"


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (["x1/call.wav", "/y/autre.mp3"], ["call.srt", "autre.srt"]),
        (["x1/call.wav", "x2/call.wav"], ["x1/call.srt", "x2/call.srt"]),
        (["x1/Call.wav", "x2/../call.wav"], ["x1/Call.srt", "call.srt"]),
        (["x/a.b.wav", "x/a.b.mp3", "x/c.wav"], ["a.b.wav.srt", "a.b.mp3.srt", "c.wav.srt"]),
    ],
)
def test_no_two_recordings_share_a_file(audio, expected, tmp_path):
    found = targets([Recording(Path(name), 1.0) for name in audio], tmp_path / "out", "srt")
    assert list(found.values()) == [tmp_path / "out" / name for name in expected]


def test_what_lies_in_a_folder_lies_alike(tmp_path):
    inside = [Recording(Path(f"calls/{name}"), 1.0, Path("calls")) for name in ("a.wav", "monday/a.wav")]
    found = targets([*inside, Recording(Path("x/b.wav"), 1.0)], tmp_path, "vtt")
    assert [path.relative_to(tmp_path).as_posix() for path in found.values()] == ["a.vtt", "monday/a.vtt", "b.vtt"]


def test_two_texts_of_one_file(tmp_path):
    with pytest.raises(ParlureError, match=r"call\.wav is given twice") as caught:
        targets([Recording(Path("x/call.wav"), 1.0), Recording(Path("x/call.wav"), 1.0)], tmp_path, "srt")
    assert caught.value.hint == "name each recording once"
    with pytest.raises(ParlureError, match=r"call-c0\.vtt would be of two recordings") as caught:
        two = [Recording(Path("x/call.wav"), 1.0), Recording(Path("x/call-c0.wav"), 1.0)]
        targets(two, tmp_path, "vtt", by_channel=True)
    assert caught.value.hint == "transcribe them into different folders"
