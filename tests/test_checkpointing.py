"""Checkpointed layers: the same loss and gradients, with dropout and without, in every way of training."""

import pytest
import torch

from parlure.recipe import parse_recipe
from parlure.training.batches import Tensors
from parlure.training.trainee import Trainee
from parlure.whisper.checkpointing import checkpoint_layers
from parlure.whisper.load import NANO, load_base, load_tokenizer


def losses_and_gradients(method: str, dropout: float, checkpointing: bool):
    """Of two different seeds of dropout, and how often an encoder layer was computed."""
    torch.manual_seed(0)
    recipe = parse_recipe({"data": {"corpus": ""}, "adapter": {"method": method, "dropout": dropout}}, "")
    whisper = load_base(str(NANO))
    whisper.config.dropout = dropout
    for module in (whisper.model.encoder, whisper.model.decoder, *whisper.model.encoder.layers):
        module.dropout = dropout
    trainee = Trainee.of(recipe, whisper, load_tokenizer(str(NANO)), torch.device("cpu"))
    for name, parameter in trainee.whisper.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.05)
    if checkpointing:
        checkpoint_layers(whisper)
    n_computed = 0

    def count(*_):
        nonlocal n_computed
        n_computed += 1

    whisper.model.encoder.layers[0].fc1.register_forward_hook(count)
    whisper.train()
    waves, tokens = torch.randn(2, 32_000), torch.randint(0, 500, (2, 7))
    tensors = Tensors(waves, tokens, tokens, sound_frames=torch.tensor([200, 200]))
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        loss = trainee.loss(trainee.loss.encode(tensors), tokens, tokens)
        loss.backward()
        found.append(float(loss.detach()))
    whisper.eval()
    with torch.inference_mode():
        found.append(float(trainee.loss(trainee.loss.encode(tensors), tokens, tokens)))
    return found, [p.grad for p in trainee.loss.parameters() if p.grad is not None], n_computed


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_nothing_but_memory_and_time_changes(method, dropout):
    plain, plain_gradients, n_plain = losses_and_gradients(method, dropout, False)
    losses, gradients, n_computed = losses_and_gradients(method, dropout, True)
    assert losses == pytest.approx(plain, rel=1e-5)
    assert (plain[0] != plain[1]) == (dropout > 0)
    assert len(gradients) == len(plain_gradients) > 50
    assert any(gradient.abs().max() > 1e-3 for gradient in gradients)
    for one, other in zip(gradients, plain_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    # it takes effect in the encoder that takes short input, and not in evaluation
    assert (n_plain, n_computed) == (3, 5)
