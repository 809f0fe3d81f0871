"""What a frozen encoder gave is given again, from memory or disk, within a bound; training does not notice."""

import pytest
import torch
from test_batches import full_window, item
from test_loop import alone, recipe

from parlure.errors import ParlureError
from parlure.training.batches import MicroBatch
from parlure.training.encoder_cache import EncoderCache
from parlure.training.items import training_items
from parlure.training.loop import train
from parlure.training.trainee import Trainee, optimisation_step
from parlure.training.windows import own_window
from parlure.whisper.load import NANO, load_base, load_tokenizer

WINDOWS = tuple(own_window(item(n, 1.0)) for n in range(4))


class Encoder:
    """Gives each window a number of its own, and counts."""

    def __init__(self, dtype=torch.float32):
        self.asked, self.dtype = [], dtype

    def __call__(self, batch):
        names = [window.items[0].id for window in batch.windows]
        self.asked.append(names)
        return torch.stack([torch.full((3, 2), float(name[1:]) + batch.length_s, dtype=self.dtype) for name in names])


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_only_what_is_missing_is_computed(tmp_path, on_disk, dtype):
    cache, encode = EncoderCache(10**6, tmp_path if on_disk else None), Encoder(dtype)
    first = cache.outputs(MicroBatch(WINDOWS[:2], 1.5), encode)
    mixed = cache.outputs(MicroBatch(WINDOWS[1:], 1.5), encode)
    assert encode.asked == [["u000", "u001"], ["u002", "u003"]]
    assert first.dtype == mixed.dtype == dtype
    assert first[:, 0, 0].tolist() == [1.5, 2.5]
    assert mixed[:, 2, 1].tolist() == [2.5, 3.5, 4.5]
    assert len(cache) == 4 and cache.n_bytes == 4 * 6 * dtype.itemsize
    assert list(tmp_path.iterdir()) == []  # a file without a name


def test_length_and_padding_are_told_apart():
    cache, encode = EncoderCache(10**6), Encoder()
    one = item(0, 1.0)
    for window, length_s in (
        (own_window(one), 1.5), (own_window(one), 2.0), (full_window(one), 30.0), (full_window(one, "zeros"), 30.0),
    ):  # fmt: skip
        cache.outputs(MicroBatch((window,), length_s), encode)
    assert len(encode.asked) == 4


def test_the_bound_is_kept_and_the_rest_computed_again():
    cache, encode = EncoderCache(2 * 24), Encoder()
    for _ in range(2):
        assert cache.outputs(MicroBatch(WINDOWS, 1.5), encode)[:, 0, 0].tolist() == [1.5, 2.5, 3.5, 4.5]
    assert encode.asked == [["u000", "u001", "u002", "u003"], ["u002", "u003"]]
    assert cache.n_bytes == 48


def test_a_cached_step_is_the_step(corpus, corpus_folder):
    items = training_items(corpus, load_tokenizer(str(NANO)))[:4]
    step = (MicroBatch(tuple(map(full_window, items)), 30.0),)
    results = []
    for gigabytes in (0.0, 1.0):
        torch.manual_seed(0)
        settings = recipe(corpus_folder, adapter={"parts": "decoder"}, training={"encoder_cache_gb": gigabytes})
        made = Trainee.of(settings, load_base(str(NANO)), load_tokenizer(str(NANO)), torch.device("cpu"))
        names = [name for name, parameter in made.whisper.named_parameters() if parameter.requires_grad]
        assert names and all(".decoder." in f".{name}" for name in names)
        assert any("encoder_attn" in name for name in names)
        results.append([optimisation_step(made, alone(), step, 1e-3, 1.0, "0") for _ in range(3)])
    assert results[1] == [pytest.approx(one, rel=1e-5) for one in results[0]]


def test_a_run_with_a_cache_ends_as_one_without(corpus_folder, tmp_path):
    frozen = {"adapter": {"parts": "decoder"}, "evaluation": {"every_steps": 6, "max_utterances": 1}}
    same = {"max_steps": 6, "full_window_share": 0.0, "batch_seconds": 30.0}
    ends = []
    for name, more in (
        ("memory", {"encoder_cache_gb": 1.0}),
        ("disk", {"encoder_cache_gb": 1.0, "encoder_cache": "disk"}),
        ("bounded", {"encoder_cache_gb": 1e-4}),
    ):
        rows = []
        train(recipe(corpus_folder, **frozen, training=same | more), tmp_path / name, on_event=rows.append)
        ends.append([row["loss"] for row in rows if row["kind"] == "step"])
    assert ends[1] == pytest.approx(ends[0], rel=1e-4)
    assert ends[2] == pytest.approx(ends[0], rel=1e-4)


def test_a_cache_of_an_encoder_that_is_tuned_is_refused(corpus_folder, tmp_path):
    with pytest.raises(ParlureError) as caught:
        train(recipe(corpus_folder, training={"encoder_cache_gb": 1.0}), tmp_path / "run")
    assert caught.value.message == (
        "training.encoder_cache_gb keeps what an encoder gives, and here the encoder is tuned too"
    )
    assert caught.value.hint == "--set adapter.parts=decoder, or --set training.encoder_cache_gb=0"
