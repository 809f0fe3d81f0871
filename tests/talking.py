"""Something that codecs take for a voice: pitch that moves, three resonances, syllables, hiss between them."""

import numpy as np

RATE = 16_000  # Hz


def talk(seconds=3.0, seed=1):
    rng = np.random.default_rng(seed)
    n_samples = int(RATE * seconds)
    times_s = np.arange(n_samples) / RATE
    pitch_hz = rng.uniform(100, 180) * (1 + 0.1 * np.sin(2 * np.pi * 3 * times_s))
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / RATE), prepend=0.0)
    ringing_s = np.arange(RATE // 20) / RATE
    voice = np.zeros(n_samples)
    for formant, width in ((600, 80), (1200, 120), (2400, 160)):
        response = np.exp(-np.pi * width * ringing_s) * np.sin(2 * np.pi * formant * ringing_s)
        voice += np.convolve(pulses, response)[:n_samples]
    syllables = np.abs(np.sin(2 * np.pi * 1.5 * times_s))
    wave = voice / np.abs(voice).max() * syllables
    wave += 0.05 * rng.standard_normal(n_samples) * np.sqrt(1 - syllables**2)
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def lag(sent, heard):
    """By how many samples what is heard is late."""
    size = 2 * max(len(sent), len(heard))
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size)), size)
    place = int(np.argmax(products))
    return place - size if place > size // 2 else place


def share_above_db(samples, hertz):
    """The energy above a frequency against all of it, dB."""
    energy = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    return 10 * np.log10(energy[frequencies > hertz].sum() / energy.sum() + 1e-15)


def level_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20)


def segmental_snr_db(sent, heard, frame=320):
    """Mean over frames of 20 ms in which there is sound, each between −10 and 60 dB."""
    whole = len(sent) // frame * frame
    sound = np.mean(sent[:whole].reshape(-1, frame).astype(np.float64) ** 2, axis=1)
    error = np.mean((sent - heard)[:whole].reshape(-1, frame).astype(np.float64) ** 2, axis=1)
    active = sound > sound.max() * 1e-3
    return float(np.mean(np.clip(10 * np.log10(sound[active] / np.maximum(error[active], 1e-12)), -10, 60)))


def goertzel(samples, hertz):
    """The power at one frequency (Goertzel 1958), as a share of the sound's."""
    turn = 2 * np.cos(2 * np.pi * hertz / RATE)
    last = before = 0.0
    for sample in samples.astype(np.float64):
        last, before = sample + turn * last - before, last
    power = last**2 + before**2 - turn * last * before
    return 2 * power / len(samples) / np.sum(np.square(samples, dtype=np.float64))
