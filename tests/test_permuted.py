"""The control that must not learn: transcripts of train, each moved to another utterance."""

import json
from collections import Counter
from dataclasses import replace

from parlure.corpus.manifest import Segment
from parlure.recipe import parse_recipe
from parlure.shipping.card import make_card
from parlure.training.items import permuted
from parlure.training.loop import train


def test_no_utterance_keeps_its_transcript_and_none_is_lost(corpus):
    phrases = (Segment(0.0, 0.5, "allô"),)
    first = replace(corpus.utterances[0], split="train", segments=phrases, prompt="avant", language="en", text="hello")
    second = replace(first, id="second", text="good-bye", segments=None, prompt=None)
    mixed = replace(corpus, utterances=(*corpus.utterances[1:], first, second))
    after = permuted(mixed, 1)
    assert [replace(u, text="", segments=None, prompt=None) for u in after.utterances] == [
        replace(u, text="", segments=None, prompt=None) for u in mixed.utterances
    ]
    before, now = mixed.select("train"), after.select("train")
    for language in ("fr", "en"):
        texts = [Counter(u.text for u in own if u.language == language) for own in (before, now)]
        assert texts[0] == texts[1]
    known = Counter(u.text for u in before)
    unique = [(old.text, new.text) for old, new in zip(before, now, strict=True) if known[old.text] == 1]
    assert len(unique) > 10
    assert all(old != new for old, new in unique)
    assert [u.text for u in now[-2:]] == ["good-bye", "hello"]  # within a language
    assert all(u.segments is None and u.prompt is None for u in now)
    for split in ("dev", "test"):
        assert after.select(split) == mixed.select(split)


def test_a_seed_decides(corpus):
    assert permuted(corpus, 1) == permuted(corpus, 1)
    assert permuted(corpus, 1) != permuted(corpus, 2)


def test_a_control_run_says_that_it_is_one(corpus_folder, tmp_path):
    def run(permute):
        rows = []
        recipe = parse_recipe(
            {"model": {"base": "nano"}, "data": {"corpus": str(corpus_folder), "permute_labels": permute},
             "adapter": {"r": 4}, "training": {"max_steps": 1, "batch_seconds": 8.0, "accumulation": 1,
             "full_window_share": 0.0}, "evaluation": {"max_utterances": 1}, "decoding": {"max_new_tokens": 8}},
            "test",
        )  # fmt: skip
        train(recipe, tmp_path / str(permute), on_event=rows.append)
        return rows

    rows = {permute: run(permute) for permute in (True, False)}
    notices = {permute: [row["text"] for row in own if row["kind"] == "notice"] for permute, own in rows.items()}
    assert notices == {True: ["a control: every transcript of train is another utterance's"], False: []}
    # the first step hears the same sound and is asked for other words
    losses = {permute: next(row["loss"] for row in own if row["kind"] == "step") for permute, own in rows.items()}
    assert losses[True] > losses[False]
    card = make_card(tmp_path / "True")
    assert "A control, not for use: its training transcripts were permuted on purpose." in card
    assert "A control" not in make_card(tmp_path / "False")
    assert json.loads((tmp_path / "True" / "corpus.json").read_text())["n_utterances"] > 0
