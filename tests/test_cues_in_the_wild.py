"""Subtitles as YouTube, Zoom, Webex, whisper.cpp and people leave them: what rolls, who speaks, what is no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from parlure.corpus.readers import read_rows
from parlure.corpus.readers.cues import spoken
from parlure.corpus.readers.row import Columns, Rejected, Row

YOUTUBE = """WEBVTT
Kind: captions
Language: fr

00:00:00.160 --> 00:00:02.389 align:start position:0%
\x20
bonjour<00:00:00.480><c> à</c><00:00:00.560><c> tous</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
bonjour à tous
\x20

00:00:02.399 --> 00:00:05.110 align:start position:0%
bonjour à tous
bienvenue<00:00:02.800><c> ici</c>

00:00:05.110 --> 00:00:05.120 align:start position:0%
bienvenue ici
\x20

00:00:05.120 --> 00:00:06.000 align:start position:0%
bienvenue ici
oui

00:00:06.000 --> 00:00:06.010 align:start position:0%
oui
\x20

00:00:06.010 --> 00:00:07.000 align:start position:0%
oui
oui
"""


def read(path: Path, content: str) -> list[Row | Rejected]:
    path.write_text(content)
    return list(read_rows(str(path), Columns()))


def rows(path: Path, content: str) -> list[Row]:
    found = read(path, content)
    assert [one for one in found if isinstance(one, Rejected)] == []
    return [one for one in found if isinstance(one, Row)]


def spans(found: list[Row]) -> list[tuple[float | None, float | None, str | None]]:
    return [(row.start, row.end, row.text) for row in found]


def test_captions_that_roll(tmp_path: Path) -> None:
    found = read(tmp_path / "call.vtt", YOUTUBE)
    said = [one for one in found if isinstance(one, Row)]
    assert spans(said) == [
        (0.16, 2.389, "bonjour à tous"), (2.399, 5.11, "bienvenue ici"), (5.12, 6.0, "oui"), (6.01, 7.0, "oui")
    ]  # fmt: skip
    assert [(one.line, one.reason, one.sentence) for one in found if isinstance(one, Rejected)] == [
        (9, "repeated", "'bonjour à tous' only repeats the cue before it, as rolling captions do"),
        (17, "repeated", "'bienvenue ici' only repeats the cue before it, as rolling captions do"),
        (25, "repeated", "'oui' only repeats the cue before it, as rolling captions do"),
    ]
    content = "".join(
        f"{n}\n00:00:0{n},000 --> 00:00:0{n},990\n{text}\n\n"
        for n, text in enumerate(["un", "un\ndeux", "deux", "deux\ntrois", "trois"], start=1)
    )
    converted = read(tmp_path / "call.srt", content)
    assert [one.text for one in converted if isinstance(one, Row)] == ["un", "deux", "trois"]


def test_people_who_repeat_each_other_do_not_roll(tmp_path: Path) -> None:
    texts = ["oui", "oui", "oui\nnon", "bon", "bon", "ah", "ben", "là", "là\nmoi"]
    content = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},990\n{text}\n\n" for n, text in enumerate(texts))
    assert [row.text for row in rows(tmp_path / "call.srt", content)] == [text.replace("\n", " ") for text in texts]


def test_names_before_colons(tmp_path: Path) -> None:
    texts = ["Marie Tremblay: Il est 10:30 : on commence.", "J.-F. Côté (Ext): Oui.\nMarie Tremblay : Bon.", "Oui.",
             "Question: quoi?\nAttention: travaux", "Marie Tremblay: [SPEAKER_00]: non"]  # fmt: skip
    content = "WEBVTT\n\n" + "".join(f"{n}\n00:0{n}.000 --> 00:0{n}.900\n{text}\n\n" for n, text in enumerate(texts))
    found = rows(tmp_path / "call.vtt", content)
    assert [(row.speaker, row.text, row.tags) for row in found] == [
        ("Marie Tremblay", "Il est 10:30 : on commence.", ()),
        (None, "Oui. Bon.", ("voices=J.-F. Côté (Ext), Marie Tremblay",)),
        (None, "Oui.", ()),
        ("Question", "quoi? Attention: travaux", ()),
        ("Marie Tremblay", "[SPEAKER_00]: non", ()),
    ]


def test_a_colon_now_and_then_is_text(tmp_path: Path) -> None:
    for texts in (
        ["Attention: travaux", "Attention : travaux", "oui", "non"],
        ["Je lui ai dit: viens", "Il a dit: non"],
    ):
        content = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{text}\n\n" for n, text in enumerate(texts))
        found = rows(tmp_path / "call.srt", content)
        assert [(row.speaker, row.text) for row in found] == [(None, text) for text in texts]


def test_who_speaks_in_the_names_of_cues(tmp_path: Path) -> None:
    """Webex."""
    content = 'WEBVTT\n\n1 "Marie Roy" (12)\n00:00.000 --> 00:02.000\nAllô.\n\n2 "x"\n00:02.000 --> 00:03.000\nOui.\n'
    assert [(row.speaker, row.text) for row in rows(tmp_path / "call.vtt", content)] == [
        ("Marie Roy", "Allô."), (None, "Oui.")
    ]  # fmt: skip


def test_blank_lines_are_empty_in_webvtt(tmp_path: Path) -> None:
    content = "WEBVTT a --> b\n\n00:01.000 --> 00:02.000\n \nun\n\t\ndeux\n\n  \n\n00:02.000 --> 00:03.000\ntrois\n"
    assert [row.text for row in rows(tmp_path / "call.vtt", content)] == ["un deux", "trois"]


def test_numbers_of_cues(tmp_path: Path) -> None:
    """The first one is missing, or stands behind a byte order mark of its own; a file was joined to another."""
    for first in ("", "\ufeff\ufeff1\n"):
        content = first + "00:00:01,000 --> 00:00:02,000\nun\n\n2\n00:00:02,000 --> 00:00:03,000\n1984\n\n\ufeff1\n"
        found = rows(tmp_path / "call.srt", content + "00:00:03,000 --> 00:00:04,000\ntrois\n")
        assert [(row.text, row.line) for row in found] == [("un", 2 if first else 1), ("1984", 6 if first else 5),
                                                           ("trois", 10 if first else 9)]  # fmt: skip


def test_spaces_in_times(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "call.srt", " 1 \n 00: 00 : 01, 500 --> 00: 01: 02 , 000 \noui\n")
    assert (row.start, row.end, row.text) == (1.5, 62.0, "oui")


@pytest.mark.parametrize("arrow", ["–>", "——>", "‐‐>", "--&gt;", "→", "- >"])
def test_other_arrows_do_not_become_text(tmp_path: Path, arrow: str) -> None:
    content = f"1\n00:00:01,000 --> 00:00:02,000\nun\n\n2\n00:00:02,000 {arrow} 00:00:03,000\ndeux\n"
    good, bad = read(tmp_path / "call.srt", content)
    assert isinstance(good, Row) and isinstance(bad, Rejected)
    assert (good.text, bad.line, bad.raw) == ("un", 6, {"text": "deux"})
    assert bad.sentence.endswith("does not say from when to when, as 00:01:02,500 --> 00:01:04,000 does")


@pytest.mark.parametrize(
    ("written", "speakers", "text"),
    [
        ("Bonjour\\hle\\nmonde", [], "Bonjour le monde"),
        ("(speaker 0) Oui.", ["speaker 0"], "Oui."),
        ("(speaker ?) Oui.", [], "(speaker ?) Oui."),
        ("<ruby>漢<rt>kan</rt>字<rt>ji</ruby>", [], "漢字"),
    ],
)
def test_spoken_in_the_wild(written: str, speakers: list[str], text: str) -> None:
    assert spoken(written) == (speakers, text)
