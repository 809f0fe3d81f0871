"""Praat's TextGrid: both formats as praatio reads them, with lines, tiers as speakers, and what is no TextGrid."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from praatio import textgrid as praat

from parlure.corpus.readers import read_rows
from parlure.corpus.readers.row import Columns, Rejected, Row
from parlure.corpus.readers.tiers import holds_phrases, speaker_of
from parlure.errors import ParlureError

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0 ! a "comment" with 12 things in it
xmax = 4.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "Marie"
        xmin = 0
        xmax = 4.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = "il dit ""oui""! 12"
        intervals [2]:
            xmin = 1.25
            xmax = 2e0
            text = "  "
        intervals [3]:
            xmin = 2e0
            xmax = 4.5
            text = "non"
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 4.5
        points: size = 1
        points [1]:
            number = 3.0
            mark = "click"
    item [3]:
        class = "IntervalTier"
        name = "transcription"
        xmin = 0
        xmax = 4.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 4.5
            text = "sur deux
lignes"
"""

SHORT = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n4.5\n<exists>\n3\n"IntervalTier"\n"Marie"\n0\n4.5\n3\n'
    '0\n1.25\n"il dit ""oui""! 12"\n1.25\n2e0\n"  "\n2e0\n4.5\n"non"\n"TextTier"\n"clicks"\n0\n4.5\n1\n3.0\n"click"\n'
    '"IntervalTier"\n"transcription"\n0\n4.5\n1\n0\n4.5\n"sur deux\nlignes"\n'
)


def read(path: Path, content: str | bytes, **columns: str) -> list[Row | Rejected]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(str(path), Columns(**columns)))


def rows(path: Path, content: str | bytes, **columns: str) -> list[Row]:
    found = read(path, content, **columns)
    assert [one for one in found if isinstance(one, Rejected)] == []
    return [one for one in found if isinstance(one, Row)]


def grid(tiers: dict[str, list[tuple[float, float, str]]]) -> str:
    written = praat.Textgrid()
    for name, intervals in tiers.items():
        written.addTier(praat.IntervalTier(name, intervals, 0, 10))
    return written


@pytest.mark.parametrize(("content", "lines"), [(LONG, [18, 26, 45]), (SHORT, [15, 21, 36])])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_both_formats(tmp_path: Path, content: str, lines: list[int], encoding: str, ends: str) -> None:
    (tmp_path / "call.WAV").touch()
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    found = rows(tmp_path / "call.TextGrid", (mark + content.replace("\n", ends)).encode(encoding))
    assert [(row.start, row.end, row.text, row.speaker) for row in found] == [
        (0.0, 1.25, 'il dit "oui"! 12', "Marie"),
        (2.0, 4.5, "non", "Marie"),
        (0.0, 4.5, "sur deux\nlignes", None),
    ]
    assert [row.line for row in found] == lines
    assert {(row.source, row.audio.name, row.session) for row in found} == {
        (str(tmp_path / "call.TextGrid"), "call.WAV", None)
    }
    assert [row.raw["tier"] for row in found] == ["Marie", "Marie", "transcription"]


_TEXT = st.text(st.sampled_from('aé "!<>1.\\[]='), min_size=1, max_size=8).filter(str.strip)


@settings(max_examples=50)
@given(
    st.lists(st.lists(_TEXT, max_size=4), min_size=1, max_size=3), st.sampled_from(["short_textgrid", "long_textgrid"])
)
def test_what_praatio_writes(tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], form: str) -> None:
    path = tmp_path_factory.mktemp("praat") / "call.TextGrid"
    tiers = {f"S{i}": [(2.0 * k, 2.0 * k + 1.5, text) for k, text in enumerate(tier)] for i, tier in enumerate(texts)}
    grid(tiers).save(str(path), format=form, includeBlankSpaces=True)
    found = [one for one in read_rows(str(path), Columns()) if isinstance(one, Row)]
    reference = praat.openTextgrid(str(path), includeEmptyIntervals=False)
    expected = [(name, *entry) for name in reference.tierNames for entry in reference.getTier(name).entries]
    assert [(row.speaker, row.start, row.end, row.text) for row in found] == expected
    lines = path.read_text(encoding="utf-8").split("\n")
    assert all(str(row.text).replace('"', '""') in lines[(row.line or 0) - 1] for row in found)


