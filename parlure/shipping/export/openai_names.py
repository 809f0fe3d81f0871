"""Hugging Face's names of Whisper's weights → OpenAI's, which openai-whisper and whisper.cpp go by."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from transformers import WhisperForConditionalGeneration

from parlure.errors import ParlureError

_LAYER = re.compile(r"(encoder|decoder)\.layers\.(\d+)\.(.+)\.(weight|bias)")
_INSIDE = {
    "self_attn.q_proj": "attn.query", "self_attn.k_proj": "attn.key", "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out", "self_attn_layer_norm": "attn_ln",
    "encoder_attn.q_proj": "cross_attn.query", "encoder_attn.k_proj": "cross_attn.key",
    "encoder_attn.v_proj": "cross_attn.value", "encoder_attn.out_proj": "cross_attn.out",
    "encoder_attn_layer_norm": "cross_attn_ln",
    "fc1": "mlp.0", "fc2": "mlp.2", "final_layer_norm": "mlp_ln",
}  # fmt: skip
_OUTSIDE = {
    "encoder.embed_positions.weight": "encoder.positional_embedding",
    "encoder.layer_norm.weight": "encoder.ln_post.weight", "encoder.layer_norm.bias": "encoder.ln_post.bias",
    "decoder.embed_positions.weight": "decoder.positional_embedding",
    "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
    "decoder.layer_norm.weight": "decoder.ln.weight", "decoder.layer_norm.bias": "decoder.ln.bias",
}  # fmt: skip
_OUTPUT = "proj_out.weight"  # the token embedding once more


def openai_tensors(model: WhisperForConditionalGeneration) -> Iterator[tuple[str, torch.Tensor]]:
    """Every weight under OpenAI's name, on the CPU; the output layer, which is the token embedding, is left out."""
    for name, tensor in model.state_dict().items():
        if name != _OUTPUT:
            yield openai_name(name.removeprefix("model.")), tensor.detach().cpu()


def openai_name(name: str) -> str:
    """OpenAI's name of a weight, such as ``decoder.blocks.0.cross_attn.key.weight``."""
    if found := _LAYER.fullmatch(name):
        part, number, inside, kind = found.groups()
        return f"{part}.blocks.{number}.{_INSIDE[inside]}.{kind}"
    return _OUTSIDE.get(name, name)


def refuse_other_shapes(model: WhisperForConditionalGeneration, name: str, runtime: str) -> None:
    """See to it that the model is built as OpenAI's are: both runtimes know no other.

    Raises:
        ParlureError: it is not.
    """
    config = model.config
    wide = {"encoder_ffn_dim": config.encoder_ffn_dim, "decoder_ffn_dim": config.decoder_ffn_dim}
    wrong = [f"{key} {value}" for key, value in wide.items() if value != 4 * config.d_model]
    if config.activation_function != "gelu":
        wrong.append(f"activation_function {config.activation_function}")
    if config.scale_embedding:
        wrong.append("scale_embedding")
    if not config.tie_word_embeddings:
        wrong.append("an output layer of its own")
    if wrong:
        raise ParlureError(
            f"{name} has {', '.join(wrong)}, and {runtime} knows only Whispers built as OpenAI's",
            "export it with --to hf or ctranslate2",
        )
