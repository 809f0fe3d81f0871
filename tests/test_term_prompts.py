"""Lists of terms before a window: what is drawn in training, and what every engine is told when decoding."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_loop import recipe

from parlure import cli
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.recipe import load_recipe
from parlure.scoring.skills import evaluate
from parlure.sections import TrainingSection
from parlure.speech.features import log_mel
from parlure.speech.synth import Voice, synthesize
from parlure.training.items import training_items
from parlure.training.loop import train
from parlure.training.memory import Shape, shapes_of
from parlure.training.plan import Plan
from parlure.training.termlists import TermLists
from parlure.training.windows import Window
from parlure.transcribing.decode import Clip, DecodingOptions, decode, window_waves
from parlure.transcribing.engines.with_ctranslate2 import CTranslate2Engine
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import IGNORED, MAX_PROMPT_TOKENS, MAX_TOKENS, Labels, SpecialTokens, encode_text
from parlure.whisper.terms import terms_prompt

TERMS = ["Zelvax", "Saint-Hyacinthe", "carte de crédit", "madame", "Rupril", "bonjour"]


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(str(NANO))


@pytest.fixture(scope="module")
def special(tokenizer):
    return SpecialTokens.of(tokenizer)


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("\n".join(TERMS) + "\n", encoding="utf-8")
    return path


def lists(corpus, listed, share=1.0, tokenizer=None):
    settings = recipe(corpus, targets={"terms": str(listed), "term_prompts": share})
    return TermLists.of(settings, tokenizer or load_tokenizer(str(NANO)))


@pytest.fixture(scope="module")
def items(corpus, tokenizer):
    """400 that say two terms of the list."""
    [first, *_] = corpus.select("train")
    one = replace(first, text="Bonjour, madame !", segments=None, prompt=None)
    many = tuple(replace(one, id=f"{number:03d}") for number in range(400))
    return training_items(Corpus(corpus.folder, many, corpus.info), tokenizer)


def alone(item):
    return Window((item,), item.labels, 5.0)


def told(tokenizer, special, labels):
    """The terms before a window's start token."""
    start = labels.inputs.index(special.start)
    assert set(labels.targets[:start]) <= {IGNORED}
    if not start:
        return []
    assert labels.inputs[0] == special.previous
    return tokenizer.backend_tokenizer.decode(labels.inputs[1:start]).strip().split(", ")


def test_the_prompt_is_what_other_runtimes_make_of_the_same_text(tokenizer, special):
    assert terms_prompt(tokenizer, TERMS) == (special.previous, *encode_text(tokenizer, ", ".join(TERMS)))
    assert terms_prompt(tokenizer, []) == ()


def test_a_list_is_never_cut(tokenizer):
    many = [f"Zelvax{number}" for number in range(100)]
    with pytest.raises(
        ParlureError, match=r"the 100 terms are \d+ tokens, and Whisper reads 223 before a window"
    ) as caught:
        terms_prompt(tokenizer, many)
    n_fit = int(caught.value.hint.split()[2])
    assert caught.value.hint.endswith(
        "fit; give a shorter list, such as the terms of this customer or this kind of call"
    )
    assert len(terms_prompt(tokenizer, many[:n_fit])) <= 1 + MAX_PROMPT_TOKENS
    with pytest.raises(ParlureError, match="before a window"):
        terms_prompt(tokenizer, many[: n_fit + 1])


def test_what_is_drawn(corpus_folder, listed, items, tokenizer, special):
    """Its own terms among others in any order; now and then others alone; nothing is asked of the list."""
    made = lists(corpus_folder, listed)
    drawn = [made.before(alone(item), 0).labels for item in items]
    found = [told(tokenizer, special, labels) for labels in drawn]
    own = {"madame", "bonjour"}
    without = [one for one in found if not own & {*one}]
    assert all(own <= {*one} or not own & {*one} for one in found)
    assert len(without) == pytest.approx(40, abs=20)
    assert all({*one} <= {*TERMS} and len({*one}) == len(one) for one in found)
    assert {len(one) for one in found} == {0, 1, 2, 3, 4, 5, 6}
    assert len({one.index("madame") for one in found if "madame" in one}) == 6  # any place
    for labels, item in zip(drawn, items, strict=True):
        start = labels.inputs.index(special.start)
        assert Labels(labels.inputs[start:], labels.targets[start:]) == item.labels


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_windows(corpus_folder, listed, items, special, share):
    made = lists(corpus_folder, listed, share)
    n = sum(made.before(alone(item), 0).labels.inputs[0] == special.previous for item in items)
    assert n == pytest.approx(400 * share, abs=35)
    assert share or n == 0


