"""The profiles as a whole, and those without a language: parity of ``basic`` with OpenAI's, any script in ``plain``."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.errors import ParlureError
from parlure.scoring.normalize import (
    PROFILES,
    check_headline,
    get_profile,
    headline_profile,
    profile_hash,
    profiles_for,
)

basic = PROFILES["basic"].normalize
plain = PROFILES["plain"].normalize

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


@pytest.mark.parametrize("text", OPENAI_INPUTS + HARD_INPUTS)
def test_basic_twice_is_once(text):
    assert basic(basic(text)) == basic(text)


def test_raw_keeps_everything_but_composition_and_white_space():
    assert PROFILES["raw"].normalize(" L'E\u0301te\u0301 ,\u00a0 20 %\n") == "L'Été , 20 %"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी में है।", "हिन्दी में है"),
        ("தமிழ் மொழி!", "தமிழ் மொழி"),
        ("العَرَبِيَّة، ١٢٣؟", "العَرَبِيَّة 123"),
        ("שָׁלוֹם", "שָׁלוֹם"),
        ("Ẹ̀kọ́ Yorùbá", "ẹ̀kọ́ yorùbá"),
        ("Привет, мир!", "привет мир"),
        ("Straße, E-Mail; geht’s?", "straße e mail geht's"),
        ("м’ята мʼята м'ята", "м'ята м'ята м'ята"),
        ("oʻzbek o‘zbek", "o'zbek o'zbek"),
        ("‘quoted’ ''twice'' rock''n'roll", "quoted twice rock'n'roll"),
        ("İstanbul I\u0307zmir", "istanbul izmir"),
        ("می\u200cخواهم", "میخواهم"),
        ("zé\u00adro wide\u200bspace", "zéro wide space"),
        ("[laughs] (yes) <no>", "laughs yes no"),
        ("ﬁn １２ ① ५", "fin 12 1 5"),
        ("e\u0301te\u0301 ¨ ´", "été"),
        ("20 % of 3,50 €", "20 of 3 50"),
        ("😀 👍🏽 ♪", ""),
        # no spaces between words: characters with their marks
        ("今天天气很好，2024年！", "今 天 天 气 很 好 2024 年"),
        ("iPhoneを買う、データ", "iphone を 買 う デ ー タ"),
        ("か\u3099", "が"),
        ("ที่นี่", "ที่ นี่"),
        ("မြန်မာ", "မြ န် မာ"),
        ("ລາວ", "ລ າ ວ"),
        ("한국어 말", "한국어 말"),
    ],
)
def test_plain(text, expected):
    assert plain(text) == unicodedata.normalize("NFC", expected)


def test_plain_counts_no_space_between_characters_in_a_character_rate():
    characters = PROFILES["plain"].characters
    assert characters(plain("今天 很好 OK 2024年")) == "今天很好 ok 2024 年"
    assert characters(plain("ที่นี่ ดี")) == "ที่นี่ดี"
    assert characters(plain("deux mots")) == "deux mots"
    assert PROFILES["fr"].characters("deux mots") == "deux mots"


def kept(text: str) -> list[str]:
    """Letters, marks and numbers in order, in the one form of each; what ``plain`` documents as no mark left out."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.replace("İ", "i")).lower())
    found = [char for char in text if unicodedata.category(char)[0] in "LMN" and char not in "ʼʻʹʽ\u0307"]
    return [str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char for char in found]


SCRIPTS = st.text(
    st.characters(categories=["L", "N", "P", "Zs"], codec="utf-8")
    | st.sampled_from("हिन्दीதமிழ்العَرَبِيَّةשָׁלוֹםไทยที่नि्က္ക്കが'’- .,\u0301\u0323\u200c\u00adßİıΣς")
)


