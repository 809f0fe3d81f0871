"""The shapes of the public Whispers, and Whispers of these shapes with random weights: nothing is downloaded.

Widths and depths are those of the checkpoints' ``config.json`` on the Hugging Face Hub (openai/whisper-*). ``toy`` is
no public one: it lets the scripts be tried in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

from parlure.whisper.encoder import allow_short_input
from parlure.whisper.load import NANO

END = 50257  # <|endoftext|>: text below, control tokens and timestamps from it on, in every multilingual Whisper
TALKATIVE = 8.0


@dataclass(frozen=True)
class Shape:
    """What decides a Whisper's arithmetic.

    Attributes:
        width: of every layer; feed-forward layers are four times as wide.
        n_encoder: encoder layers.
        n_decoder: decoder layers.
        n_heads: of every attention.
        n_mels: rows of the log-mel.
        n_vocabulary: tokens.
    """

    width: int
    n_encoder: int
    n_decoder: int
    n_heads: int
    n_mels: int = 80
    n_vocabulary: int = 51_865


SHAPES = {
    "toy": Shape(64, 1, 1, 2),
    "tiny": Shape(384, 4, 4, 6),
    "base": Shape(512, 6, 6, 8),
    "small": Shape(768, 12, 12, 12),
    "medium": Shape(1024, 24, 24, 16),
    "large-v3": Shape(1280, 32, 32, 20, 128, 51_866),
    "turbo": Shape(1280, 32, 4, 20, 128, 51_866),
}


def random_whisper(shape: Shape, seed: int = 1, gain: float = 1.0) -> WhisperForConditionalGeneration:
    """A Whisper with random weights, its encoder open for short input; made for nano's tokenizer.

    Embeddings of the end, of control tokens and of timestamps are zero, and so are their scores, for the output layer
    has the same weights: greedy decoding never takes one, and ends where it is told to.

    Args:
        shape: its widths and depths.
        seed: of the weights.
        gain: of the layers' matrices. At 1 a decoder repeats one token whatever it hears; at :data:`TALKATIVE` what it
            writes depends on the sound and on what it has written, so that tokens can be compared.
    """
    config = WhisperConfig(
        d_model=shape.width, encoder_layers=shape.n_encoder, decoder_layers=shape.n_decoder,
        encoder_attention_heads=shape.n_heads, decoder_attention_heads=shape.n_heads,
        encoder_ffn_dim=4 * shape.width, decoder_ffn_dim=4 * shape.width, num_mel_bins=shape.n_mels,
        vocab_size=shape.n_vocabulary, bos_token_id=END, eos_token_id=END, pad_token_id=END,
        decoder_start_token_id=END + 1, begin_suppress_tokens=None,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(config)
    with torch.no_grad():
        model.model.decoder.embed_tokens.weight[END:] = 0
        for name, weight in model.named_parameters():
            if ".layers." in name and weight.ndim == 2:
                weight.mul_(2 * gain if gain > 1 and ".encoder_attn." in name else gain)
        model.model.decoder.embed_positions.weight.mul_(gain)
    model.generation_config = GenerationConfig.from_pretrained(NANO)
    model.generation_config.alignment_heads = [[shape.n_decoder - 1, 0]]  # nano's are in layers that may not be there
    allow_short_input(model)
    return model
