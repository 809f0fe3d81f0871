"""What each telephone condition does to a sound, measured; and that none moves it in time."""

import numpy as np
import pytest
from talking import RATE, goertzel, lag, level_db, segmental_snr_db, share_above_db, talk

from parlure.errors import ParlureError
from parlure.speech.channel.codecs import _Codec, _context, _lateness, library_versions
from parlure.speech.channel.conditions import CONDITIONS, USUAL
from parlure.speech.channel.expression import generator, parse_channel
from parlure.speech.channel.packets import lost_packets
from parlure.speech.telephone import active_level_db, band_pass, telephone
from parlure.speech.tones import KEYPAD_HZ

SPEECH = talk()
IN_BAND = band_pass(SPEECH, RATE)
EVERY = [
    *USUAL,
    "amr(5.15)",
    "amr(5.9)",
    "amr(6.7)",
    "amr(7.4)",
    "amr(7.95)",
    "amr(10.2)",
    "opus(8)",
    "opus(10)",
    "clean",
]
CODECS = [text for text in EVERY if text.partition("(")[0] in ("g711", "gsm", "amr", "opus", "g722", "mp3")]
SILENCE = np.zeros(4 * RATE, np.float32)


def send(text, samples=SPEECH, key="a"):
    return parse_channel(text).send(samples, key, lambda rng: talk(2.0, seed=8))


# ------------------------------------------------------------------------------------------ length, place, seed


@pytest.mark.parametrize("text", EVERY)
def test_nothing_moves_in_time(text):
    heard = send(text)
    assert heard.shape == SPEECH.shape and heard.dtype == np.float32
    assert np.isfinite(heard).all() and np.abs(heard).max() <= 1.0
    assert abs(lag(SPEECH, heard)) <= (0 if text in CODECS else 1)


@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("n_samples", [0, 1, 7, 161, 16_001])
def test_any_length_stays_what_it_is(kind, n_samples):
    assert send(kind, SPEECH[:n_samples]).shape == (n_samples,)


@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_key_decides_everything(kind):
    assert np.array_equal(send(kind), send(kind))
    is_drawn = kind in ("landline", "loss", "noise", "hum", "dtmf", "music", "crosstalk")
    assert np.array_equal(send(kind), send(kind, key="b")) == (not is_drawn)


@pytest.mark.parametrize("kind", CONDITIONS)
def test_silence_stays_finite(kind):
    heard = parse_channel(kind).send(SILENCE, "a", lambda rng: SILENCE)
    assert np.isfinite(heard).all() and np.abs(heard).max() <= 1.0


def test_the_recording_as_it_is():
    assert send("clean") is SPEECH


def test_what_was_given_is_not_changed():
    before = SPEECH.copy()
    for kind in CONDITIONS:
        send(kind)
    assert np.array_equal(before, SPEECH)


# ------------------------------------------------------------------------------------------ band and codecs


def test_the_demos_landline_bit_by_bit():
    for text, keywords in (
        ("landline", {}),
        ("landline(a, -40, -20)", {"codec": "alaw", "line_noise_db": -40.0, "level_db": -20.0}),
    ):
        assert np.array_equal(send(text), telephone(SPEECH, generator("a 0", "landline"), **keywords))


@pytest.mark.parametrize("text", ["narrow", "landline", *CODECS, "g711 > loss(0.2)", "narrow > clip(20)"])
def test_a_narrow_band_ends_at_4_khz(text):
    assert share_above_db(SPEECH, 4_100) > -20
    if text == "g722":
        assert share_above_db(send(text), 4_100) > -20
    else:
        assert share_above_db(send(text), 4_100) < -55


def test_the_band_limit_is_where_it_is_asked():
    assert share_above_db(send("band"), 3_510) < -55
    assert share_above_db(send("band(300, 2000)"), 2_110) < -55
    assert share_above_db(send("band(high=2000)"), 1_500) > -40
    assert level_db(send("band(1000, 7500)")) < level_db(SPEECH) - 3


@pytest.mark.parametrize(
    "text, low, high",
    [  # dB, of what lies in the band: waveform coders are near, speech coders keep the sound, not the wave
        ("narrow", 45, 60.0), ("g711", 33, 40), ("g711(a)", 33, 40), ("g722", 24, 36), ("gsm", 5, 12),
        ("amr(12.2)", 6, 14), ("amr(4.75)", 3, 9), ("opus(12)", 6, 14), ("opus(6)", 1, 8), ("mp3(16)", 8, 18),
        ("mp3(8)", 3, 10),
    ],
)  # fmt: skip
def test_what_a_codec_leaves_of_the_wave(text, low, high):
    assert low < segmental_snr_db(IN_BAND, send(text, IN_BAND)) < high


