"""Kaldi data folders: what its documentation of data preparation says of them, read and written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_corpus import again, gist, make_corpus, rows_of, write_noise

from parlure.corpus.exporters.kaldi import _ids, export_kaldi
from parlure.corpus.manifest import Utterance
from parlure.corpus.readers import guess_reader
from parlure.corpus.readers.kaldi_tables import not_a_file, parse_segment
from parlure.errors import ParlureError
from parlure.speech.audio import read_audio


def write_folder(folder: Path, **tables: str) -> Path:
    """A data folder; ``wav_scp`` is ``wav.scp``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / name.replace("_scp", ".scp")).write_text(text, encoding="utf-8")
    return folder


def test_segments_of_a_recording(tmp_path: Path) -> None:
    write_noise(tmp_path / "s5" / "wavs" / "call one.wav", 3)
    folder = write_folder(
        tmp_path / "s5" / "data" / "train",
        wav_scp="call-1 wavs/call one.wav\n",  # from where Kaldi is run
        segments="ann-1 call-1 0.5 1.25\nbob-1\tcall-1 1.5  -1\n",
        text="ann-1 bonjour  là\nbob-1\tça va\u00a0?\n",
        utt2spk="ann-1 ann\nbob-1 bob-1\n",
        utt2lang="ann-1 fra\nbob-1 French\n",
        spk2gender="ann f\n",
    )
    assert guess_reader(str(folder)) == "kaldi"
    (ann, bob), rejected = rows_of(folder)
    assert rejected == []
    assert (ann.source, ann.line, ann.id, ann.text) == (str(folder / "text"), 1, "ann-1", "bonjour  là")
    assert ann.audio.samefile(tmp_path / "s5" / "wavs" / "call one.wav")
    assert (ann.start, ann.end, ann.channel, ann.session) == (0.5, 1.25, None, None)
    assert (ann.speaker, ann.language, ann.tags, ann.split) == ("ann", "fr", ("gender=female",), "train")
    assert (bob.text, bob.start, bob.end) == ("ça va\u00a0?", 1.5, None)
    assert (bob.speaker, bob.language, bob.tags) == (None, "fr", ())  # a speaker called as the utterance is not known


def test_whole_recordings(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.wav")
    folder = write_folder(tmp_path / "mine", wav_scp="u1 a.wav\nu2 /b.wav\n", text="u2 deux\nu1 un\n")
    (second, first), _ = rows_of(folder)
    assert (second.id, second.audio, second.text) == ("u2", Path("/b.wav"), "deux")
    assert first.audio.samefile(tmp_path / "a.wav")
    assert (first.start, first.end, first.speaker, first.split) == (None, None, None, None)


def test_several_folders_are_splits(tmp_path: Path) -> None:
    for name in ("train", "test"):
        write_folder(tmp_path / "data" / name, wav_scp=f"{name} a.wav\n", text=f"{name} oui\n")
    assert guess_reader(str(tmp_path / "data")) == "kaldi"
    rows, _ = rows_of(tmp_path / "data")
    assert [(row.id, row.split) for row in rows] == [("test", "test"), ("train", "train")]
    write_folder(tmp_path / "data" / "lang", wav_scp="x a.wav\n", text="x oui\n")
    assert {row.split for row in rows_of(tmp_path / "data")[0]} == {None}  # lang is no split: parlure divides


SIDES = "sw1-A sw1.wav\nsw1-B sw1.wav\n"


@pytest.mark.parametrize(
    ("tables", "n_channels", "expected"),
    [
        ({"wav_scp": SIDES}, 2, [(0, "sw1"), (1, "sw1")]),
        ({"wav_scp": SIDES}, 1, [(None, "sw1"), (None, "sw1")]),  # each side is its own mono file
        ({"wav_scp": "sw1-B sw1.wav\n"}, 2, [(1, None)]),
        ({"wav_scp": "x sw1.wav\ny sw1.wav\n", "reco2file_and_channel": "x sw1 A\ny sw1 B\n"}, 2,
         [(0, "sw1"), (1, "sw1")]),
        ({"wav_scp": "x sw1.wav\n", "reco2file_and_channel": "x sw1 A\n"}, 2, [(None, "sw1")]),  # A where no side is
        ({"wav_scp": "x sw1.wav\n", "reco2file_and_channel": "x x A\n"}, 1, [(None, None)]),
        ({"wav_scp": "x sw1.wav\n", "segments": "x x 0 1 1\n"}, 2, [(1, None)]),  # extract-segments' own channel
    ],
)  # fmt: skip
def test_sides_of_a_call(
    tmp_path: Path, tables: dict[str, str], n_channels: int, expected: list[tuple[int | None, str | None]]
) -> None:
    write_noise(tmp_path / "sw1.wav", n_channels=n_channels)
    ids = [line.split()[0] for line in tables["wav_scp"].splitlines()]
    folder = write_folder(tmp_path, text="".join(f"{name} oui\n" for name in ids), **tables)
    rows, rejected = rows_of(folder)
    assert [(row.channel, row.session) for row in rows] == expected
    assert rejected == []


COMMAND = "a command that does more than decode a file stands for the recording, and parlure runs none: write"


@pytest.mark.parametrize(
    ("extended", "sentence"),
    [
        ("sph2pipe -f wav -p -c 1 /corpora/sw02001.sph |", None),  # test_kaldi_pipes has more
        ("sox a.wav -t wav - speed 1.1 |", COMMAND),
        ("/corpora/wav.1.ark:1234", "the recording lies inside an archive or a stream: write the sound to a file"),
        ("wav.1.ark:1234[0:10]", "the recording lies inside an archive or a stream: "),
        ("-", "the recording lies inside an archive or a stream: "),
        ("", "no path follows the recording's id"),
        ("C:\\calls\\a.wav", None),
        ("calls/a 12:30.wav", None),
        ("a|b.wav", None),
    ],
)
def test_extended_filenames(extended: str, sentence: str | None) -> None:
    found = not_a_file(extended)
    assert found is None if sentence is None else (found or "").startswith(sentence)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("call-1 5.0 6.5", ("call-1", 5.0, 6.5, None)),
        ("call-1 0 -1", ("call-1", 0.0, None, None)),
        ("call-1 5 6.5 1", ("call-1", 5.0, 6.5, 1)),
        ("call-1 5.0", "a segment is an utterance, a recording, its start and its end"),
        ("", "a segment is an utterance"),
        ("call-1 5 6 0 x", "a segment is an utterance"),
        ("call-1 five 6", "start and end are seconds, and a channel is a number from 0"),
        ("call-1 5 6 A", "start and end are seconds"),
        ("call-1 6.5 5", "the segment goes from 6.5 to 5 s: it starts at 0 or later, and ends after that or at -1"),
        ("call-1 5 5", "the segment goes from 5 to 5 s"),
        ("call-1 -1 5", "the segment goes from -1 to 5 s"),
        ("call-1 nan 5", "the segment goes from nan to 5 s"),
        ("call-1 5 inf", "the segment goes from 5 to inf s"),
    ],
)
def test_lines_of_segments(rest: str, expected: object) -> None:
    found = parse_segment(rest)
    if isinstance(expected, str):
        assert isinstance(found, str) and found.startswith(expected)
    else:
        assert found == expected


