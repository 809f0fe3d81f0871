"""The plan of an epoch: everything once, one length a batch, decided by the seed alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from parlure.speech.features import short_window_s
from parlure.training.batches import MicroBatch, collate, plan_epoch
from parlure.training.windows import Item, Padding, Window, WindowPolicy, own_window
from parlure.whisper.prompt import IGNORED, Labels, SpecialTokens

SPECIAL = SpecialTokens(
    start=50258, end=50257, previous=50361, no_speech=50362, transcribe=50359, translate=50358, no_timestamps=50363,
    timestamp_begin=50364,
)  # fmt: skip


def item(number: int, duration_s: float, n_tokens: int = 3, group: str = "") -> Item:
    sequence = [SPECIAL.start, 50265, SPECIAL.transcribe, SPECIAL.no_timestamps, *range(n_tokens), SPECIAL.end]
    labels = Labels(tuple(sequence[:-1]), (IGNORED,) * 3 + tuple(sequence[4:]))
    sound = np.full(int(duration_s * 16_000), 0.5, np.float32)
    return Item(f"u{number:03d}", duration_s, labels, lambda: sound, group)


def full_window(item: Item, padding: Padding = "silence") -> Window:
    """An utterance alone in 30 s."""
    return Window((item,), item.labels, 30.0, padding=padding)


def steps_of(items, policy=WindowPolicy(0.3), **changes):  # noqa: B008  frozen
    settings_ = {"epoch": 0, "seed": 1, "batch_seconds": 20.0, "accumulation": 2} | changes
    return plan_epoch(items, policy, SPECIAL, **settings_)


durations = st.lists(st.floats(0.1, 30.0), min_size=1, max_size=60)


@given(durations, st.integers(0, 5), st.floats(0, 1), st.integers(1, 5), st.integers(1, 4), st.floats(1, 120))
@settings(max_examples=100, deadline=None)
def test_every_utterance_once_in_batches_of_about_one_length(lengths, seed, share, most, accumulation, batch_seconds):
    items = [item(n, length, group=str(n % 3)) for n, length in enumerate(lengths)]
    steps = steps_of(
        items, WindowPolicy(share, most), seed=seed, accumulation=accumulation, batch_seconds=batch_seconds
    )
    batches = [batch for step in steps for batch in step]
    windows = [window for batch in batches for window in batch.windows]
    assert sorted(i.id for window in windows for i in window.items) == sorted(i.id for i in items)
    assert all(len(step) <= accumulation for step in steps)
    for batch in batches:
        assert len(batch.windows) == 1 or len(batch.windows) * batch.length_s <= batch_seconds
        assert max(window.length_s for window in batch.windows) == batch.length_s
        assert min(window.length_s for window in batch.windows) >= batch.length_s - 2
    for window in windows:
        assert window.length_s in (30.0, short_window_s(window.items[0].duration_s))
        assert window.sound_s <= window.length_s


def plan(items, **changes):
    return [
        [(b.length_s, [[i.id for i in w.items] for w in b.windows]) for b in step]
        for step in steps_of(items, **changes)
    ]


def test_the_plan_depends_on_seed_and_epoch_but_not_on_order():
    items = [item(n, 0.5 + n % 7) for n in range(50)]
    assert plan(items) == plan(items[::-1])
    assert plan(items) != plan(items, seed=2)
    assert plan(items) != plan(items, epoch=1)


def test_fixed_windows_are_the_same_in_every_epoch_though_their_order_is_not():
    items = [item(n, 0.5 + n % 7) for n in range(50)]
    fixed = WindowPolicy(0.3, 3, fixed=True)
    first, second = (steps_of(items, fixed, epoch=epoch) for epoch in (0, 1))

    def rows(steps):
        return sorted((b.length_s, w.labels.inputs, w.padding, w.starts_s) for s in steps for b in s for w in b.windows)

    assert rows(first) == rows(second)
    assert plan(items, policy=fixed) != plan(items, policy=fixed, epoch=1)
    assert all(window.length_s == batch.length_s for step in first for batch in step for window in batch.windows)


def test_few_of_one_length_fill_a_batch_with_their_neighbours():
    items = [item(n, 4.0 + 0.5 * n) for n in range(4)]  # windows of 4.5, 5, 5.5 and 6 s
    assert plan(items, policy=WindowPolicy(0.0), batch_seconds=60, accumulation=1) == [
        [(6.0, [["u003"], ["u002"], ["u001"], ["u000"]])]
    ]
    far = [item(0, 2.0), item(1, 9.0)]
    assert len(plan(far, policy=WindowPolicy(0.0), batch_seconds=60, accumulation=1)) == 2


@pytest.mark.parametrize(("duration_s", "window_s"), [(0.1, 1.0), (0.5, 1.0), (0.51, 1.5), (4.2, 5.0), (29.6, 30.0)])
def test_short_window(duration_s, window_s):
    assert short_window_s(duration_s) == window_s


def test_collate_pads_and_masks():
    batch = MicroBatch((own_window(item(0, 1.0, n_tokens=1)), own_window(item(1, 0.5, n_tokens=3))), length_s=1.5)
    tensors = collate(batch, end_id=99)
    assert tensors.waves.shape == (2, 24_000)
    assert tensors.waves[1, 7_999] == 0.5
    assert not tensors.waves[1, 8_000:].any()
    prompt = [SPECIAL.start, 50265, SPECIAL.transcribe, SPECIAL.no_timestamps]
    assert tensors.inputs.tolist() == [[*prompt, 0, 99, 99], [*prompt, 0, 1, 2]]
    given_ = [IGNORED] * 3
    assert tensors.targets.tolist() == [
        [*given_, 0, SPECIAL.end, IGNORED, IGNORED],
        [*given_, 0, 1, 2, SPECIAL.end],
    ]
    assert batch.n_scored == 6
    assert batch.audio_s == 1.5
    assert tensors.waves.dtype == torch.float32
    assert tensors.n_frames is None


def test_collate_lays_several_out_and_tells_where_zeros_begin():
    one, two = item(0, 1.0), item(1, 0.5)
    windows = (
        Window((one, two), one.labels, 30.0, (0.0, 2.0), "zeros"),
        Window((two,), two.labels, 30.0, (0.0,), "silence"),
    )
    tensors = collate(MicroBatch(windows, 30.0), end_id=99)
    wave = tensors.waves[0]
    assert wave[:16_000].eq(0.5).all() and wave[32_000:40_000].eq(0.5).all()
    assert not wave[16_000:32_000].any() and not wave[40_000:].any()
    assert tensors.n_frames.tolist() == [251, 3000]
