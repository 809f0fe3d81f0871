"""CHAT transcripts: each line in which somebody speaks is a row or a rejection that says why."""

from __future__ import annotations

import json
from pathlib import Path

import pylangacq
import pytest
from chat_calls import CALL, write_calls

from parlure import cli
from parlure.corpus.manifest import Segment
from parlure.corpus.prepare import prepare
from parlure.corpus.readers import guess_reader, read_rows
from parlure.corpus.readers.chat.marks import AS, MARKS
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError

DOCS = Path(__file__).parent.parent / "docs"
HEAD = "@UTF8\n@Begin\n@Languages:\tfra\n@Participants:\tMAR Participant, GIL Client\n@Media:\ta, audio\n"


def read(source: Path, **marks: str) -> list[Row | Rejected]:
    return list(read_rows(str(source), Columns(marks=marks)))


def read_text(folder: Path, text: str, **marks: str) -> list[Row | Rejected]:
    path = folder / "a.cha"
    path.write_bytes(text.encode(errors="surrogateescape"))
    return read(path, **marks)


def rows(found: list[Row | Rejected]) -> list[Row]:
    return [row for row in found if isinstance(row, Row)]


def rejected(found: list[Row | Rejected]) -> list[tuple[int | None, str, str]]:
    return [(row.line, row.reason, row.sentence) for row in found if isinstance(row, Rejected)]


def test_a_call(tmp_path: Path) -> None:
    folder = write_calls(tmp_path)
    found = read(folder / "appel1.cha")
    assert [(row.line, row.speaker, row.start, row.end, row.text) for row in rows(found)] == [
        (11, "MAR", 0.0, 0.9, "allô, oui?"),
        (12, "GIL", 1.0, 2.4, "salut Martine, c'est Gilles."),
        (16, "MAR", 2.5, 5.2, "ah ben euh je te rappelle tantôt parce que chus chus pas mal..."),
        (19, "GIL", 5.0, 5.9, "c'est beau."),
        (20, "MAR", 5.3, 8.0, "tu viens tu descends sa- samedi au chalet?"),
        (23, "GIL", 9.1, 9.7, "see you!"),
        (24, "MAR", 9.8, 9.9, ""),
    ]
    assert [(line, reason) for line, reason, _ in rejected(found)] == [(22, "unintelligible"), (25, "untimed")]
    assert rejected(found)[1][2] == "the utterance has no time mark: link it to the recording in CLAN"
    first = rows(found)[0]
    assert (first.source, first.audio) == (str(folder / "appel1.cha"), folder / "appel1.wav")
    assert first.session is None
    assert first.raw == {"speaker": "*MAR", "text": "allô , oui ? \x150_900\x15"}
    assert [row.language for row in rows(found)] == ["fr"] * 5 + ["en", "fr"]


def test_tags(tmp_path: Path) -> None:
    found = rows(read(write_calls(tmp_path)))
    ours = ("age=34;02.", "sex=female", "group=urbain", "role=Participant", "education=collège")
    assert found[0].tags == ours
    assert found[1].tags == ("sex=male", "role=Participant")
    # line 16 by the times, 19 and 20 by their marks too
    assert [row.line for row in found if "overlap" in row.tags] == [16, 19, 20]
    (row,) = rows(read_text(tmp_path, HEAD + "*GIL:\toui . \x150_900\x15\n@End\n"))
    assert row.tags == ("role=Client",)  # there is no @ID
    (row,) = rows(read_text(tmp_path, HEAD + "*XYZ:\toui . \x150_900\x15\n@End\n"))
    assert (row.speaker, row.tags) == ("XYZ", ())


def test_phrases_of_several_bullets(tmp_path: Path) -> None:
    row = next(row for row in rows(read(write_calls(tmp_path))) if row.line == 20)
    assert row.segments == (
        Segment(0.0, 1.3, "tu viens tu descends sa- samedi"), Segment(1.5, 2.3, "au chalet?")
    )  # fmt: skip


