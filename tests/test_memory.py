"""The batch-size finder: the largest forward pass within a budget, the step as it was, and what it says."""

import math
import re
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import WhisperConfig

from parlure.errors import ParlureError
from parlure.recipe import load_recipe, parse_recipe
from parlure.training import memory
from parlure.training.loop import train
from parlure.training.memory import Shape, as_begun, choose, fitted, room_bytes, shapes_of, worst_bytes
from parlure.training.rehearsal import Need
from parlure.training.team import Team
from parlure.training.windows import Item
from parlure.whisper.load import NANO
from parlure.whisper.prompt import Labels

GB = 10**9
NEED = Need(weights=GB, gradients=0, states=0, fixed=0.0, per_second=GB / 30, per_token=0.0)
CHECKPOINTED = replace(NEED, per_second=GB / 300)
WINDOW = [Shape(30.0, 100)]


@pytest.fixture
def plain_need(monkeypatch):
    """1 GB, and 1 GB a window, a tenth of it checkpointed; nothing lost, no margin."""
    monkeypatch.setattr(memory, "MARGIN", 1.0)
    monkeypatch.setattr(memory, "ALLOCATOR", {"cpu": 1.0})
    monkeypatch.setattr(memory, "_rehearsed", lambda *arguments: CHECKPOINTED if arguments[-1] else NEED)


def recipe(**training):
    return parse_recipe({"model": {"base": "nano"}, "data": {"corpus": "c"}, "training": training}, "")


def chosen(room_gb: float, size: int = 1, **training):
    made = recipe(**training)
    fit = choose(made.training, made.adapter, WhisperConfig(), WINDOW, room_gb * GB, bf16=False, size=size)
    return fit.batch_seconds, fit.accumulation, fit.checkpointing


@pytest.mark.parametrize(
    ("room_gb", "asked", "found"),
    [
        (9.0, {"batch_seconds": 0}, (240.0, 1, False)),  # never more than a step
        (8.9, {"batch_seconds": 0}, (120.0, 2, False)),
        (2.0, {"batch_seconds": 0}, (30.0, 8, False)),
        (1.9, {"batch_seconds": 0}, (240.0, 1, True)),
        (1.3, {"batch_seconds": 0}, (60.0, 4, True)),
        (3.1, {"batch_seconds": 0, "checkpointing": "on"}, (240.0, 1, True)),
        (5.0, {"batch_seconds": 0, "accumulation": 3}, (90.0, 1, False)),
        (9.0, {"batch_seconds": 0, "size": 2}, (120.0, 2, False)),  # each process has something to do
        (2.0, {}, (30.0, 8, False)),
        (1.9, {}, (30.0, 8, True)),
        (3.0, {"batch_seconds": 60, "accumulation": 4}, (60.0, 4, False)),
        (9.0, {"checkpointing": "off"}, (30.0, 8, False)),
    ],
)
def test_the_largest_that_fits(plain_need, room_gb, asked, found):
    assert chosen(room_gb, **asked) == found


@pytest.mark.parametrize(
    ("room_gb", "asked", "message"),
    [
        (1.0, {"batch_seconds": 0}, "a forward pass of 30 s needs 1.1 GB (estimated), and there are 1.0 GB"),
        (1.1, {"batch_seconds": 60}, "a forward pass of 60 s needs 1.2 GB (estimated), and there are 1.1 GB"),
        (
            2.9,
            {"batch_seconds": 60, "checkpointing": "off"},
            "a forward pass of 60 s needs 3.0 GB (estimated), and there are 2.9 GB",
        ),
        (-1, {"batch_seconds": 60}, "a forward pass of 60 s needs 1.2 GB (estimated), and there are 0.0 GB"),
    ],
)
def test_what_does_not_fit_is_refused(plain_need, room_gb, asked, message):
    with pytest.raises(ParlureError) as caught:
        chosen(room_gb, **asked)
    assert caught.value.message == message
    assert caught.value.hint == (
        "set training.batch_seconds to 0 for as much as memory takes, or take a smaller model; "
        "if the estimate is wrong, say in training.memory_gb how much may be used"
    )


