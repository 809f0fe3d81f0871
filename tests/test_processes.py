"""Work in several processes: in order, bounded, ended with the process that gave it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from parlure.corpus import processes
from parlure.corpus.processes import AHEAD, in_order, usable_cores
from parlure.errors import ParlureError


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "usable_cores", lambda: 2)
    monkeypatch.setattr(processes, "PATIENCE_S", 0.0)


def who_did(job: int) -> tuple[int, int]:
    time.sleep(0.02 * (job % 3))  # so that they are not done in the order in which they began
    return job, os.getpid()


def refuse_seven(job: int) -> int:
    if job == 7:
        raise ParlureError("seven", "not seven")
    return job


def leave(job: int) -> None:
    if job:
        os._exit(1)


def test_results_are_in_order_and_few_jobs_are_taken_ahead() -> None:
    taken = []

    def jobs() -> Iterator[int]:
        for job in range(40):
            taken.append(job)
            yield job

    pids = set()
    for place, (job, pid) in enumerate(in_order(who_did, jobs())):
        assert job == place
        assert len(taken) <= place + 1 + 2 * AHEAD
        pids.add(pid)
    assert taken == list(range(40))
    assert len(pids) == 3 and os.getpid() in pids  # the first is done here


def test_little_work_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE_S", 60.0)
    assert {pid for _, pid in in_order(who_did, range(5))} == {os.getpid()}


def test_a_worker_of_a_pool_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(processes, "PATIENCE_S", -1.0)
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    assert usable_cores() == 1
    assert {pid for _, pid in in_order(who_did, range(5))} == {os.getpid()}


def test_an_error_comes_in_its_turn() -> None:
    seen = []
    with pytest.raises(ParlureError) as caught:
        for one in in_order(refuse_seven, range(20)):
            seen.append(one)
    assert seen == list(range(7))
    assert (caught.value.message, caught.value.hint) == ("seven", "not seven")


def test_a_process_that_is_ended_from_outside() -> None:
    with pytest.raises(ParlureError, match="a process that was given recordings ended before it was done") as caught:
        list(in_order(leave, range(3)))
    assert caught.value.hint == (
        "it may have been killed for its memory: free some, or use fewer cores: taskset -c 0 parlure …"
    )


def test_whoever_stops_listening_ends_them() -> None:
    for _ in in_order(who_did, range(1000)):
        if multiprocessing.active_children():
            break
    wait_until_gone([child.pid for child in multiprocessing.active_children() if child.pid])


# has no `if __name__ == "__main__":`, and needs none
SCRIPT = """
import os, sys, time
from parlure.corpus import processes
print("begins", flush=True)
processes.usable_cores, processes.PATIENCE_S = (lambda: 2), -1.0
for done in processes.in_order(time.sleep, [0.0, *[float(sys.argv[1])] * 4]):
    import multiprocessing
    print([child.pid for child in multiprocessing.active_children()], flush=True)
"""


def test_a_script_is_not_run_again(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SCRIPT)
    result = subprocess.run([sys.executable, tmp_path / "mine.py", "0"], capture_output=True, text=True, check=True)
    assert result.stdout.count("begins") == 1 and result.stdout.count("\n") == 6
    assert result.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_a_kill_leaves_nobody_behind(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SCRIPT.replace("[0.0, *", "[0.0, 0.1, *"))
    process = subprocess.Popen([sys.executable, tmp_path / "mine.py", "60"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]  # the last when one job was done elsewhere
    pids = [int(pid) for pid in lines[2].strip("[]\n").split(",")]
    assert pids and all(Path(f"/proc/{pid}").exists() for pid in pids)
    process.kill()
    process.wait()
    process.stdout.close()
    wait_until_gone(pids)


def wait_until_gone(pids: list[int]) -> None:
    until = time.monotonic() + 20
    while any(is_there(pid) for pid in pids):
        assert time.monotonic() < until, pids
        time.sleep(0.05)


def is_there(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