def test_drawn_by_seed_epoch_and_ids_alone(corpus_folder, listed, items):
    made = lists(corpus_folder, listed)

    def found(made=made, epoch=0):
        return [made.before(alone(item), epoch).labels for item in items[:20]]

    assert found() == found()
    assert found() != found(epoch=1)
    assert found() != found(replace(made, seed=2))


def test_a_plan_puts_them_before_windows_of_one_and_of_several(corpus_folder, listed, items, special, tokenizer):
    training = TrainingSection(full_window_share=1.0, batch_seconds=60.0, utterances_per_window=3)
    plan = Plan(items, training, special, terms=lists(corpus_folder, listed))
    windows = [window for step in plan.epoch(0) for batch in step for window in batch.windows]
    assert {len(window.items) for window in windows} == {1, 2, 3}
    for n in (1, 2, 3):
        found = [told(tokenizer, special, w.labels) for w in windows if len(w.items) == n]
        assert any("madame" in one and len(one) > 2 for one in found)
    assert sorted(item.id for window in windows for item in window.items) == [item.id for item in items]


def test_one_behind_a_previous_text_stays(corpus_folder, listed, corpus, tokenizer):
    one = replace(corpus.select("train")[0], prompt="allô")
    [item] = training_items(Corpus(corpus.folder, (one,), corpus.info), tokenizer)
    assert lists(corpus_folder, listed).before(alone(item), 0) == alone(item)


def test_no_term_is_cut_and_its_own_come_first_where_room_is_short(corpus_folder, listed, items, special, tokenizer):
    made = lists(corpus_folder, listed)
    labels = items[0].labels
    n_room = 12
    body = (5,) * (MAX_TOKENS - 1 - n_room - len(labels.inputs))
    long = replace(items[0], labels=Labels(labels.inputs + body, labels.targets + body))
    found = []
    for epoch in range(100):
        labels = made.before(alone(long), epoch).labels
        assert len(labels.inputs) <= MAX_TOKENS
        found.append(told(tokenizer, special, labels))
    assert all({*one} <= {*TERMS} for one in found)
    assert sum({"madame", "bonjour"} <= {*one} for one in found) > 75
    assert any(len(one) > 2 for one in found)


def test_memory_counts_the_longest_list(corpus_folder, listed, items):
    made = lists(corpus_folder, listed)
    assert made.n_most == max(
        len(made.before(alone(item), 0).labels.inputs) - len(item.labels.inputs) for item in items
    )
    training, n = TrainingSection(full_window_share=0.0), len(items[0].labels.inputs)
    [shape] = shapes_of(items, training, made.n_most)
    assert shape == Shape(shape.length_s, n + made.n_most)


# ------------------------------------------------------------------------------------------ decoding


@pytest.fixture(scope="module")
def spoken():
    texts = ["Il part demain matin.", "Bonjour madame, merci beaucoup.", "Le train arrive à midi."]
    return [synthesize(text, Voice("fr+belinda", 160)) for text in texts]


@pytest.fixture(scope="module")
def clips_spoken(spoken):
    made = [Clip(str(i), len(sound) / 16_000, lambda sound=sound: sound) for i, sound in enumerate(spoken)]
    return [*made, Clip("silence", 1.0, lambda: np.zeros(16_000, np.float32))]


