"""Profile ``fr``: tables of what it makes alike and what it keeps apart, and what holds for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parlure.scoring.normalize import PROFILES
from parlure.scoring.normalize.french_numbers import spell, spell_digits, spell_ordinal

fr = PROFILES["fr"].normalize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L’Été, c'est fini !", "l' été c' est fini"),
        ("L' été", "l' été"),
        ("l ' été", "l' été"),
        ("Jusqu'à ce qu'on l'ait dit", "jusqu' à ce qu' on l' ait dit"),
        ("lorsqu'il, puisqu'elle, quoiqu'on", "lorsqu' il puisqu' elle quoiqu' on"),
        ("c'qu'l'autre", "c' qu' l' autre"),
        ("Aujourd’hui quelqu'un entr'ouvre la presqu'île", "aujourd'hui quelqu'un entr'ouvre la presqu'île"),
        ("aujourd' hui, aujourd hui", "aujourd'hui aujourd'hui"),
        ("quelqu’un, quelqu' une, quelqu un", "quelqu'un quelqu'une quelqu'un"),
        ("y'a, Y’en a, n'y'a", "y a y en a n' y a"),
        ("p'tit gars", "p'tit gars"),
        ("il dit 'bonjour' et ''merci''", "il dit bonjour et merci"),
        ("Peut-être — c'est-à-dire", "peut être c' est à dire"),
        ("Cœur, œuvre, Lætitia", "coeur oeuvre laetitia"),
        ("où ou à a dès des", "où ou à a dès des"),
        ("[rires] oui (tousse)", "rires oui tousse"),
        ("e\u0301te\u0301 zé\u00adro", "été zéro"),
        ("M. Roy, MM. Roy et Mme Roy", "monsieur roy messieurs roy et madame roy"),
        ("Mlle Roy et le Dr. Roy", "mademoiselle roy et le docteur roy"),
        ("Mr Roy, Mr. Roy, Mᵐᵉ Roy, Mgr Roy", "monsieur roy monsieur roy madame roy monseigneur roy"),
        ("à 5 m. de là", "à cinq m de là"),
        ("10 A.M. demain", "dix am demain"),
        ("St-Jean, Ste-Foy", "saint jean sainte foy"),
        ("pain & beurre, etc., et cætera", "pain et beurre et cetera et cetera"),
        ("la S.A.Q., l'O.N.U. et la SAQ", "la saq l' onu et la saq"),
        ("O.K., okay, OK", "ok ok ok"),
        ("?!…", ""),
        ("", ""),
    ],
)
def test_french_words(text, expected):
    assert fr(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", "quatre vingt"),
        ("2020.", "deux mille vingt"),
        ("10 000", "dix mille"),
        ("10\u202f000 et 1.000.000", "dix mille et un million"),
        ("114 555-12", "cent quatorze cinq cent cinquante cinq douze"),
        ("06 12", "zéro six douze"),
        ("3,5", "trois virgule cinq"),
        ("3.05", "trois virgule zéro cinq"),
        ("3,1416", "trois virgule un quatre un six"),
        ("1.2.3", "un deux trois"),
        ("12/03/2020", "douze zéro trois deux mille vingt"),
        ("14h", "quatorze heures"),
        ("14h00", "quatorze heures"),
        ("À 14h30.", "à quatorze heures trente"),
        ("14:30", "quatorze heures trente"),
        ("0h05", "zéro heure cinq"),
        ("20 %", "vingt pour cent"),
        ("$20", "vingt dollars"),
        ("1 €", "un euro"),
        ("20,50 €", "vingt euros cinquante"),
        ("2,5 €", "deux virgule cinq euros"),
        ("12 345,67 $", "douze mille trois cent quarante cinq dollars soixante sept"),
        ("2 millions $ 5 €", "deux millions de dollars cinq euros"),
        ("0,50 $, 0,05 €, 50 ¢", "cinquante cent cinq centimes cinquante cent"),
        ("5 M$, 1,5 M€, 1 G$", "cinq millions de dollars un virgule cinq million de euros un milliard de dollars"),
        ("1 livre, £1", "un livre une livre"),
        ("1er 1re 1ère 1ers", "premier première première premiers"),
        ("2e, 2ème 2nd 2nde 2es", "deuxième deuxième second seconde deuxièmes"),
        ("3er 3nd 0e", "trois er trois nd zéro e"),
        ("5e 9e 21e 80e 1000e", "cinquième neuvième vingt et unième quatre vingtième millième"),
        ("n° 5, no 5, No. 5, nᵒ 5", "numéro cinq numéro cinq numéro cinq numéro cinq"),
        ("20°, 1 °, +33, −5", "vingt degrés un degré plus trente trois moins cinq"),
        (
            "-20 °C, -1,5 °, 68 °F",
            "moins vingt degrés celsius moins un virgule cinq degrés soixante huit degrés fahrenheit",
        ),
        ("- 5 pommes, -5 pommes, 3-5", "cinq pommes cinq pommes trois cinq"),
        ("2 h 30 min", "deux heures trente"),
        ("1ᵉʳ, 3 ème, 3 e", "premier troisième trois e"),
        ("l'1 B747", "l' un b sept cent quarante sept"),
        ("1000000000000", "un " + "zéro " * 11 + "zéro"),
        ("quatre-vingt-dix-neuf", "quatre vingt dix neuf"),
    ],
)
def test_french_numbers(text, expected):
    assert fr(text) == expected


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("80 personnes", "quatre-vingts personnes"),
        ("200 fois", "deux cents fois"),
        ("21 heures", "vingt et une heures"),
        ("81 ans", "quatre-vingt-une ans"),
        ("1 heure", "une heure"),
        ("1h", "une heure"),
        ("14 h 30", "quatorze heures trente"),
        ("14 heures 30", "14h30"),
        ("1980", "dix-neuf cent quatre-vingts"),
        ("1980", "mil neuf cent quatre-vingts"),
        ("1515", "quinze-cent-quinze"),
        ("1100", "onze cents"),
        ("20 %", "vingt pourcent"),
        ("2,5 millions d'euros", "deux virgule cinq millions d’euros"),
        ("3 cents", "trois cents"),
        ("20,50 euros", "20,50 €"),
        ("20,50 €", "vingt euros et cinquante centimes"),
        ("20,05 €", "vingt euros et cinq centimes"),
        ("1,99 $", "un dollar et quatre-vingt-dix-neuf cents"),
        ("500 $ et 500 €", "cinq cents dollars et cinq cents euros"),
        ("2 h 30", "deux heures et demie"),
        ("14 h 15", "quatorze heures et quart"),
        ("14 h 05", "quatorze heures zéro cinq"),
        ("14 h 30", "quatorze heures trente minutes"),
        ("92 et 71", "nonante-deux et septante et un"),
        ("80", "huitante"),
        ("81", "quatre-vingt et un"),
        ("3,5", "trois point cinq"),
        ("mil", "mil"),
    ],
)
def test_french_number_forms_agree(digits, words):
    assert fr(digits) == fr(words)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "zéro"), (16, "seize"), (17, "dix sept"), (21, "vingt et un"), (70, "soixante dix"),
        (71, "soixante et onze"), (77, "soixante dix sept"), (80, "quatre vingt"), (81, "quatre vingt un"),
        (91, "quatre vingt onze"), (99, "quatre vingt dix neuf"), (100, "cent"), (101, "cent un"), (200, "deux cent"),
        (1000, "mille"), (1001, "mille un"), (80_000, "quatre vingt mille"), (21_000, "vingt et un mille"),
        (999_999, "neuf cent quatre vingt dix neuf mille neuf cent quatre vingt dix neuf"),
        (1_000_000, "un million"), (2_000_300, "deux millions trois cent"), (3 * 10**9, "trois milliards"),
    ],
)  # fmt: skip
def test_spell(number, expected):
    assert spell(number) == expected


def test_spelling_is_unique_and_a_fixed_point():
    numbers = [*range(2_000), *range(2_000, 1_000_000, 997)]
    spelled = [spell(number) for number in numbers]
    assert len(set(spelled)) == len(spelled)
    assert all(fr(words) == words for words in spelled)


def test_spell_refuses_what_it_cannot():
    with pytest.raises(ValueError, match="outside"):
        spell(-1)
    with pytest.raises(ValueError, match="outside"):
        spell(10**12)


def test_spell_ordinal_and_digits():
    ordinals = {2: "deuxième", 3: "troisième", 4: "quatrième", 6: "sixième", 10: "dixième", 30: "trentième"}
    assert {number: spell_ordinal(number) for number in ordinals} == ordinals
    assert (spell_digits("007"), spell_digits("0"), spell_digits("00")) == ("zéro zéro sept", "zéro", "zéro zéro")


@pytest.mark.parametrize(
    "written",
    [
        "514 555 0199", "514-555-0199", "514.555.0199", "(514) 555-0199", "514 555-0199", "5145550199",
        "cinq cent quatorze cinq cent cinquante-cinq zéro un quatre-vingt-dix-neuf",
        "cinq cent quatorze, cinq cent cinquante-cinq, zéro un, nonante-neuf",
        "cinq un quatre cinq cinq cinq zéro un neuf neuf",
        "Cinq quatorze, cinq cinquante-cinq, zéro un, neuf neuf.",
        "514, 555, zéro un 99",
    ],
)  # fmt: skip
def test_telephone_numbers_of_north_america(written):
    assert fr(f"au {written}, poste 12") == "au cinq un quatre cinq cinq cinq zéro un neuf neuf poste douze"


@pytest.mark.parametrize(
    "written",
    [
        "06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78", "0612345678",
        "zéro six douze trente-quatre cinquante-six soixante-dix-huit",
        "zéro six un deux trois quatre cinq six sept huit",
        "zéro six, douze, trente-quatre, cinquante-six, septante-huit",
    ],
)  # fmt: skip
def test_telephone_numbers_of_france(written):
    assert fr(f"au {written}.") == "au zéro six douze trente quatre cinquante six soixante dix huit"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-800-555-0199", "un huit zéro zéro cinq cinq cinq zéro un neuf neuf"),
        (
            "un huit cent cinq cent cinquante-cinq zéro un neuf neuf",
            "un huit zéro zéro cinq cinq cinq zéro un neuf neuf",
        ),
        ("+1 514 555 0199", "plus un cinq un quatre cinq cinq cinq zéro un neuf neuf"),
        ("+33 6 12 34 56 78", "plus trente trois six douze trente quatre cinquante six soixante dix huit"),
        ("+33612345678", "plus trente trois six douze trente quatre cinquante six soixante dix huit"),
        ("01 00 20 05 99", "zéro un zéro zéro vingt zéro cinq quatre vingt dix neuf"),
        ("450 212-2000", "quatre cinq zéro deux un deux deux zéro zéro zéro"),
        ("quatre cent cinquante deux cent douze deux mille", "quatre cinq zéro deux un deux deux zéro zéro zéro"),
        ("cinq cent dix neuf cent quatre zéro un vingt-deux", "cinq un zéro neuf zéro quatre zéro un deux deux"),
        ("le 911 ou le neuf-un-un", "le neuf cent onze ou le neuf cent onze"),
        # no telephone numbers
        ("10 514 555", "dix millions cinq cent quatorze mille cinq cent cinquante cinq"),
        ("un deux trois quatre cinq six sept", "un deux trois quatre cinq six sept"),
        ("114 555 0199", "cent quatorze cinq cent cinquante cinq zéro cent quatre vingt dix neuf"),
        ("514 055 0199", "cinq cent quatorze zéro cinquante cinq zéro cent quatre vingt dix neuf"),
        ("00 12 34 56 78", "zéro zéro douze trente quatre cinquante six soixante dix huit"),
    ],
)
def test_what_is_a_telephone_number(text, expected):
    assert fr(text) == expected


AREA = st.integers(200, 999)
DIGITS = [spell(digit) for digit in range(10)]


@settings(max_examples=300, deadline=None)
@given(area=AREA, exchange=AREA, pairs=st.tuples(*[st.integers(0, 99)] * 2))
@example(area=560, exchange=212, pairs=(17, 45))
@example(area=580, exchange=217, pairs=(80, 10))
@example(area=200, exchange=200, pairs=(97, 80))
@example(area=200, exchange=200, pairs=(77, 80))
def test_a_telephone_number_is_one_however_it_is_said(area, exchange, pairs):
    line = "".join(f"{pair:02}" for pair in pairs)
    by_the_digit = " ".join(spell(int(digit)) for digit in f"{area}{exchange}{line}")
    said = f"{spell(area)} {spell(exchange)} {' '.join(spell_digits(f'{pair:02}') for pair in pairs)}"
    assert fr(f"{area}-{exchange}-{line}") == fr(by_the_digit) == by_the_digit
    # "trente quatre vingt huit" is 34 28 or 30 88: what was taken is at least said like that
    taken = "".join(str(DIGITS.index(word)) for word in fr(said).split())
    assert said == " ".join(
        [spell(int(taken[:3])), spell(int(taken[3:6])), spell_digits(taken[6:8]), spell_digits(taken[8:])]
    )


@settings(max_examples=300, deadline=None)
@given(first=st.integers(1, 9), pairs=st.lists(st.integers(0, 99), min_size=4, max_size=4))
@example(first=6, pairs=[60, 10, 22, 22])
@example(first=6, pairs=[80, 19, 4, 20])
@example(first=1, pairs=[0, 0, 4, 21])
def test_a_number_of_france_is_one_in_digits_and_in_pairs(first, pairs):
    digits = " ".join(f"{pair:02}" for pair in [first, *pairs])
    said = " ".join(spell_digits(f"{pair:02}") for pair in [first, *pairs])
    assert fr(digits) == fr(digits.replace(" ", "")) == fr(said) == said


PIECES = (
    "l' ' ’ - — . , : 0 1 2 7 14 30 80 000 514 555 0199 06 h heure heures e er è ème % € $ ¢ ° M. Mme dr st- aujourd "
    "hui qu' quelqu y' cent cents vingts dix neuf onze mil mille et un une quatre vingt soixante zéro point minutes "
    "demie quart dollars euros centimes sous nonante septante millions pourcent été Où œ O.K. [ ] ( ) − + n° no "
    "virgule etc M$"
)
FRENCH_PIECES = st.sampled_from([*PIECES.split(), " ", "\u00a0", "\u0301", "\u00ad"])
FRENCH_TEXT = st.lists(FRENCH_PIECES, max_size=12)
ANY_TEXT = FRENCH_TEXT.map("".join) | FRENCH_TEXT.map(" ".join) | st.text()


@settings(max_examples=1500, deadline=None)
@given(text=ANY_TEXT)
def test_twice_is_once_and_words_are_never_lost(text):
    once = fr(text)
    assert fr(once) == once == " ".join(PROFILES["fr"].words(text))
    if any(unicodedata.category(char) in ("Ll", "Lu", "Lo", "Nd") for char in text):
        assert once


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT)
@pytest.mark.parametrize(("one", "other"), [("ou", "où"), ("a", "à"), ("du", "dû"), ("des", "dès"), ("pis", "puis")])
def test_other_words_stay_apart_wherever_they_stand(text, one, other):
    assert fr(f"{text} , {one} , {text}") != fr(f"{text} , {other} , {text}")


@settings(max_examples=300, deadline=None)
@given(text=st.text("aàeéèêcçiïoôuùyœæ ", max_size=30))
def test_accents_are_never_lost(text):
    expected = text.replace("œ", "oe").replace("æ", "ae")
    assert fr(text) == " ".join(expected.split())
    assert fr(unicodedata.normalize("NFD", text).upper()) == " ".join(expected.split())


@pytest.mark.parametrize(
    "text",
    [  # found among random strings of number words: what one application made, the next made something else of
        "seize septante euros quinze cents centimes",
        "deux 80 point mil cent",
        "nonante 555-0199 € treize cents 555-0199 heures",
        "cents 5 minutes septante dollars 80 centimes cent",
        "neuf M. l'été quatre point mil huitante onze 5",
    ],
)
def test_heaps_of_number_words_stay_as_they_became(text):
    normalize = PROFILES["fr"].normalize
    assert normalize(normalize(text)) == normalize(text)