def test_the_reference_reads_the_same(tmp_path: Path) -> None:
    """Speakers, first times, lines as they stand, headers: pylangacq's."""
    folder = write_calls(tmp_path)
    reference = pylangacq.CHAT.from_files([folder / "appel1.cha"], strict=False, mor_tier=None)
    theirs = [utterance for utterance in reference.utterances() if utterance.participant is not None]
    ours = read(folder / "appel1.cha")
    assert [f"*{utterance.participant}" for utterance in theirs] == [row.raw["speaker"] for row in ours]
    assert [utterance.tiers[utterance.participant] for utterance in theirs] == [row.raw["text"] for row in ours]
    for utterance, row in zip(theirs, ours, strict=True):
        if isinstance(row, Row) and row.segments is None:
            assert utterance.time_marks == (round(row.start * 1000), round(row.end * 1000))  # type: ignore[operator]
    (headers,) = reference.headers()
    assert headers.media["filename"] == rows(ours)[0].audio.stem
    people = {person.code: person for person in headers.participants}
    assert f"sex={people['MAR'].sex}" in rows(ours)[0].tags
    assert f"role={people['GIL'].role}" in rows(ours)[1].tags


def test_folder(tmp_path: Path) -> None:
    write_calls(tmp_path / "b" / "c", 2)
    write_calls(tmp_path / "a")
    (tmp_path / "a" / "notes.txt").write_text("rien")
    assert guess_reader(str(tmp_path)) == "chat"
    found = read(tmp_path)
    assert list(dict.fromkeys(row.source for row in found)) == [
        str(tmp_path / name) for name in ("a/appel1.cha", "b/c/appel1.cha", "b/c/appel2.cha")
    ]
    assert len(found) == 27


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*MAR:\toui .\n@End\n", (None, "malformed_row", "a.cha has no @Begin: it is not one whole CHAT transcript")),
        (f"{HEAD}*MAR:\toui .\n@End\n{HEAD}*MAR:\toui .\n@End\n",
         (None, "malformed_row", "a.cha has more than one @Begin or @End: it is not one whole CHAT transcript")),
        (f"{HEAD}@End\n", (None, "malformed_row", "a.cha holds no line in which somebody speaks (*MAR:)")),
        ("", (None, "malformed_row", "a.cha has no @Begin: it is not one whole CHAT transcript")),
        (f"{HEAD}@ID:\tfra|x|MAR||f\udce9minin||\n*MAR:\toui . \x150_1\x15\n@End\n",
         (None, "bad_encoding", "a header of a.cha is not UTF-8: save it as UTF-8")),
        (f"{HEAD}*MAR:\t\udce9t\udce9 . \x150_900\x15\n@End\n",
         (6, "bad_encoding", "a.cha is not UTF-8 on line 6: save it as UTF-8")),
        (f"{HEAD}oui . \x150_900\x15\n@End\n",
         (6, "malformed_row", "line 6 of a.cha begins with no *MAR:, @ or %, nor with the tab of a long line")),
        (f"{HEAD}*MAR oui . \x150_900\x15\n@End\n",
         (6, "malformed_row", "line 6 of a.cha begins with no *MAR:, @ or %, nor with the tab of a long line")),
        (f"{HEAD}@End\n*MAR:\toui . \x150_900\x15\n", (7, "malformed_row", "line 7 of a.cha stands behind @End")),
        (f"{HEAD}*MAR:\toui . \x15900_200\x15\n@End\n",
         (6, "bad_span", "the time mark 900_200 ends at 0.2 s and starts at 0.9 s")),
        (f"{HEAD}*MAR:\toui \x15900_1200\x15 non . \x15200_400\x15\n@End\n",
         (6, "bad_span", "a time mark of the utterance starts before the one in front of it")),
        (f"{HEAD}*MAR:\t<oui . \x150_900\x15\n@End\n", (6, "malformed_row", "a < is never closed")),
        (f"{HEAD.replace('@Media:', '@Comment:')}*MAR:\toui . \x150_900\x15\n@End\n",
         (6, "missing_file", "a.cha names no recording (@Media), and none of its own name lies beside it")),
    ],
)  # fmt: skip
def test_what_cannot_be_read(tmp_path: Path, text: str, expected: tuple[int | None, str, str]) -> None:
    found = read_text(tmp_path, text)
    assert rejected(found) == [expected]
    assert rows(found) == []
    assert isinstance(found[0], Rejected)
    json.dumps(found[0].to_json(), ensure_ascii=False).encode()  # whatever it holds, it can be written


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    found = read_text(tmp_path, HEAD + "*MAR:\toui . \x150_900\x15\n")
    assert [row.text for row in rows(found)] == ["oui."]
    assert rejected(found) == [
        (None, "malformed_row", "a.cha has no @End: it may be cut off; what is there was read")
    ]  # fmt: skip


