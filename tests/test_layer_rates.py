"""Learning rates of layers: shares of the next one's, in encoder and decoder each."""

import pytest
import torch
from test_batches import item
from test_loop import alone, recipe

from parlure.training.batches import MicroBatch
from parlure.training.layer_rates import parameter_groups
from parlure.training.trainee import Trainee, optimisation_step
from parlure.training.windows import own_window
from parlure.whisper.load import NANO, load_base, load_tokenizer


def scales(named, decay, n_encoder=3, n_decoder=3):
    found = parameter_groups(named, decay, {"encoder": n_encoder, "decoder": n_decoder})
    places = {id(one): group["scale"] for group in found for one in group["params"]}
    return {name: places[id(parameter)] for name, parameter in named}


def test_each_layer_has_a_share_of_the_next_ones():
    found = scales([*load_base(str(NANO)).named_parameters()], 0.5)
    assert found["model.encoder.conv1.weight"] == found["model.decoder.embed_tokens.weight"] == 0.125
    for part in ("encoder", "decoder"):
        layers = [found[f"model.{part}.layers.{number}.fc1.weight"] for number in range(3)]
        assert layers == [0.25, 0.5, 1.0]
        assert found[f"model.{part}.layer_norm.weight"] == 1.0
    assert set(scales([*load_base(str(NANO)).named_parameters()], 1.0).values()) == {1.0}


def test_each_part_counts_its_own_layers():
    """As in large-v3-turbo, whose decoder has 4 beside 32."""
    names = [
        "encoder.layers.31.fc1",
        "encoder.layers.0.fc1",
        "encoder.conv1",
        "decoder.layers.3.fc1",
        "decoder.layers.0.fc1",
    ]
    named = [(f"model.{name}.weight", torch.nn.Parameter(torch.ones(1))) for name in names]
    assert list(scales(named, 0.9, 32, 4).values()) == pytest.approx([1.0, 0.9**31, 0.9**32, 1.0, 0.9**3])


def test_the_first_layers_move_less(corpus_folder):
    moved = {}
    for decay in (1.0, 0.01):
        torch.manual_seed(0)
        settings = recipe(corpus_folder, adapter={"method": "full"}, training={"layer_decay": decay})
        made = Trainee.of(settings, load_base(str(NANO)), load_tokenizer(str(NANO)), torch.device("cpu"))
        before = {name: p.detach().clone() for name, p in made.whisper.named_parameters()}
        optimisation_step(made, alone(), (MicroBatch((own_window(item(0, 1.0, 5)),), 1.5),), 1e-4, 1.0)
        moved[decay] = {n: float((p.detach() - before[n]).abs().max()) for n, p in made.whisper.named_parameters()}
    for part in ("encoder", "decoder"):
        first, last = (f"model.{part}.layers.{number}.fc1.weight" for number in (0, 2))
        assert moved[1.0][first] == pytest.approx(moved[1.0][last], rel=0.2)
        assert moved[0.01][first] < 1e-3 * moved[0.01][last]
        assert moved[0.01][last] == pytest.approx(moved[1.0][last], rel=1e-3)
