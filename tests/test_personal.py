"""Personal numbers are found where they stand; ordinary sentences with numbers in them raise no alarm."""

from __future__ import annotations

import random
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.corpus.personal import KINDS, find_personal, is_card, is_iban, is_luhn, is_nir, is_sin
from parlure.corpus.spoken_digits import spoken_runs
from parlure.speech.service_calls import call_turns

# Published examples: test numbers of card brands, of the IBAN registry and of INSEE; telephone numbers of fiction.
FOUND = [
    ("fr", "card", "ma carte c'est 〈4111 1111 1111 1111〉 merci"),
    ("fr", "card", "〈4111-1111-1111-1111〉."),
    ("en", "card", "it is 〈5500005555555559〉, exp. 12/27"),
    ("en", "card", "〈3782 822463 10005〉"),
    ("en", "card", "〈6011 1111 1111 1117〉"),
    ("fr", "phone", "appelez au 〈514-555-0199〉!"),
    ("fr", "phone", "〈(514) 555-0199〉"),
    ("fr", "phone", "〈514 555 0199〉 ou 〈514.555.0199〉 ou 〈5145550199〉"),
    ("fr", "phone", "〈1 800 555-0199〉"),
    ("en", "phone", "〈+1 514 555 0199〉"),
    ("fr", "phone", "c'est le 〈06 12 34 56 78〉"),
    ("fr", "phone", "〈+33 6 12 34 56 78〉 ou 〈0033 6 12 34 56 78〉 ou 〈+33 (0)6 12 34 56 78〉"),
    ("fr", "phone", "〈01.23.45.67.89〉, 〈0123456789〉"),
    ("en", "phone", "〈+44 20 7946 0958〉"),
    ("fr", "iban", "〈FR14 2004 1010 0505 0001 3M02 606〉 voilà"),
    ("en", "iban", "〈DE89370400440532013000〉"),
    ("de", "iban", "〈de89 3704 0044 0532 0130 00〉 bitte"),
    ("en", "iban", "〈GB82-WEST-1234-5698-7654-32〉"),
    ("fr", "sin", "mon NAS est le 〈130 692 544〉"),
    ("en", "sin", "〈130-692-544〉 or 〈130692544〉"),
    ("fr", "nir", "〈2 69 05 49 588 157 80〉"),
    ("fr", "nir", "〈255081416802538〉"),
    ("fr", "email", "écrivez à 〈marie.t@exemple.qc.ca〉."),
    ("fr", "email", "〈jean point dupont arobase gmail point com〉 s'il vous plaît"),
    ("en", "email", "〈bob at example dot com〉"),
    ("fr", "card", "c'est le 〈quatre un un un, un un un un, un un un un, un un un un〉, oui"),
    ("fr", "phone", "〈cinq un quatre, cinq cinq cinq, zéro un neuf neuf〉"),
    ("fr", "phone", "〈cinq cent quatorze, cinq cent cinquante-cinq, zéro un quatre-vingt-dix-neuf〉"),
    ("fr", "phone", "〈zéro six douze trente-quatre cinquante-six soixante-dix-huit〉"),
    ("fr", "phone", "au 〈514 cinq cinq cinq euh zéro un neuf neuf〉"),
    ("en", "phone", "〈five one four, five five five, oh one double nine〉 please"),
    ("en", "sin", "〈one three zero six nine two five four four〉"),
    ("fr", "spoken_digits", "le dossier 〈quatre sept deux euh huit un un neuf〉"),
    ("en", "spoken_digits", "〈seven three three, zero one five eight〉"),
]  # fmt: skip

CLEAN = {
    "fr": [
        "un deux trois quatre cinq six sept huit neuf dix",
        "dix neuf huit sept six cinq quatre trois deux un zéro",
        "un, deux, trois, un, deux, trois",
        "en 1995 et en 2003, 2019 2020 2021 2022",
        "ça coûte 1 234 567 dollars, ou 2 500 000 000 euros, ou 1 250 000 $",
        "130 692 544 habitants",
        "$130 692 544 en tout",
        "à 14 h 30, 15:45, 8h05",
        "le 24 12 2019 à 10 30",
        "le 12/05/2021 ou 2021-05-12",
        "de deux cent cinquante mille à trois cent mille",
        "vingt-deux ou vingt-trois, trente",
        "vingt-cinq, trente-deux, quarante-cinq, vingt-huit, trente",
        "deux cent cinquante, trois cents, quatre cents, huit cent dix",
        "j'ai trois enfants de deux, quatre et sept ans, nés en quatre-vingt-dix-neuf",
        "mille neuf cent quatre-vingt-dix-neuf, deux mille un, deux mille deux",
        "les numéros trois, sept, douze, vingt-deux, trente, quarante et un",
        "code postal H2X 1Y4, au 1234, rue Ontario",
        "entre 2010-2015 et 300-1200",
        "ISBN 978-2-07-036822-8",
        "+20 000 000, température de +12 degrés 30",
        "de huit à neuf, de dix à onze, une heure",
        "elle a payé deux cent mille cinq cents dollars le un juin",
        "vol AF 1380, porte 42, siège 17C",
        "6,3 % contre 12,75 % en 2008, soit 1 500,50 $",
        "un un peu, une une chose, sept cent",
        "version 10.15.7 du 3 mars",
        "on s'appelle vers 5 h 10 ou 5 h 15 le 514",
    ],
    "en": [
        "1,234,567,890 people",
        "3.14159265358979",
        "twenty twenty one was hard, nineteen ninety nine too",
        "one two one two testing",
        "one two three four five six seven eight nine ten eleven",
        "look at that dot com bubble",
        "I work at home, dot",
        "score: 21 19, 15 21, 11 9",
        "192.168.100.100",
        "it costs $4,111,111,111,111,111 or 300 400 dollars",
        "four or five hundred, six thousand seven hundred",
        "from nine to five, at two forty five, on the twenty second",
        "the 0 000 000 000 hypothesis, 10^9, 1e10",
        "call 911 or 811 or dial 1234",
        "it is 2019-12-24T10:30:00, at 10:30:45.123",
        "UTC-05:00, 45.5017 N, -73.5673 W",
    ],
}


