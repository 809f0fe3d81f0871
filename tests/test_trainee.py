"""A step computes what Hugging Face's loss would, in every kind of window, and the short ones at a fraction."""

import time

import numpy as np
import pytest
import torch
from faster_whisper.audio import pad_or_trim
from faster_whisper.feature_extractor import FeatureExtractor
from test_batches import full_window
from test_loop import alone, recipe, trainee

from parlure.speech.features import log_mel
from parlure.training.batches import MicroBatch, collate
from parlure.training.items import training_items
from parlure.training.trainee import Trainee, optimisation_step
from parlure.training.windows import own_window
from parlure.whisper.load import NANO, load_base, load_tokenizer

END = 50_257


@pytest.fixture(scope="module")
def items(corpus):
    return training_items(corpus, load_tokenizer(str(NANO)))


def test_gradients_equal_hugging_faces(items, corpus_folder):
    batch = MicroBatch(tuple(map(full_window, items[:3])), 30.0)
    made = trainee(corpus_folder)
    summed = made.summed_loss(batch) / batch.n_scored
    summed.backward()
    ours = {name: p.grad.clone() for name, p in made.whisper.named_parameters() if p.grad is not None}
    made.optimizer.zero_grad()
    tensors = collate(batch, END)
    made.whisper(
        input_features=log_mel(tensors.waves), decoder_input_ids=tensors.inputs, labels=tensors.targets
    ).loss.backward()
    theirs = {name: p.grad for name, p in made.whisper.named_parameters() if p.grad is not None}
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-4, atol=1e-6)


def test_zeros_are_those_of_faster_whisper(items, corpus_folder):
    batch = MicroBatch((full_window(items[0], "zeros"), full_window(items[1], "silence")), 30.0)
    made, seen = trainee(corpus_folder), []
    made.whisper.model.encoder.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    tensors = collate(batch, END)
    with torch.no_grad():
        made.loss.encode(tensors)
    theirs = pad_or_trim(FeatureExtractor()(items[0].read()))
    np.testing.assert_allclose(seen[0][0].numpy(), theirs, atol=2e-4)
    assert not seen[0][0][:, tensors.n_frames[0] :].any()
    torch.testing.assert_close(seen[0][1], log_mel(tensors.waves[1:])[0])


def test_in_bf16_frozen_weights_are_held_in_it_and_trained_ones_are_not(items, corpus_folder):
    batch = MicroBatch(tuple(map(own_window, items[:4])), 6.0)
    exact = float(trainee(corpus_folder).summed_loss(batch).detach())
    torch.manual_seed(0)
    settings = recipe(corpus_folder, adapter={"dropout": 0.0})
    made = Trainee.of(settings, load_base(str(NANO)), load_tokenizer(str(NANO)), torch.device("cpu"), bf16=True)
    kinds = {p.dtype for p in made.whisper.parameters() if p.requires_grad}
    assert kinds == {torch.float32}
    assert made.whisper.model.encoder.layers[0].fc1.base_layer.weight.dtype == torch.bfloat16
    assert made.whisper.model.encoder.embed_positions.weight.dtype == torch.float32
    assert made.whisper.proj_out.weight is made.whisper.model.decoder.embed_tokens.weight
    for name, parameter in made.whisper.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = float(made.summed_loss(batch).detach())
    assert rounded == pytest.approx(exact, rel=0.02)


def test_own_lengths_cost_a_fraction_of_padding(items, corpus_folder):
    made = trainee(corpus_folder)
    seconds = []
    for windows, length_s in ((map(own_window, items[:8]), 6.0), (map(full_window, items[:8]), 30.0)):
        step = (MicroBatch(tuple(windows), length_s),)
        optimisation_step(made, alone(), step, 0.0, 1.0)
        clock = time.process_time()
        optimisation_step(made, alone(), step, 0.0, 1.0)
        seconds.append(time.process_time() - clock)
    assert seconds[1] > 3 * seconds[0]  # at 6 s of 30, and attention grows faster than length