@settings(max_examples=500, deadline=None)
@given(text=SCRIPTS)
def test_plain_keeps_every_letter_mark_and_number(text):
    # without the punctuation between them a letter and a mark may compose: what is compared is the composed text
    there, here = ("".join(kept(one)) for one in (text, plain(text)))
    assert unicodedata.normalize("NFKC", here) == unicodedata.normalize("NFKC", there)


@settings(max_examples=500, deadline=None)
@given(text=SCRIPTS | st.text())
@pytest.mark.parametrize("name", ["raw", "plain"])
def test_twice_is_once_and_words_are_never_lost(name, text):
    profile = PROFILES[name]
    once = profile.normalize(text)
    assert profile.normalize(once) == once
    assert once == " ".join(profile.words(text))
    if any(unicodedata.category(char)[0] in "LN" for char in text):
        assert once


def test_plain_twice_is_once_for_characters_of_every_block():
    characters = [chr(code) for code in (*range(0x2800), *range(0x2800, 0x20000, 13)) if not 0xD800 <= code < 0xE000]
    changed = [char for char in characters if plain(once := plain(f"i{char}\u0301 {char}a")) != once]
    assert changed == []


def test_headline_profile():
    french, english = ["fr", "fr-CA", "fr_FR", "FR", "french"], ["en", "en-GB", "EN_us"]
    assert {headline_profile(one) for one in french} == {"fr"}
    assert {headline_profile(one) for one in english} == {"en"}
    assert {headline_profile(one) for one in ("de", "hi", "zh", "fro", "enm", None, "")} == {"plain"}


def test_profiles_for_languages():
    assert profiles_for(["fr"]) == ("raw", "basic", "fr", "fr-qc")
    assert profiles_for(["en-GB", "en"]) == ("raw", "basic", "en")
    assert profiles_for(["fr", "en", "hi", "ta"]) == ("raw", "basic", "fr", "en", "plain", "fr-qc")
    assert profiles_for([None]) == profiles_for(["sw"]) == ("raw", "basic", "plain")


def test_a_lenient_profile_is_no_headline():
    assert [check_headline(name) for name in PROFILES if name != "fr-qc"] == [n for n in PROFILES if n != "fr-qc"]
    with pytest.raises(
        ParlureError, match=r"^fr-qc cannot be the headline: it takes what one variety says for"
    ) as caught:
        check_headline("fr-qc")
    assert caught.value.hint == "lead with fr and set fr-qc beside it: --profile fr --profile fr-qc"


def test_profiles_are_named_versioned_and_hashed():
    assert all(profile.name == name and profile.version and profile.description for name, profile in PROFILES.items())
    hashes = {profile_hash(name) for name in PROFILES}
    assert len(hashes) == len(PROFILES) and all(len(one) == 16 for one in hashes)


def test_a_hash_is_of_all_that_decides_what_comes_out():
    """Every module of this folder that a profile's function comes from or imports is among its sources."""
    import ast
    from pathlib import Path

    import parlure.scoring.normalize as folder

    here = Path(folder.__file__).parent

    def reached(module: str) -> set[str]:
        tree = ast.parse((here / f"{module}.py").read_text(encoding="utf-8"))
        inner = [
            node.module.removeprefix(f"{folder.__name__}.")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{folder.__name__}.")
        ]
        return {f"{module}.py"}.union(*map(reached, inner))

    for profile in PROFILES.values():
        function = getattr(profile.normalize, "__wrapped__", profile.normalize)
        assert reached(function.__module__.rpartition(".")[2]) == set(profile.sources), profile.name
    digest = hashlib.sha256((here / "raw.py").read_bytes()).hexdigest()
    assert profile_hash("raw") == digest[:16]


def test_unknown_profile_is_named_with_close_ones():
    with pytest.raises(ParlureError, match="there is no scoring profile called bassic") as caught:
        get_profile("bassic")
    assert caught.value.hint == "did you mean basic?"
    with pytest.raises(ParlureError, match="called xyz") as caught:
        profile_hash("xyz")
    assert caught.value.hint == "profiles are raw, basic, plain, en, fr, fr-qc"
