"""The recipes that ship: valid, explained on a page, and run for a few steps on a small Whisper of random weights."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from replica import write_talkbank
from transformers import WhisperConfig, WhisperForConditionalGeneration

from parlure import cli
from parlure.recipe import load_recipe
from parlure.sections import Recipe
from parlure.whisper.load import NANO

ROOT = Path(__file__).parent.parent
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
DEFAULT = Recipe.model_validate({"data": {"corpus": ""}})


def commands(text: str) -> list[str]:
    """What a recipe's first lines say to do, each on one line."""
    comments = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#")]
    joined = "\n".join(comments).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip().startswith("parlure ")]


@pytest.fixture(scope="module")
def small_whisper(tmp_path_factory):
    """A folder in Hugging Face's layout: the real architecture and special ids, random weights, nano's tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "whisper-random"
    torch.manual_seed(0)
    known = json.loads((NANO / "config.json").read_text())
    ids = {key: known[key] for key in known if key.endswith("_token_id")}
    config = WhisperConfig(
        vocab_size=51_865, d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=256, decoder_ffn_dim=256, suppress_tokens=None,
        begin_suppress_tokens=None, **ids,
    )  # fmt: skip
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "generation_config.json"):
        shutil.copy(NANO / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def talkbank(tmp_path_factory):
    """The corpus that the commands of ``recipes/quebec-telephone.toml`` make, of a replica."""
    folder = tmp_path_factory.mktemp("data")
    write_talkbank(folder / "talk", n_rows=30, n_calls=10)
    columns = ["--text", "transcript", "--speaker", "speaker_id", "--session", "transcript_filename",
               "--local-speakers"]  # fmt: skip
    source = f"{folder / 'talk'}?config=fr&split=segment"
    assert cli.run(["prepare", source, "--out", str(folder / "corpus"), "--language", "fr", *columns]) == 0
    return folder / "corpus"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_its_commands_are_on_the_page(path):
    page = (ROOT / "docs" / "quebec-telephone.md").read_text("utf-8").replace("\\\n", " ")
    on_page = {" ".join(line.split()) for line in page.splitlines()}
    said = commands(path.read_text("utf-8"))
    assert len(said) == 3
    assert set(said) <= on_page
    assert f"parlure train recipes/{path.name} " in said[1]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_it_runs(path, small_whisper, talkbank, tmp_path):
    settings = {"training.max_steps": 2, "training.batch_seconds": 30, "evaluation.max_utterances": 2,
                "decoding.max_new_tokens": 5}  # fmt: skip
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    out = tmp_path / "run"
    arguments = ["train", str(path), "--model", str(small_whisper), "--corpus", str(talkbank), "--out", str(out)]
    assert cli.run([*arguments, *options]) == 0
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["kind"] == "step"] == [1, 2]
    kept = json.loads((out / "adapter" / "adapter_config.json").read_text())
    recipe = load_recipe(path)
    assert (kept["r"], kept["lora_alpha"]) == (recipe.adapter.r, recipe.adapter.alpha)
    assert sorted(kept["target_modules"]) == sorted(recipe.adapter.targets)


def test_ours_are_the_defaults_and_the_tutorials_are_its_own():
    ours, tutorial = (
        load_recipe(ROOT / "recipes/quebec-telephone.toml"),
        load_recipe(ROOT / "recipes/tutorial-exact.toml"),
    )
    assert ours.model.base == tutorial.model.base == "openai/whisper-medium"
    assert ours.adapter == DEFAULT.adapter
    assert ours.training.learning_rate == DEFAULT.training.learning_rate
    # figures of the notebook's cells: r 8, alpha 32, q and v, 1e-3, 3 epochs, 16 windows of 30 s; 14,796 rows
    adapter, training = tutorial.adapter, tutorial.training
    assert (adapter.r, adapter.alpha, adapter.targets) == (8, 32.0, ("q_proj", "v_proj"))
    assert (training.learning_rate, training.epochs, training.full_window_share) == (1e-3, 3.0, 1.0)
    assert (training.batch_seconds, training.accumulation) == (0, 16)  # of the default's 30 s
    assert tutorial.evaluation.every_steps == round(0.8 * 14_796 / 16)
