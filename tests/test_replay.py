"""A general corpus among one's own: how much, which, and that ids never meet."""

import pytest
from test_batches import SPECIAL, item
from test_loop import recipe

from parlure.sections import TrainingSection
from parlure.training.loop import train
from parlure.training.plan import Plan
from parlure.training.replay import Replay
from parlure.whisper.load import NANO, load_tokenizer


def replay(n, share, seed=1):
    return Replay(tuple(item(number, 1.0) for number in range(n)), share, seed)


@pytest.mark.parametrize(("n", "share"), [(100, 0.2), (100, 0.5), (7, 0.5), (3, 0.9)])
def test_the_share_is_of_the_epoch_and_all_come_as_often_as_the_others(n, share):
    found = replay(n, share).of_epoch(60, 0)
    assert len(found) / (60 + len(found)) == pytest.approx(share, abs=0.01)
    assert len({one.id for one in found}) == len(found)
    counts = [sum(one.id.startswith(f"u{number:03d}/") for one in found) for number in range(n)]
    assert max(counts) - min(counts) <= 1


def test_drawn_anew_by_seed_and_epoch():
    ids = [{one.id for one in replay(100, 0.2, seed).of_epoch(60, epoch)} for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    assert ids[0] == {one.id for one in replay(100, 0.2).of_epoch(60, 0)}
    assert ids[0] != ids[1] != ids[2] != ids[0]


def test_a_plan_holds_both(corpus_folder):
    general = Replay.of(recipe("x", replay={"corpus": str(corpus_folder), "share": 0.5}), load_tokenizer(str(NANO)))
    own = [item(number, 1.0) for number in range(20)]
    plan = Plan(own, TrainingSection(full_window_share=0.0), SPECIAL, replay=general)
    ids = [i.id for step in plan.epoch(0) for batch in step for window in batch.windows for i in window.items]
    assert len(ids) == len(set(ids)) == 40
    assert sum(id_.startswith("replay/") for id_ in ids) == 20
    assert Replay.of(recipe("x"), load_tokenizer(str(NANO))) is None


def test_a_run_with_its_own_corpus_as_the_general_one(corpus_folder, tmp_path):
    seconds = {}
    for name, more in (("both", {"replay": {"corpus": str(corpus_folder), "share": 0.4}}), ("alone", {})):
        rows = []
        settings = recipe(
            corpus_folder, training={"max_steps": 0, "epochs": 1.0}, decoding={"max_new_tokens": 5},
            evaluation={"every_steps": 99, "max_utterances": 1}, **more,
        )  # fmt: skip
        train(settings, tmp_path / name, on_event=rows.append)
        seconds[name] = sum(row["audio_s"] for row in rows if row["kind"] == "step")
    assert seconds["both"] == pytest.approx(seconds["alone"] / 0.6, rel=0.15)
