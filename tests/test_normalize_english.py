"""Profile ``en``: OpenAI's published examples, parity with the copy in transformers, and no score on half the rules."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.errors import ParlureError
from parlure.scoring.normalize import english, profile_hash
from parlure.scoring.normalize.english import normalize_english

# What openai/whisper's tests/test_normalizer.py (MIT) says comes out, as text | expected.
PUBLISHED = """
two | 2
thirty one | 31
five twenty four | 524
nineteen ninety nine | 1999
twenty nineteen | 2019
two point five million | 2500000
four point two billions | 4200000000s
200 thousand | 200000
200 thousand dollars | $200000
$20 million | $20000000
€52.4 million | €52400000
£77 thousands | £77000s
two double o eight | 2008
three thousand twenty nine | 3029
forty three thousand two hundred sixty | 43260
forty three thousand two hundred and sixty | 43260
nineteen fifties | 1950s
thirty first | 31st
thirty three thousand and three hundred and thirty third | 33333rd
three billion | 3000000000
millions | 1000000s
july third twenty twenty | july 3rd 2020
august twenty sixth twenty twenty one | august 26th 2021
3 14 | 3 14
3.14 | 3.14
3 point 2 | 3.2
3 point 14 | 3.14
fourteen point 4 | 14.4
two point two five dollars | $2.25
two hundred million dollars | $200000000
$20.1 million | $20100000
ninety percent | 90%
seventy six per cent | 76%
double oh seven | 007
double zero seven | 007
nine one one | 911
nine double one | 911
one triple oh one | 10001
two thousandth | 2000th
thirty two thousandth | 32000th
minus 500 | -500
positive twenty thousand | +20000
two dollars and seventy cents | $2.70
3 cents | ¢3
$0.36 | ¢36
three euros and sixty five cents | €3.65
three and a half million | 3500000
forty eight and a half dollars | $48.5
b747 | b 747
10 th | 10th
10th | 10th
mobilisation | mobilization
cancelation | cancellation
Let's | let us
he's like | he is like
she's been like | she has been like
10km | 10 km
10mm | 10 mm
RC232 | rc 232
Mr. Park visited Assoc. Prof. Kim Jr. | mister park visited associate professor kim junior
"""
EXAMPLES = [tuple(line.split(" | ")) for line in PUBLISHED.strip().splitlines()]
PIECES = (
    "one two three five nineteen twenty thirty ninety hundred thousand million billions third twentieth zero o oh "
    "double triple point and a half minus plus per cent percent dollars cents pound euro 1 2 10 3.5 007 1,000 $5 €7 "
    "£3.20 ¢5 50% 1960s 5th b747 10km mr. mrs it's he'd won't can't y'all 's um uh colour organise centre travelled "
    "[noise] (aside) < > - . , ' % $ é ½ ² ١٢"
)
ENGLISH = st.lists(st.sampled_from(PIECES.split()), max_size=9)


@pytest.fixture(scope="module")
def transformers_english():
    pytest.importorskip("transformers")
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    return EnglishTextNormalizer(english._openai().standardize_spellings.mapping)


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_published_examples(text, expected):
    assert normalize_english(text) == expected


@settings(max_examples=500, deadline=None)
@given(text=ENGLISH.map(" ".join) | ENGLISH.map("".join) | st.text())
def test_equals_openai_on_anything(transformers_english, text):
    assert normalize_english(text).split() == transformers_english(text).split()


def test_british_and_american_are_one(transformers_english):
    mapping = transformers_english.standardize_spellings.mapping
    assert len(mapping) == 1739
    apart = [one for one, american in mapping.items() if normalize_english(one) != normalize_english(american)]
    assert apart == ["archaeology", "flyer / flier"]  # spoilt in OpenAI's own mapping, and kept for parity
    assert normalize_english("The COLOUR of the organisation’s centre") == "the color of the organization s center"


@pytest.mark.parametrize("text", ["I ain't got no colour", "on the 3rd of july 2020", "€52400000 and 90%", "he is 007"])
def test_twice_is_once_on_ordinary_text(text):
    once = normalize_english(text)
    assert normalize_english(once) == once


def test_a_loop_of_digits_does_not_end_the_scoring():
    assert normalize_english("0" * 9000).replace(" ", "").strip("0") == ""
    assert len(normalize_english("9," * 9000 + "9").replace(" ", "")) == 9001


@pytest.fixture
def fresh():
    english._openai.cache_clear()
    yield
    english._openai.cache_clear()


def test_without_the_package_english_is_not_scored(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "whisper_normalization.english", None)
    with pytest.raises(ParlureError, match=r"^English cannot be scored: whisper-normalization, which holds") as caught:
        normalize_english("colour")
    assert caught.value.hint == 'pip install "whisper-normalization==1.0.0"'


def test_without_the_package_english_has_no_hash(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "whisper_normalization.english", None)
    monkeypatch.setattr(english, "find_spec", lambda name: None)
    with pytest.raises(ParlureError, match=r"^English cannot be scored: whisper-normalization, which holds"):
        profile_hash("en")


def test_with_other_spellings_english_is_not_scored(fresh, monkeypatch):
    class Incomplete:
        standardize_spellings = SimpleNamespace(mapping={"colour": "color"})

    monkeypatch.setattr("whisper_normalization.english.EnglishTextNormalizer", Incomplete)
    with pytest.raises(
        ParlureError, match=r"^English cannot be scored: the British spellings in whisper-norm"
    ) as caught:
        normalize_english("colour")
    assert caught.value.hint == 'pip install "whisper-normalization==1.0.0"'


def test_the_hash_covers_the_package(monkeypatch, tmp_path):
    before = profile_hash("en")
    monkeypatch.setattr(english, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    for name in ("basic.py", "english.py", "english.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    assert profile_hash("en") != before
