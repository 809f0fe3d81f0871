"""What would be published: the weights at the top, the card, and nothing that should stay here."""

import json
import shlex

import pytest
from test_card import run  # noqa: F401  a fixture

from parlure import cli
from parlure.errors import ParlureError
from parlure.shipping.publish import plan, stage


@pytest.fixture
def ready(run):  # noqa: F811
    """A run with something in each of its files."""
    for name in ("adapter/adapter_model.safetensors", "adapter/README.md"):
        (run / name).write_text("x" * 100)
    (run / "adapter/adapter_config.json").write_text('{"r": 32, "base_model_name_or_path": "openai/whisper-medium"}')
    (run / "environment.json").write_text("{}")
    (run / "checkpoints").mkdir()
    return run


def test_files(ready):
    publication = plan(ready, "marie/whisper-quebec")
    assert list(publication.files) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "environment.json",
        "metrics.jsonl",
    ]
    assert publication.files["README.md"] == len(publication.card.encode())
    assert publication.files["adapter_model.safetensors"] == 100
    assert publication.held_back == ("checkpoints", "corpus.json", "recipe.toml")
    assert publication.warnings == ()


def test_warnings(ready):
    recipe = (ready / "recipe.toml").read_text()
    (ready / "recipe.toml").write_text(recipe.replace("openai/whisper-medium", "nano"))
    corpus = (ready / "corpus.json").read_text()
    (ready / "corpus.json").write_text(corpus.replace('"cc-by-nc-sa-3.0"', "null"))
    assert plan(ready, "a/b").warnings == (
        "the base is no model of the Hub: nobody can load this adapter there",
        "the card has no licence: the corpus does not say one",
    )


def test_the_command(ready, capsys):
    assert cli.run(["publish", str(ready), "--repo", "marie/whisper-quebec", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("---\ntags:")
    assert "https://huggingface.co/marie/whisper-quebec would hold 5 files:" in err
    assert "         100  adapter_model.safetensors" in err
    assert "held back: checkpoints, corpus.json, recipe.toml" in err


def test_the_folder_to_upload_is_what_the_listing_says(ready, tmp_path, capsys):
    (ready / "adapter/adapter_config.json").write_text('{"r": 32, "base_model_name_or_path": "/home/marie/my-whisper"}')
    out = tmp_path / "to publish"
    assert cli.run(["publish", str(ready), "--repo", "marie/quebec", "--out", str(out)]) == 0
    card, said = capsys.readouterr()
    *_, last = said.splitlines()
    assert shlex.split(last) == ["next:", "hf", "upload", "marie/quebec", str(out), "."]
    assert {path.name: path.stat().st_size for path in out.iterdir()} == plan(ready, "marie/quebec").files
    assert (out / "README.md").read_text(encoding="utf-8") == card
    assert (out / "adapter_model.safetensors").read_text() == "x" * 100
    settings = json.loads((out / "adapter_config.json").read_text())
    assert settings == {"r": 32, "base_model_name_or_path": "my-whisper"}
    with pytest.raises(ParlureError, match="is not empty, and all of it would be uploaded") as caught:
        stage(plan(ready, "marie/quebec"), out)
    assert caught.value.hint == "name a new folder: --out NAME"


def test_after_full_fine_tuning(ready, tmp_path):
    (ready / "adapter").rename(ready / "model")
    (ready / "model/adapter_config.json").rename(ready / "model/config.json")
    stage(publication := plan(ready, "marie/quebec"), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == publication.files.keys()
    assert "config.json" in publication.files


def test_refusals(ready, tmp_path, capsys):
    assert cli.run(["publish", str(ready), "--repo", "whisper", "--dry-run"]) == 2
    assert "error: whisper is not a repository's name\nhint: --repo owner/name\n" in capsys.readouterr().err
    (ready / "adapter").rename(ready / "model")
    assert cli.run(["publish", str(ready), "--repo", "a/b", "--merged", "--dry-run"]) == 2
    assert "has no adapter to merge\nhint: leave out --merged\n" in capsys.readouterr().err
