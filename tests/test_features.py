"""Log-mels: Hugging Face's, bit for bit, and a short input's are a prefix of the window's."""

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from parlure.speech.features import N_WINDOW_FRAMES, N_WINDOW_SAMPLES, log_mel


def sound(duration_s: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(int(duration_s * 16_000)) / 16_000
    return (0.3 * np.sin(2 * np.pi * (200 + 300 * t) * t) + 0.01 * rng.standard_normal(len(t))).astype(np.float32)


@pytest.mark.parametrize("n_mels", [80, 128])
def test_equal_to_hugging_face(n_mels):
    sounds = [sound(2.3, 0), sound(29.99, 1), sound(0.1, 2)]
    waves = np.stack([np.pad(s, (0, N_WINDOW_SAMPLES - len(s))) for s in sounds])
    theirs = WhisperFeatureExtractor(feature_size=n_mels)(sounds, sampling_rate=16_000, return_tensors="pt")
    ours = log_mel(torch.from_numpy(waves), n_mels)
    assert ours.shape == (3, n_mels, N_WINDOW_FRAMES)
    torch.testing.assert_close(ours, theirs.input_features, rtol=0, atol=1e-5)


def test_short_is_a_prefix_of_the_window():
    wave = np.pad(sound(2.0, 3), (0, N_WINDOW_SAMPLES - 32_000))
    whole = log_mel(torch.from_numpy(wave)[None])
    short = log_mel(torch.from_numpy(wave[:40_000])[None])
    assert torch.equal(short, whole[..., :250])


def test_a_row_does_not_depend_on_its_neighbours():
    quiet, loud = sound(1.0, 4) * 0.01, sound(1.0, 5)
    alone = log_mel(torch.from_numpy(quiet)[None])
    together = log_mel(torch.from_numpy(np.stack([quiet, loud])))
    torch.testing.assert_close(together[:1], alone, rtol=0, atol=1e-6)
