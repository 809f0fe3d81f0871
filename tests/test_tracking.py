"""Trackers get every row once, whatever happens to a run, and never keep it from going on; callbacks may stop it."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_loop import recipe

import parlure
from parlure.errors import ParlureError
from parlure.recipe import differences
from parlure.training.loop import train
from parlure.training.tracking import Tracking, check_trackers, without_secrets


def numbers(step, rate=0.5):
    return {"kind": "step", "step": step, "n_steps": 9, "loss": 1.0 / step, "grad_norm": 1.0, "learning_rate": rate,
            "audio_s": 8.0, "work_s": 0.1}  # fmt: skip


def judgement(step):
    return {"kind": "evaluation", "step": step, "wer": 50.0 - step, "best_wer": 50.0 - step, "best_step": step,
            "n_utterances": 2, "profile": "fr", "guards": {"general": 12.5}, "harmed": [], "work_s": 1.0}  # fmt: skip


def write(out, rows):
    out.mkdir(exist_ok=True)
    (out / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def session(settings, out, kept, new, said=None):
    """A process that goes on behind the last of the rows ``kept``, does ``new`` and ends; metrics.jsonl follows."""
    out.mkdir(exist_ok=True)
    tracking = Tracking(settings, out, kept[-1]["step"] if kept else 0, (said if said is not None else []).append)
    write(out, [*kept, *new])  # after the trackers have seen what the process before left
    for row in new:
        tracking.row(row)
    tracking.close()


FIRST = [judgement(0), numbers(1), numbers(2), judgement(2), numbers(3), numbers(4), judgement(4), numbers(5)]
AGAIN = [numbers(3), numbers(4), judgement(4), numbers(5), numbers(6), judgement(6)]


def tracked(corpus_folder, *names, **fields):
    return recipe(
        corpus_folder,
        training={"max_steps": 3, "batch_seconds": 4.0, "full_window_share": 0.0},
        evaluation={"every_steps": 2, "max_utterances": 1},
        decoding={"max_new_tokens": 5},
        tracking={"trackers": list(names)} | fields,
    )


def scalars(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    # a process that writes a tenth file and more does not name them in their order
    return {tag: sorted((e.step, e.value) for e in events.Scalars(tag)) for tag in events.Tags()["scalars"]}


# ------------------------------------------------------------------------------------------ reading back


def from_tensorboard(out):
    return scalars(out / "tensorboard" / "mine")


def from_mlflow(out):
    from mlflow import MlflowClient

    client = MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("ours").experiment_id])
    assert run.data.params["adapter.r"] == "4" and run.info.run_name == "mine"
    assert json.loads(run.data.params["adapter.targets"])[0] == "q_proj"
    return {
        key: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, key)] for key in run.data.metrics
    }


def chunks(data):
    """Records of LevelDB's log format, in which wandb writes: after 7 bytes of its own, blocks of 32 KiB."""
    at, whole = 7, b""
    while at + 7 <= len(data):
        if 32_768 - at % 32_768 < 7:
            at += 32_768 - at % 32_768
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


def from_wandb(out):
    from wandb.proto.wandb_internal_pb2 import Record

    found, ids = {}, set()
    for path in sorted((out / "wandb").glob("offline-run-*/*.wandb")):
        for chunk in chunks(path.read_bytes()):
            record = Record()
            record.ParseFromString(chunk)
            if record.WhichOneof("record_type") == "run":
                ids.add((record.run.run_id, record.run.display_name, record.run.project))
            values = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item
            }
            for key in [key for key in values if not key.startswith("_")]:
                found.setdefault(key, []).append((values["_step"], values[key]))
    ((_, name, project),) = ids  # one run, however many processes
    assert (name, project) == ("mine", "ours")
    return found


