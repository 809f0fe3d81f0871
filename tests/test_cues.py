"""SubRip and WebVTT: cues as pysubs2 reads them, with their lines, voices and all that it leaves out."""

from __future__ import annotations

from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.corpus.readers import read_rows
from parlure.corpus.readers.cues import spoken
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError
from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.transcribing.writers import WRITERS

SRT = """1
00:00:00,500 --> 00:00:02,000
<i>Allô</i>, oui ?

2
00:00:02,100 --> 00:00:04,250 X1:10 X2:20 Y1:30 Y2:40
{\\an8}Bonjour,
<font color="#fff">c'est</font> pour <b>un rendez-vous</b>

3
00:59:04,000 --> 01:00:05,000
1984
4
00:00:06,0 --> 00:00:07,5
sans ligne vide
5
00:00:08,000 --> 00:00:09,000

6
00:00:08,500 --> 00:00:09,500
avec une

ligne vide
"""

VTT = """\ufeffWEBVTT Kind: captions
Language: fr-CA

NOTE
une remarque
sur deux lignes

STYLE
::cue { color: lime }

REGION
id:fred

intro
00:00.500 --> 00:02.000 align:start position:0%
<v Marie Tremblay>All&ocirc; &amp; <c.yellow>oui</c>&nbsp;?</v>

00:00:02.100 --> 00:00:04.250
<v.loud Marie>Bonjour</v> <00:00:03.000>toi

00:00:04.000 --> 00:00:05.000
- <v Marie>Oui.</v>
- <v Paul>Non.</v>
00:00:05.000 --> 00:00:06.000
<ruby>漢<rt>かん</rt></ruby> <lang en>hello</lang> &lt;b&gt;
"""


def read(path: Path, content: str | bytes, **columns: str) -> list[Row | Rejected]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(str(path), Columns(**columns)))


def rows(path: Path, content: str | bytes) -> list[Row]:
    found = read(path, content)
    assert [one for one in found if isinstance(one, Rejected)] == []
    return [one for one in found if isinstance(one, Row)]


def reference(path: Path) -> list[tuple[float, float, str]]:
    events = pysubs2.load(str(path), encoding="utf-8-sig")
    return [(event.start / 1000, event.end / 1000, " ".join(event.plaintext.split())) for event in events]


def spans(found: list[Row]) -> list[tuple[float | None, float | None, str | None]]:
    return [(row.start, row.end, row.text) for row in found]


def test_srt(tmp_path: Path) -> None:
    (tmp_path / "call.wav").touch()
    found = rows(tmp_path / "call.srt", SRT)
    assert spans(found) == [
        (0.5, 2.0, "Allô, oui ?"),
        (2.1, 4.25, "Bonjour, c'est pour un rendez-vous"),
        (3544.0, 3605.0, "1984"),
        (6.0, 7.5, "sans ligne vide"),
        (8.0, 9.0, ""),
        (8.5, 9.5, "avec une ligne vide"),
    ]
    assert [row.line for row in found] == [2, 6, 11, 14, 17, 20]
    assert {(row.source, row.audio, row.session, row.speaker, row.language) for row in found} == {
        (str(tmp_path / "call.srt"), tmp_path / "call.wav", None, None, None)
    }
    assert found[1].raw["text"].startswith("{\\an8}Bonjour,\n<font")
    assert [row.raw["cue"] for row in found] == ["1", "2", "3", "4", "5", "6"]


def test_srt_as_pysubs2_reads_it(tmp_path: Path) -> None:
    found = rows(tmp_path / "call.srt", SRT)
    assert spans(found) == reference(tmp_path / "call.srt")


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 359_990_000), st.integers(1, 9_000), st.text(st.sampled_from("aé ?'-<>&;{}\n1"), max_size=12)
        ),
        max_size=6,
    )
)
def test_what_pysubs2_writes(tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, int, str]]) -> None:
    subtitles = pysubs2.SSAFile()
    for start, length, text in events:
        subtitles.append(pysubs2.SSAEvent(start=start, end=start + length, text=text.replace("\n", "\\N")))
    path = tmp_path_factory.mktemp("written") / "call.srt"
    subtitles.save(str(path))
    found = [row for row in read_rows(str(path), Columns()) if isinstance(row, Row)] if events else []
    expected = reference(path) if events else []
    assert [(row.start, row.end) for row in found] == [(start, end) for start, end, _ in expected]
    if not set("<>&{}1") & {character for _, _, text in events for character in text}:
        assert spans(found) == expected


