"""A language that Whisper lacks: its token, trained, saved, resumed, asked for in every engine, and every refusal."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from faster_whisper import WhisperModel
from peft import PeftModel
from safetensors.torch import load_file
from test_loop import recipe, trained_weights

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.scoring.skills import evaluate
from parlure.sections import AdapterSection, LanguageSection
from parlure.shipping.card import make_card
from parlure.shipping.export import export
from parlure.speech.synth import Voice, synthesize
from parlure.training.loop import train
from parlure.training.merging import merge
from parlure.training.trainable import made_trainable
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.shared import SharedBase
from parlure.whisper.adapters import save_adapter
from parlure.whisper.blending import Blend
from parlure.whisper.languages import NewLanguage, give_token, language_ids, language_of, lend, teach
from parlure.whisper.load import NANO, load, load_base, load_tokenizer
from parlure.whisper.prompt import language_tokens, prompt_ids

TAKEN, NEW, FR = 50294, 51865, 50265  # ids: la's, the first behind all others, French's
LANGUAGES = {"taken": {"code": "eo", "token": "la", "like": "fr"}, "inserted": {"code": "eo", "like": "fr"}}


def taught(**asked):
    """Nano's tokenizer and base after they were taught, and the token's id."""
    tokenizer, whisper = load_tokenizer(str(NANO)), load_base(str(NANO))
    language = NewLanguage.of(LanguageSection(**asked))
    teach(tokenizer, language)
    return tokenizer, whisper, give_token(whisper, tokenizer, language)


@pytest.fixture(scope="module")
def esperanto(corpus, tmp_path_factory):
    """The calls, as if they were in Esperanto: two utterances of each split."""
    folder = tmp_path_factory.mktemp("eo") / "corpus"
    folder.mkdir()
    lines = (corpus.folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    few = [row for split in ("train", "dev", "test") for row in [r for r in rows if r["split"] == split][:2]]
    text = "".join(json.dumps(row | {"language": "eo"}) + "\n" for row in few)
    (folder / "manifest.jsonl").write_text(text, encoding="utf-8")
    (folder / "corpus.json").write_text((corpus.folder / "corpus.json").read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=["taken", "inserted"])
def run(request, esperanto, tmp_path_factory):
    """A run of two steps, and which way."""
    out = tmp_path_factory.mktemp("run") / request.param
    said = []
    train(
        recipe(
            esperanto, language=LANGUAGES[request.param], training={"max_steps": 2}, evaluation={"max_utterances": 1}
        ),
        out,
        on_event=said.append,
    )
    return out, request.param, [one["text"] for one in said if one["kind"] == "notice"]


@pytest.fixture(scope="module")
def clip():
    sound = synthesize("Bonan tagon, mi aĉetis la libron.", Voice("eo+f2", 150))
    return Clip("a", len(sound) / 16_000, lambda: sound)


# ------------------------------------------------------------------------------------------ the token


def test_a_token_that_is_taken_over_is_the_new_languages_alone():
    tokenizer, whisper, id_ = taught(**LANGUAGES["taken"])
    assert id_ == TAKEN == prompt_ids(tokenizer, "eo", "transcribe")[1]
    with pytest.raises(ParlureError, match="this Whisper has no language 'la'"):
        prompt_ids(tokenizer, "la", "transcribe")
    ids = language_ids(tokenizer)
    assert ids["eo"] == TAKEN and "la" not in ids and len(ids) == len(language_ids(load_tokenizer(str(NANO))))
    assert (language_of(tokenizer, "<|la|>"), language_of(tokenizer, "<|fr|>")) == ("eo", "fr")
    before, after = load_base(str(NANO)).proj_out.weight, whisper.proj_out.weight
    assert torch.equal(after[TAKEN], before[FR])
    others = torch.arange(len(before)) != TAKEN
    assert torch.equal(after[others], before[others])


def test_a_token_that_is_inserted_stands_behind_all_others_and_is_never_written():
    tokenizer, whisper, id_ = taught(**LANGUAGES["inserted"])
    assert id_ == NEW == prompt_ids(tokenizer, "eo", "transcribe")[1] and "la" in language_ids(tokenizer)
    before, after = load_base(str(NANO)).proj_out.weight, whisper.proj_out.weight
    assert torch.equal(after[:NEW], before) and torch.equal(after[NEW], before[FR])
    assert NEW in whisper.generation_config.suppress_tokens
    assert whisper.proj_out.weight is whisper.get_input_embeddings().weight
    _, alone, _ = taught(code="eo")
    ids = [*language_ids(load_tokenizer(str(NANO))).values()]
    assert torch.allclose(alone.proj_out.weight[NEW], before[ids].mean(0))


def test_one_that_begins_as_itself():
    _, whisper, _ = taught(code="eo", token="la")
    assert torch.equal(whisper.proj_out.weight, load_base(str(NANO)).proj_out.weight)


@pytest.mark.parametrize(("method", "token"), [("lora", ""), ("dora", "la"), ("pissa", "la"), ("adalora", "")])
def test_what_is_saved_is_what_was_trained(method, token, tmp_path):
    """The token's row too, in the merged model; the base on disk knows nothing of it."""
    tokenizer, whisper, id_ = taught(code="eo", token=token, like="fr")
    settings = AdapterSection(method=method, r=2, alpha=4, dropout=0)
    whisper, adapted = made_trainable(whisper, settings, base_name="nano", tokens=(id_,))
    torch.manual_seed(1)
    for name, parameter in adapted.named_parameters():
        if parameter.requires_grad and ("lora_" in name or "trainable_tokens" in name):
            parameter.data.add_(0.05 * torch.randn_like(parameter))
    save_adapter(adapted, tmp_path)
    tokenizer.save_pretrained(str(tmp_path))
    loaded = load(str(tmp_path))
    assert prompt_ids(loaded.tokenizer, "eo", "transcribe")[1] == id_
    ids = torch.tensor([[*prompt_ids(tokenizer, "eo", "transcribe"), 300, 400]])
    features = torch.randn(1, 80, 100)
    with torch.inference_mode():
        mine, theirs = (
            model.eval()(input_features=features, decoder_input_ids=ids).logits for model in (whisper, loaded.model)
        )
    assert torch.allclose(mine, theirs, atol=1e-4)
    assert loaded.model.proj_out.weight is loaded.model.get_input_embeddings().weight


