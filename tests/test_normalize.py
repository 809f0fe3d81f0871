"""The profiles: parity of ``basic`` with OpenAI's normaliser, and tables of what ``fr`` makes alike and keeps apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.errors import ParlureError
from parlure.scoring.normalize import PROFILES, get_profile, headline_profile, profile_hash
from parlure.scoring.normalize.french_numbers import spell, spell_digits, spell_ordinal

fr = PROFILES["fr"].normalize
basic = PROFILES["basic"].normalize

# Inputs of the published tests of openai/whisper (tests/test_normalizer.py, MIT), and what breaks normalisers.
OPENAI_INPUTS = """two|thirty one|five twenty four|nineteen ninety nine|two point five million|4.2 billions|200 thousand
$20 million|€52.4 million|£77 thousands|two double o eight|july third twenty twenty|3 14|3.14|3 point 14|$20.1 million
ninety percent|seventy six per cent|double oh seven|minus 500|two dollars and seventy cents|3 cents|$0.36|b747|10 th
10th|mobilisation|cancelation|Let's|he's like|she's been like|10km|10mm|RC232
Mr. Park visited Assoc. Prof. Kim Jr.""".replace("\n", "|").split("|")
HARD_INPUTS = [
    "", " ", "...", "L'été, peut-être !", "aujourd’hui", "[rires] Bonjour (tousse) <noise> toi", "(a (b) c)", "[a) b>",
    "A.B.C.", "20 % de 3,5 $", "हिन्दी में", "தமிழ்", "العَرَبِيَّة", "ﬁn", "½ tasse", "１２３", "e\u0301te\u0301",
    "İstanbul", "ẞtraße", "cœur æther", "日本語、です。", "a\u00a0b\u202fc\u2028d", "\u200bzéro\u00adlargeur",
    "()", "<>", "[] x",
]  # fmt: skip


@pytest.fixture(scope="module")
def openai_basic():
    pytest.importorskip("transformers")
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer

    return BasicTextNormalizer(remove_diacritics=False)


@pytest.mark.parametrize("text", OPENAI_INPUTS + HARD_INPUTS)
def test_basic_equals_openai(openai_basic, text):
    assert basic(text).split() == openai_basic(text).split()


@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_basic_equals_openai_on_anything(openai_basic, text):
    assert basic(text).split() == openai_basic(text).split()


def test_raw_keeps_everything_but_composition_and_white_space():
    assert PROFILES["raw"].normalize(" L'E\u0301te\u0301 ,\u00a0 20 %\n") == "L'Été , 20 %"


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
        ("aujourd' hui", "aujourd'hui"),
        ("p'tit gars", "p'tit gars"),
        ("il dit 'bonjour' et ''merci''", "il dit bonjour et merci"),
        ("Peut-être — c'est-à-dire", "peut être c' est à dire"),
        ("Cœur, œuvre, Lætitia", "coeur oeuvre laetitia"),
        ("où ou à a dès des", "où ou à a dès des"),
        ("[rires] oui (tousse)", "rires oui tousse"),
        ("e\u0301te\u0301 zé\u00adro", "été zéro"),
        ("M. Roy, MM. Roy et Mme Roy", "monsieur roy messieurs roy et madame roy"),
        ("Mlle Roy et le Dr. Roy", "mademoiselle roy et le docteur roy"),
        ("à 5 m. de là", "à cinq m de là"),
        ("10 A.M. demain", "dix a m demain"),
        ("St-Jean, Ste-Foy", "saint jean sainte foy"),
        ("pain & beurre, etc.", "pain et beurre et cetera"),
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
        ("514 555-1234", "cinq cent quatorze cinq cent cinquante cinq mille deux cent trente quatre"),
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
        ("1 livre, £1", "un livre une livre"),
        ("1er 1re 1ère 1ers", "premier première première premiers"),
        ("2e, 2ème 2nd 2nde 2es", "deuxième deuxième second seconde deuxièmes"),
        ("3er 3nd 0e", "trois er trois nd zéro e"),
        ("5e 9e 21e 80e 1000e", "cinquième neuvième vingt et unième quatre vingtième millième"),
        ("n° 5, 20°, +33, −5", "numéro cinq vingt degrés plus trente trois moins cinq"),
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


PIECES = (
    "l' ' ’ - — . , : 0 1 2 7 14 30 80 000 h heure heures e er % € $ ° M. Mme dr st- aujourd hui qu' cent cents vingts "
    "dix neuf onze mil mille et une un quatre vingt soixante millions pourcent été Où œ [ ] ( ) − + n° virgule etc"
)
FRENCH_PIECES = st.sampled_from([*PIECES.split(), " ", "\u00a0", "\u0301", "\u00ad"])
FRENCH_TEXT = st.lists(FRENCH_PIECES, max_size=12)


@settings(max_examples=1000, deadline=None)
@given(text=FRENCH_TEXT.map("".join) | FRENCH_TEXT.map(" ".join) | st.text())
@pytest.mark.parametrize("name", ["raw", "fr"])
def test_twice_is_once_and_words_are_never_lost(name, text):
    profile = PROFILES[name]
    once = profile.normalize(text)
    assert profile.normalize(once) == once
    assert once == " ".join(profile.words(text))
    if any(unicodedata.category(char) in ("Ll", "Lu", "Lo", "Nd") for char in text):
        assert once


@pytest.mark.parametrize("text", OPENAI_INPUTS + HARD_INPUTS)
def test_basic_twice_is_once(text):
    assert basic(basic(text)) == basic(text)


def test_headline_profile():
    languages = ["fr", "fr-CA", "fr_FR", "FR", "en", "fro", None, ""]
    assert [headline_profile(one) for one in languages] == ["fr"] * 4 + ["basic"] * 4


def test_profiles_are_named_versioned_and_hashed():
    assert all(profile.name == name and profile.version and profile.description for name, profile in PROFILES.items())
    hashes = {profile_hash(name) for name in PROFILES}
    assert len(hashes) == len(PROFILES) and all(len(one) == 16 for one in hashes)


def test_unknown_profile_is_named_with_close_ones():
    with pytest.raises(ParlureError, match="there is no scoring profile called bassic") as caught:
        get_profile("bassic")
    assert caught.value.hint == "did you mean basic?"
    with pytest.raises(ParlureError, match="called xyz") as caught:
        profile_hash("xyz")
    assert caught.value.hint == "profiles are raw, basic, fr"
