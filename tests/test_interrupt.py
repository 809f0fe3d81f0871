"""Asked to stop while dev is decoded, and asked twice."""

import json
import os
import signal

import pytest
import torch
from test_loop import alone, recipe

from parlure.training import checkpoint, development, interrupt
from parlure.training.development import Development
from parlure.training.interrupt import StopRequest
from parlure.training.loop import train


@pytest.mark.parametrize(("asked_for", "steps"), [(1, [0, 1, 1, 2, 2]), (2, [0, 1, 1, 2, 2])], ids=["at 0", "at 1"])
def test_a_stop_while_dev_is_decoded(corpus_folder, tmp_path, monkeypatch, asked_for, steps):
    """It is heeded before another step is done, and the evaluation is done when the run goes on."""
    n_asked = 0

    def rate(self, whisper, tokenizer, team, stopped):
        nonlocal n_asked
        n_asked += 1
        if n_asked == asked_for:
            os.kill(os.getpid(), signal.SIGTERM)
        return None if stopped() else 50.0

    monkeypatch.setattr(Development, "word_error_rate", rate)
    settings, out, rows = (
        recipe(corpus_folder, training={"max_steps": 2, "batch_seconds": 3.0}, evaluation={"every_steps": 1}),
        tmp_path,
        [],
    )
    with pytest.raises(KeyboardInterrupt):
        train(settings, out, on_event=rows.append)
    notice = {"kind": "notice", "text": "finishing the step, then a checkpoint; once more stops at once"}
    assert rows[-1] == notice
    assert [row["step"] for row in rows[:-1]] == steps[: 2 * (asked_for - 1)]
    assert bool(checkpoint.last(out)) == (asked_for == 2)
    train(settings, out, resume=True)
    assert [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_text().splitlines()] == steps


def test_decoding_dev_is_left_between_two_batches(corpus, corpus_folder, monkeypatch):
    done = []

    def decode(whisper, tokenizer, clips, options, progress):
        for clip in clips:
            done.append(clip.id)
            progress(1)

    monkeypatch.setattr(development, "decode", decode)
    judge = Development.of(corpus, recipe(corpus_folder, evaluation={"max_utterances": 4}))
    whisper = torch.nn.Linear(1, 1)
    assert judge.word_error_rate(whisper, None, alone(), lambda: len(done) >= 2) is None
    assert len(done) == 2


def test_a_second_request_stops_at_once_unless_it_is_the_same_one(monkeypatch):
    said = []
    with StopRequest(lambda: said.append("stopping")) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)  # torchrun passes on what the terminal sent
        assert stop.requested
        assert said == ["stopping"]
        monkeypatch.setattr(interrupt, "SAME_S", -1.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
