"""espeak-ng: what it says, and what it says when it cannot."""

import builtins
import re
import subprocess
import sys

import numpy as np
import pytest

from parlure.errors import ParlureError
from parlure.speech import synth
from parlure.speech.synth import Voice, phonemes, synthesize, variants


def test_longer_text_lasts_longer_and_rate_shortens():
    short, long = (len(synthesize(text, Voice("fr"))) for text in ("Oui.", "Oui, je voudrais un rendez-vous demain."))
    assert long > 3 * short
    fast = len(synthesize("Oui, je voudrais un rendez-vous demain.", Voice("fr", rate_wpm=300)))
    assert fast < 0.8 * long


def test_samples_are_16_khz_floats_without_silent_ends():
    samples = synthesize("Bonjour tout le monde.", Voice("fr+f3"))
    assert samples.dtype == np.float32
    assert 0.1 < np.abs(samples).max() <= 1.05
    assert 0.8 < len(samples) / 16_000 < 2.5
    assert np.abs(samples[:400]).max() > 0.001


def test_phonemes_speak_like_the_text():
    mnemonics = phonemes("Tu dis oui. Non !", "fr")
    assert "_:" in mnemonics
    spoken = synthesize(mnemonics, Voice("fr"), is_phonemes=True)
    assert 0.5 < len(spoken) / len(synthesize("Tu dis oui. Non !", Voice("fr"))) < 2


def test_a_hundred_variants():
    assert len(variants()) > 90


def test_two_fresh_processes_agree_even_on_breathy_voices():
    code = (
        "import hashlib; from parlure.speech.synth import *\n"
        "a = [synthesize('Bonjour, deux cafés.', Voice(f'fr+{v}')) for v in ('f2', 'f5', 'm1')]\n"
        "print(hashlib.sha256(b''.join(x.tobytes() for x in a)).hexdigest())"
    )
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(runs) == 1
    assert runs != {""}


def test_refusals():
    for name in ("fr+nobody", "zz"):
        with pytest.raises(ParlureError, match=f"espeak-ng has no voice called {re.escape(name)}") as caught:
            synthesize("oui", Voice(name))
        assert caught.value.hint == "a voice is a language such as fr or en-us, optionally with a variant: fr+f3"
    with pytest.raises(ParlureError, match="espeak-ng said nothing for ' '") as caught:
        synthesize(" ", Voice("fr"))
    assert caught.value.hint == "give it a text with letters or digits"


def test_an_engine_that_does_not_start(monkeypatch):
    class Library:
        def espeak_Initialize(self, *_):  # noqa: N802
            return -1

    monkeypatch.setattr(synth.ctypes, "CDLL", lambda path: Library())
    with pytest.raises(ParlureError, match=r"espeak-ng could not start with the data in .*espeak") as caught:
        synth._Engine()
    assert caught.value.hint == 'pip install --force-reinstall "parlure[synth]"'


def test_without_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "espeakng_loader":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ParlureError, match="synthetic speech needs the package espeakng-loader, which is not installed"
    ) as caught:
        synth._Engine()
    assert caught.value.hint == 'pip install "parlure[synth]"'
