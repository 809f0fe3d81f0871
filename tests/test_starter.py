"""The recipe that ``parlure init`` writes: valid, fitted to corpus and machine, and never over another."""

import re
from dataclasses import replace

import pytest

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.machine import SIZES, Gpu, Machine, Size
from parlure.recipe import load_recipe
from parlure.sections import Recipe
from parlure.starter import init

LAPTOP = Machine(2, 16.0, ())
CARD = Machine(8, 64.0, (Gpu("RTX 3060", 12.0, True),))
T4 = Machine(8, 64.0, (Gpu("T4", 15.0, False),))
SERVER = Machine(16, 200.0, (Gpu("H200", 140.0, True),))


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A corpus in memory; set its hours."""

    def make(hours: float, n_dev: int = 20) -> Corpus:
        one = Utterance(id="a", recording="a.wav", start=0.0, end=5.0, text="oui", language="fr", split="train")
        train = tuple(replace(one, id=f"t{n}") for n in range(round(hours * 720)))
        dev = tuple(replace(one, id=f"d{n}", split="dev") for n in range(n_dev))
        made = Corpus(tmp_path / "corpus", train + dev, {})
        monkeypatch.setattr(Corpus, "load", lambda folder: made)
        return made

    return make


def start(tmp_path, machine, **options):
    return init(tmp_path / "corpus", tmp_path / "recipes" / "first.toml", machine=machine, **options)


def test_the_file_is_the_recipe_and_explains_every_field(corpus, tmp_path):
    corpus(1.0)
    recipe = start(tmp_path, LAPTOP)
    path = tmp_path / "recipes" / "first.toml"
    loaded = load_recipe(path)
    assert loaded.data.corpus == str(tmp_path / "recipes" / "../corpus")
    assert loaded.model_copy(update={"data": recipe.data}) == recipe
    text = path.read_text(encoding="utf-8")
    for section, info in Recipe.model_fields.items():
        for name, field in info.annotation.model_fields.items():
            assert re.search(rf"^# {re.escape(field.description)}.*\n{name} = ", text, re.MULTILINE), (
                f"{section}.{name}"
            )


@pytest.mark.parametrize(
    ("machine", "base", "batch_s"),
    [
        (LAPTOP, "openai/whisper-base", 30.0),
        (replace(LAPTOP, memory_gb=4.0), "openai/whisper-tiny", 30.0),
        (CARD, "openai/whisper-medium", 0.0),
        (SERVER, "openai/whisper-medium", 0.0),
        (Machine(2, 8.0, (Gpu("old", 4.0, False),)), "openai/whisper-small", 0.0),
        (T4, "openai/whisper-medium", 0.0),
        (replace(T4, gpus=(Gpu("like it, with bf16", 15.0, True),)), "openai/whisper-medium", 0.0),
    ],
)
def test_it_fits_the_machine(corpus, tmp_path, machine, base, batch_s):
    corpus(1.0)
    recipe = start(tmp_path, machine)
    assert (recipe.model.base, recipe.training.batch_seconds) == (base, batch_s)
    assert recipe.training.accumulation == 8
    size = next(size for size in SIZES if size.name == base)
    assert machine.fits(size)


@pytest.mark.parametrize(
    ("machine", "reasons"),
    [
        (LAPTOP, ["(without a GPU a larger one takes days)", "(without a GPU longer ones are no faster)"]),
        (CARD, ["(for RTX 3060, 12 GB)", "(looked at before the first step; a step has 240 s in any case)"]),
        (T4, ["(for T4, 15 GB)"]),
    ],
)
def test_it_says_why(corpus, tmp_path, machine, reasons):
    corpus(1.0)
    start(tmp_path, machine)
    text = (tmp_path / "recipes" / "first.toml").read_text(encoding="utf-8")
    assert [reason for reason in reasons if reason not in text] == []


def test_adapters_are_counted_as_peft_makes_them():
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    from parlure.whisper.adapters import Adapters, attach

    config = WhisperConfig(
        vocab_size=60, d_model=16, encoder_layers=3, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, pad_token_id=0, bos_token_id=0,
        eos_token_id=0, decoder_start_token_id=0,
    )  # fmt: skip
    adapted = attach(WhisperForConditionalGeneration(config), Adapters(4, 8.0), "small")
    made = sum(parameter.numel() for parameter in adapted.parameters() if parameter.requires_grad)
    assert Size("small", 0, 16, 3, 2).n_adapter(4) == made


def test_fp32_takes_twice_the_activations():
    medium = next(size for size in SIZES if size.name == "openai/whisper-medium")
    at_rest = medium.lora_gb(0.0, bf16=True)
    assert medium.lora_gb(60.0, bf16=False) - at_rest == pytest.approx(2 * (medium.lora_gb(60.0, bf16=True) - at_rest))


@pytest.mark.parametrize(("hours", "epochs"), [(0.5, 10.0), (3.0, 5.0), (12.0, 3.0)])
def test_it_fits_the_corpus(corpus, tmp_path, hours, epochs):
    corpus(hours, n_dev=400)
    recipe = start(tmp_path, SERVER)
    assert recipe.training.epochs == epochs
    assert recipe.evaluation.max_utterances == 300
    assert recipe.evaluation.profile == "fr"
    n_steps = epochs * hours * 720 * (0.1 * 30 / 2.5 + 0.9 * 5.5) / 240
    assert recipe.evaluation.every_steps == pytest.approx(max(5, n_steps / epochs / 2), abs=1)
    assert recipe.training.warmup_steps == min(50, max(1, round(n_steps) // 10))


def test_a_model_that_was_named(corpus, tmp_path):
    corpus(1.0)
    assert start(tmp_path, CARD, model="nano").model.base == "nano"
    (tmp_path / "recipes" / "first.toml").unlink()
    large = start(tmp_path, CARD, model="openai/whisper-large-v3")
    assert (large.model.base, large.training.batch_seconds) == ("openai/whisper-large-v3", 0.0)


@pytest.mark.parametrize(
    ("method", "model", "rate", "adapter", "reasons"),
    [
        (None, None, 6.25e-5, {"method": "lora", "alpha": 64.0},
         ["(ten times a fortieth of the 0.00025 that medium was pre-trained with; docs/train.md has the sources)"]),
        ("full", None, 6.25e-6, {"method": "full"}, ["(a fortieth of the 0.00025 that medium", "(you named it)"]),
        ("full", "nano", 1e-5, {}, ["(usual for Whisper whatever the size, which is not known here)"]),
        (None, "nano", 1e-4, {}, []),
        ("rslora", None, 6.25e-5, {"r": 32, "alpha": 11.3}, ["(what 64 is to lora)"]),
        ("pissa", None, 6.25e-5, {"alpha": 32.0}, ["(as large as r: what it begins with is then not scaled)"]),
        ("vera", None, 6.25e-5, {"r": 256},
         ["(LoRA's for this size; nobody has published what suits vera on Whisper, try three and ten times it)"]),
    ],
)  # fmt: skip
def test_what_follows_from_the_method(corpus, tmp_path, method, model, rate, adapter, reasons):
    corpus(1.0)
    recipe = start(tmp_path, SERVER, method=method, model=model)
    assert recipe.training.learning_rate == rate
    assert {name: getattr(recipe.adapter, name) for name in adapter} == adapter
    text = (tmp_path / "recipes" / "first.toml").read_text(encoding="utf-8")
    assert [reason for reason in reasons if reason not in text] == []


def test_all_weights_take_more_memory(corpus, tmp_path):
    corpus(1.0)
    medium = next(size for size in SIZES if size.name == "openai/whisper-medium")
    assert medium.full_gb(30.0, bf16=True) - medium.lora_gb(30.0, bf16=True) > 3 * 4 * 0.7
    with pytest.raises(ParlureError, match=r"adapter\.method = 'ful'"):
        start(tmp_path, CARD, method="ful", model="nano")
    assert not (tmp_path / "recipes" / "first.toml").exists()
    assert start(tmp_path, CARD, method="full").model.base == "openai/whisper-small"


def test_refusals(corpus, tmp_path):
    made = corpus(1.0)
    start(tmp_path, LAPTOP)
    with pytest.raises(ParlureError, match=r"first\.toml is there already") as caught:
        start(tmp_path, LAPTOP)
    assert caught.value.hint == "name another: --out other.toml"
    (tmp_path / "recipes" / "first.toml").unlink()
    object.__setattr__(made, "utterances", made.select("train"))
    with pytest.raises(ParlureError, match="corpus has no dev utterances") as caught:
        start(tmp_path, LAPTOP)
    assert caught.value.hint == "prepare it with --ratios 0.8,0.1,0.1"