@pytest.mark.parametrize(
    ("tier", "speaker"),
    [
        ("Marie", "Marie"),
        (" Marie Tremblay ", "Marie Tremblay"),
        ("transcription", None),
        ("Utterances", None),
        ("text 2", None),
        ("default", None),
        ("", None),
        ("words", None),
        ("Marie - words", "Marie"),
        ("Marie - Jean", "Marie - Jean"),
        ("tx@Marie", "Marie"),
        ("orthographe de Marie", "orthographe de Marie"),
        ("Orthographe", None),
        ("tx", None),
        ("speaker", None),
        ("Speaker 1", "Speaker 1"),
        ("speaker_02", "speaker_02"),
        ("silences", None),
        ("notes", None),
    ],
)
def test_who_speaks_in_a_tier(tier: str, speaker: str | None) -> None:
    assert speaker_of(tier) == speaker


def test_tiers_of_words_and_sounds() -> None:
    names = ["Marie - words", "Marie - phones", "ORT-MAU", "MAU", "MAS", "phonemes", "mots", "syllables", "words@Marie"]
    names += ["phono", "TokensAlign", "PhonAlign", "ToE", "IPA"]  # EasyAlign, SPPAS
    assert [name for name in names if holds_phrases(name, names)] == []
    assert holds_phrases("MAU", ["MAU", "JEA"])  # a person in a corpus with codes of three letters


def test_tiers_of_notes() -> None:
    names = ["notes", "Comments", "commentaires 2", "Marie - notes", "bruits", "notes@Marie"]
    assert [name for name in names if holds_phrases(name, names)] == []


def test_praats_silences(tmp_path: Path) -> None:
    """To TextGrid (silences), of which people write over what says sounding."""
    path = tmp_path / "call.TextGrid"
    intervals = [(0, 1, "silent"), (1, 2, "sounding"), (2, 3, "silent"), (3, 4, "oui")]
    grid({"silences": intervals}).save(str(path), format="short_textgrid", includeBlankSpaces=True)
    bad, good = read_rows(str(path), Columns())
    assert isinstance(bad, Rejected) and isinstance(good, Row)
    assert (bad.line, bad.reason) == (18, "empty_text")
    assert bad.sentence == "the interval still says sounding: nobody has transcribed it"
    assert (good.start, good.text, good.speaker) == (3.0, "oui", None)
    tiers = {"silences": intervals[:3], "Marie": [(1, 2, "non")]}
    grid(tiers).save(str(path), format="short_textgrid", includeBlankSpaces=True)
    assert [row.text for row in rows(path, path.read_bytes())] == ["non"]


def test_naming_tiers(tmp_path: Path) -> None:
    path = tmp_path / "call.TextGrid"
    tiers = {name: [(0, 1, f"de {name}")] for name in ("Marie", "tx@A", "tx@B", "words", "phones")}
    grid(tiers).save(str(path), format="short_textgrid", includeBlankSpaces=True)
    content = path.read_bytes()
    assert [row.text for row in rows(path, content)] == ["de Marie", "de tx@A", "de tx@B"]
    assert [(row.text, row.speaker) for row in rows(path, content, text="words, tx@*")] == [
        ("de tx@A", "A"),
        ("de tx@B", "B"),
        ("de words", None),
    ]
    with pytest.raises(ParlureError) as caught:
        rows(path, content, text="word")
    assert caught.value.message == f"{path} has no tier word; it has: Marie, tx@A, tx@B, words, phones"
    assert caught.value.hint == "--text words names the right one"
    with pytest.raises(ParlureError, match="is read as TextGrid and has no columns to name") as caught:
        rows(path, content, text="Marie", speaker="Marie")
    assert caught.value.hint == "leave out --speaker"


