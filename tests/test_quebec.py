"""France's phonemes against Québec's, and whether the engine says what is written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.speech.quebec import quebec_phonemes
from parlure.speech.synth import Voice, phonemes, synthesize

pytest.importorskip("espeakng_loader")

TABLE = [
    # word, France, Québec
    ("tu dis", "ty d'i", "tsy dz'i"),
    ("petit dur", "p@t'it d'yr", "p@ts'It dz'yr"),
    ("tiens, Dieu", "tj'E~ _: dj'Y", "tsj'E~I2 _: dzj'Y"),
    ("tuer", "ty'e", "tsy'e"),
    ("tout, dé", "t'u _: d'e", "t'u _: d'e"),
    ("job", "dZ'Ob", "dZ'Ob"),
    ("vite", "v'it", "v'It"),
    ("vite dit", "v'it d'i", "v'It dz'i"),
    ("jupe", "Z'yp", "Z'Yp"),
    ("route", "r'ut", "r'ot"),
    ("vivre, rouge, douze", "v'ivr r'uZ d'uz", "v'ivr r'uZ d'uz"),
    ("fille", "f'ij", "f'Ij"),
    ("mère, neige", "m'Er n'EZ", "m'a-Er n'a-EZ"),
    ("verte, fête", "v'Ert f'Et", "v'Ert f'Et"),
    ("fort, peur", "f'Or p'Wr", "f'a-Or p'a-W2r"),
    ("pâte", "p'a:t", "p'a-Ot"),
    ("chose, saute", "S'Oz s'ot", "S'owz s'owt"),
    ("beau", "b'o", "b'o"),
    ("pain, quinze", "p'E~ k'E~z", "p'E~I2 k'E~I2z"),
    ("temps, chance", "t'A~ S'A~s", "t'E~ S'A~ws"),
    ("pantoute", "pA~t'ut", "pA~t'ot"),
    ("Canada, pas", "kanad'a p'a", "kanad'O p'O"),
    ("la, trois", "la- trw'a", "la- trw'a"),
    ("", "", ""),
]


@pytest.mark.parametrize("_word, france, quebec", TABLE)
def test_rewriting(_word, france, quebec):
    assert quebec_phonemes(france) == quebec


@given(st.text(alphabet="@aeiouyEAOWYIptkbdgfvszSZmnljrw~:;-'_,| ", max_size=40))
def test_words_are_kept(mnemonics):
    assert quebec_phonemes(mnemonics).count(" ") == mnemonics.count(" ")


def test_from_the_engine():
    assert quebec_phonemes(phonemes("la poutine de ma mère", "fr")) == "la- puts'In d@- ma- m'a-Er"


def formants(samples):
    """The two lowest resonances (Hz) of the middle of a vowel, by linear prediction of order 12 at 10 kHz."""
    import soxr

    middle = soxr.resample(samples, 16_000, 10_000)
    middle = np.append(middle[0], middle[1:] - 0.97 * middle[:-1]) * np.hamming(len(middle))
    lags = np.correlate(middle, middle, "full")[len(middle) - 1 :][:13]
    matrix = lags[np.abs(np.subtract.outer(np.arange(12), np.arange(12)))]
    roots = np.roots(np.append(1, -np.linalg.solve(matrix + 1e-9 * lags[0] * np.eye(12), lags[1:])))
    roots = roots[(roots.imag > 0) & (np.abs(roots) > 0.85)]
    found = np.sort(np.angle(roots) * 10_000 / (2 * np.pi))
    return found[found > 150][:2]


def vowel(mnemonics, at):
    """25 ms of a word's loud part, at a share of it."""
    samples = synthesize(mnemonics, Voice("fr", 140), is_phonemes=True)
    loudness = [np.sqrt(np.mean(samples[i : i + 400] ** 2)) for i in range(0, len(samples) - 400, 80)]
    loud = np.flatnonzero(np.array(loudness) > 0.4 * np.max(loudness))
    start = int(loud[0] + at * (loud[-1] - loud[0])) * 80
    return samples[start : start + 400]


@pytest.mark.parametrize(
    "france, at, before, after",
    [
        ("p'it", 0.5, (340, 2240), (400, 1930)),
        ("p'yt", 0.5, (305, 1705), (450, 1510)),
        ("p'ut", 0.5, (335, 825), (420, 750)),
        ("p'a", 0.5, (840, 1325), (570, 900)),
        ("p'Er", 0.1, (580, 1810), (840, 1330)),  # how mère begins …
        ("p'Er", 0.9, (580, 1810), (580, 1810)),  # … and how it ends
        ("p'E~", 0.9, (650, 1365), (410, 1790)),
        ("p'A~", 0.5, (665, 980), (650, 1365)),
    ],
)
def test_the_engine_says_another_vowel(france, at, before, after):
    np.testing.assert_allclose(formants(vowel(france, at)), before, rtol=0.1)
    np.testing.assert_allclose(formants(vowel(quebec_phonemes(france), at)), after, rtol=0.1)


def hiss_ms(mnemonics):
    """How long most of the power lies above 3 kHz."""
    samples = synthesize(mnemonics, Voice("fr", 150), is_phonemes=True)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 160)[::80] * np.hanning(160)
    power = np.abs(np.fft.rfft(frames)) ** 2
    return 5 * int(np.sum((power[:, 30:].sum(1) > 0.5 * power.sum(1)) & (power.sum(1) > 0.01)))


def test_the_engine_says_an_affricate():
    assert hiss_ms(quebec_phonemes("at'i")) > hiss_ms("at'i") + 30