def test_vtt(tmp_path: Path) -> None:
    found = rows(tmp_path / "call.vtt", VTT)
    assert spans(found) == [
        (0.5, 2.0, "Allô & oui ?"),
        (2.1, 4.25, "Bonjour toi"),
        (4.0, 5.0, "- Oui. - Non."),
        (5.0, 6.0, "漢 hello <b>"),
    ]
    assert [row.line for row in found] == [15, 18, 21, 24]
    assert [row.speaker for row in found] == ["Marie Tremblay", "Marie", None, None]
    assert [row.tags for row in found] == [(), (), ("voices=Marie, Paul",), ()]
    assert {row.language for row in found} == {"fr-CA"}
    assert [row.raw.get("cue") for row in found] == ["intro", None, None, None]


def test_vtt_as_pysubs2_reads_it(tmp_path: Path) -> None:
    plain = "WEBVTT\n\n1\n00:00.500 --> 00:02.000\n<i>Allô</i>\n\n00:00:02.000 --> 100:00:04.250\ndeux\nlignes\n"
    assert spans(rows(tmp_path / "call.vtt", plain)) == reference(tmp_path / "call.vtt")


@pytest.mark.parametrize(("name", "writer"), [("call.srt", "srt"), ("call.vtt", "vtt")])
def test_what_parlure_transcribe_writes(tmp_path: Path, name: str, writer: str) -> None:
    segments = (Segment(0.0, 1.5, "a < b & c"), Segment(3599.999, 3600.5, "fin"))
    hypothesis = Hypothesis(
        id="call",
        text="",
        language="fr",
        segments=segments,
        no_speech_prob=0.0,
        avg_logprob=0.0,
        tokens=(),
        truncated=False,
    )
    assert spans(rows(tmp_path / name, WRITERS[writer](hypothesis))) == [
        (one.start, one.end, one.text) for one in segments
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_byte_order_marks(tmp_path: Path, ends: str, encoding: str) -> None:
    content = "1\n00:00:01,000 --> 00:00:02,000\nété\n2\n00:00:03.000 --> 00:00:04.000\nhiver\n"
    found = rows(tmp_path / "call.srt", content.replace("\n", ends).encode(encoding))
    assert [(row.line, row.text) for row in found] == [(2, "été"), (5, "hiver")]


def test_a_number_that_is_no_cues_name(tmp_path: Path) -> None:
    content = "00:00:01,000 --> 00:00:02,000\n42\n00:00:03,000 --> 00:00:04,000\noui\n"
    assert [row.text for row in rows(tmp_path / "call.srt", content)] == ["42", "oui"]


@pytest.mark.parametrize(
    ("timing", "start", "end"),
    [
        ("123:00:00,000 --> 1000:00:00,001", 442_800.0, 3_600_000.001),
        ("00:00:01.5-->00:00:02", 1.5, 2.0),
        ("0:1:2,25 --> 01:03,000001", 62.25, 63.000001),
    ],
)
def test_times(tmp_path: Path, timing: str, start: float, end: float) -> None:
    (row,) = rows(tmp_path / "call.srt", f"1\n{timing}\noui\n")
    assert (row.start, row.end) == (start, end)


@pytest.mark.parametrize(
    ("written", "speakers", "text"),
    [
        ("[SPEAKER_00]: oui bonjour", ["SPEAKER_00"], "oui bonjour"),
        ("[rires] oui", [], "[rires] oui"),
        ("Marie : oui", [], "Marie : oui"),
        ("1 < 2 && 3 > 2", [], "1 < 2 && 3 > 2"),
        ("R&D; &copy &#233;&#xE9; &bogus;", [], "R&D; &copy éé &bogus;"),
        ("un<br/>deux\\Ntrois", [], "un deux trois"),
        ("<v  Jean  Roy >oui", ["Jean Roy"], "oui"),
        ("x < y et z > w, < i >penché< / i >", [], "x < y et z > w, penché"),
    ],
)
def test_spoken(written: str, speakers: list[str], text: str) -> None:
    assert spoken(written) == (speakers, text)


@pytest.mark.parametrize(
    ("name", "content", "line", "reason", "sentence"),
    [
        ("a.srt", "", None, "empty_text", "a.srt is empty"),
        ("a.vtt", "\ufeff \r\n", None, "empty_text", "a.vtt is empty"),
        ("a.srt", "1\n00:00:02,000 --> 00:00:02,000\noui\n", 2, "bad_span",
         "the phrase ends at 2 s, not after its start at 2 s"),
        ("a.vtt", "WEBVTT\n\n00:03.000 --> 00:02.000\noui\n", 3, "bad_span",
         "the phrase ends at 2 s, not after its start at 3 s"),
        ("a.srt", "1\n00:00:02,000 -> 00:00:03,000\noui\n", 2, "malformed_row",
         "'00:00:02,000 -> 00:00:03,000' does not say from when to when, as 00:01:02,500 --> 00:01:04,000 does"),
        ("a.srt", f"1\n{'9' * 5000}:00:02,000 --> 00:00:03,000\noui\n", 2, "malformed_row",
         f"'{'9' * 60}…' does not say from when to when, as 00:01:02,500 --> 00:01:04,000 does"),
        ("a.srt", "1\n-00:00:02,000 --> 00:00:03,000\noui\n", 2, "malformed_row",
         "'-00:00:02,000 --> 00:00:03,000' does not say from when to when, as 00:01:02,500 --> 00:01:04,000 does"),
        ("a.srt", "oui bonjour\nnon\n", 1, "malformed_row",
         "'oui bonjour' belongs to no cue: no line with times before"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\noui\n\nperdu\n", 6, "malformed_row",
         "'perdu' belongs to no cue: no line with times before"),
        ("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\n\xe9t\xe9\n", 3, "bad_encoding",
         "a.srt is not UTF-8 on line 3: save it as UTF-8, then prepare again"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nmot\n".encode("utf-16-le"), 1, "bad_encoding",
         "a.srt is not UTF-8 on line 1: save it as UTF-8, then prepare again"),
    ],
)  # fmt: skip
def test_what_is_rejected(
    tmp_path: Path, name: str, content: str | bytes, line: int | None, reason: str, sentence: str
) -> None:
    found = [one for one in read(tmp_path / name, content) if isinstance(one, Rejected)]
    assert [(one.line, one.reason, one.sentence) for one in found] == [(line, reason, sentence)]
    assert found[0].source == str(tmp_path / name)


def test_an_arrow_in_a_text(tmp_path: Path) -> None:
    content = "1\n00:00:01,000 --> 00:00:02,000\n10:30 -> on y va\nvoir --> ici\n"
    assert [row.text for row in rows(tmp_path / "call.srt", content)] == ["10:30 -> on y va voir --> ici"]


def test_a_header_alone_is_no_row(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.vtt", "WEBVTT\n\nNOTE rien\n")
    assert isinstance(found, Rejected)
    assert (found.reason, found.sentence) == ("empty_text", "a.vtt holds no phrase")


def test_one_bad_cue_goes_alone(tmp_path: Path) -> None:
    content = "1\n00:00:01,000 --> 00:00:02,000\nun\n\n2\n00:00:xx --> 00:00:03,000\ndeux\n\n"
    first, bad, last = read(tmp_path / "a.srt", content + "3\n00:00:03,000 --> 00:00:04,000\ntrois\n")
    assert isinstance(first, Row) and isinstance(bad, Rejected) and isinstance(last, Row)
    assert (first.text, bad.line, bad.raw, last.text) == ("un", 6, {"text": "deux"}, "trois")


@pytest.mark.parametrize(("name", "format_"), [("a.srt", "SubRip"), ("a.vtt", "WebVTT")])
def test_columns_that_subtitles_do_not_have(tmp_path: Path, name: str, format_: str) -> None:
    with pytest.raises(ParlureError, match=f"is read as {format_} and has no columns to name") as caught:
        read(tmp_path / name, "", text="phrase", session="call")
    assert caught.value.hint == "leave out --text, --session"
