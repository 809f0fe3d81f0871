"""``parlure serve`` as a command, and what it refuses before it answers anybody."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from concurrent.futures import Future
from pathlib import Path

import pytest

import parlure
from parlure import cli
from parlure.errors import ParlureError
from parlure.shipping.server.limits import Limits
from parlure.shipping.server.metrics import Metrics
from parlure.shipping.server.models import named_models, open_models
from parlure.shipping.server.serving import is_loopback, listening
from parlure.shipping.server.worker import AbandonedError, Worker


def test_it_answers_and_stops_when_it_is_told_to():
    command = [sys.executable, "-m", "parlure.cli", "serve", "whisper-1=nano", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:") and url.endswith("/v1")
        with urllib.request.urlopen(f"{url}/models") as answer:
            assert [one["id"] for one in json.load(answer)["data"]] == ["whisper-1"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        said = process.stderr.read()
    assert said.startswith("whisper-1: nano, by itself\n") and said.endswith("stopped\n")
    assert not [line for line in said.splitlines() if "Traceback" in line]


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["nano", "--host", "0.0.0.0"], "other machines can reach 0.0.0.0, and there is no token",
         "set PARLURE_TOKEN, or listen on 127.0.0.1"),
        (["nano", "--host", "192.0.2.1", "--token", "x"], "192.0.2.1:8000 cannot be listened on: ",
         "choose another --port; 0 takes any that is free"),
        (["nano", "nano"], "two models are called nano", "name one of them: other=nano"),
        (["nano", "--window", "short"], "nano is not known to be tuned on short windows",
         "leave out --window short, or give the run folder of a tuning"),
        (["nano", "--timeout", "0"], "a server with request_s = 0 answers nothing", "give a number above 0"),
        (["x=nowhere"], "there is no model called nowhere", "a model is the word nano"),
    ],
)  # fmt: skip
def test_refusals(arguments, message, hint, capsys, monkeypatch):
    monkeypatch.delenv("PARLURE_TOKEN", raising=False)
    assert cli.run(["serve", *arguments]) == 2
    said = capsys.readouterr().err
    assert f"error: {message}" in said and f"hint: {hint}" in said


def test_a_port_that_is_taken():
    with listening("127.0.0.1", 0) as sock, pytest.raises(ParlureError, match="cannot be listened on: Address already"):
        listening("127.0.0.1", sock.getsockname()[1])


def test_a_token_in_the_environment_opens_the_door(monkeypatch):
    monkeypatch.setenv("PARLURE_TOKEN", "s3cret")
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: None)
    parlure.serve(["nano"], host="0.0.0.0", port=0, log=lambda line: None)


def test_without_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert cli.run(["serve", "nano"]) == 2
    assert 'pip install "parlure[serve]"' in capsys.readouterr().err


def test_no_model():
    with pytest.raises(ParlureError, match="there is no model to serve") as caught:
        named_models([])
    assert caught.value.hint == "parlure serve nano"


def test_only_whispers_are_served(monkeypatch):
    monkeypatch.setattr("parlure.shipping.server.models.locate", lambda model: (model, None))
    monkeypatch.setattr("parlure.shipping.server.models.open_engine", lambda *_: object())
    said = "wav is no Whisper in torch or CTranslate2, and only such are served"
    with pytest.raises(ParlureError, match=said) as caught:
        open_models({"wav": "wav"})
    assert caught.value.hint == "transcribe runs it"


def test_what_only_this_machine_reaches():
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "example.org")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_limits_are_above_nothing():
    assert Limits(wait_s=0.0, live=0).live == 0
    with pytest.raises(ParlureError, match="a server with queue = -1 answers nothing"):
        Limits(queue=-1)


def test_long_work_takes_turns_and_ends_when_nobody_waits():
    worker, order = Worker(batch=2, wait_s=0.0, metrics=Metrics()), list[str]()

    def steps(name, n):
        for number in range(n):
            yield f"{name}{number}"

    jobs = [worker.long(steps(name, 3), order.append) for name in "ab"]
    endless = worker.long(
        steps("c", 10**9), lambda step: order.append("c") or (jobs[0].result.done() and endless.abandon())
    )
    broken = worker.long(iter(lambda: 1 // 0, 1), order.append)
    worker.start()
    assert [job.result.result(10) for job in jobs] == [None, None]
    assert [one for one in order if one != "c"] == ["a0", "b0", "a1", "b1", "a2", "b2"]
    with pytest.raises(AbandonedError):
        endless.result.result(10)
    with pytest.raises(ZeroDivisionError):
        broken.result.result(10)
    worker.stop()
    assert len(worker) == 0


def test_a_worker_that_stops_gives_up_what_waits():
    worker = Worker(batch=2, wait_s=60.0, metrics=Metrics())
    job = worker.long(iter(range(5)), lambda step: None)
    worker.stop()  # never started: nothing takes it
    assert job.abandoned and isinstance(job.result, Future)


def test_help_loads_no_torch():
    code = "import sys; from parlure.cli import run; run(['serve', '--help']); print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(parlure.__file__).parents[1])}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.splitlines()[-1] == "False"
