"""Clips without speech: the same every time, each kind what it says it is."""

import hashlib

import numpy as np
import pytest

from parlure.speech.nonspeech import DURATION_S, KINDS, NonSpeech, nonspeech_clips


def power_at(samples, frequency_hz):
    """The share of a sound's energy within 5 Hz of a frequency."""
    energy = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / 16_000)
    return energy[np.abs(frequencies - frequency_hz) < 5].sum() / energy.sum()


def test_every_kind_as_often_and_every_clip_another():
    clips = nonspeech_clips(3)
    assert [clip.id for clip in clips[:4]] == ["silence-0", "silence-1", "silence-2", "noise-0"]
    assert len(clips) == 3 * len(KINDS) == len({clip.id for clip in clips})
    sounds = [clip.samples() for clip in clips]
    for clip, sound in zip(clips, sounds, strict=True):
        assert len(sound) == pytest.approx(clip.duration_s * 16_000, abs=1)
        assert DURATION_S[0] <= clip.duration_s <= DURATION_S[1]
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all() and np.abs(sound).max() <= 1.0
        assert sound.any() == (clip.kind != "silence")
    audible = [hashlib.sha256(sound.tobytes()).digest() for sound in sounds if sound.any()]
    assert len(set(audible)) == len(audible)


def test_a_clip_is_the_same_every_time_and_a_longer_set_begins_alike():
    for clip in nonspeech_clips(1):
        assert np.array_equal(clip.samples(), NonSpeech(clip.kind, 0).samples())
    assert set(nonspeech_clips(1)) <= set(nonspeech_clips(2))


def test_ringing_is_440_and_480_hz_with_pauses():
    sound = NonSpeech("ringing", 1).samples()
    assert power_at(sound, 440) + power_at(sound, 480) > 0.9
    level = np.sqrt(np.mean(sound[: len(sound) // 16_000 * 16_000].reshape(-1, 16_000) ** 2, axis=1))
    assert level.min() < level.max() / 10


def test_keypad_tones_are_pairs_of_itus_frequencies():
    sound = NonSpeech("keypad tones", 4).samples()
    assert sum(power_at(sound, hz) for hz in (697, 770, 852, 941)) == pytest.approx(0.45, abs=0.1)
    assert sum(power_at(sound, hz) for hz in (1209, 1336, 1477)) == pytest.approx(0.45, abs=0.1)


@pytest.mark.parametrize("kind", ["open line", "keypad tones", "ringing", "hold music"])
def test_what_plays_over_a_line_has_its_band(kind):
    sound = NonSpeech(kind, 0).samples()
    energy = np.abs(np.fft.rfft(sound)) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / 16_000)
    assert energy[frequencies > 4_000].sum() / energy.sum() < 1e-3