def test_what_has_no_partner_is_listed(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.wav")
    folder = write_folder(
        tmp_path,
        wav_scp="r1 a.wav\nr1 b.wav\nr2 sox a.wav -t wav - vol 2 |\nr9 a.wav\n",
        segments="u2 r1 0 1\nu1 r1 1 2\nu3 r2 0 1\nu4 r7 0 1\nu5 r1 2 1\nu8 r1 0 1\nu2 r1 0 2\n",
        text="u2 deux\nu1 un\nu2 encore\nu3 trois\nu4 quatre\nu5 cinq\nu6 six\n",
        utt2spk="u1 ann\nu1 bob\n",
    )
    rows, rejected = rows_of(folder)
    assert [(row.id, row.text, row.end) for row in rows] == [("u2", "deux", 1.0), ("u1", "un", 2.0)]  # unsorted
    assert rows[1].speaker == "ann"
    found = [(Path(one.source).name, one.line, one.reason, one.sentence) for one in rejected]
    assert found == [
        ("wav.scp", 2, "duplicate_id", "the id r1 is already on wav.scp line 1"),
        ("text", 3, "duplicate_id", "the id u2 is already on text line 1"),
        ("segments", 7, "duplicate_id", "the id u2 is already on segments line 1"),
        ("utt2spk", 2, "duplicate_id", "the id u1 is already on utt2spk line 1"),
        ("text", 4, "missing_file", f"wav.scp line 3: {not_a_file('x |')}"),
        ("text", 5, "missing_file", "the recording r7 of the utterance u4 has no line in wav.scp"),
        ("text", 6, "malformed_row", f"segments line 5: {parse_segment('r1 2 1')}"),
        ("text", 7, "missing_file", "the utterance u6 has no line in segments"),
        ("segments", 6, "empty_text", "the utterance u8 has no line in text"),
        ("wav.scp", 4, "empty_text", "the recording r9 has no segment"),
    ]


def test_what_has_no_partner_without_segments(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, wav_scp="u1 a.wav\nu2 a.wav\n", text="u1\nu3 trois\n")
    (row,), rejected = rows_of(folder)
    assert (row.id, row.text) == ("u1", "")
    assert [(one.reason, one.sentence) for one in rejected] == [
        ("missing_file", "the recording u3 of the utterance u3 has no line in wav.scp"),
        ("empty_text", "the recording u2 has no line in text"),
    ]


def test_a_line_that_is_not_utf8_goes_alone(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, wav_scp="u1 a.wav\nu2 a.wav\n")
    (folder / "text").write_bytes(b"\xef\xbb\xbfu1 oui\r\nu2 \xe9t\xe9\n")
    (row,), rejected = rows_of(folder)
    assert (row.id, row.text) == ("u1", "oui")
    assert [(one.line, one.reason, one.sentence) for one in rejected] == [
        (2, "bad_encoding", "text line 2 is not proper UTF-8"),
        (2, "empty_text", "the recording u2 has no line in text"),
    ]


def test_folder_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ParlureError, match=r"is no Kaldi data folder: it has no wav\.scp") as caught:
        rows_of(tmp_path, "kaldi")
    assert caught.value.hint == "name a folder such as data/train"
    (tmp_path / "wav.scp").write_text("u1 a.wav\n")
    with pytest.raises(ParlureError, match=re.escape(f"{tmp_path} has no text")) as caught:
        rows_of(tmp_path)
    assert caught.value.hint == "a Kaldi data folder has its transcripts in a file called text"
    with pytest.raises(ParlureError, match="is a Kaldi data folder, without columns to name") as caught:
        rows_of(tmp_path, speaker="spk")
    assert caught.value.hint == "leave out --speaker"