@pytest.mark.parametrize("better, worse", [("amr(12.2)", "amr(4.75)"), ("opus(12)", "opus(6)"), ("mp3(16)", "mp3(8)")])
def test_more_bits_are_better(better, worse):
    near, far = (segmental_snr_db(IN_BAND, send(text, IN_BAND)) for text in (better, worse))
    assert near > far + 1


def test_the_codecs_libraries_are_named():
    assert set(library_versions()) == {"av", "libsndfile"}
    assert parse_channel("gsm").description() == {"channel": "gsm", "version": "1", **library_versions()}


@pytest.mark.parametrize("mode, kind", [("w", "encoder"), ("r", "decoder")])
def test_a_codec_that_is_not_there(mode, kind):
    with pytest.raises(ParlureError, match=f"the PyAV installed here has no {kind} libnothing") as caught:
        _context("libnothing", mode, _Codec("libnothing", "libnothing", 8_000, "s16"))
    assert caught.value.hint == (
        'the wheels from PyPI have it: pip install --force-reinstall --only-binary av "av>=16"'
    )


def test_a_codec_that_gives_something_else_back():
    def broken(samples):
        return np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)

    with pytest.raises(ParlureError, match="this machine's codec does not give back what it was given") as caught:
        _lateness(broken, 8_000)
    assert caught.value.hint == 'install it again: pip install --force-reinstall "av>=16" "soundfile>=0.13"'


def test_a_delay_is_measured():
    def late(samples):
        return np.concatenate([np.zeros(37, np.float32), 0.5 * samples])

    assert _lateness(late, 8_000) == 37


# ------------------------------------------------------------------------------------------ packets


def bursts(lost):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int), [0]])))
    return edges[1::2] - edges[::2]


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("burst", [1.0, 3.0, 10.0])
def test_as_many_packets_are_lost_as_asked(rate, burst):
    lost = lost_packets(400_000, rate, burst, np.random.default_rng(0))
    assert lost.mean() == pytest.approx(rate, rel=0.06)
    assert bursts(lost).mean() == pytest.approx(burst, rel=0.06)


def test_single_losses_are_single():
    assert set(bursts(lost_packets(100_000, 0.5, 1.0, np.random.default_rng(0)))) == {1}


def test_no_loss_and_short_calls_begin_as_long_ones_go_on():
    assert not lost_packets(1_000, 0.0, 3.0, np.random.default_rng(0)).any()
    first = [lost_packets(1, 0.3, 5.0, np.random.default_rng(seed))[0] for seed in range(2_000)]
    assert np.mean(first) == pytest.approx(0.3, abs=0.04)


def tone(hertz=150.0, seconds=3.0):
    """Periodic, and rich enough to have a pitch."""
    times_s = np.arange(int(seconds * RATE)) / RATE
    return sum(0.2 / k * np.sin(2 * np.pi * k * hertz * times_s) for k in (1, 2, 3, 5)).astype(np.float32)


def test_lost_packets_are_silent_and_the_others_untouched():
    heard, sent = send("loss(0.2)", tone()).reshape(-1, 320), tone().reshape(-1, 320)
    lost = np.abs(heard).max(axis=1) == 0
    assert 0.1 < lost.mean() < 0.3
    assert np.array_equal(heard[~lost], sent[~lost])


def test_the_same_packets_are_lost_with_and_without_concealment_and_behind_any_codec():
    plain, concealed = send("loss(0.2)", tone()), send("loss(0.2, conceal=repeat)", tone())
    lost = np.abs(plain.reshape(-1, 320)).max(axis=1) == 0
    differs = np.any(plain.reshape(-1, 320) != concealed.reshape(-1, 320), axis=1)
    assert np.all(differs[2:] >= lost[2:])  # the first 40 ms have no past to be repeated
    behind = [
        np.abs(send(f"{codec} > loss(0.2)", tone()).reshape(-1, 320)).max(axis=1) < 0.02 for codec in ("gsm", "g711")
    ]
    assert np.array_equal(behind[0], behind[1]) and np.array_equal(behind[0], lost)


@pytest.mark.parametrize(
    "text, gained_db", [("loss(0.1{})", 6), ("loss(0.1, burst=2{})", 3), ("g711 > loss(0.1{})", 6)]
)
def test_concealment_continues_what_was_periodic(text, gained_db):
    sent = band_pass(tone(), RATE)
    errors = [level_db(sent - send(text.format(how), sent)) for how in ("", ", conceal=repeat")]
    assert errors[1] < errors[0] - gained_db