def test_files_without_the_tier(tmp_path: Path) -> None:
    for name, tier in (("a", "words"), ("b", "Marie")):
        path = tmp_path / f"{name}.TextGrid"
        grid({tier: [(0, 1, "oui")]}).save(str(path), format="long_textgrid", includeBlankSpaces=True)
    found = list(read_rows(str(tmp_path), Columns()))
    assert [one.sentence for one in found if isinstance(one, Rejected)] == [
        "a.TextGrid has no tier of phrases; it has: words (--text NAME)"
    ]
    found = list(read_rows(str(tmp_path), Columns(text="words")))
    assert [one.sentence for one in found if isinstance(one, Rejected)] == [
        "b.TextGrid has no tier words; it has: Marie"
    ]


@pytest.mark.parametrize(
    ("content", "line", "reason", "sentence"),
    [
        (LONG.replace("xmax = 1.25", "xmax = un"), 18, "malformed_row",
         'a.TextGrid line 18: "il dit ""oui""! 12" stands where an end in tier Marie should, a number'),
        (LONG.replace('text = "non"', "text = non"), 29, "malformed_row",
         "a.TextGrid line 29: a tier is an IntervalTier or a TextTier, not clicks"),
        (LONG.replace('"Marie"', "Marie"), 12, "malformed_row",
         "a.TextGrid line 12: 0 stands where the name of a tier should, a text in quotes"),
        (SHORT[:-2], 36, "malformed_row", "a.TextGrid line 36: the quote opened here is never closed"),
        (SHORT[:-25], 33, "malformed_row",
         "a.TextGrid ends where a start in tier transcription should stand: it is cut off"),
        (LONG.replace("size = 3", "size = 3.5", 1), 7, "malformed_row",
         "a.TextGrid line 7: how many tiers cannot be 3.5"),
        (LONG.replace("size = 3", "size = 1e999", 1), 7, "malformed_row",
         "a.TextGrid line 7: how many tiers cannot be inf"),
        (LONG.replace("TextTier", "PitchTier"), None, "malformed_row",
         "a.TextGrid line 28: a tier is an IntervalTier or a TextTier, not PitchTier"),
        ("ooBinaryFile\x08TextGrid\x00\x01", None, "malformed_row",
         "a.TextGrid is a binary TextGrid: in Praat, Save as text file"),
        ('"Praat chronological TextGrid text file"\n0 1\n', None, "malformed_row",
         "a.TextGrid is a chronological TextGrid: in Praat, Save as text file"),
        ('File type = "ooTextFile"\nObject class = "PitchTier"\n', 1, "malformed_row",
         "a.TextGrid is no TextGrid of Praat: it does not begin with ooTextFile and TextGrid"),
        ("bonjour", 1, "malformed_row", "a.TextGrid ends where the kind of file should stand: it is cut off"),
        ("", None, "empty_text", "a.TextGrid is empty"),
        (LONG.encode("latin-1").replace(b"non", b"\xe9t\xe9"), 26, "bad_encoding",
         "a.TextGrid is not UTF-8 on line 26: save it as UTF-8, then prepare again"),
        ('File type = "ooTextFile"\nObject class = "TextGrid"\n0\n1\n<absent>\n', None, "malformed_row",
         "a.TextGrid has no tier of phrases; it has: none (--text NAME)"),
    ],
)  # fmt: skip
def test_what_is_rejected(tmp_path: Path, content: str | bytes, line: int | None, reason: str, sentence: str) -> None:
    (found,) = read(tmp_path / "a.TextGrid", content)
    assert isinstance(found, Rejected)
    assert found.reason == reason
    assert found.sentence.startswith(sentence)
    assert line is None or found.line == line


def test_an_interval_without_duration(tmp_path: Path) -> None:
    bad, *good = read(
        tmp_path / "a.TextGrid", LONG.replace("xmax = 1.25\n            text", "xmax = 0\n            text")
    )
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.sentence) == (18, "the phrase ends at 0 s, not after its start at 0 s")
    assert len(good) == 2


def test_all_pauses(tmp_path: Path) -> None:
    content = SHORT.replace("non", "").replace("sur deux\nlignes", "").replace('il dit ""oui""! 12', "")
    (found,) = read(tmp_path / "a.TextGrid", content)
    assert isinstance(found, Rejected)
    assert (found.reason, found.sentence) == ("empty_text", "a.TextGrid holds no phrase")
