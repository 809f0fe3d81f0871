"""Speed, rooms, noise and gain in training: what changes, what stays, every refusal, and an exact resume."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from test_loop import recipe, trained_weights

from parlure.errors import ParlureError
from parlure.recipe import load_recipe, resolved
from parlure.speech.audio import SAMPLE_RATE
from parlure.training.augmentation import Augmentation, slowest
from parlure.training.items import training_items
from parlure.training.loop import train
from parlure.training.memory import shapes_of
from parlure.training.windows import own_window
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import SpecialTokens, at_another_speed, encode_labels

TOKENIZER = load_tokenizer(str(NANO))
SPECIAL = SpecialTokens.of(TOKENIZER)


@pytest.fixture(scope="module")
def items(corpus):
    return training_items(corpus, TOKENIZER)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder of noises and one of impulse responses."""
    folder, rng = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    for name in ("noises/street", "noises/deep/office", "rooms/hall"):
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        n = 4000
        fading = np.exp(-np.arange(n) / 400) if "rooms" in name else np.ones(n)
        soundfile.write(path, 0.3 * rng.uniform(-1, 1, n) * fading, SAMPLE_RATE)
    (folder / "noises" / ".hidden").write_text("no recording")
    return folder


def asked(recordings, **values):
    folders = {"noise_folder": str(recordings / "noises"), "reverberation_folder": str(recordings / "rooms")}
    return folders | values


def drawn(corpus, items, **section):
    found = Augmentation.of(recipe(corpus.folder, augmentation=section), corpus, SPECIAL)
    return found.of_epoch(items, 0)


@pytest.mark.parametrize("kind", ["reverberation", "noise", "gain"])
def test_only_the_sound_changes(corpus, items, recordings, kind):
    for before, after in zip(items[:4], drawn(corpus, items[:4], **asked(recordings, **{kind: 1.0})), strict=True):
        assert (after.labels, after.plain, after.duration_s) == (before.labels, before.plain, before.duration_s)
        sound = after.read()
        assert sound.shape == before.read().shape and sound.dtype == np.float32
        assert not np.array_equal(sound, before.read())
        assert np.array_equal(sound, after.read())


def test_a_gain_is_within_its_span(corpus, items):
    for before, after in zip(items[:4], drawn(corpus, items[:4], gain=1.0, gain_db=(-6.0, -6.0)), strict=True):
        np.testing.assert_allclose(after.read(), before.read() * 10 ** (-6 / 20), rtol=1e-5)


def test_speed_moves_length_and_phrase_times_and_nothing_else(corpus, items):
    (before,) = items[:1]
    phrases = [(0.0, 1.0, "bonjour"), (1.5, 2.0, "merci")]
    timed = encode_labels(TOKENIZER, "", utterance_id="a", language="fr", segments=phrases)
    before = replace(before, labels=timed, plain=before.labels)
    (after,) = drawn(corpus, [before], speed=1.0, speeds=(0.8,))
    assert after.duration_s == pytest.approx(before.duration_s / 0.8, abs=1e-4)
    assert len(after.read()) == round(after.duration_s * SAMPLE_RATE)
    assert after.plain == before.plain
    stamps = [(id_ - SPECIAL.timestamp_begin) * 0.02 for id_ in after.labels.inputs if id_ >= SPECIAL.timestamp_begin]
    assert stamps == pytest.approx([0.0, 1.25, 1.88, 2.5], abs=0.011)
    assert at_another_speed(after.labels, 1.25, SPECIAL) == timed


def test_an_utterance_that_would_not_fit_stays_as_it_is(corpus, items):
    long = replace(items[0], duration_s=28.0)
    assert drawn(corpus, [long], speed=1.0, speeds=(0.9,)) == [long]
    (faster,) = drawn(corpus, [long], speed=1.0, speeds=(1.1,))
    assert faster.duration_s == pytest.approx(28 / 1.1, abs=1e-4)


