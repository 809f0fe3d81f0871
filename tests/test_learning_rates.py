"""Where to begin, by size and method; and that a rate for adapters is not used on all weights without a word."""

import pytest
from test_loop import recipe

from parlure.learning_rates import suited, warning
from parlure.machine import SIZES
from parlure.training import job
from parlure.training.loop import train


@pytest.mark.parametrize(
    ("name", "full", "adapters"),
    [
        ("openai/whisper-tiny", 3.75e-5, 3.75e-4),
        ("openai/whisper-base", 2.5e-5, 2.5e-4),
        ("openai/whisper-small", 1.25e-5, 1.25e-4),
        ("openai/whisper-medium", 6.25e-6, 6.25e-5),
        ("openai/whisper-large-v3", 5e-6, 5e-5),
        ("openai/whisper-large-v3-turbo", 5e-6, 5e-5),
    ],
)
def test_by_size_and_method(name, full, adapters):
    size = next(size for size in SIZES if size.name == name)
    assert suited("full", size.width, size.n_layers).rate == full
    assert {suited(method, size.width, size.n_layers).rate for method in ("lora", "dora", "adalora")} == {adapters}


def test_its_source_is_named():
    assert suited("full", 1024, 24).source == "a fortieth of the 0.00025 that medium was pre-trained with"
    assert suited("lora", 384, 4).source == "ten times a fortieth of the 0.0015 that tiny was pre-trained with"
    assert suited("lora", 160, 3) is None  # nano's


def test_what_is_said_of_a_rate_that_is_far_too_high():
    assert warning("full", 1e-4, 1024, 24) == (
        "training.learning_rate is 0.0001, which may suit adapters: for all weights of this size begin at 6.25e-06, a "
        "fortieth of the 0.00025 that medium was pre-trained with (--set training.learning_rate=6.25e-06)"
    )
    assert (warning("full", 2.5e-5, 1024, 24), warning("lora", 1e-3, 1024, 24), warning("full", 1.0, 160, 3)) == (
        "",
    ) * 3


def test_a_run_says_so_before_its_first_step(corpus_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "warning", lambda method, rate, width, n_layers: f"{method} {rate} {width} {n_layers}")
    rows = []
    settings = recipe(corpus_folder, adapter={"method": "full"})
    train(settings, tmp_path / "run", dry_run=True, on_event=rows.append)
    assert [row["text"] for row in rows if row["kind"] == "notice"] == ["full 0.001 160 3"]