# ------------------------------------------------------------------------------------------ a run


def test_the_run_knows_its_language(run, clip):
    out, way, said = run
    assert said == [
        "eo takes over the token of la: other runtimes are asked for la"
        if way == "taken"
        else "eo gets a token of its own: runtimes but Hugging Face cannot load the model"
    ]
    loaded = load(str(out))
    id_ = TAKEN if way == "taken" else NEW
    assert prompt_ids(loaded.tokenizer, "eo", "transcribe")[1] == id_
    saved = load_file(out / "adapter" / "adapter_model.safetensors")
    [row] = [value for name, value in saved.items() if "trainable_tokens" in name]
    assert torch.equal(row[0], loaded.model.proj_out.weight[id_])
    trained = load_file(sorted(out.glob("checkpoints/step-*"))[-1] / "trainable.safetensors")
    [moved] = [value for name, value in trained.items() if "trainable_tokens" in name]
    assert not torch.equal(moved[0], load_base(str(NANO)).proj_out.weight[FR])
    for found in (
        open_engine(str(out)).decode([clip], DecodingOptions(language="eo", max_new_tokens=10)),
        [open_engine(str(out)).decode_long("a", clip.read(), DecodingOptions(language="eo", max_new_tokens=10))],
    ):
        assert found[0].language == "eo"


def test_peft_loads_it_over_the_base(run):
    out, way, _ = run
    whisper = load_base(str(NANO))
    if way == "inserted":
        whisper.resize_token_embeddings(whisper.config.vocab_size + 1)  # as the card says
    merged = PeftModel.from_pretrained(whisper, str(out / "adapter")).merge_and_unload()
    assert torch.equal(merged.proj_out.weight, load(str(out)).model.proj_out.weight)


