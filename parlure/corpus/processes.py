"""Work on all cores: jobs → results in the jobs' order, a bounded number of them under way.

Processes are spawned, not forked: this one may hold threads and a model. Ctrl-C ends them with this one, and so does a
kill of it, for they watch over it. There are as many as cores that this process may use: ``taskset -c 0-3`` in front of
a command leaves it four.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, TypeVar

from parlure.errors import ParlureError

AHEAD = 4  # jobs waiting for each process
PATIENCE_S = 2.0  # s of work done here before others are asked: a process takes half a second to start

Job = TypeVar("Job")
Result = TypeVar("Result")


def usable_cores() -> int:
    """How many cores this process may use: one if it is a worker of somebody's pool, which may start no others."""
    if multiprocessing.current_process().daemon:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """Results in the jobs' order, whichever is done first.

    Args:
        work: a function of a module, or a partial of one: other processes have to find it.
        jobs: taken one by one, at most :data:`AHEAD` more for each process than results have been taken.

    Raises:
        ParlureError: a process was ended from outside, or what ``work`` raises, in its turn.
    """
    rest, spent_s, n_processes = iter(jobs), 0.0, usable_cores()
    for job in rest:
        began = time.monotonic()
        result = work(job)
        spent_s += time.monotonic() - began
        yield result
        if n_processes > 1 and spent_s > PATIENCE_S:
            break
    else:
        return
    with processes(n_processes) as pool:
        waiting: deque[Future[Result]] = deque()
        while True:
            while len(waiting) < AHEAD * n_processes:
                for job in rest:
                    waiting.append(pool.submit(work, job))
                    break
                else:
                    break
            if not waiting:
                return
            yield waiting.popleft().result()


@contextmanager
def processes(n: int) -> Iterator[ProcessPoolExecutor]:
    """Other processes to give work to, started when there is some; what was not begun is dropped at the end.

    Raises:
        ParlureError: one of them was ended from outside.
    """
    pool = ProcessPoolExecutor(n, _Context(), initializer=_stay)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise ParlureError(
            "a process that was given recordings ended before it was done",
            "it may have been killed for its memory: free some, or use fewer cores: taskset -c 0 parlure …",
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Process(SpawnProcess):
    """Does not run the script that began this one: it is not needed, and would begin its work again.

    Whoever spawns otherwise has to write ``if __name__ == "__main__":`` over a call of ``prepare``.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the name that multiprocessing gave it
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = main


class _Context(SpawnContext):
    Process = _Process


def _stay() -> None:
    """Ctrl-C reaches every process of a terminal: the first one ends the others, also if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
