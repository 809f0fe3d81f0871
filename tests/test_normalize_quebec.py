"""Profile ``fr-qc``: what it takes for the standard's words, what it still keeps apart, and that ``fr`` does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.scoring.normalize import PROFILES
from parlure.scoring.normalize.quebec import VARIANTS

fr, quebec = PROFILES["fr"].normalize, PROFILES["fr-qc"].normalize


@pytest.mark.parametrize(
    ("said", "standard"),
    [
        ("pis là icitte", "puis là ici"),
        ("Ouais, ouin.", "oui oui"),
        ("chu tannée", "je suis tannée"),
        ("j'suis / chus / ch'suis / chuis", "je suis je suis je suis je suis"),
        ("j'sais pas", "je sais pas"),
        ("ch'sais pas", "je sais pas"),
        ("tsé, t'sais, t'sé, tsais", "tu sais tu sais tu sais tu sais"),
        ("Ça fait que je suis parti", "fait que je suis parti"),
        ("faque ça fait qu'on part", "fait que fait qu' on part"),
        ("y'a du monde", "il y a du monde"),
        ("ya eu, y avait", "il y a eu il y avait"),
        ("il faut y aller", "faut y aller"),
        ("c'te fille-là", "cette fille là"),
        ("p't-être ben", "peut-être bien"),
        ("moé pis toé", "moi puis toi"),
        ("d'la p'tite bière", "de la petite bière"),
        ("qu'c'tait, n'pas, s'faire", "que c' tait ne pas se faire"),
        ("j'vas y aller", "je vais y aller"),
        ("à cette heure", "asteure"),
        ("parce que", "pasque"),
        ("j'en ai pus", "j'en ai plus"),
        ("v'là", "voilà"),
    ],
)
def test_variants_are_the_standard_words(said, standard):
    assert quebec(said) == quebec(standard)
    assert fr(said) != fr(standard)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ou", "où"), ("a", "à"), ("l' monde", "le monde"), ("t'as", "tu as"), ("j'ai", "je ai"), ("je", "tu"),
        ("il fait que ça", "fait que ça"), ("il a", "y a"), ("d'hier", "de hier"), ("puis", "ici"),
    ],
)  # fmt: skip
def test_the_rest_stays_apart(one, other):
    assert quebec(one) != quebec(other)


def test_text_without_variants_is_that_of_fr():
    text = "L'été 2019, à 14 h 30, j'ai payé 20,50 $ au 514 555-0199 ; c'était aujourd'hui."
    assert quebec(text) == fr(text)


WORDS = (
    "je suis sais vas va j' d' c' t' l' qu' te tte ça fait que il y a faut en avait ch' ch'ch' p't être 514 80 , ' -"
)
PIECES = [*VARIANTS, *VARIANTS.values(), *WORDS.split()]


@settings(max_examples=1000, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join) | st.text("aechjlpqstuy' -", max_size=20))
def test_twice_is_once_and_words_are_never_lost(text):
    once = quebec(text)
    assert quebec(once) == once == fr(once)
    assert bool(once) == bool(fr(text))
