"""Run folders of nano whose adapters or weights were drawn, not trained: for tests of what is done with runs."""

import json

import torch

from parlure.recipe import dump_recipe, parse_recipe
from parlure.training.checkpoint import keep_best
from parlure.training.trainable import made_trainable
from parlure.whisper.load import NANO, load_base, load_tokenizer

CORPUS = {"by_language": {"fr": 1.0}, "licence": "CC-BY-4.0", "by_split": {"train": {"hours": 0.5}}}


def tuned_run(folder, seed=0, *, full_window_share=0.1, **adapter):
    """A run of nano, tuned by chance."""
    torch.manual_seed(seed)
    tree = {
        "model": {"base": "nano"},
        "data": {"corpus": str(folder.parent / "corpus")},
        "adapter": {"r": 4, "alpha": 8.0} | adapter,
        "training": {"seed": seed, "full_window_share": full_window_share},
    }
    recipe = parse_recipe(tree, "test")
    whisper, saveable = made_trainable(load_base(str(NANO)), recipe.adapter, base_name="nano")
    for name, parameter in whisper.named_parameters():
        if parameter.requires_grad and "lora_A" not in name:
            parameter.data += 0.02 * torch.randn_like(parameter)
    folder.mkdir(parents=True)
    keep_best(folder, saveable, load_tokenizer(str(NANO)))
    (folder / "recipe.toml").write_text(dump_recipe(recipe))
    (folder / "corpus.json").write_text(json.dumps(CORPUS))
    rows = [{"kind": "evaluation", "step": step, "wer": wer} for step, wer in ((0, 40.0), (5, 30.0 + seed))]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
