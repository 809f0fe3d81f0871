"""Recipes: defaults, overrides, round trip, and every message."""

import ast
from pathlib import Path

import pytest

import parlure
from parlure.errors import ParlureError
from parlure.recipe import differences, dump_recipe, load_recipe, parse_recipe, resolved
from parlure.sections import Recipe


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
        (
            "[data]\ncorpus = 'c'\n[training]\nepochs = 0\n",
            "training.epochs = 0: input should be greater than 0",
            "training.epochs: passes over the training utterances (3.0 unless given)",
        ),
        ("[data]\ncorpus = 'c'\n[training]\nepochs = 'many'\n", "training.epochs = 'many': ", "passes over"),
        ("[data]\ncorpus = 'c'\n[adapter]\nmethod = 'wax'\n", "adapter.method = 'wax'", 'themselves ("lora" unless'),
        ("[data]\ncorpus = 'c'\n[adapter]\ntargets = [1]\n", "adapter.targets.0 = 1: ", "adapter.targets: names of"),
        ("[data]\ncorpus = 3\n", "data.corpus = 3: ", "data.corpus: the corpus folder"),
        ("data = 'c1'\n", "data = 'c1' is not a section", "write [data] on a line, and its fields below"),
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


def test_a_section_that_is_none_is_refused_whatever_is_given_besides(tmp_path):
    path = write(tmp_path, "data = 'c1'\n")
    for given in ({"corpus": "c"}, {"overrides": ["data.corpus=c"]}, {"model": "nano"}):
        with pytest.raises(ParlureError, match="data = 'c1' is not a section"):
            load_recipe(path, **given)


def test_a_folder_is_no_recipe(tmp_path):
    with pytest.raises(ParlureError, match="is a folder, not a recipe") as caught:
        load_recipe(tmp_path)
    assert caught.value.hint == f"a run keeps its recipe in {tmp_path / 'recipe.toml'}"


def test_a_resolved_recipe_means_the_same_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "base").mkdir()
    monkeypatch.chdir(tmp_path)
    recipe = resolved(parse_recipe({"data": {"corpus": "c"}, "model": {"base": "base"}}, "a recipe"))
    assert (recipe.data.corpus, recipe.model.base) == (str(tmp_path / "c"), str(tmp_path / "base"))
    (tmp_path / "run").mkdir()
    assert load_recipe(write(tmp_path / "run", dump_recipe(recipe))) == recipe
    for name in ("nano", "openai/whisper-medium"):
        assert resolved(parse_recipe({"data": {"corpus": "c"}, "model": {"base": name}}, "")).model.base == name


def test_recipes_differ_in_all_but_the_place_of_the_corpus():
    one = parse_recipe({"data": {"corpus": "c"}}, "")
    other = parse_recipe({"data": {"corpus": "d", "language": "fr"}, "training": {"seed": 2}}, "")
    assert differences(one, other) == ["data.language", "training.seed"]
    assert differences(one, parse_recipe({"data": {"corpus": "moved"}}, "")) == []


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
    sources = [p for p in Path(parlure.__file__).parent.rglob("*.py") if p.name != "sections.py"]
    reads = {
        node.attr
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert field in reads, f"nobody reads {section}.{field}"
