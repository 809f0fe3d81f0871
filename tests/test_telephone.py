"""What the telephone lets through, and how loud."""

import numpy as np
import pytest
import soundfile

from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.telephone import (
    CODECS,
    LEVEL_DB,
    TELEPHONE_RATE,
    active_level_db,
    band_pass,
    encode_decode,
    telephone,
    telephone_8khz,
)


def white(seconds=4.0, seed=0):
    return (np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE)) * 0.1).astype(np.float32)


def sine(frequency, seconds=1.0, rate=SAMPLE_RATE):
    return (0.1 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def rms_db(samples):
    return 10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-20)


def density_db(samples, rate, low, high):
    """Mean power per bin between two frequencies."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    return 10 * np.log10(power[(frequencies >= low) & (frequencies < high)].mean())


@pytest.mark.parametrize("low, high", [(0, 200), (3_550, 3_990), (4_100, 8_000)])
def test_nothing_outside_the_band(low, high):
    heard = telephone(white(), np.random.default_rng(1))
    inside = density_db(heard, SAMPLE_RATE, 300, 3_400)
    assert density_db(heard, SAMPLE_RATE, low, high) < inside - 20


@pytest.mark.parametrize("frequency", [300, 1_000, 3_400])
def test_the_band_passes_unchanged(frequency):
    tone = sine(frequency, rate=TELEPHONE_RATE)
    middle = slice(800, -800)
    np.testing.assert_allclose(band_pass(tone, TELEPHONE_RATE)[middle], tone[middle], atol=2e-3)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("level_db", [-30.0, LEVEL_DB, -20.0])
def test_level_is_as_asked(codec, level_db):
    line = telephone_8khz(sine(1_000), np.random.default_rng(0), codec=codec, level_db=level_db)
    assert active_level_db(line, TELEPHONE_RATE) == pytest.approx(level_db, abs=0.5)


def test_pauses_do_not_count_for_the_level():
    speech = np.concatenate([sine(1_000), np.zeros(9 * SAMPLE_RATE, np.float32)])
    assert active_level_db(speech, SAMPLE_RATE) == pytest.approx(active_level_db(sine(1_000), SAMPLE_RATE), abs=0.01)


@pytest.mark.parametrize("line_noise_db", [-60.0, -50.0, -40.0])
def test_noise_is_as_asked_and_lies_in_the_band(line_noise_db):
    silence = np.zeros(4 * SAMPLE_RATE, np.float32)
    line = telephone_8khz(silence, np.random.default_rng(0), line_noise_db=line_noise_db)
    assert rms_db(line) == pytest.approx(line_noise_db, abs=0.5)
    assert density_db(line, TELEPHONE_RATE, 0, 200) < density_db(line, TELEPHONE_RATE, 300, 3_400) - 10


def test_hum_is_odd_harmonics_of_the_mains():
    line = telephone_8khz(np.zeros(8 * SAMPLE_RATE, np.float32), np.random.default_rng(0), line_noise_db=-40)
    hum, between = density_db(line, TELEPHONE_RATE, 419.5, 420.5), density_db(line, TELEPHONE_RATE, 440, 470)
    assert hum > between + 15


def test_silence_without_noise_stays_silent():
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert np.abs(telephone(silence, np.random.default_rng(0), line_noise_db=float("-inf"))).max() == 0


@pytest.mark.parametrize("n_samples", [0, 1, 7, 161, 16_001])
def test_shape_type_and_range(n_samples):
    heard = telephone(white(2.0)[:n_samples], np.random.default_rng(0), level_db=0.0)
    assert heard.shape == (n_samples,)
    assert heard.dtype == np.float32
    assert not n_samples or np.abs(heard).max() <= 1


def test_same_generator_state_same_sound():
    once, again = (telephone(white(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert np.any(once != telephone(white(), np.random.default_rng(4)))


@pytest.mark.parametrize("codec, n_values", [("mulaw", 255), ("alaw", 256)])  # µ-law has two zeros
def test_codec_has_its_values_and_is_idempotent(codec, n_values):
    every_sample = (np.arange(-32_768, 32_768) / 32_768).astype(np.float32)
    decoded = encode_decode(every_sample, codec)
    assert len(np.unique(decoded)) == n_values
    np.testing.assert_array_equal(encode_decode(decoded, codec), decoded)


def test_mulaw_is_g711():
    # ITU-T G.711 table 2a: decoder outputs in 14-bit units, from the lowest segment's to the highest
    decoded = np.unique(np.abs(encode_decode((np.arange(0, 32_768) / 32_768).astype(np.float32), "mulaw")) * 8_192)
    np.testing.assert_array_equal(decoded[:6], [0, 2, 4, 6, 8, 10])
    np.testing.assert_array_equal(decoded[-3:], [7_519, 7_775, 8_031])


@pytest.mark.parametrize("codec", CODECS)
def test_writing_the_line_loses_nothing(codec, tmp_path):
    line = telephone_8khz(white(1.0), np.random.default_rng(0), codec=codec)
    soundfile.write(tmp_path / "line.wav", line, TELEPHONE_RATE, subtype=CODECS[codec])
    read, rate = soundfile.read(tmp_path / "line.wav", dtype="float32")
    assert rate == TELEPHONE_RATE
    np.testing.assert_array_equal(read, line)


def test_unknown_codec():
    with pytest.raises(ParlureError, match="there is no telephone codec called 'gsm'") as caught:
        telephone(white(0.1), np.random.default_rng(0), codec="gsm")
    assert caught.value.hint == "use one of mulaw, alaw"
