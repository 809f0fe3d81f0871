"""What is asked for of an utterance: times and previous text in a share of the epochs, and never another text."""

from dataclasses import replace

import pytest

from parlure.corpus.manifest import Corpus
from parlure.sections import TargetsSection, TrainingSection
from parlure.training.items import training_items
from parlure.training.plan import Plan
from parlure.training.targets import Targets
from parlure.whisper.load import NANO, load_tokenizer
from parlure.whisper.prompt import IGNORED, SpecialTokens, encode_labels


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(str(NANO))


@pytest.fixture(scope="module")
def special(tokenizer):
    return SpecialTokens.of(tokenizer)


@pytest.fixture(scope="module")
def items(corpus, tokenizer):
    """400 of the same audio: of two phrases behind a text."""
    [first, *_] = corpus.select("train")
    one = replace(first, text="bonjour madame", segments=((0.0, 0.4, "bonjour"), (0.5, 0.9, "madame")), prompt="allô")
    many = tuple(replace(one, id=f"{number:03d}") for number in range(400))
    return training_items(Corpus(corpus.folder, many, corpus.info), tokenizer)


def kinds(items, special):
    """(has times, has a previous text) of each."""
    return [
        (any(id_ >= special.timestamp_begin for id_ in i.labels.inputs), special.previous in i.labels.inputs)
        for i in items
    ]


def test_the_four_labels_are_those_of_encode_labels(items, tokenizer, special):
    def label(**more):
        return encode_labels(tokenizer, "bonjour madame", utterance_id="u", language="fr", **more)

    segments = [(0.0, 0.4, "bonjour"), (0.5, 0.9, "madame")]
    expected = {
        (True, True): label(segments=segments, previous="allô"),
        (True, False): label(segments=segments),
        (False, True): label(previous="allô"),
        (False, False): label(),
    }
    drawn = Targets(0.5, 0.5, 1, special).of_epoch(items, 0)
    found = kinds(drawn, special)
    assert set(found) == set(expected)
    assert all(one.labels == expected[kind] for one, kind in zip(drawn, found, strict=True))
    assert all(one.labels.targets[0] == IGNORED for one in drawn)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_shares(items, special, share):
    for index, shares in ((0, (share, 0.5)), (1, (0.5, share))):
        found = kinds(Targets(*shares, 1, special).of_epoch(items, 0), special)
        assert sum(kind[index] for kind in found) == pytest.approx(400 * share, abs=35)
        other = sum(kind[1 - index] for kind in found)
        assert other == pytest.approx(200, abs=35)


def test_drawn_by_seed_epoch_and_id_alone(items, special):
    def found(seed=1, epoch=0, of=items):
        return {i.id: i.labels for i in Targets(0.5, 0.5, seed, special).of_epoch(of, epoch)}

    assert found() == found(of=items[::-1])
    assert found() != found(epoch=1)
    assert found() != found(seed=2)


def test_a_plan_asks_for_them(items, special):
    training = TrainingSection(full_window_share=0.0, batch_seconds=12.0)
    for shares, expected in (((1.0, 0.0), {(True, False)}), ((0.0, 1.0), {(False, True)})):
        plan = Plan(items, training, special, targets=TargetsSection(timestamps=shares[0], prompts=shares[1]))
        windows = [w for step in plan.epoch(0) for batch in step for w in batch.windows]
        assert set(kinds(windows, special)) == expected


def test_what_has_neither_stays(corpus, tokenizer, special):
    items = training_items(corpus, tokenizer)
    assert Targets(0.5, 0.5, 1, special).of_epoch(items, 0) == items