@given(
    st.lists(st.builds(Shape, st.sampled_from([1.0, 2.5, 9.5, 29.5, 30.0]), st.integers(1, 448)), min_size=1),
    st.floats(30, 300),
    st.floats(0, 1e7),
)
@settings(max_examples=50, deadline=None)
def test_no_forward_pass_of_a_plan_exceeds_the_worst(shapes, batch_seconds, per_token):
    need = replace(NEED, per_token=per_token)
    worst = worst_bytes(need, shapes, batch_seconds)
    for shape in shapes:
        for n in range(1, max(1, int(batch_seconds // shape.length_s)) + 1):
            assert need.total(n * shape.length_s, n * shape.n_tokens) < worst


def item(duration_s: float, n_tokens: int) -> Item:
    return Item(f"{duration_s}", duration_s, Labels((0,) * n_tokens, (0,) * n_tokens), lambda: None)


def test_shapes_are_the_windows_that_occur_with_their_longest_labels():
    items = [item(1.0, 9), item(1.2, 5), item(4.0, 7), item(6.0, 30)]
    short = [Shape(1.5, 9), Shape(2.0, 9), Shape(4.5, 9), Shape(6.5, 30)]
    assert shapes_of(items, recipe(full_window_share=0).training) == short
    alone = recipe(full_window_share=0.1, utterances_per_window=1).training
    assert shapes_of(items, alone) == [*short, Shape(30.0, 32)]
    # several share a window, and its labels
    assert shapes_of(items, recipe(full_window_share=0.1).training) == [*short, Shape(30.0, 4 * 32)]
    packed = recipe(full_window_share=1, utterances_per_window=99).training
    assert shapes_of(items, packed) == [*short, Shape(30.0, 448)]


def test_kept_encoder_outputs_leave_less_room(plain_need, monkeypatch):
    monkeypatch.setattr(memory, "room_bytes", lambda device, memory_gb, n_local: 5.0 * GB)
    for how, batch_seconds in (({}, 120.0), ({"encoder_cache_gb": 2}, 60.0),
                               ({"encoder_cache_gb": 2, "encoder_cache": "disk"}, 120.0)):  # fmt: skip
        made, _ = fitted(recipe(batch_seconds=0, **how), WhisperConfig(), [item(29.0, 9)], Team(Accelerator()))
        assert made.training.batch_seconds == batch_seconds


class Trio:
    """The team as the second of three processes sees it; the others have 5 and 2 GB of room."""

    class accelerator:  # noqa: N801
        device, process_index, mixed_precision = torch.device("cpu"), 1, "no"

    size = 3

    def add(self, values):
        assert (values[0], values[2]) == (0.0, 0.0)
        return [5.0 * GB, values[1], 2.0 * GB]


def test_the_least_room_of_all_processes_decides(plain_need, monkeypatch):
    monkeypatch.setattr(memory, "room_bytes", lambda device, memory_gb, n_local: 3.0 * GB if n_local == 3 else 0.0)
    made, fit = fitted(recipe(batch_seconds=0), WhisperConfig(), [item(3.0, 9)], Trio())
    training = made.training
    assert (training.batch_seconds, training.accumulation, training.checkpointing) == (30.0, 8, "off")
    assert fit.sentence == "30 s of input a forward pass: 2.0 of 2.0 GB (estimated)"
    assert replace(fit, checkpointing=True).sentence.startswith("30 s of input a forward pass, layers checkpointed: ")


def test_a_recipe_that_leaves_nothing_open_is_left_alone():
    made = recipe(batch_seconds=45, checkpointing="off")
    assert fitted(made, None, [], None) == (made, None)


def test_nano_within_a_budget():
    """The whole of it, with real shapes: what is found keeps to the budget, and half the budget gives less."""
    config = WhisperConfig.from_pretrained(NANO)
    found = []
    for room in (3.0, 1.0):
        made = recipe(batch_seconds=0)
        fit = choose(made.training, made.adapter, config, [Shape(3.0, 20), Shape(30.0, 40)], room * GB, bf16=False)
        assert fit.need_bytes <= fit.room_bytes == room * GB
        assert (fit.batch_seconds % 30, fit.batch_seconds * fit.accumulation, fit.checkpointing) == (0, 240, False)
        found.append(fit.batch_seconds)
    assert found[0] > found[1]


def test_a_run_goes_on_with_the_plan_that_it_was_begun_with():
    begun = recipe(batch_seconds=120, accumulation=2, checkpointing="on")
    assert as_begun(recipe(batch_seconds=0), begun) == begun
    assert as_begun(begun, recipe()) == begun  # nothing is open
    other_step = as_begun(recipe(batch_seconds=0, accumulation=4), begun).training
    assert (other_step.batch_seconds, other_step.accumulation) == (120, 4)  # which check_run refuses


def test_a_run_writes_what_was_chosen_and_goes_on_with_it(corpus_folder, tmp_path, monkeypatch):
    tree = {
        "model": {"base": "nano"}, "data": {"corpus": str(corpus_folder)}, "adapter": {"r": 4},
        "training": {"max_steps": 1, "batch_seconds": 0, "accumulation": 1, "memory_gb": 20, "full_window_share": 0},
        "evaluation": {"max_utterances": 1}, "decoding": {"max_new_tokens": 5},
    }  # fmt: skip
    rows, out = [], tmp_path / "run"
    train(parse_recipe(tree, ""), out, on_event=rows.append)
    assert rows[0]["kind"] == "notice"
    assert re.fullmatch(r"30 s of input a forward pass: \d\.\d of 1\d\.\d GB \(estimated\)", rows[0]["text"])
    kept = load_recipe(out / "recipe.toml").training
    assert (kept.batch_seconds, kept.accumulation, kept.checkpointing) == (30.0, 1, "off")
    assert train(parse_recipe(tree, ""), out, resume=True).was_finished


def test_room(monkeypatch, tmp_path):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert room_bytes(cpu, 0.0, 2) == pytest.approx(room_bytes(cpu, 0.0) / 2, rel=0.2)
    assert 0 < 1000 * GB - room_bytes(cpu, 1000.0) < 100 * GB  # what this process holds already
    monkeypatch.setattr(memory, "_left_of_the_container", lambda: 3e6)
    assert room_bytes(cpu, 0.0, 3) == 1e6
    monkeypatch.undo()
    for limit, left in (("max", math.inf), ("5000", 3000), ("", math.inf)):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("2000\n")
        assert memory._left_of_the_container(tmp_path) == left
    for name, value in (("memory_allocated", 3), ("memory_reserved", 5), ("mem_get_info", (10, 20))):
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert room_bytes(cuda, 0.0) == 10 + 5 - 3
    assert room_bytes(cuda, 1.0) == GB - 3
