"""A run's adapter by itself, as PEFT's ``from_pretrained`` and vLLM's ``--lora-modules`` take it.

vLLM serves many adapters of one base. What it takes of Whisper's is read from its source as of August 2026 (LoRA for
Whisper since 0.18: vllm-project/vllm pull request 29856; ``PEFTHelper``, ``LoRAConfig``): what it refuses, or leaves
out without a word, is told when the adapter is written.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft.utils import load_peft_weights
from safetensors.torch import save_file

from parlure.errors import ParlureError
from parlure.whisper.load import locate

_SETTINGS, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # what --max-lora-rank may be
_VLLM_MODULES = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
_VLLM_LACKS = {
    "use_dora": "DoRA",
    "modules_to_save": "modules trained whole",
    "rank_pattern": "ranks that differ",
    "alpha_pattern": "scales that differ",
    "trainable_token_indices": "trained tokens",
    "lora_bias": "biases",
}


def to_adapter(model: str, out: Path, quantize: str) -> Sequence[str]:
    """Write the adapter of a MODEL, which stays an adapter.

    Args:
        model: a run with an adapter, or the folder of an adapter that PEFT saved.
        out: the folder, which is not there yet.
        quantize: dtype of its weights.

    Returns:
        What vLLM will not take, or how it is started.

    Raises:
        ParlureError: the model is a whole one.
    """
    source, folder = locate(model)
    if folder is None:
        raise ParlureError(f"{model} is a whole model, without an adapter to export", "export it with --to hf")
    settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
    base = str(Path(source).resolve()) if Path(source).is_dir() else source
    dtype = getattr(torch, quantize)
    weights = {name: tensor.to(dtype).contiguous() for name, tensor in load_peft_weights(str(folder), "cpu").items()}
    out.mkdir(parents=True)
    save_file(weights, out / _WEIGHTS, metadata={"format": "pt"})
    told = settings | {"base_model_name_or_path": base, "inference_mode": True}
    (out / _SETTINGS).write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for path in sorted(folder.glob("tokenizer*.json")):  # of a language that was taught
        shutil.copyfile(path, out / path.name)
    notes = _about_vllm(settings, weights, base)
    if base != source or Path(source).is_dir():
        notes = [f"its base is a folder of this machine, {base}: whoever loads the adapter needs it there", *notes]
    return notes


def _about_vllm(settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor], base: str) -> list[str]:
    if lacking := vllm_lacks(settings, weights):
        return [f"vLLM does not take it: {', '.join(lacking)}; PEFT does, and --to hf merges it"]
    rank = next(one for one in _VLLM_RANKS if one >= settings["r"])
    notes = [f"vllm serve {base} --enable-lora --max-lora-rank {rank} --lora-modules NAME=FOLDER"]
    if any(".encoder." in name for name in weights):
        notes.append(
            "it changes the encoder too: vLLM keeps account of adapters by the decoder's tokens, so hear what it says "
            'with this one before you rely on it; adapter.parts = "decoder" trains one that leaves the encoder alone'
        )
    return notes


def vllm_lacks(settings: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> list[str]:
    """What an adapter needs and vLLM has not; nothing where it takes the adapter."""
    if settings["peft_type"] != "LORA":
        return [f"{settings['peft_type']} in the place of LoRA"]
    lacking = [what for name, what in _VLLM_LACKS.items() if settings.get(name)]
    if settings.get("bias", "none") != "none" and "biases" not in lacking:
        lacking.append("biases")
    if settings["r"] > max(_VLLM_RANKS):
        lacking.append(f"rank {settings['r']}")
    modules = {name.partition(".lora_")[0].rpartition(".")[2] for name in weights if ".lora_" in name}
    lacking += sorted(f"an adapter on {module}" for module in modules - {*_VLLM_MODULES})
    return lacking