def test_other_encodings_and_line_ends(tmp_path: Path) -> None:
    text = HEAD + "*MAR:\té\n\tà . \x150_900\x15\n@End\n"
    (tmp_path / "a.cha").write_bytes(text.encode("utf-16"))
    assert rejected(read(tmp_path / "a.cha")) == [(None, "bad_encoding", "a.cha is UTF-16: save it as UTF-8")]
    (row,) = rows(read_text(tmp_path, text.replace("\n@End", "\n%com no colon\n@End").replace("\n", "\r\n")))
    assert (row.text, row.line) == ("é à.", 6)
    (tmp_path / "\udce9.cha").write_bytes(text.encode())
    reasons = [(line, reason) for line, reason, _ in rejected(read(tmp_path))]
    assert reasons == [(None, "bad_encoding")]


def test_which_recording(tmp_path: Path) -> None:
    line = "*MAR:\toui . \x150_900\x15\n@End\n"
    (tmp_path / "a.mp3").touch()
    (tmp_path / "call 1.wav").touch()
    for media, name in (
        ("a, audio", "a.mp3"),
        ('"call 1", video', "call 1.wav"),
        ("elsewhere, audio, unlinked", "a.mp3"),  # its own name
    ):
        (row,) = rows(read_text(tmp_path, HEAD.replace("a, audio", media) + line))
        assert row.audio == tmp_path / name
    without = HEAD.replace("@Media:", "@Comment:")
    (row,) = rows(read_text(tmp_path, without + line))
    assert row.audio == tmp_path / "a.mp3"
    (row,) = rows(read_text(tmp_path, without + line.replace("\x150_", '\x15%snd:"call 1"_0_')))  # as files once were
    assert (row.audio, row.start, row.end) == (tmp_path / "call 1.wav", 0.0, 0.9)


def test_bullets_of_older_files(tmp_path: Path) -> None:
    """They name the recording, and a file may be about several; those of pictures say no time."""
    for name in ("a.wav", "tape1.wav", "tape2.wav"):
        (tmp_path / name).touch()
    said = (
        '*MAR:\toui . \x15%snd:"tape1.aiff"_0_900\x15\n*GIL:\tnon . \x15%snd: "C:\\x\\tape2.aiff"_0_900\x15\n'
        '*GIL:\tvoici \x15%pic:"moi.jpg"\x15 moi . \x15%txt:"notes.txt"\x15 \x15900_1200\x15\n'
        '*MAR:\tfin . \x15%mov:"tape3.mov"_0_900\x15\n@End\n'
    )
    found = rows(read_text(tmp_path, HEAD.replace("@Media:", "@Comment:") + said))
    assert [(row.audio.name, row.start, row.end, row.text) for row in found] == [
        ("tape1.wav", 0.0, 0.9, "oui."),
        ("tape2.wav", 0.0, 0.9, "non."),
        ("tape1.wav", 0.9, 1.2, "voici moi."),
        ("tape3.mov", 0.0, 0.9, "fin."),  # missing: not that of the transcript's own name
    ]
    assert not any("overlap" in row.tags for row in found)  # at the same time, but of different recordings
    renamed = HEAD + said.replace("tape3.mov", "tape1.mov").replace("tape2", "tape1")
    assert {row.audio.name for row in rows(read_text(tmp_path, renamed))} == {"a.wav"}  # @Media knows better


