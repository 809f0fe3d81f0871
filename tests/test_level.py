"""Level and signal-to-noise ratio of samples."""

import numpy as np
import pytest

from parlure.speech.level import MAX_SNR_DB, level_db, snr_db


def test_level_of_a_sine_is_its_root_mean_square():
    sine = np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000).astype(np.float32)
    assert level_db(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_db(0.1 * sine) == pytest.approx(-23.01, abs=0.01)
    assert level_db(np.zeros(16_000, np.float32)) is None


def syllables(snr):
    """Noise bursts of 200 ms with pauses of 100 ms, in white noise ``snr`` dB below them."""
    rng = np.random.default_rng(1)
    n = 48_000
    bursts = rng.standard_normal(n) * (np.arange(n) % 4_800 < 3_200)
    return (0.05 * (bursts + 10 ** (-snr / 20) * rng.standard_normal(n))).astype(np.float32)


@pytest.mark.parametrize("snr", [0, 5, 10, 20, 30, 40])
def test_snr_of_bursts_in_noise(snr):
    assert snr_db(syllables(snr)) == pytest.approx(snr, abs=3)


@pytest.mark.parametrize("snr", [0, 10, 20])
@pytest.mark.parametrize("voice", ["fr", "fr+f3"])
def test_snr_of_speech_in_noise(snr, voice):
    from parlure.speech.synth import Voice, synthesize
    from parlure.speech.telephone import active_level_db

    speech = np.pad(synthesize("il fait trop froid pour sortir, on se rappelle plus tard", Voice(voice)), 1_600)
    noise = np.random.default_rng(0).standard_normal(len(speech)) * 10 ** ((active_level_db(speech, 16_000) - snr) / 20)
    assert snr_db((speech + noise).astype(np.float32)) == pytest.approx(snr, abs=3)


def test_loudness_changes_the_level_and_not_the_ratio():
    sound = syllables(15)
    assert snr_db(sound) == pytest.approx(snr_db(0.1 * sound), abs=1e-3)
    assert level_db(sound) - level_db(0.1 * sound) == pytest.approx(20.0, abs=1e-3)


def test_what_has_no_ratio():
    assert snr_db(np.ones(7_000, np.float32)) is None  # too short
    assert snr_db(np.zeros(16_000, np.float32)) is None
    assert snr_db(np.full(16_000, 0.1, np.float32)) == 0.0
    pauses = np.zeros(16_000, np.float32)
    pauses[4_000:12_000] = 0.1
    assert snr_db(pauses) == MAX_SNR_DB
