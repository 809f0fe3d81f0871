"""What nano learns from: one start token, times that count from the window's start, no loss on what is given."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from nano import vocabulary as v
from nano.batches import PHONEME_UNITS, Example, Mixture, batches, collate, make_example
from nano.network import CompactNano
from nano.silence import SILENCES, hush
from nano.supply import Spoken

from parlure.speech.features import N_WINDOW_SAMPLES
from parlure.whisper.prompt import IGNORED

SPOKEN = Spoken(np.full(32_000, 9_000, np.int16), "Bonjour.", "fr", "Hello.", "bO~Z'ur _: ")
EVERYTHING = Mixture(
    disturbed=0.3, telephone=0.2, several=0.6, most=12, overflowing=0.5, paired=0.4, previous=0.3, timestamps=0.5
)  # fmt: skip


def examples(nano, mixture: Mixture, n: int = 120) -> list[Example]:
    rng = np.random.default_rng(1)
    return [make_example(lambda: SPOKEN, lambda: SPOKEN, nano.tokenizer, mixture, rng) for _ in range(n)]


def stamps(example: Example) -> list[float]:
    return [round((id_ - v.TIMESTAMP_BEGIN) * 0.02, 2) for id_ in example.labels if id_ >= v.TIMESTAMP_BEGIN]


def test_one_start_token_and_an_end(nano):
    for example in examples(nano, EVERYTHING):
        assert example.labels.count(v.START_OF_TRANSCRIPT) == 1
        assert example.labels.count(v.END_OF_TEXT) == 1 and example.labels[-1] == v.END_OF_TEXT
        # everything up to the start token is given
        assert example.labels[example.n_given - 1] == v.START_OF_TRANSCRIPT
        assert (example.labels[0] == v.START_OF_PREVIOUS) == (example.n_given > 1)
        assert len(example.samples) <= N_WINDOW_SAMPLES


def test_times_rise_and_stay_in_the_window(nano):
    seen = [stamps(example) for example in examples(nano, replace(EVERYTHING, sliced=0.5))]
    assert any(seen) and not all(seen)
    for times in seen:
        assert times == sorted(times)
        assert all(0 <= time <= 30 for time in times)


def test_a_phrase_that_runs_past_the_end_has_a_start_alone(nano):
    long = replace(SPOKEN, samples=np.full(90_000, 9_000, np.int16))
    rng = np.random.default_rng(2)
    mixture = Mixture(several=1.0, most=8, overflowing=1.0)
    counts = []
    for _ in range(60):
        example = make_example(lambda: long, lambda: long, nano.tokenizer, mixture, rng)
        if times := stamps(example):
            counts.append(len(times) % 2)
            assert len(times) % 2 == 0 or example.labels[-2] >= v.TIMESTAMP_BEGIN
    assert 0 < sum(counts) < len(counts)


def test_a_slice_stands_where_its_times_say(nano):
    mixture = Mixture(timestamps=1.0, sliced=1.0, max_onset_s=0.0)
    rows = [(stamps(example), example.first_position * 0.02) for example in examples(nano, mixture) if stamps(example)]
    assert len({where for _, where in rows}) > 10
    for (start, end), where in rows:
        assert start == pytest.approx(where, abs=0.011)
        assert end == pytest.approx(where + 2.0, abs=0.021)


def test_silence_has_no_text_under_any_prompt(nano):
    rows = examples(nano, Mixture(silence=1.0))
    assert {len(row.labels) for row in rows} == {3, 5}
    for row in rows:
        assert row.labels[-1] == v.END_OF_TEXT and row.phonemes == ""
        assert all(id_ >= v.END_OF_TEXT for id_ in row.labels)
    assert any(v.NO_SPEECH in row.labels for row in rows)


@pytest.mark.parametrize("kind", SILENCES)
def test_every_silence_is_quiet(kind):
    sound = hush(2.0, kind, np.random.default_rng(3))
    assert sound.dtype == np.float32 and len(sound) == 32_000
    assert np.abs(sound).max() <= 0.18 and np.isfinite(sound).all()


def test_targets_are_the_inputs_one_ahead(nano):
    rows = examples(nano, EVERYTHING, 12)
    batch = collate(rows, torch.zeros(12, 80, 3_000))
    for row, inputs, targets in zip(rows, batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        n = len(row.labels) - 1
        assert inputs[:n] == row.labels[:-1]
        assert targets[row.n_given - 1 : n] == row.labels[row.n_given :]
        assert set(targets[: row.n_given - 1] + targets[n:]) <= {IGNORED}
    assert batch.n_phonemes.tolist() == [sum(unit in PHONEME_UNITS for unit in row.phonemes) for row in rows]
    assert len(batch.phonemes) == int(batch.n_phonemes.sum())


def test_both_ways_of_filling_a_window(nano):
    def supply() -> Iterator[Spoken]:
        return itertools.repeat(SPOKEN)

    feed = batches(supply(), supply(), nano.tokenizer, Mixture(), 2, "full", 1)
    ends = [float(batch.features[0, 0, -1]) for batch in itertools.islice(feed, 8)]
    assert any(end == 0.0 for end in ends) and any(end < 0.0 for end in ends)
    assert next(feed).features.shape == (2, 80, 3_000)


def test_a_batch_holds_no_more_than_its_seconds(nano):
    lengths = itertools.cycle([8_000, 16_000, 48_000, 96_000, 144_000])
    supply = iter(lambda: replace(SPOKEN, samples=np.full(next(lengths), 9_000, np.int16)), None)
    feed = batches(supply, supply, nano.tokenizer, Mixture(max_onset_s=0.0), 16, "short", 1, most_s=20.0)
    sizes = [batch.features.shape for batch in itertools.islice(feed, 60)]
    assert all(rows <= 16 and rows * (n_frames / 100 - 0.5) <= 20.02 for rows, _, n_frames in sizes)
    assert {rows for rows, _, _ in sizes} >= {2, 16}  # of 9 s and of half a second


def test_warped_utterances_are_longer_and_shorter(nano):
    mixture = Mixture(warped=1.0, max_onset_s=0.0)
    lengths = [len(example.samples) / len(SPOKEN.samples) for example in examples(nano, mixture)]
    assert 1 / 1.15 - 0.01 <= min(lengths) < 0.9 and 1.1 < max(lengths) <= 1 / 0.87 + 0.01
    assert len(SPOKEN.samples) == 32_000  # the supply's own is left as it was


def test_a_timestamp_nearly_right_costs_little_and_other_tokens_are_exact():
    torch.manual_seed(0)
    network = CompactNano(20)
    first = int(network.compact[v.TIMESTAMP_BEGIN])

    def loss(target: int, said: int) -> float:
        logits = torch.zeros(1, int(network.compact[-1]) + 1)
        logits[0, said] = 12.0
        return float(network._cross_entropy(logits, torch.tensor([target])))

    at = first + 700
    assert loss(at, at) < loss(at, at + 3) < loss(at, at + 6) < loss(at, at + 30)
    assert loss(at, at + 2) == pytest.approx(loss(at, at - 2), abs=1e-4)
    assert loss(5, 6) == pytest.approx(loss(5, 15), abs=1e-4)  # ordinary tokens have no neighbours
    logits = torch.randn(4, int(network.compact[-1]) + 1)
    targets = torch.tensor([0, 3, 19, first - 1])
    exact = torch.nn.functional.cross_entropy(logits, targets)
    assert torch.allclose(network._cross_entropy(logits, targets), exact, atol=1e-5)