def from_trackio(out):
    from trackio.sqlite_storage import SQLiteStorage

    (run,) = SQLiteStorage.get_runs("ours")
    assert run.startswith("mine-")
    found = {}
    for row in SQLiteStorage.get_logs("ours", run):
        for key in [key for key in row if "/" in key]:
            found.setdefault(key, []).append((row["step"], row[key]))
    return found


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb", "trackio"])
def test_a_killed_run_goes_on_in_the_same_tracked_run_and_sends_nothing_twice(
    name, corpus_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/mlruns")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"file://{tmp_path}/mlruns")  # else it makes a database where we stand
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # which it reads when it is imported
    pytest.importorskip(name, exc_type=ImportError, reason=f"{name} is not installed")
    out, said = tmp_path / "run", []
    settings = tracked(corpus_folder, name, project="ours", run_name="mine")
    session(settings, out, [], FIRST, said)
    session(settings, out, FIRST[:4], AGAIN, said)  # it was killed after step 5, and its last checkpoint is step 2
    assert said == []
    found = globals()[f"from_{name}"](out)
    assert [step for step, _ in found["train/loss"]] == [1, 2, 3, 4, 5, 6]
    assert dict(found["train/loss"])[3] == pytest.approx(1 / 3)
    assert found["dev/wer"] == [(0, 50.0), (2, 48.0), (4, 46.0), (6, 44.0)]
    assert found["guard/general"][-1] == (6, 12.5) and found["dev/n_guards_harmed"][-1] == (6, 0)
    assert {"train/grad_norm", "train/learning_rate", "train/audio_s", "train/work_s"} <= found.keys()
    assert capsys.readouterr().out == ""  # stdout is data


def test_killed_twice_before_it_came_as_far_as_the_first_time(corpus_folder, tmp_path):
    settings, out = tracked(corpus_folder, "tensorboard", run_name="mine"), tmp_path / "run"
    session(settings, out, [], FIRST)
    session(settings, out, FIRST[:4], AGAIN[:1])  # steps 3 to 5 had been sent, only 3 is done again
    session(settings, out, FIRST[:4], AGAIN)
    assert [step for step, _ in from_tensorboard(out)["train/loss"]] == [1, 2, 3, 4, 5, 6]


def test_a_tracker_that_comes_late_or_pauses_gets_what_it_lacks(corpus_folder, tmp_path):
    out, without = tmp_path / "run", tracked(corpus_folder)
    session(without, out, [], FIRST[:4])
    assert not (out / "tracking.json").exists()
    session(tracked(corpus_folder, "tensorboard", run_name="mine"), out, FIRST[:4], FIRST[4:6])
    session(without, out, FIRST[:6], FIRST[6:])
    session(tracked(corpus_folder, "tensorboard", run_name="mine"), out, FIRST, [])
    assert [step for step, _ in from_tensorboard(out)["train/loss"]] == [1, 2, 3, 4, 5]
    assert [step for step, _ in from_tensorboard(out)["dev/wer"]] == [0, 2, 4]


# ------------------------------------------------------------------------------------------ in a real run


def test_a_stopped_and_resumed_run_is_whole_in_tensorboard(corpus_folder, tmp_path):
    out, settings = tmp_path / "run", tracked(corpus_folder, "tensorboard")

    def stop_at_2(row):
        if row["kind"] == "evaluation" and row["step"] == 2:
            raise parlure.StopTrainingError

    stopped = train(settings, out, on_event=stop_at_2)
    assert (stopped.n_done, stopped.n_steps) == (2, 3)
    assert (out / "checkpoints" / "step-000002" / "progress.json").exists()
    other = settings.model_copy(update={"tracking": tracked(corpus_folder).tracking})
    assert differences(settings, other) == []  # where metrics go does not bind a run
    resumed = train(settings, out, resume=True)
    assert (resumed.n_done, resumed.stopped_early) == (3, False)
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    found = scalars(out / "tensorboard" / "run")
    for key in ("loss", "grad_norm", "learning_rate", "work_s"):
        steps = [(row["step"], pytest.approx(row[key], rel=1e-5)) for row in rows if row["kind"] == "step"]
        assert found[f"train/{key}"] == steps
    assert [step for step, _ in found["dev/wer"]] == [0, 2, 3]


def test_a_tracker_that_cannot_begin_is_a_notice_and_made_up_for_later(corpus_folder, tmp_path):
    out, rows = tmp_path / "run", []

    def stop_at_1(row):
        rows.append(row)
        if row["kind"] == "step":
            raise parlure.StopTrainingError

    assert train(tracked(corpus_folder), out, on_event=stop_at_1).n_done == 1
    settings = tracked(corpus_folder, "tensorboard")
    (out / "tensorboard").write_text("in the way")
    assert train(settings, out, resume=True, on_event=stop_at_1).n_done == 2
    (notice,) = [row["text"] for row in rows if row["kind"] == "notice"]
    assert notice.startswith("the tracker tensorboard failed and is left out, training goes on (")
    (out / "tensorboard").unlink()
    train(settings, out, resume=True)
    assert [step for step, _ in scalars(out / "tensorboard" / "run")["train/loss"]] == [1, 2, 3]


def test_a_server_that_goes_away_is_named_without_its_password(corpus_folder, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/mlruns")
    out, said = tmp_path / "run", []
    settings = tracked(corpus_folder, "mlflow", project="ours", run_name="mine")
    write(out, [])
    tracking = Tracking(settings, out, 0, said.append)
    tracking.row(numbers(1))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://anne:hunter22@127.0.0.1:9")
    mlflow.set_tracking_uri("http://anne:hunter22@127.0.0.1:9")
    try:
        tracking.row(numbers(2))
        tracking.row(numbers(3))  # said once
        tracking.close()
    finally:
        mlflow.set_tracking_uri(None)
    (sentence,) = said
    assert sentence.startswith("the tracker mlflow failed and is left out, training goes on (")
    assert "hunter22" not in sentence
    assert json.loads((out / "tracking.json").read_text())["mlflow"]["sent"]["step"] == 1
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/mlruns")
    session(settings, out, [numbers(1), numbers(2), numbers(3)], [numbers(4)], said)
    assert len(said) == 1
    write(out, [numbers(1), numbers(2), numbers(3)])


def test_what_is_taken_out_of_a_message(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    said = "ValueError: key 0123456789abcdef refused at https://me:pw@host/x\nTraceback"
    assert without_secrets(said) == "ValueError: key … refused at https://…@host/x"


def test_an_unknown_tracker_is_refused_with_those_that_there_are(corpus_folder):
    with pytest.raises(ParlureError) as caught:
        tracked(corpus_folder, "tensorbord")
    assert "tracking.trackers.0 = 'tensorbord': input should be 'tensorboard', 'mlflow', 'wandb' or 'trackio'" in (
        caught.value.message
    )


def test_a_library_that_is_not_installed_is_said_before_training(corpus_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ParlureError) as caught:
        train(tracked(corpus_folder, "wandb"), tmp_path / "run", dry_run=True)
    assert caught.value.message == "the tracker wandb needs the package wandb, which is not installed"
    assert caught.value.hint == 'pip install "parlure[wandb]"'
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ParlureError, match="needs the package mlflow-skinny, which is not installed"):
        check_trackers(tracked(corpus_folder, "mlflow").tracking)


# ------------------------------------------------------------------------------------------ callbacks


def test_ctrl_c_is_not_swallowed_by_a_callback_that_stops(corpus_folder, tmp_path):
    def stop(row):
        if row["kind"] == "step":
            os.kill(os.getpid(), signal.SIGINT)
            raise parlure.StopTrainingError

    with pytest.raises(KeyboardInterrupt):
        train(tracked(corpus_folder), tmp_path / "run", on_event=stop)


def test_a_callback_that_fails_is_heard(corpus_folder, tmp_path):
    def fail(row):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(tracked(corpus_folder), tmp_path / "run", on_event=fail)


def test_a_notebook_needs_no_main_guard(corpus_folder, tmp_path):
    code = f"""
import parlure
recipe = parlure.parse_recipe({{"model": {{"base": "nano"}}, "data": {{"corpus": {str(corpus_folder)!r}}},
    "training": {{"max_steps": 1, "batch_seconds": 4, "accumulation": 1, "full_window_share": 0}},
    "evaluation": {{"max_utterances": 1}},
    "decoding": {{"max_new_tokens": 5}}}}, "notebook")
summary = parlure.train(recipe, {str(tmp_path / "run")!r}, on_event=print)
"""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert "'kind': 'evaluation', 'step': 1" in result.stdout