def test_a_resumed_run_has_the_same_weights(esperanto, tmp_path):
    settings = recipe(
        esperanto, language=LANGUAGES["inserted"], training={"max_steps": 2}, evaluation={"max_utterances": 1}
    )
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(settings, straight)

    def stop(row):
        if row["kind"] == "step" and row["step"] == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, broken, on_event=stop)
    train(settings, broken, resume=True)
    first, second = trained_weights(straight), trained_weights(broken)
    assert any("trainable_tokens" in name for name in first)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_every_weight_tuned(esperanto, tmp_path):
    settings = recipe(esperanto, language=LANGUAGES["inserted"], adapter={"method": "full"}, training={"max_steps": 1})
    train(settings, tmp_path / "run")
    loaded = load(str(tmp_path / "run"))
    assert loaded.model.config.vocab_size == NEW + 1 and language_ids(loaded.tokenizer)["eo"] == NEW
    for parts in ({"parts": "encoder"}, {"last_layers": 1}):
        wrong = AdapterSection(method="full", **parts)
        with pytest.raises(
            ParlureError, match="a new language's token is in the decoder's embeddings, which"
        ) as caught:
            made_trainable(load_base(str(NANO)), wrong, tokens=(TAKEN,))
        assert caught.value.hint == (
            "--set adapter.parts=both --set adapter.last_layers=0, or --set adapter.method=lora"
        )


def test_between_base_and_tuned(run):
    out, _, _ = run
    blend = Blend(str(out))
    blend.put(1.0)
    assert torch.equal(blend.whisper.proj_out.weight, load(str(out)).model.proj_out.weight)
    assert not blend.save_adapter(0.5, out.parent / "half")


# ------------------------------------------------------------------------------------------ engines and reports


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_ctranslate2_maps_it_by_itself_and_faster_whisper_is_asked_for_the_old_code(run, clip, cache, tmp_path):
    out, way, _ = run
    if way == "inserted":
        for make in (lambda: open_engine(str(out), "ctranslate2"), lambda: export(str(out), tmp_path / "made")):
            with pytest.raises(
                ParlureError, match=r"has a token of its own for eo, and .*2 counts on Whisper's vocabulary"
            ) as caught:
                make()
            assert caught.value.message.endswith("counts on Whisper's vocabulary")
            assert caught.value.hint == (
                'tune it with a token taken over, such as [language] token = "la"; '
                "this one runs in Hugging Face and torch"
            )
        assert not (tmp_path / "made").exists()
        return
    options = DecodingOptions(language="eo", max_new_tokens=100, identify=True)
    export(str(out), tmp_path / "made")
    slow, fast = open_engine(str(out)), open_engine(str(tmp_path / "made"))
    [ours], [theirs] = (engine.decode([clip], options) for engine in (slow, fast))
    assert (ours.tokens, ours.identified) == (theirs.tokens, theirs.identified)
    assert slow.decode_long("a", clip.read(), options).text == fast.decode_long("a", clip.read(), options).text
    stock = WhisperModel(str(tmp_path / "made"), device="cpu", compute_type="float32")
    heard = np.pad(clip.read(), (0, 480_000 - len(clip.read())))
    segments, info = stock.transcribe(heard, language="la", beam_size=1, without_timestamps=True, temperature=0.0,
                                      condition_on_previous_text=False)  # fmt: skip
    assert info.language == "la"
    assert "".join(one.text for one in segments).strip() == ours.text


@pytest.mark.parametrize("run", ["taken"], indirect=True)
def test_a_base_is_asked_for_the_nearest_and_the_report_says_so(run, esperanto, tmp_path):
    report = evaluate(esperanto, str(run[0]), tmp_path / "report", against="base", nonspeech_per_kind=0)
    settings = {system: one["decode"] for system, one in report["systems"].items()}
    assert settings["base"]["asked_as"] == {"eo": "fr"} and "language_tokens" not in settings["base"]
    assert settings["tuned"]["language_tokens"] == {"eo": {"token": "la", "like": "fr"}}
    assert "asked_as" not in settings["tuned"]
    assert "base has no language eo, and was asked for fr instead" in report["warnings"]
    assert "transcription.eo" in report["skills"]


def test_what_is_lent():
    tuned, base = taught(code="eo", token="la")[0], load_tokenizer(str(NANO))
    assert lend(base, language_tokens(tuned)) == {"eo": "la"}
    assert prompt_ids(base, "eo", "transcribe")[1] == TAKEN
    assert lend(tuned, language_tokens(tuned)) == {}
    tuned, base = taught(**LANGUAGES["inserted"])[0], load_tokenizer(str(NANO))
    known = language_ids(base)
    assert lend(base, language_tokens(tuned)) == {"eo": "fr"}
    assert prompt_ids(base, "eo", "transcribe") == prompt_ids(base, "fr", "transcribe")
    assert language_ids(base) == known  # nor does it take French for Esperanto