def test_two_recordings_in_the_headers(tmp_path: Path) -> None:
    said = "*MAR:\toui . \x150_900\x15\n"
    found = read_text(tmp_path, f"{HEAD}{said}@Media:\tb, audio\n{said}@End\n")
    sentence = "a.cha names two recordings (@Media): a and b; make two files of it"
    assert (rows(found), rejected(found)) == ([], [(None, "malformed_row", sentence)])
    again = read_text(tmp_path, f"{HEAD}{said}@Media:\ta, audio\n{said}@End\n")
    assert len(rows(again)) == 2


def test_overlap_by_the_times(tmp_path: Path) -> None:
    said = "*MAR:\toui . \x15{}\x15\n*GIL:\tnon . \x15{}\x15\n*GIL:\tbon . \x15{}\x15\n@End\n"
    text = HEAD + said.format("0_1000", "950_1500", "800_2000")
    found = rows(read_text(tmp_path, text))
    assert [("overlap" in row.tags) for row in found] == [True, False, True]  # 50 ms are none; oneself is none
    assert rejected(read_text(tmp_path, text, overlaps="reject")) == [
        (line, "unwanted_mark", "somebody else speaks at the same time: overlaps=reject") for line in (6, 8)
    ]
    # a line that is rejected is heard all the same
    (row,) = rows(read_text(tmp_path, HEAD + "*MAR:\toui . \x150_900\x15\n*GIL:\txxx . \x150_900\x15\n@End\n"))
    assert "overlap" in row.tags


def test_choices(tmp_path: Path) -> None:
    line = "*MAR:\t&-euh le meeting@s:eng xxx [?] ils paye [*] . \x150_900\x15\n@End\n"
    (row,) = rows(read_text(tmp_path, HEAD + line, unintelligible="drop", fillers="drop"))
    assert row.text == "le meeting ils paye."
    for mark, sentence in (
        ("guesses", "[?] is a guess: guesses=reject"),
        ("errors", "[*] marks an error: errors=reject"),
        ("switches", "meeting@s:eng is of another language: switches=reject"),
    ):
        found = read_text(tmp_path, HEAD + line, unintelligible="drop", **{mark: "reject"})
        assert rejected(found) == [(6, "unwanted_mark", sentence)]
    found = read_text(tmp_path, HEAD + "*MAR:\t[- eng] yes . \x150_900\x15\n@End\n", switches="reject")
    assert rejected(found) == [(6, "unwanted_mark", "[- eng] is of another language: switches=reject")]


def test_errors(tmp_path: Path) -> None:
    folder = write_calls(tmp_path / "calls")
    (tmp_path / "empty").mkdir()
    for source, columns, message, hint in (
        (folder, Columns(text="phrase"), "is CHAT and has no columns to name",
         "leave out --text; --marks says what is text"),
        (tmp_path / "no.cha", Columns(), "there is no transcript ", "check the path"),
        (tmp_path / "empty", Columns(), "holds no transcript", "a CHAT transcript is called call.cha"),
        (folder, Columns(marks={"filler": "keep"}), "--marks: there is no mark filler", "did you mean fillers"),
    ):  # fmt: skip
        with pytest.raises(ParlureError) as caught:
            list(read_rows(str(source), columns, "chat"))
        assert message in caught.value.message
        assert caught.value.hint == hint
    with pytest.raises(ParlureError, match="is read as folder, which has no marks") as caught:
        read_rows(str(folder), Columns(marks={"fillers": "keep"}), "folder")
    assert caught.value.hint == "leave out --marks: it is for CHAT (.cha)"


