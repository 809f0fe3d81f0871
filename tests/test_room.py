"""Speed, rooms and noise: lengths, places in time and levels, against what they are defined by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.room import at_speed, beside_noise, in_room
from parlure.speech.telephone import active_level_db


def tone(hz, n=SAMPLE_RATE):
    return (0.1 * np.sin(2 * np.pi * hz * np.arange(n) / SAMPLE_RATE)).astype(np.float32)


def main_hz(samples):
    return np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples)


@pytest.mark.parametrize("speed", [0.9, 1.0, 1.1, 2.0])
def test_a_speed_moves_length_and_pitch_by_one_factor(speed):
    after = at_speed(tone(440.0), speed)
    assert len(after) == round(SAMPLE_RATE / speed) and after.dtype == np.float32
    assert main_hz(after) == pytest.approx(440.0 * speed, abs=2.0)


def test_at_another_speed_a_click_stands_where_time_says():
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[8000] = 1.0
    assert abs(int(np.argmax(at_speed(click, 0.8))) - 10_000) <= 1


@given(delay=st.integers(0, 3000), n=st.integers(200, 4000), seed=st.integers(0, 99))
def test_a_room_keeps_length_and_the_place_of_the_direct_sound(delay, n, seed):
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal(n).astype(np.float32)
    response = np.zeros(delay + 500, np.float32)
    response[delay] = -1.0  # turned over, as a loudspeaker may
    heard = in_room(sound, response)
    assert heard.shape == sound.shape
    assert np.corrcoef(heard, -sound)[0, 1] > 0.999


def test_an_echo_comes_later_and_the_speech_stays_as_loud():
    sound = np.pad(tone(500.0, 4000), (2000, 6000))
    response = np.zeros(5001, np.float32)
    response[[0, 5000]] = 1.0, 0.5
    heard = in_room(sound, response)
    assert active_level_db(heard, SAMPLE_RATE) == pytest.approx(active_level_db(sound, SAMPLE_RATE), abs=0.1)
    ratio = np.abs(heard[7500:8500]).max() / np.abs(heard[2500:3500]).max()
    assert ratio == pytest.approx(0.5, abs=0.01)
    assert np.abs(heard[:1900]).max() < 1e-4


@pytest.mark.parametrize("n_noise", [100, 16_000, 50_000])
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_has_the_ratio_asked_for(n_noise, snr_db):
    rng = np.random.default_rng(1)
    sound, noise = tone(300.0), rng.standard_normal(n_noise).astype(np.float32)
    heard = beside_noise(sound, noise, snr_db, np.random.default_rng(2))
    added = heard - sound
    level_db = 10 * np.log10(np.mean(added.astype(np.float64) ** 2))
    assert active_level_db(sound, SAMPLE_RATE) - level_db == pytest.approx(snr_db, abs=0.2)
    assert np.array_equal(heard, beside_noise(sound, noise, snr_db, np.random.default_rng(2)))
    if n_noise > len(sound):
        assert not np.array_equal(heard, beside_noise(sound, noise, snr_db, np.random.default_rng(3)))


def test_silent_speech_beside_noise_has_the_noise_of_a_telephone():
    heard = beside_noise(np.zeros(8000, np.float32), tone(200.0), 10.0, np.random.default_rng(0))
    assert np.abs(heard).max() > 0
