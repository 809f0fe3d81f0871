"""Training through telephone channels: drawn by seed, epoch and id, whatever the order; off by default."""

import json
import shlex

import numpy as np
import pytest
import torch
from test_loop import recipe, trained_weights

from parlure.errors import ParlureError
from parlure.sections import Recipe
from parlure.speech.channel.expression import parse_channels
from parlure.training.augmentation import Augmentation
from parlure.training.items import training_items
from parlure.training.loop import train
from parlure.training.plan import Plan
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import SpecialTokens

SPECIAL = SpecialTokens.of(load_tokenizer(str(NANO)))
SOUNDS = ("gsm", "noise(-20..0)", "crosstalk(-10)")


@pytest.fixture(scope="module")
def items(corpus):
    return training_items(corpus, load_tokenizer(str(NANO)))


def augmentation(corpus, share=1.0, conditions=SOUNDS, seed=1):
    settings = recipe(
        corpus.folder, augmentation={"telephone": share, "conditions": conditions}, training={"seed": seed}
    )
    return Augmentation.of(settings, corpus, SPECIAL)


def test_off_unless_asked_for(corpus):
    assert Augmentation.of(recipe(corpus.folder), corpus, SPECIAL) is None


def test_the_default_conditions_are_conditions():
    assert len(parse_channels(Recipe.model_fields["augmentation"].default.conditions)) >= 5


def test_share_epoch_and_seed(corpus, items):
    half = augmentation(corpus, 0.5)

    def changed(augmentation_, epoch):
        after = augmentation_.of_epoch(items, epoch)
        return [one is not other for one, other in zip(items, after, strict=True)]

    epochs = [changed(half, epoch) for epoch in range(20)]
    assert np.mean(epochs) == pytest.approx(0.5, abs=0.06)
    assert epochs[0] != epochs[1] and changed(half, 0) == epochs[0]
    assert changed(augmentation(corpus, 0.5, seed=2), 0) != epochs[0]
    assert all(changed(augmentation(corpus, 1.0), 0))


def test_only_the_sound_changes_and_the_order_does_not_matter(corpus, items):
    drawn = augmentation(corpus)
    first = {item.id: item for item in drawn.of_epoch(items[:6], 0)}
    again = {item.id: item for item in drawn.of_epoch(items[5::-1], 0)}
    later = {item.id: item for item in drawn.of_epoch(items[:6], 1)}
    for item in items[:6]:
        one = first[item.id]
        assert (one.labels, one.duration_s, one.group) == (item.labels, item.duration_s, item.group)
        sound = one.read()
        assert sound.shape == item.read().shape
        assert not np.array_equal(sound, item.read())
        assert np.array_equal(sound, again[item.id].read())
        assert not np.array_equal(sound, later[item.id].read())


def test_the_plan_is_the_same_but_for_the_sound(corpus, items):
    settings, special = recipe(corpus.folder), SpecialTokens.of(load_tokenizer(str(NANO)))

    def places(plan):
        return [[[i.id for w in batch.windows for i in w.items] for batch in step] for step in plan]

    plain, sent = (Plan(items, settings.training, special, one) for one in (None, augmentation(corpus, 0.5)))
    assert places(plain.epoch(0)) == places(sent.epoch(0))
    read = [i.read for step in sent.epoch(0) for batch in step for w in batch.windows for i in w.items]
    assert 0 < sum(one not in {item.read for item in items} for one in read) < len(items)


def test_a_run_through_channels_resumes_to_the_same_weights(corpus_folder, tmp_path):
    settings = recipe(
        corpus_folder, augmentation={"telephone": 0.7, "conditions": ["gsm", "g711 > loss(0.1)"]},
        evaluation={"every_steps": 4, "max_utterances": 1},
    )  # fmt: skip

    def interrupt(row):
        if row["kind"] == "step" and row["step"] == 2:
            raise KeyboardInterrupt

    train(settings, tmp_path / "straight")
    train(recipe(corpus_folder, evaluation={"every_steps": 4, "max_utterances": 1}), tmp_path / "plain")
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "broken", on_event=interrupt)
    train(settings, tmp_path / "broken", resume=True)
    first, second, plain = (trained_weights(tmp_path / name) for name in ("straight", "broken", "plain"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], plain[name]) for name in first)
    losses = [
        [json.loads(line).get("loss") for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("straight", "plain")
    ]
    assert losses[0] != losses[1]


def refused(settings, corpus):
    with pytest.raises(ParlureError) as caught:
        Augmentation.of(settings, corpus, SPECIAL)
    return caught.value.message, caught.value.hint


def test_refusals(corpus, corpus_folder, tmp_path):
    frozen = {"adapter": {"parts": "decoder"}, "training": {"encoder_cache_gb": 1.0}}
    message, hint = refused(recipe(corpus_folder, augmentation={"telephone": 0.5}, **frozen), corpus)
    assert message == (
        "training.encoder_cache_gb keeps what an encoder gave, and augmentation.telephone gives it another sound "
        "every epoch"
    )
    assert hint == "--set training.encoder_cache_gb=0, or --set augmentation.telephone=0"
    assert Augmentation.of(recipe(corpus_folder, **frozen), corpus, SPECIAL) is None
    message, hint = refused(recipe(corpus_folder, augmentation={"telephone": 0.5, "conditions": []}), corpus)
    assert message == "augmentation.telephone is 0.5, and augmentation.conditions is empty"
    assert hint == "name one: --set 'augmentation.conditions=[\"gsm\"]'"
    assert shlex.split(hint.removeprefix("name one: "))[1] == 'augmentation.conditions=["gsm"]'
    off = recipe(corpus_folder, augmentation={"conditions": ["gsmm"]})
    assert refused(off, corpus) == ("there is no condition 'gsmm'", "did you mean gsm?")
    with pytest.raises(ParlureError, match="there is no condition 'gsmm'"):
        train(off, tmp_path / "run")
    assert not (tmp_path / "run").exists()