def test_memory_is_estimated_for_the_slowest(corpus, items):
    settings = recipe(corpus.folder, augmentation={"speed": 0.1, "speeds": (0.5, 1.1)})
    assert slowest(settings.augmentation) == 2.0 and slowest(recipe(corpus.folder).augmentation) == 1.0
    longest = max(shape.length_s for shape in shapes_of(items, settings.training, slowest=2.0))
    slow = drawn(corpus, items, speed=1.0, speeds=(0.5,))
    assert longest == max(own_window(item).length_s for item in slow)


def test_changes_are_drawn_independently_of_each_other(corpus, items, recordings):
    both = drawn(corpus, items, **asked(recordings, noise=0.5, gain=0.5))
    one = drawn(corpus, items, **asked(recordings, noise=0.5))
    n_both, n_one = (sum(a.read is not b.read for a, b in zip(items, found, strict=True)) for found in (both, one))
    assert 0 < n_one < n_both < len(items)
    same = [np.array_equal(a.read(), b.read()) for a, b in zip(one, both, strict=True)]
    assert 0.2 < np.mean(same) < 0.8  # where there is no gain, the noise is the same


def test_a_run_with_all_of_them_resumes_to_the_same_weights(corpus_folder, recordings, tmp_path):
    section = asked(recordings, speed=0.5, reverberation=0.3, noise=0.5, gain=0.5, spec_augment=0.7)
    settings = recipe(
        corpus_folder, augmentation=section, training={"label_smoothing": 0.1, "dropout": 0.1},
        evaluation={"every_steps": 4, "max_utterances": 1},
    )  # fmt: skip

    def interrupt(row):
        if row["kind"] == "step" and row["step"] == 2:
            raise KeyboardInterrupt

    train(settings, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "broken", on_event=interrupt)
    train(settings, tmp_path / "broken", resume=True)
    first, second = (trained_weights(tmp_path / name) for name in ("straight", "broken"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_folders_are_relative_to_the_recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('[data]\ncorpus = "c"\n[augmentation]\nnoise_folder = "noises"\nreverberation_folder = "/rooms"\n')
    found = resolved(load_recipe(path))
    assert found.augmentation.noise_folder == str(tmp_path / "noises")
    assert found.augmentation.reverberation_folder == "/rooms"


def refused(corpus, **section):
    with pytest.raises(ParlureError) as caught:
        drawn(corpus, [], **section)
    return caught.value.message, caught.value.hint


def test_refusals(corpus, tmp_path):
    assert refused(corpus, noise=0.5) == (
        "augmentation.noise asks for recordings, and augmentation.noise_folder names none",
        "--set augmentation.noise_folder=FOLDER",
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(corpus, reverberation=0.5, reverberation_folder=str(empty)) == (
        f"augmentation.reverberation_folder: there is no file in {empty}",
        "put recordings there, of any common format",
    )
    (empty / "notes.txt").write_text("no recording")
    message, hint = refused(corpus, noise=0.5, noise_folder=str(empty))
    assert message.startswith(f"augmentation.noise_folder: {empty / 'notes.txt'}")
    assert hint == "leave only recordings in the folder"
    silent = tmp_path / "silent" / "nothing.wav"
    silent.parent.mkdir()
    soundfile.write(silent, np.zeros(100), SAMPLE_RATE)
    assert refused(corpus, noise=0.5, noise_folder=str(silent.parent)) == (
        f"augmentation.noise_folder: {silent} is silent",
        "take it out of the folder",
    )
    assert refused(corpus, speed=0.5, speeds=()) == (
        "augmentation.speeds is empty",
        "--set 'augmentation.speeds=[0.9, 1.1]'",
    )
    assert refused(corpus, speeds=(0.9, 3.0)) == (
        "augmentation.speeds holds 3",
        "speeds are 0.5 to 2; 0.9 and 1.1 are usual",
    )
    assert refused(corpus, gain_db=(3.0, -3.0)) == (
        "augmentation.gain_db is 3 to -3",
        "give two numbers, low to high, in dB",
    )
    frozen = {"adapter": {"parts": "decoder"}, "training": {"encoder_cache_gb": 1.0}}
    for kind in ("speed", "spec_augment"):
        settings = recipe(corpus.folder, augmentation={kind: 0.5}, **frozen)
        with pytest.raises(ParlureError, match=f"augmentation.{kind} gives it another sound"):
            Augmentation.of(settings, corpus, SPECIAL)