def test_concealment_fades():
    rate_of_none = 0.3
    heard = send(f"loss({rate_of_none}, burst=50, conceal=repeat)", tone(seconds=20.0))
    silent = np.abs(heard.reshape(-1, 320)).max(axis=1) == 0
    plain = np.abs(send(f"loss({rate_of_none}, burst=50)", tone(seconds=20.0)).reshape(-1, 320)).max(axis=1) == 0
    starts = np.flatnonzero(plain[1:] & ~plain[:-1]) + 1
    long = [start for start in starts if start > 3 and plain[start : start + 10].all() and start + 10 < len(plain)]
    assert long
    for start in long:
        levels = [level_db(heard[(start + k) * 320 : (start + k + 1) * 320]) for k in range(3)]
        assert levels[0] > levels[1] + 1 > levels[2] + 2
        assert silent[start + 3 : start + 9].all()  # from 60 ms on


# ------------------------------------------------------------------------------------------ beside the speaker


@pytest.mark.parametrize("level", [-30.0, -10.0, 0.0])
@pytest.mark.parametrize("kind", ["noise", "hum", "music", "crosstalk"])
def test_what_is_added_is_as_loud_as_asked(kind, level):
    added = send(f"{kind}({level})") - SPEECH
    spoken = active_level_db(SPEECH, RATE)
    measured = active_level_db(added, RATE) if kind == "crosstalk" else level_db(added)
    assert measured - spoken == pytest.approx(level, abs=1.0)


def test_the_level_does_not_depend_on_the_recordings():
    loud, quiet = (send("noise(-20)", SPEECH * np.float32(scale)) for scale in (1.0, 0.01))
    assert np.allclose(loud * 0.01, quiet, atol=1e-6)


def test_noise_lies_in_the_band():
    added = send("noise(0)") - SPEECH
    assert share_above_db(added, 3_510) < -40


@pytest.mark.parametrize("mains", [50, 60])
def test_hum_is_the_mains(mains):
    added = (send(f"hum(0, {mains})") - SPEECH)[:RATE]
    assert goertzel(added, mains) > 0.5
    assert sum(goertzel(added, mains * k) for k in range(1, 14, 2)) == pytest.approx(1.0, abs=0.02)


def test_keys_are_pairs_of_itus_frequencies_by_goertzel():
    added = send("dtmf(0, keys=4)") - SPEECH
    frames = added[: len(added) // 1600 * 1600].reshape(-1, 1_600)
    pressed = [frame for frame in frames if np.abs(frame).max() > 1e-4]
    assert len(pressed) == 4
    for frame in pressed:
        found = [max(own, key=lambda hz: goertzel(frame, hz)) for own in KEYPAD_HZ]
        shares = [goertzel(frame, hz) for hz in found]
        assert shares == [pytest.approx(0.5, abs=0.06)] * 2
        assert level_db(frame) == pytest.approx(active_level_db(SPEECH, RATE), abs=0.5)


def test_more_keys_than_there_is_time_for():
    assert len(send("dtmf(keys=100)", SPEECH[:RATE])) == RATE


def test_cross_talk_is_the_other_voice_again_and_again():
    other = talk(1.0, seed=8)
    added = parse_channel("crosstalk(0)").send(SPEECH, "a", lambda rng: other) - SPEECH
    assert np.allclose(added[: int(1.3 * RATE)], added[int(1.3 * RATE) : int(2.6 * RATE)], atol=1e-6)
    products = np.fft.irfft(np.fft.rfft(added, 2 * RATE * 3) * np.conj(np.fft.rfft(other, 2 * RATE * 3)))
    assert products.max() > 0.9 * np.linalg.norm(other) * np.linalg.norm(added) / np.sqrt(3 / 1.3)


def test_cross_talk_without_a_voice_is_our_mistake():
    with pytest.raises(ValueError, match="crosstalk needs somebody else's speech"):
        parse_channel("crosstalk").send(SPEECH, "a")


# ------------------------------------------------------------------------------------------ loudness


def test_gain_and_its_limit():
    assert np.allclose(send("gain(-20)"), SPEECH * 0.1, atol=1e-6)
    loud = send("gain(40)")
    assert np.abs(loud).max() == 1.0 and np.mean(np.abs(loud) == 1.0) > 0.1


@pytest.mark.parametrize("db", [3.0, 12.0])
def test_clipping_cuts_off_what_it_says(db):
    heard = send(f"clip({db})")
    limit = np.abs(SPEECH).max() * 10 ** (-db / 20)
    assert np.abs(heard).max() == pytest.approx(limit, rel=1e-5)
    small = np.abs(SPEECH) <= limit
    assert np.allclose(heard[small], SPEECH[small]) and not small.all()


def test_automatic_gain_brings_loud_and_quiet_together():
    both = np.concatenate([SPEECH, SPEECH * np.float32(0.1)])
    heard = send("agc(-20, 30)", both)
    before, after = (
        active_level_db(x[: len(SPEECH)], RATE) - active_level_db(x[len(SPEECH) :], RATE) for x in (both, heard)
    )
    assert before == pytest.approx(20.0, abs=0.01)
    assert after < before - 12
    assert np.array_equal(send("agc(-20, 0)", both), both)