def test_prepare(tmp_path: Path) -> None:
    folder = write_calls(tmp_path / "calls", 4)
    out = tmp_path / "corpus"
    arguments = ["prepare", str(folder), "--out", str(out), "--marks", "fillers=drop,retracings=drop"]
    assert cli.run([*arguments, "--empty-text", "no-speech"]) == 0
    manifest = [json.loads(line) for line in (out / "manifest.jsonl").read_text("utf-8").splitlines()]
    assert len(manifest) == 28
    texts = [row["text"] for row in manifest if row["start"] == 2.5]
    assert texts == ["ah ben je te rappelle tantôt parce que chus pas mal..."] * 4
    assert [row["text"] for row in manifest if row["start"] == 9.8] == [""] * 4
    assert all(row["language"] in ("fr", "en") for row in manifest)
    info = json.loads((out / "corpus.json").read_text("utf-8"))
    assert info["rejected"] == {"total": 8, "unintelligible": 4, "untimed": 4}
    assert info["n_used"] + info["rejected"]["total"] == info["n_read"] == 36
    assert info["sources"][0]["marks"]["retracings"] == "drop"


def test_two_people_in_one_bullet(tmp_path: Path) -> None:
    """Both rows are kept, in whatever order; the same person twice is one too many."""
    folder = write_calls(tmp_path / "calls")
    lines = [f"*{code}:\t{word} . \x150_900\x15\n" for code, word in (("MAR", "oui"), ("GIL", "non"), ("MAR", "si"))]
    manifests = []
    for order in (lines, [lines[0], lines[2], lines[1]]):
        text = HEAD.replace("a, audio", "appel1, audio") + "".join(order) + "@End\n"
        (folder / "appel1.cha").write_text(text, encoding="utf-8")
        summary = prepare([folder], tmp_path / "corpus", ratios=(0, 0, 1))
        assert (summary.n_used, summary.rejected_by_reason) == (2, {"duplicate_id": 1})
        manifest = (tmp_path / "corpus" / "manifest.jsonl").read_text("utf-8").splitlines()
        manifests.append({row["id"]: row["text"] for row in map(json.loads, manifest)})
        assert all("overlap" in json.loads(line)["tags"] for line in manifest)
    assert manifests == [{"appel1-000000-000900-MAR": "oui.", "appel1-000000-000900-GIL": "non."}] * 2


def test_an_edited_transcript_is_another_source(tmp_path: Path) -> None:
    """The hash is of what the transcripts say: an edit that leaves the size as it was changes it too."""
    folder = write_calls(tmp_path / "calls")
    hashes = []
    for text in (CALL, CALL.replace("salut", "bijou")):
        (folder / "appel1.cha").write_text(text, encoding="utf-8")
        prepare([folder], tmp_path / "corpus", ratios=(0, 0, 1))
        info = json.loads((tmp_path / "corpus" / "corpus.json").read_text("utf-8"))
        hashes.append(info["sources"][0]["sha256"])
    assert hashes[0] != hashes[1]


def test_unknown_choice_is_said_before_anything_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["prepare", str(tmp_path), "--out", str(tmp_path / "out"), "--marks", "pause=drop"]) == 2
    said = capsys.readouterr().err
    assert "error: --marks: there is no mark pause" in said
    assert "hint: did you mean pauses" in said


def mark_table() -> str:
    """The marks, from their own descriptions."""
    lines = ["| mark | written | choices, the default first | why the default |", "| --- | --- | --- | --- |"]
    for name, mark in MARKS.items():
        choices = [f"`{choice}TEXT`" if choice == AS else f"`{choice}`" for choice in mark.choices]
        lines.append(f"| `{name}` | {mark.written} | **{choices[0]}**, {', '.join(choices[1:])} | {mark.why} |")
    return "\n".join(lines)


def test_the_table_of_marks_is_the_codes() -> None:
    page = (DOCS / "chat.md").read_text("utf-8")
    assert mark_table() in page, "put this into docs/chat.md:\n" + mark_table()
