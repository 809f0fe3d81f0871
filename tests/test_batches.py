"""The plan of an epoch: everything once, one length a batch, decided by the seed alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.speech.features import short_window_s
from parlure.training.batches import Item, MicroBatch, collate, plan_epoch
from parlure.whisper.prompt import IGNORED, Labels


def item(number: int, duration_s: float, n_tokens: int = 3) -> Item:
    labels = Labels(tuple(range(n_tokens)), (IGNORED, *range(1, n_tokens)))
    return Item(f"u{number:03d}", duration_s, labels, lambda: np.full(int(duration_s * 16_000), 0.5, np.float32))


durations = st.lists(st.floats(0.1, 30.0), min_size=1, max_size=60)


@given(durations, st.integers(0, 5), st.floats(0, 1), st.integers(1, 4), st.floats(1, 120))
@settings(max_examples=100, deadline=None)
def test_every_utterance_once_in_batches_of_one_window(lengths, seed, share, accumulation, batch_seconds):
    items = [item(n, length) for n, length in enumerate(lengths)]
    steps = plan_epoch(
        items, epoch=0, seed=seed, batch_seconds=batch_seconds, accumulation=accumulation, full_window_share=share
    )
    batches = [batch for step in steps for batch in step]
    assert sorted(i.id for batch in batches for i in batch.items) == sorted(i.id for i in items)
    assert all(len(step) <= accumulation for step in steps)
    for batch in batches:
        assert len(batch.items) == 1 or len(batch.items) * batch.window_s <= batch_seconds
        for one in batch.items:
            assert batch.window_s in (30.0, short_window_s(one.duration_s))
            assert one.duration_s <= batch.window_s


def plan(items, **changes):
    settings_ = {"epoch": 0, "seed": 1, "batch_seconds": 20.0, "accumulation": 2, "full_window_share": 0.3} | changes
    return [[(b.window_s, [i.id for i in b.items]) for b in step] for step in plan_epoch(items, **settings_)]


def test_the_plan_depends_on_seed_and_epoch_but_not_on_order():
    items = [item(n, 0.5 + n % 7) for n in range(50)]
    assert plan(items) == plan(items[::-1])
    assert plan(items) != plan(items, seed=2)
    assert plan(items) != plan(items, epoch=1)


def test_share_of_full_windows():
    items = [item(n, 2.0) for n in range(1000)]
    steps = plan_epoch(items, epoch=0, seed=1, batch_seconds=60, accumulation=1, full_window_share=0.2)
    n_full = sum(len(b.items) for step in steps for b in step if b.window_s == 30)
    assert 150 < n_full < 250


@pytest.mark.parametrize(("duration_s", "window_s"), [(0.1, 1.0), (0.5, 1.0), (0.51, 1.5), (4.2, 5.0), (29.6, 30.0)])
def test_short_window(duration_s, window_s):
    assert short_window_s(duration_s) == window_s


def test_collate_pads_and_masks():
    batch = MicroBatch((item(0, 1.0, n_tokens=2), item(1, 0.5, n_tokens=4)), window_s=1.5)
    tensors = collate(batch, end_id=99)
    assert tensors.waves.shape == (2, 24_000)
    assert tensors.waves[1, 7_999] == 0.5
    assert not tensors.waves[1, 8_000:].any()
    assert tensors.inputs.tolist() == [[0, 1, 99, 99], [0, 1, 2, 3]]
    assert tensors.targets.tolist() == [[IGNORED, 1, IGNORED, IGNORED], [IGNORED, 1, 2, 3]]
    assert batch.n_scored == 4
    assert batch.audio_s == 1.5
    assert tensors.waves.dtype == torch.float32
