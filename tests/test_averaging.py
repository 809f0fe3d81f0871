"""The moving average: its arithmetic, that it is what is judged and kept, and that a resumed run has the same."""

import os
import signal

import pytest
import torch
from safetensors.torch import load_file
from test_loop import recipe
from torch import nn

from parlure.training.averaging import WeightAverage
from parlure.training.loop import train


def test_it_follows_slowly_and_a_constant_stays():
    parameter = nn.Parameter(torch.zeros(3))
    average = WeightAverage({"w": parameter}, 0.9)
    expected, seen = 0.0, []
    for step in range(1, 200):
        parameter.data.fill_(float(step <= 100))
        average.stepped()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * float(step <= 100)
        with average.in_place():
            seen.append(float(parameter.detach()[0]))
        assert seen[-1] == pytest.approx(expected, abs=1e-5)
    assert seen[99] == pytest.approx(1.0, abs=1e-3)
    assert seen[-1] < 1e-3
    assert float(parameter.detach()[0]) == 0.0


def test_within_it_is_the_model_and_after_it_the_model_is_itself_whatever_happens():
    parameter = nn.Parameter(torch.ones(2))
    average = WeightAverage({"w": parameter}, 0.9)
    parameter.data.fill_(5.0)
    with pytest.raises(RuntimeError), average.in_place():
        assert parameter.tolist() == [1.0, 1.0]
        raise RuntimeError
    assert parameter.tolist() == [5.0, 5.0]


def settings(folder, average):
    return recipe(
        folder, training={"max_steps": 4, "average": average, "learning_rate": 5e-3},
        evaluation={"every_steps": 4, "max_utterances": 1}, decoding={"max_new_tokens": 5},
    )  # fmt: skip


def test_the_average_is_kept_and_training_does_not_notice(corpus_folder, tmp_path, monkeypatch):
    falling = {name: iter((50.0, 40.0)) for name in ("plain", "averaged")}
    for name, average in (("plain", 0.0), ("averaged", 0.9)):
        judge = "parlure.training.development.Development.word_error_rate"
        monkeypatch.setattr(judge, lambda *_, name=name: next(falling[name]))
        train(settings(corpus_folder, average), tmp_path / name)
    last = [load_file(tmp_path / name / "checkpoints/step-000004/trainable.safetensors") for name in falling]
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0])
    kept = [load_file(tmp_path / name / "adapter/adapter_model.safetensors") for name in falling]
    assert not all(torch.equal(kept[0][name], kept[1][name]) for name in kept[0])
    mean = torch.load(tmp_path / "averaged/checkpoints/step-000004/states.pt", weights_only=True)["average"]["mean"]
    name = "model.decoder.layers.0.fc1.lora_B"
    torch.testing.assert_close(kept[1][f"base_model.model.{name}.weight"], mean[f"{name}.default.weight"])


def test_a_resumed_run_keeps_the_same_average(corpus_folder, tmp_path):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(settings(corpus_folder, 0.9), straight)

    def interrupt(row):
        if row["kind"] == "step" and row["step"] == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(settings(corpus_folder, 0.9), broken, on_event=interrupt)
    train(settings(corpus_folder, 0.9), broken, resume=True)
    means = [
        torch.load(run / "checkpoints/step-000004/states.pt", weights_only=True)["average"]["mean"]
        for run in (straight, broken)
    ]
    assert all(torch.equal(means[0][name], means[1][name]) for name in means[0])
