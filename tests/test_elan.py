"""ELAN's files: annotations as pympi reads them, with their lines, participants, recordings and missing times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest
from pympi.Elan import Eaf

from parlure.corpus.readers import read_rows
from parlure.corpus.readers.elan_times import Spans
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.errors import ParlureError

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-05-01T12:00:00+00:00" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Users/ana/entrevue.mp4" MIME_TYPE="video/mp4"/>
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Users/ana/entrevue%201.wav" MIME_TYPE="audio/x-wav"
        RELATIVE_MEDIA_URL="./entrevue%201.wav"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1000"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
    <TIME_SLOT TIME_SLOT_ID="ts4"/>
    <TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="4000"/>
    <TIME_SLOT TIME_SLOT_ID="ts6"/>
    <TIME_SLOT TIME_SLOT_ID="ts7" TIME_VALUE="5000"/>
    <TIME_SLOT TIME_SLOT_ID="ts8"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="utterance" TIER_ID="A_transcription" PARTICIPANT="Ana">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts5">
        <ANNOTATION_VALUE> Allô &amp; bonjour </ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts6" TIME_SLOT_REF2="ts7">
        <ANNOTATION_VALUE/>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts7" TIME_SLOT_REF2="ts8">
        <ANNOTATION_VALUE>sans fin</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="utterance" TIER_ID="Paul">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a4" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
        <ANNOTATION_VALUE>oui ?</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="words" PARENT_REF="A_transcription" TIER_ID="A_words">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a5" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
        <ANNOTATION_VALUE>Allô</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a6" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
        <ANNOTATION_VALUE>&amp;</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a7" TIME_SLOT_REF1="ts4" TIME_SLOT_REF2="ts5">
        <ANNOTATION_VALUE>bonjour</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="translation" PARENT_REF="A_transcription" TIER_ID="A_english">
    <ANNOTATION>
      <REF_ANNOTATION ANNOTATION_ID="a8" ANNOTATION_REF="a1">
        <ANNOTATION_VALUE>hello</ANNOTATION_VALUE>
      </REF_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <REF_ANNOTATION ANNOTATION_ID="a9" ANNOTATION_REF="a1" PREVIOUS_ANNOTATION="a8">
        <ANNOTATION_VALUE>and good day</ANNOTATION_VALUE>
      </REF_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <REF_ANNOTATION ANNOTATION_ID="a10" ANNOTATION_REF="a99">
        <ANNOTATION_VALUE>lost</ANNOTATION_VALUE>
      </REF_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="utterance" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""


def read(path: Path, content: str | bytes = EAF, **columns: str) -> list[Row | Rejected]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(str(path), Columns(**columns)))


def rows(found: list[Row | Rejected]) -> list[Row]:
    return [one for one in found if isinstance(one, Row)]


def sentences(found: list[Row | Rejected]) -> list[tuple[int | None, str]]:
    return [(one.line, one.sentence) for one in found if isinstance(one, Rejected)]


def test_tiers_that_hang_on_no_other(tmp_path: Path) -> None:
    (tmp_path / "entrevue 1.wav").touch()
    found = read(tmp_path / "a.eaf")
    assert [(row.start, row.end, row.text, row.speaker, row.line) for row in rows(found)] == [
        (1.0, 4.0, "Allô & bonjour", "Ana", 21),
        (4.5, 5.0, "", "Ana", 26),
        (0.5, 1.0, "oui ?", "Paul", 38),
    ]
    assert sentences(found) == [(31, "the time slot ts8 has no time, and none can be had from its neighbours")]
    assert {row.audio for row in rows(found)} == {tmp_path / "entrevue 1.wav"}
    assert rows(found)[0].raw["annotation"] == "a1"


def test_tiers_that_are_named(tmp_path: Path) -> None:
    found = read(tmp_path / "a.eaf", text="A_words,A_english")
    assert [(row.start, row.end, row.text, row.speaker, row.line) for row in rows(found)] == [
        (1.0, 2.0, "Allô", "Ana", 45),
        (2.0, 3.0, "&", "Ana", 50),
        (3.0, 4.0, "bonjour", "Ana", 55),
        (1.0, 4.0, "hello and good day", "Ana", 62),
    ]
    assert sentences(found) == [(72, "the annotation a10 refers to a99, which has no time")]


def test_annotations_as_pympi_reads_them(tmp_path: Path) -> None:
    found = rows(read(tmp_path / "a.eaf", text="*"))
    eaf = Eaf(str(tmp_path / "a.eaf"))
    for tier in ("A_transcription", "Paul"):
        expected = [one for one in eaf.get_annotation_data_for_tier(tier) if None not in one]
        ours = [(row.start, row.end, row.text) for row in found if row.raw["tier"] == tier]
        assert set(ours) >= {(start / 1000, end / 1000, text.strip()) for start, end, text in expected} != set()


def test_what_pympi_writes(tmp_path: Path) -> None:
    eaf = Eaf()
    eaf.add_linked_file(str(tmp_path / "call.wav"), relpath="call.wav")
    expected = []
    for speaker in ("Ana", "Béa"):
        eaf.add_tier(f"{speaker}@transcription", part=speaker)
        for number in range(5):
            annotation = (number * 1000 + 13, number * 1000 + 900, f"phrase <{number}> de {speaker}")
            eaf.add_annotation(f"{speaker}@transcription", *annotation)
            expected.append((annotation[0] / 1000, annotation[1] / 1000, annotation[2], speaker))
    eaf.to_file(str(tmp_path / "a.eaf"))
    (tmp_path / "call.wav").touch()
    found = rows(list(read_rows(str(tmp_path / "a.eaf"), Columns())))
    assert sorted((row.start, row.end, row.text, row.speaker) for row in found) == sorted(expected)
    assert {row.audio for row in found} == {tmp_path / "call.wav"}


@pytest.mark.parametrize(
    ("lying", "media"),
    [
        (["entrevue.mp4"], "entrevue.mp4"),
        (["entrevue.mp4", "entrevue 1.wav"], "entrevue 1.wav"),
        (["entrevue 1.mp3"], "entrevue 1.mp3"),
        (["a.flac"], "a.flac"),
        ([], "entrevue 1.wav"),
    ],
)
def test_which_recording(tmp_path: Path, lying: list[str], media: str) -> None:
    for name in lying:
        (tmp_path / name).touch()
    assert {row.audio for row in rows(read(tmp_path / "a.eaf"))} == {tmp_path / media}


def test_a_recording_that_begins_earlier(tmp_path: Path) -> None:
    (tmp_path / "entrevue 1.wav").touch()
    content = EAF.replace('MIME_TYPE="audio/x-wav"', 'MIME_TYPE="audio/x-wav" TIME_ORIGIN="2500"')
    assert next((row.start, row.end) for row in rows(read(tmp_path / "a.eaf", content))) == (3.5, 6.5)


def test_a_name_longer_than_names_can_be(tmp_path: Path) -> None:
    found = rows(read(tmp_path / "a.eaf", EAF.replace("entrevue%201", "x" * 5000)))
    assert found[0].audio.name == "x" * 5000 + ".wav"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    content = EAF.replace('encoding="UTF-8"', f'encoding="{encoding.removesuffix("-sig")}"').encode(encoding)
    assert rows(read(tmp_path / "a.eaf", content))[0].text == "Allô & bonjour"


@pytest.mark.parametrize(
    ("content", "line", "reason", "sentence"),
    [
        ("", None, "empty_text", "a.eaf is empty"),
        ("<a><b></a>", 1, "malformed_row", "a.eaf line 1 is not XML: mismatched tag"),
        (EAF.encode().replace("ô".encode(), b"\xf4"), 22, "malformed_row", "a.eaf line 22 is not XML: not well-formed"),
        (EAF[:3000], 68, "malformed_row", "a.eaf line 68 is not XML: unclosed token"),
        (EAF.replace("UTF-8", "ebcdic-7"), 1, "malformed_row",
         "a.eaf line 1 names an encoding that is not known: unknown encoding: ebcdic-7"),
        ("<html/>", 1, "malformed_row", "a.eaf is XML but not of ELAN: its root is html"),
        (EAF.replace('TIME_UNITS="milliseconds"', 'TIME_UNITS="PAL-frames"'), None, "malformed_row",
         "a.eaf counts time in PAL-frames, not in milliseconds: save it with ELAN 4 or later"),
        (EAF.replace('TIME_VALUE="500"', 'TIME_VALUE="0.5"'), None, "malformed_row",
         "a.eaf has a time that is no number: invalid literal"),
        (EAF.replace('TIME_VALUE="500"', f'TIME_VALUE="{10**400}"'), None, "malformed_row",
         "a.eaf has a time that is no number: 10000000000000000000 ms"),
        (EAF.replace('TIER_ID="Paul"', 'TIER_ID="A_words"'), 43, "malformed_row",
         "a.eaf has two tiers called A_words"),
        (EAF.replace('ANNOTATION_ID="a4"', 'ANNOTATION_ID="a1"'), 38, "malformed_row",
         "a.eaf has two annotations called a1"),
        ("<ANNOTATION_DOCUMENT/>", None, "malformed_row", "a.eaf has no tier of phrases; it has: none (--text NAME)"),
    ],
)  # fmt: skip
def test_what_is_rejected(tmp_path: Path, content: str | bytes, line: int | None, reason: str, sentence: str) -> None:
    (found,) = read(tmp_path / "a.eaf", content)
    assert isinstance(found, Rejected)
    assert (found.line, found.reason) == (line, reason)
    assert found.sentence.startswith(sentence)


def test_times_that_make_no_sense(tmp_path: Path) -> None:
    content = EAF.replace('TIME_VALUE="1000"', 'TIME_VALUE="4000"').replace(
        'TIME_SLOT_REF1="ts1"', 'TIME_SLOT_REF1="?"'
    )
    assert sentences(read(tmp_path / "a.eaf", content))[0] == (
        21,
        "the phrase ends at 4 s, not after its start at 4 s",
    )
    assert sentences(read(tmp_path / "a.eaf", content))[2] == (38, "there is no time slot ?")


def test_an_entity_bomb_does_not_go_off(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    )
    (found,) = read(tmp_path / "a.eaf", bomb + "]><ANNOTATION_DOCUMENT>&j;</ANNOTATION_DOCUMENT>")
    assert isinstance(found, Rejected)
    assert "amplification" in found.sentence


def test_names_of_tiers(tmp_path: Path) -> None:
    with pytest.raises(ParlureError) as caught:
        read(tmp_path / "a.eaf", text="A_English")
    assert caught.value.message.endswith("has no tier A_English; it has: A_transcription, Paul, A_words, A_english")
    assert caught.value.hint == "--text A_english names the right one"
    with pytest.raises(ParlureError, match="is read as ELAN and has no columns to name"):
        read(tmp_path / "a.eaf", session="x")


def tier(name: str, annotations: str, more: str = "") -> str:
    return f'<TIER TIER_ID="{name}" {more}>{annotations}</TIER>'


def numbered(*tiers: str, header: str = "<HEADER/>", types: str = "") -> str:
    slots = "".join(f'<TIME_SLOT TIME_SLOT_ID="t{n}" TIME_VALUE="{n}000"/>' for n in range(3))
    order = f"<TIME_ORDER>{slots}</TIME_ORDER>"
    return f"<ANNOTATION_DOCUMENT>{header}{order}{''.join(tiers)}{types}</ANNOTATION_DOCUMENT>"


def timed(name: str, text: str) -> str:
    said = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    slots = 'TIME_SLOT_REF1="t0" TIME_SLOT_REF2="t1"'
    one = f'<ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}" {slots}>{said}</ALIGNABLE_ANNOTATION>'
    return f"<ANNOTATION>{one}</ANNOTATION>"


def hung(name: str, on: str, text: str) -> str:
    said = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    one = f'<REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="{on}">{said}</REF_ANNOTATION>'
    return f"<ANNOTATION>{one}</ANNOTATION>"


@pytest.mark.parametrize(
    ("numbers", "text", "translation"),
    [
        ("ref@Ana", "tx@Ana", "ft@Ana"),
        ("Ana_ref", "Ana_transcription", "Ana_traduction"),
        ("Ana_phrase-segnum-en", "Ana_phrase-txt-fr", "Ana_phrase-gls-en"),
    ],
)
def test_numbers_of_phrases_are_no_text(tmp_path: Path, numbers: str, text: str, translation: str) -> None:
    """Toolbox, DoReCo, FieldWorks."""
    content = numbered(
        tier(numbers, timed("a1", "001"), 'PARTICIPANT="Ana"'),
        tier(text, hung("a2", "a1", "bonjour"), f'PARENT_REF="{numbers}"'),
        tier(translation, hung("a3", "a1", "hello"), f'PARENT_REF="{numbers}"'),
    )
    assert [(row.text, row.start, row.end, row.speaker) for row in rows(read(tmp_path / "a.eaf", content))] == [
        ("bonjour", 0.0, 1.0, "Ana")
    ]
    alone = numbered(tier("ref", timed("a1", "oui")), tier("Ana_ref_2", timed("a2", "non")))  # nothing hangs on them
    assert [row.text for row in rows(read(tmp_path / "a.eaf", alone))] == ["oui", "non"]


def test_codes_of_a_controlled_vocabulary_are_no_text(tmp_path: Path) -> None:
    kinds = '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="codes" CONTROLLED_VOCABULARY_REF="cv"/>'
    content = numbered(
        tier("gestes", timed("a1", "main"), 'LINGUISTIC_TYPE_REF="codes"'), tier("Ana", timed("a2", "oui")), types=kinds
    )
    assert [row.text for row in rows(read(tmp_path / "a.eaf", content))] == ["oui"]
    assert [row.text for row in rows(read(tmp_path / "a.eaf", content, text="gestes"))] == ["main"]


def test_the_language_of_a_tier(tmp_path: Path) -> None:
    content = numbered(
        *(tier(code, timed(code, "oui"), f'LANG_REF="{code}"') for code in ("fra", "fr-CA", "und", "x-moi")),
        tier("A", timed("a", "oui")),
    )
    assert [row.language for row in rows(read(tmp_path / "a.eaf", content))] == ["fr", "fr", None, None, None]


def test_the_recording_of_an_old_file(tmp_path: Path) -> None:
    (tmp_path / "entrevue.wav").touch()
    header = '<HEADER MEDIA_FILE="file:///C:/ana/entrevue.wav" TIME_UNITS="milliseconds"/>'
    (row,) = rows(read(tmp_path / "a.eaf", numbered(tier("A", timed("a", "oui")), header=header)))
    assert row.audio == tmp_path / "entrevue.wav"


def test_ten_thousand_slots_without_a_time() -> None:
    """In one pass: were each to look for its neighbours, it would be fifty million steps."""
    n = 10_000
    root = Element("ANNOTATION_DOCUMENT")
    order, lane = SubElement(root, "TIME_ORDER"), SubElement(root, "TIER", TIER_ID="A")
    for number in range(n + 1):
        value = {"TIME_VALUE": str(number * 10)} if number in (0, n) else {}
        SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"t{number}", **value)
    for number in range(n):
        slots = {"TIME_SLOT_REF1": f"t{number}", "TIME_SLOT_REF2": f"t{number + 1}"}
        SubElement(SubElement(lane, "ANNOTATION"), "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{number}", **slots)
    spans = Spans(root)
    asked = 0

    def known(slot: str, value_of: Callable[[str], int | None] = spans._known) -> int | None:
        nonlocal asked
        asked += 1
        return value_of(slot)

    spans._known = known  # type: ignore[method-assign]
    assert [spans.of(f"a{number}") for number in range(n)] == [(number * 10, number * 10 + 10) for number in range(n)]
    assert asked <= 4 * n


def test_slots_that_follow_each_other_in_a_ring(tmp_path: Path) -> None:
    """Two annotations of a tier that hangs on another one, each between the other's slots."""
    ring = "".join(
        timed(name, "x").replace('"t0"', f'"{first}"').replace('"t1"', f'"{second}"')
        for name, first, second in (("b1", "u1", "u2"), ("b2", "u2", "u1"))
    )
    content = numbered(tier("A", timed("a1", "oui")), tier("B", ring, 'PARENT_REF="A"')).replace(
        "<TIME_ORDER>", '<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="u1"/><TIME_SLOT TIME_SLOT_ID="u2"/>'
    )
    found = read(tmp_path / "a.eaf", content, text="B")
    assert [sentence for _, sentence in sentences(found)] == [
        f"the time slot {slot} has no time, and none can be had from its neighbours" for slot in ("u1", "u2")
    ]
