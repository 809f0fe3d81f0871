"""What would be published: the weights at the top, the card, and nothing that should stay here."""

import pytest
from test_card import run  # noqa: F401  a fixture

from parlure import cli
from parlure.errors import ParlureError
from parlure.shipping.publish import plan


@pytest.fixture
def ready(run):  # noqa: F811
    """A run with something in each of its files."""
    for name in ("adapter/adapter_config.json", "adapter/adapter_model.safetensors", "adapter/README.md"):
        (run / name).write_text("x" * 100)
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
    assert publication.files["adapter_config.json"] == 100
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


def test_refusals(ready, capsys):
    assert cli.run(["publish", str(ready), "--repo", "marie/whisper-quebec"]) == 2
    said = capsys.readouterr().err
    assert "error: this version does not push to the Hub" in said
    assert f"hint: look with --dry-run, then: hf upload marie/whisper-quebec {ready / 'adapter'} ." in said
    with pytest.raises(ParlureError, match="whisper is not a repository's name") as caught:
        plan(ready, "whisper")
    assert caught.value.hint == "--repo owner/name"