def test_the_card_says_how_to_ask(run):
    out, way, _ = run
    card = " ".join(make_card(out).split())
    if way == "taken":
        assert "`eo` has the token of `la`, which the model no longer knows: parlure is asked for `eo`" in card
    else:
        assert 'in Hugging Face it is `language="<|eo|>"`' in card and "vocab_size + 1" in card


# ------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"token": "la"}, "language.token and language.like go with language.code", 'for example code = "eo"'),
        ({"code": "E o"}, "language.code 'E o' is no code", "two letters or more, such as eo"),
        ({"code": "fr"}, "this Whisper has the language fr already", "leave out [language], and tune as for any other"),
        ({"code": "eo", "token": "xx"}, "this Whisper has no language 'xx' to take a token from", "it has af, am"),
        ({"code": "eo", "like": "xx"}, "this Whisper has no language 'xx' to take a token from", "it has af, am"),
    ],
)
def test_what_cannot_be_asked_for(asked, message, hint):
    with pytest.raises(ParlureError) as caught:
        taught(**asked)
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


def test_a_tokenizer_without_the_models_last_tokens_takes_none_in():
    tokenizer, whisper = load_tokenizer(str(NANO)), load_base(str(NANO))
    whisper.resize_token_embeddings(NEW + 7, mean_resizing=False)
    language = NewLanguage("eo", "eo")
    teach(tokenizer, language)
    with pytest.raises(
        ParlureError, match="a token cannot be inserted: the tokenizer has 51865 tokens, the model 51872"
    ) as caught:
        give_token(whisper, tokenizer, language)
    assert caught.value.hint == 'take over one that is there: [language] token = "la"'


def test_a_corpus_without_it(corpus_folder, tmp_path):
    with pytest.raises(ParlureError, match=r"language.code is eo, and no training utterance of .* is in it") as caught:
        train(recipe(corpus_folder, language=LANGUAGES["taken"]), tmp_path / "run")
    assert caught.value.hint == "prepare it with --language eo, or leave out [language]"


def test_replay_of_another_corpus_keeps_its_own_token(corpus, esperanto, tmp_path):
    few = [u for split in ("train", "dev") for u in corpus.select(split)[:2]]
    folder = tmp_path / "french"
    folder.mkdir()
    lines = (corpus.folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = {u.id for u in few}
    (folder / "manifest.jsonl").write_text("".join(x for x in lines if json.loads(x)["id"] in kept), encoding="utf-8")
    (folder / "corpus.json").write_text(Path(corpus.folder / "corpus.json").read_text(encoding="utf-8"))
    from parlure.training.replay import Replay

    settings = recipe(esperanto, language=LANGUAGES["taken"], replay={"corpus": str(folder), "share": 0.5})
    tokenizer = taught(**LANGUAGES["taken"])[0]
    assert {item.labels.inputs[1] for item in Replay.of(settings, tokenizer).items} == {FR}
    assert replace(Corpus.load(folder)).select("train")[0].language == "fr"


def test_a_taught_run_is_neither_merged_nor_shares_its_base(run, tmp_path):
    out, way, _ = run
    if way == "inserted":
        return
    with pytest.raises(ParlureError) as caught:
        merge([str(out), str(out)], tmp_path / "both")
    message = f"{out} was taught a language, which its base has no word for"
    assert (caught.value.message, caught.value.hint) == (message, "merge other runs")
    with pytest.raises(ParlureError) as caught:
        SharedBase("nano", "cpu").add_adapter("eo", str(out))
    assert (caught.value.message, caught.value.hint) == (message, "load it by itself")


def test_a_token_is_inserted_right_behind_the_models_own():
    tokenizer, whisper = load_tokenizer(str(NANO)), load_base(str(NANO))
    tokenizer.add_tokens(["<|mine|>"])
    language = NewLanguage.of(LanguageSection(code="eo"))
    teach(tokenizer, language)
    with pytest.raises(ParlureError) as caught:
        give_token(whisper, tokenizer, language)
    assert caught.value.message == "a token cannot be inserted: the tokenizer has 51866 tokens, the model 51865"
    assert caught.value.hint == 'take over one that is there: [language] token = "la"'
