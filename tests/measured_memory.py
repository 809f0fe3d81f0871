"""Run as a script: what steps of a real model really take; a line a case, in bytes. Linux alone tells a peak anew."""

import json
import sys
from pathlib import Path

import psutil
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from parlure.recipe import parse_recipe
from parlure.sections import AdapterSection
from parlure.speech.audio import SAMPLE_RATE
from parlure.speech.features import HOP_LENGTH
from parlure.training.batches import Tensors
from parlure.training.trainee import Trainee
from parlure.whisper.checkpointing import checkpoint_layers
from parlure.whisper.encoder import allow_short_input
from parlure.whisper.load import NANO, load_tokenizer

N_TOKENS = 50


def config_of(name: str) -> WhisperConfig:
    """Nano's, or that of whisper-tiny: Radford et al. 2022, table 1."""
    if name == "nano":
        return WhisperConfig.from_pretrained(NANO)
    return WhisperConfig(
        d_model=384, encoder_layers=4, decoder_layers=4, encoder_attention_heads=6, decoder_attention_heads=6,
        encoder_ffn_dim=1536, decoder_ffn_dim=1536, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip


def peak_bytes(name: str, method: str, n: int, seconds: float, *, checkpointing: bool = False) -> int:
    """Growth of the resident memory: a step of n windows, the model, gradients and optimiser states included."""
    before = psutil.Process().memory_info().rss
    recipe = parse_recipe({"data": {"corpus": ""}, "adapter": AdapterSection(method=method).model_dump()}, "")
    whisper = WhisperForConditionalGeneration(config_of(name))
    allow_short_input(whisper)
    trainee = Trainee.of(recipe, whisper, load_tokenizer(str(NANO)), torch.device("cpu"))
    if checkpointing:
        checkpoint_layers(whisper)
    trainee.whisper.train()
    for length_s in (1.0, seconds):  # after the first, gradients and states are there
        waves, tokens = torch.randn(n, round(length_s * SAMPLE_RATE)), torch.randint(0, 50_000, (n, N_TOKENS))
        tensors = Tensors(waves, tokens, tokens, sound_frames=torch.full((n,), waves.shape[1] // HOP_LENGTH))
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        trainee.loss(trainee.loss.encode(tensors), tokens, tokens).backward()
        trainee.optimizer.step()
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 - before


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, method, n, seconds, checkpointing in json.loads(sys.argv[1]):
        sys.stdout.write(f"{peak_bytes(name, method, n, seconds, checkpointing=checkpointing)}\n")