def test_export_and_back(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    export_kaldi(corpus, tmp_path / "data")
    back = again(tmp_path / "data", tmp_path / "again")
    kept = {gist(one) for one in back.utterances}
    # what Kaldi's lines cannot hold: the no-break space, and a space in a name, which gets a hash instead
    expected = {gist(one) for one in corpus.utterances}
    named = {one[4] for one in kept} - {"interview", None}
    assert len(named) == 1 and re.fullmatch(r"call_1-[0-9a-f]{8}", named.copy().pop() or "")
    (session,) = named
    assert kept == {(*o[:2], o[2].replace("\u00a0", " "), o[3], session if o[4] == "call 1" else o[4], *o[5:])
                    for o in expected}  # fmt: skip
    by_text = {one.text: one for one in back.utterances}
    for one in corpus.utterances:
        other = by_text[one.text.replace("\u00a0", " ")]
        sound = [read_audio(it.recording, it.start, it.end, it.channel) for it in (one, other)]
        np.testing.assert_allclose(sound[1], sound[0], atol=1e-3)


def test_what_is_exported_obeys_the_rules(tmp_path: Path) -> None:
    """The rules of Kaldi's own check of a data folder, in its C locale."""
    corpus = make_corpus(tmp_path)
    export_kaldi(corpus, tmp_path / "data")
    for split in ("train", "dev", "test"):
        folder = tmp_path / "data" / split
        lines = {path.name: path.read_bytes().decode().removesuffix("\n").split("\n") for path in folder.iterdir()}
        ids = {name: [line.split(" ")[0] for line in found] for name, found in lines.items()}
        for name, found in ids.items():
            assert found == sorted(set(found), key=str.encode), name
        assert ids["text"] == ids["utt2spk"] == ids["segments"] == ids["utt2lang"]
        assert ids["wav.scp"] == ids["reco2file_and_channel"] == sorted({s.split()[1] for s in lines["segments"]})
        fields = [line.split() for line in lines["utt2spk"]]
        assert all(len(one) == 2 for one in fields)
        assert fields == sorted(fields, key=lambda one: (one[1].encode(), one[0].encode()))
        inverse = [(utterance, one[0]) for one in map(str.split, lines["spk2utt"]) for utterance in one[1:]]
        assert [list(pair) for pair in inverse] == fields
        assert all(len(one.split()) == 4 for one in lines["segments"])
        assert all(re.fullmatch(r"\S+ \S+ [AB]", one) for one in lines["reco2file_and_channel"])
    assert (tmp_path / "data" / "train" / "spk2gender").read_text() == "ann f\nann-marie m\n"
    assert not (tmp_path / "data" / "test" / "spk2gender").exists()
    # mono 16-bit WAV is named where it is, anything else is written once
    assert (tmp_path / "data" / "test" / "wav.scp").read_text().splitlines()[0] == f"memo {tmp_path / 'memo.wav'}"
    written = sorted(path.name for path in (tmp_path / "data" / "audio").iterdir())
    assert [re.sub("-[0-9a-f]{8}", "", name) for name in written] == [
        "call_1-A.wav", "call_1-B.wav", "interview.wav", "twin.wav",
    ]  # fmt: skip


NAMES = st.text("ab-", min_size=1, max_size=4)


@given(st.lists(st.tuples(NAMES, NAMES | st.none()), min_size=1))
def test_the_order_by_utterances_is_the_order_by_speakers(pairs: list[tuple[str, str | None]]) -> None:
    utterances = [
        Utterance(id=f"{name}{i}", recording="a.wav", start=0, end=1, text="a", language="fr", speaker=speaker)
        for i, (name, speaker) in enumerate(pairs)
    ]
    ids = _ids(utterances)
    table = sorted((ids[one.id], one.speaker or ids[one.id]) for one in utterances)
    assert len({key for key, _ in table}) == len(pairs)
    assert table == sorted(table, key=lambda pair: (pair[1], pair[0]))