@pytest.fixture(scope="module")
def engines(nano, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield TorchEngine(nano), CTranslate2Engine("nano")


TOLD = DecodingOptions(language="fr", terms=tuple(TERMS), identify=True, max_new_tokens=20)


def test_the_tokens_are_those_of_hugging_faces_generate(nano, clips_spoken, spoken):
    found = decode(nano.model, nano.tokenizer, clips_spoken[:3], TOLD)
    before = torch.tensor(terms_prompt(nano.tokenizer, TERMS))
    for sound, one in zip(spoken, found, strict=True):
        features = log_mel(window_waves([sound]), nano.model.config.num_mel_bins)
        theirs = nano.model.generate(
            input_features=features,
            prompt_ids=before,
            language="fr",
            task="transcribe",
            do_sample=False,
            num_beams=1,
            max_new_tokens=20,
        )
        end = SpecialTokens.of(nano.tokenizer).end
        assert [*one.tokens] == [id_ for id_ in theirs[0].tolist() if id_ < end]
    plain = decode(nano.model, nano.tokenizer, clips_spoken, replace(TOLD, terms=()))
    assert [one.avg_logprob for one in found] != [one.avg_logprob for one in plain[:3]]


def test_what_it_is_told_of_is_no_hint_of_the_language(engines, clips_spoken):
    for engine in engines:
        plain, informed = (engine.decode(clips_spoken, replace(TOLD, terms=terms)) for terms in ((), TOLD.terms))
        assert [one.identified for one in plain] == [one.identified for one in informed]


def test_both_engines_are_told_the_same(engines, clips_spoken):
    ours, theirs = (engine.decode(clips_spoken, TOLD) for engine in engines)
    assert [one.tokens for one in ours] == [one.tokens for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-3)
    assert ours[-1].text == ""
    beams = [engine.decode(clips_spoken[:1], replace(TOLD, beam_size=3))[0].tokens for engine in engines]
    assert beams[0] == beams[1] != ()


def test_every_window_of_a_long_recording_stands_behind_the_list(engines, nano, spoken, monkeypatch):
    """And as many tokens fit behind a list that fills the prompt as the decoder has places."""
    pause = np.zeros(16_000 * 9, np.float32)
    sound = np.concatenate([part for one in (*spoken, *spoken) for part in (one, pause)])
    assert len(sound) > 16_000 * 60
    read = []
    forward = nano.model.model.decoder.forward

    def listening(*args, **kwargs):
        ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        if ids.shape[1] > 1:
            read.append(ids[0].tolist())
        return forward(*args, **kwargs)

    monkeypatch.setattr(nano.model.model.decoder, "forward", listening)
    before = [*terms_prompt(nano.tokenizer, TERMS)]
    found = engines[0].decode_long("long", sound, TOLD)
    assert len(read) >= 3
    assert all(ids[: len(before)] == before and len(ids) == len(before) + 3 for ids in read)
    monkeypatch.undo()
    assert [s.text for s in found.segments] == [s.text for s in engines[1].decode_long("long", sound, TOLD).segments]
    full = tuple("ou" for _ in range(112))
    assert len(terms_prompt(nano.tokenizer, full)) == 1 + MAX_PROMPT_TOKENS
    for engine in engines:
        assert engine.decode_long("long", sound[: 16_000 * 40], replace(TOLD, terms=full)).id == "long"
        assert engine.decode([Clip("a", 1.0, lambda: spoken[0])], replace(TOLD, terms=full))[0].id == "a"


# ------------------------------------------------------------------------------------------ commands


def test_a_recipe_names_its_list_relative_to_itself_and_the_run_keeps_it(corpus_folder, listed, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(f'[data]\ncorpus = "{corpus_folder}"\n[targets]\nterms = "terms.txt"\n', encoding="utf-8")
    assert load_recipe(path).targets.terms == str(listed)
    settings = recipe(corpus_folder, targets={"terms": str(listed)}, training={"max_steps": 1})
    train(settings, tmp_path / "run")
    assert (tmp_path / "run" / "terms.txt").read_text(encoding="utf-8") == listed.read_text(encoding="utf-8")
    assert train(settings, tmp_path / "run", resume=True).was_finished
    listed.write_text("autre\n", encoding="utf-8")
    with pytest.raises(ParlureError, match=r"terms.txt has changed since .*run was started with it") as caught:
        train(settings, tmp_path / "run", resume=True)
    assert caught.value.hint == f"put {tmp_path / 'run' / 'terms.txt'} back in its place, or train anew: another --out"


def test_the_commands_tell_the_model(corpus, corpus_folder, listed, tmp_path, spoken, capsys, monkeypatch):
    import json

    from parlure.speech.audio import write_audio

    write_audio(tmp_path / "a.wav", spoken[1])
    arguments = ["transcribe", str(tmp_path / "a.wav"), "--model", "nano", "--language", "fr", "--format", "jsonl"]
    lines = []
    for more in ([], ["--terms", str(listed)]):
        assert cli.run([*arguments, *more]) == 0
        lines.append(json.loads(capsys.readouterr().out))
    assert lines[0]["avg_logprob"] != lines[1]["avg_logprob"]
    few = Corpus(corpus.folder, corpus.select("test")[:2], corpus.info)
    monkeypatch.setattr(Corpus, "load", lambda folder: few)
    report = evaluate(corpus_folder, "nano", tmp_path / "report", terms=listed, prompted=True, nonspeech_per_kind=0)
    assert [*report["systems"]["tuned"]["decode"]["terms"]] == TERMS
    with pytest.raises(ParlureError, match="there are no terms to tell the models of") as caught:
        evaluate(corpus_folder, "nano", tmp_path / "other", prompted=True)
    assert caught.value.hint == "name the list: --terms terms.txt --prompted"
