"""What `check` says of texts as people write them and as other tools leave them: marks to find, writing to let pass."""

from __future__ import annotations

import pytest

from parlure.corpus.check.mojibake import mojibake
from parlure.corpus.check.residue import residue

MARKS = [
    "l&#39;été", "Tom &amp; Jerry", "&eacute;t&eacute;", "<i>oui</i>", "ligne<br>ligne", "{\\an8}oui", "(Rires)",
    "(inaudible 00:12:45)", "(bruit de fond)", "(musique d'attente)", "*rires*", "[00:12:45] oui", "[[skip]]",
    "&uh oui", "oui &Marie non", "%um oui", "(%hesitation)", "^Montréal oui", "il a +...", "xxx .", "www",
    "oui „ hein", "°tout bas°", "0is going", "*MAR0:\toui", "%com: rire", "Agent: oui", "SPEAKER_00: oui",
    "Client : non", "LOCUTEUR 1 : oui", "00:01:23,500 --> 00:01:25", "oui # non", "<unk>", "SIL oui",
    "(1:02.5) oui", "&laquo; oui &raquo;",
]  # fmt: skip
WRITING = [
    "à 0h30", "07 h 15", "le 05 mai", "agent 007", "25 °C", "n° 42", "Canal+, puis Disney+.", "(2019)", "le (514)",
    "M. Lau", "MISTER LAU", "www.exemple.ca", "R&D", "AT&T", "et/ou", "50/50", "un cours de C++ court", "+30 %",
    "5 < 6 et 7 > 3", "a@b.ca", "„Hallo“, sagte er", "20 % de rabais", "9h-17h", "l'agent : il vient", "(voir (a))",
    "#12", "s'il vous plaît", "2^3",
]  # fmt: skip


@pytest.mark.parametrize("text", MARKS)
def test_marks_of_a_transcript(text: str) -> None:
    assert residue(text, "fr")


@pytest.mark.parametrize("text", WRITING)
def test_writing_that_only_looks_like_marks(text: str) -> None:
    assert residue(text, "fr") == ""


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("l’Ã©tÃ©", "fr", "Ã© for é"),  # whose apostrophe was put in later
        ("Jâ€™ai", "fr", "â€™ for ’"),
        ("Ã\xa0 demain", "fr", "Ã\xa0 for à"),
        ("dâ€™un cÅ“ur", "fr", "â€™ for ’"),
        ("ÃƒÂ©tÃƒÂ©", "fr", "Ãƒ for Ã"),  # twice
        ("ï»¿Bonjour", "fr", "ï»¿ for \ufeff"),
        ("ðŸ˜€ ok", "en", "ðŸ˜€ for 😀"),
        ("caf√© cr√®me", "fr", "√© for é"),  # read as Mac Roman
        ("ÐŸÑ€Ð¸", "ru", "ÐŸ for П"),
        ("à¤¹à¤¿", "hi", "à¤¹ for ह"),
        ("ä½\xa0å¥½", "zh", "ä½\xa0 for 你"),
    ],
)
def test_text_in_the_wrong_encoding(text: str, language: str, value: str) -> None:
    assert mojibake(text, language) == value


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("«\xa0allé\xa0»", "fr"), ("là\xa0»", "fr"), ("«CAFÉ»", "fr"), ("OÙ»", "fr"), ("l’été”", "fr"), ("NÃO", "pt"),
        ("São Paulo", "pt"), ("„TSCHÖ“", "de"), ("№\xa05", "ru"), ("√2", "fr"),
    ],
)  # fmt: skip
def test_writing_whose_bytes_would_be_utf8(text: str, language: str) -> None:
    assert mojibake(text, language) == ""