@pytest.mark.parametrize(("language", "kind", "marked"), FOUND)
def test_what_is_found_and_where(language: str, kind: str, marked: str) -> None:
    text = marked.replace("〈", "").replace("〉", "")
    found = [(text[one.start : one.end], one.kind) for one in find_personal(text, language)]
    assert found == [(piece.partition("〉")[0], kind) for piece in marked.split("〈")[1:]]


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in CLEAN.items() for text in texts])
def test_ordinary_numbers_raise_no_alarm(language: str, text: str) -> None:
    assert find_personal(text, language) == []


def test_service_calls_raise_no_alarm() -> None:
    rng = random.Random(1)
    turns = [turn for _ in range(100) for turn in call_turns(rng, 12)]
    assert sum("cent" in turn for turn in turns) > 20  # there are numbers in them
    assert [turn for turn in turns if find_personal(turn, "fr")] == []


CHECKED = [row for row in FOUND if row[1] in ("card", "iban", "nir") and "quatre" not in row[2]]


@pytest.mark.parametrize(("language", "kind", "marked"), CHECKED)
def test_a_number_with_one_digit_wrong_is_not_taken_for_a_checked_one(language: str, kind: str, marked: str) -> None:
    text = marked.replace("〈", "").replace("〉", "")
    last = max(i for i, character in enumerate(marked.partition("〉")[0].replace("〈", "")) if character.isdigit())
    wrong = text[:last] + str((int(text[last]) + 1) % 10) + text[last + 1 :]
    assert kind not in [one.kind for one in find_personal(wrong, language)]


def test_several_in_one_text_in_its_order() -> None:
    text = "marie@exemple.ca, 514-555-0199, carte 4111 1111 1111 1111"
    assert [one.kind for one in find_personal(text, "fr-CA")] == ["email", "phone", "card"]


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (is_luhn, "79927398713"),  # the example of the algorithm's descriptions
        (is_card, "378282246310005"),
        (is_sin, "130692544"),
        (is_nir, "269054958815780"),
        (is_iban, "GB82WEST12345698765432"),
    ],
)
def test_check_digits_catch_every_single_slip(check, good: str) -> None:
    assert check(good)
    slips = [
        good[:i] + digit + good[i + 1 :]
        for i, was in enumerate(good)
        if was.isdigit()
        for digit in "0123456789"
        if digit != was
    ]
    assert not any(map(check, slips))


def test_corsica_counts_as_19_and_18() -> None:
    for department, stands_for in (("2A", 19), ("2B", 18)):
        body = int(f"18505{stands_for}006084")
        assert is_nir(f"18505{department}006084{97 - body % 97:02d}")


PIECES = re.findall(r"\S+", "un deux cent vingt et mille 514 555-0199 euh , 4111 @ arobase point com +33 06 (")


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from(PIECES),
        max_size=14,
    ).map(" ".join)
)
def test_spans_are_in_the_text_in_order_and_apart(text: str) -> None:
    for language in ("fr", "en", "de"):
        found = find_personal(text, language)
        assert all(0 <= one.start < one.end <= len(text) and one.kind in KINDS for one in found)
        assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("text", "language", "numbers"),
    [
        ("soixante et onze soixante-dix-sept quatre-vingts", "fr", ["71", "77", "80"]),
        ("septante-deux nonante-neuf zéro une", "fr", ["72", "99", "0", "1"]),
        ("twenty-one, forty two, triple seven", "en", ["21", "42", "777"]),
        ("neuf cent quatre-vingt-dix-neuf deux cents un", "fr", ["999", "200", "1"]),
    ],
)
def test_how_number_words_are_read(text: str, language: str, numbers: list[str]) -> None:
    (run,) = spoken_runs(text, language)
    assert list(run.numbers) == numbers
    assert text[run.start : run.end] == text


def test_it_is_fast_on_what_people_mostly_say() -> None:
    text = "bonjour j'aimerais parler à quelqu'un pour mon compte s'il vous plaît oui un instant"
    clock = time.process_time()
    for _ in range(5_000):
        find_personal(text, "fr")
    assert (time.process_time() - clock) * 200 < 60  # s of a core for a million; 7 s measured
