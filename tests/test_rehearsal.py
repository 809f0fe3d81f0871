"""What a step needs, rehearsed: as much as real tensors keep, and near what a real process takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from measured_memory import N_TOKENS, config_of
from transformers import WhisperConfig, WhisperForConditionalGeneration

from parlure.recipe import parse_recipe
from parlure.sections import AdapterSection
from parlure.speech.features import HOP_LENGTH
from parlure.training.batches import Tensors
from parlure.training.memory import ALLOCATOR
from parlure.training.rehearsal import Need, prepared, rehearse
from parlure.training.trainee import Trainee
from parlure.whisper.checkpointing import checkpoint_layers
from parlure.whisper.encoder import allow_short_input
from parlure.whisper.load import NANO, load_tokenizer


def small(n_encoder: int = 3, n_decoder: int = 1) -> WhisperConfig:
    return WhisperConfig(
        vocab_size=51_865, d_model=64, encoder_layers=n_encoder, decoder_layers=n_decoder, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=256, decoder_ffn_dim=256, suppress_tokens=None,
        begin_suppress_tokens=None,
    )  # fmt: skip


def need(config: WhisperConfig, method: str = "lora", *, bf16: bool = False, checkpointing: bool = False) -> Need:
    return rehearse(config, AdapterSection(method=method), bf16=bf16, checkpointing=checkpointing)


def real(config: WhisperConfig, method: str) -> Trainee:
    whisper = WhisperForConditionalGeneration(config)
    allow_short_input(whisper)
    recipe = parse_recipe({"data": {"corpus": ""}, "adapter": {"method": method}}, "")
    trainee = Trainee.of(recipe, whisper, load_tokenizer(str(NANO)), torch.device("cpu"))
    whisper.train()
    return trainee


def kept_bytes(trainee: Trainee, n: int, n_samples: int, n_tokens: int) -> int:
    """What autograd keeps of the loss that is really trained with, all tokens scored."""
    own = {parameter.untyped_storage().data_ptr() for parameter in trainee.whisper.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    tokens = torch.zeros(n, n_tokens, dtype=torch.long)
    tensors = Tensors(torch.randn(n, n_samples), tokens, tokens, sound_frames=torch.full((n,), n_samples // HOP_LENGTH))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        trainee.loss(trainee.loss.encode(tensors), tokens, tokens)
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_what_is_kept_grows_as_with_real_tensors(method, checkpointing):
    """Of a model with more layers than are rehearsed, other lengths, other numbers of windows and tokens."""
    found, trainee = need(small(), method), real(small(), method)
    if checkpointing:
        found = need(small(), method, checkpointing=True)
        checkpoint_layers(trainee.whisper)
    few, more = ((1, 16_000 * 4, 10), (3, 16_000 * 8, 25))
    grown = kept_bytes(trainee, *more) - kept_bytes(trainee, *few)
    foreseen = found.total(3 * 8, 3 * 25) - found.total(4, 10)
    passing = found.total(3 * 8, 3 * 25) - found.total(4, 10) - grown
    # besides what is kept: log-mels and a layer's inner results by the second, two times the logits by the token
    assert 2 * 51_865 * 4 * 65 < passing < (2 * 51_865 * 4 * 65 + 20 * 1.5e6) * 1.02
    assert foreseen > grown


@pytest.mark.parametrize("method", ["lora", "full"])
def test_weights_are_those_of_the_trainee(method):
    trainee = real(small(), method)
    names = [{n for n, p in w.named_parameters() if p.requires_grad}
             for w in (trainee.whisper, prepared(small(), AdapterSection(method=method), bf16=False))]  # fmt: skip
    assert names[0] == names[1]
    found = need(small(), method)
    parameters = list(trainee.whisper.parameters())
    assert found.weights == sum(p.nbytes for p in parameters)
    assert found.gradients == sum(p.nbytes for p in parameters if p.requires_grad)
    assert found.states == 2 * found.gradients


def test_bf16_and_checkpointing_need_less_by_the_second():
    plain = need(small())
    assert need(small(), bf16=True).per_second < plain.per_second
    assert need(small(), checkpointing=True).per_second < plain.per_second
    assert need(small(6), checkpointing=True).per_second < need(small(6)).per_second / 2


def test_a_large_model_is_rehearsed_without_its_memory():
    import psutil

    config = WhisperConfig(
        vocab_size=51_866, num_mel_bins=128, d_model=1280, encoder_layers=32, decoder_layers=32,
        encoder_attention_heads=20, decoder_attention_heads=20, encoder_ffn_dim=5120, decoder_ffn_dim=5120,
        suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    before = psutil.Process().memory_info().rss
    found = need(config)
    assert psutil.Process().memory_info().rss - before < 0.3e9
    assert 6.1e9 < found.weights < 6.6e9  # 1,550 million parameters in fp32, and adapters
    assert 15e9 < found.total(30, 50) < 25e9


# with glibc giving back at once what is freed, tensors are all that a process takes; as it comes, it keeps much
ALL_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a peak anew")
@pytest.mark.parametrize(
    ("cases", "environment", "allocator"),
    [
        (
            [("nano", "lora", 1, 30, False), ("nano", "lora", 4, 15, False), ("tiny", "lora", 1, 10, False),
             ("tiny", "full", 1, 10, True)],
            ALL_BACK, 1.0,
        ),
        ([("nano", "lora", 2, 30, False)], {}, ALLOCATOR["cpu"]),
    ],
    ids=["tensors", "as it comes"],
)  # fmt: skip
def test_a_real_process_takes_what_was_estimated(cases, environment, allocator):
    script = Path(__file__).with_name("measured_memory.py")
    result = subprocess.run(
        [sys.executable, str(script), json.dumps(cases)], capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    for (name, method, n, seconds, checkpointing), measured in zip(cases, result.stdout.split(), strict=True):
        found = need(config_of(name), method, checkpointing=checkpointing)
        ratio = allocator * found.total(n * seconds, n * N_TOKENS) / int(measured)
        assert 0.7 < ratio < 1.5, f"{name} {method} {n} x {seconds} s took {int(measured) / 1e6:.0f} MB"
