"""Recipes: defaults, overrides, round trip, and every message."""

import ast
from pathlib import Path

import pytest

import parlure
from parlure.errors import ParlureError
from parlure.recipe import Recipe, dump_recipe, load_recipe, parse_recipe


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_smallest_recipe_names_a_corpus(tmp_path):
    recipe = load_recipe(write(tmp_path, '[data]\ncorpus = "corpus"\n'))
    assert recipe.data.corpus == str(tmp_path / "corpus")
    assert recipe.adapter.method == "lora"


def test_overrides_and_replacements(tmp_path):
    path = write(tmp_path, '[data]\ncorpus = "corpus"\n[training]\nepochs = 2\n')
    recipe = load_recipe(
        path,
        ["training.epochs=5", "adapter.method=full", 'adapter.targets=["q_proj"]', "evaluation.profile = basic"],
        corpus="elsewhere",
        model="nano",
    )
    assert (recipe.training.epochs, recipe.adapter.method, recipe.adapter.targets) == (5.0, "full", ("q_proj",))
    assert (recipe.data.corpus, recipe.model.base, recipe.evaluation.profile) == ("elsewhere", "nano", "basic")


def test_dump_round_trips(tmp_path):
    recipe = parse_recipe(
        {"data": {"corpus": 'a "b" é'}, "training": {"learning_rate": 1e-5, "epochs": 0.5}}, "a recipe"
    )
    assert load_recipe(write(tmp_path, dump_recipe(recipe)), corpus='a "b" é') == recipe


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "[data]\ncorpus = 'c'\n[training]\nepoch = 3\n",
            "unknown key training.epoch",
            "did you mean training.epochs?",
        ),
        ("[data]\ncorpus = 'c'\n[trainin]\nepochs = 3\n", "unknown key trainin", "training"),
        ("[training]\nepochs = 3\n", "data.corpus is missing", "--set data.corpus="),
        ("[data]\ncorpus = 'c'\n[training]\nepochs = 0\n", "training.epochs = 0: input should be greater than 0", ""),
        ("[data]\ncorpus = 'c'\n[adapter]\nmethod = 'dora'\n", "adapter.method = 'dora'", ""),
        ("[data]\ncorpus = c\n", "is not valid TOML: Invalid value", 'text needs quotes, as in corpus = "corpus"'),
    ],
)
def test_messages(tmp_path, text, message, hint):
    with pytest.raises(ParlureError) as caught:
        load_recipe(write(tmp_path, text))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_all_problems_at_once(tmp_path):
    text = "[data]\ncorpus = 'c'\n[training]\nepochs = 0\nlearning_rte = 1\n[adapter]\nr = 0\n"
    with pytest.raises(ParlureError) as caught:
        load_recipe(write(tmp_path, text))
    for part in ("training.epochs", "training.learning_rte", "adapter.r"):
        assert part in caught.value.message


def test_missing_recipe(tmp_path):
    with pytest.raises(ParlureError, match="there is no recipe") as caught:
        load_recipe(tmp_path / "none.toml")
    assert caught.value.hint == 'write one that names a corpus: [data] corpus = "corpus"'


@pytest.mark.parametrize("override", ["epochs=3", "training.epochs", "training=3"])
def test_malformed_override(tmp_path, override):
    with pytest.raises(ParlureError, match=r"is not section\.field=value") as caught:
        load_recipe(write(tmp_path, "[data]\ncorpus = 'c'\n"), [override])
    assert caught.value.hint == "for example --set training.epochs=5"


def _fields() -> list[tuple[str, str]]:
    return [
        (section, field)
        for section, info in Recipe.model_fields.items()
        for field in info.annotation.model_fields  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize(("section", "field"), _fields())
def test_every_field_is_documented_and_read(section, field):
    info = Recipe.model_fields[section].annotation.model_fields[field]  # type: ignore[union-attr]
    assert info.description
    sources = [p for p in Path(parlure.__file__).parent.rglob("*.py") if p.name != "recipe.py"]
    reads = {
        node.attr
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert field in reads, f"nobody reads {section}.{field}"
