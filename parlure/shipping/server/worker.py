"""Who decodes: threads that take short requests in batches and long ones a window at a time.

Short requests that wait together and want the same are decoded together; the engines pad no row by another, so a text
does not depend on its neighbours (tested). A long recording gets one window, then a batch of short ones has its turn:
an hour of sound delays a short request by the seconds of one window.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

from parlure.shipping.server.metrics import Metrics
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.interface import TimedEngine
from parlure.transcribing.hypothesis import Hypothesis

T = TypeVar("T")


class AbandonedError(Exception):
    """Nobody waits for this any more."""


@dataclass(eq=False)
class Job(Generic[T]):
    """Work that somebody waits for; ``abandon`` it, and it is left out or ends after the step that is running."""

    result: Future[T] = field(default_factory=Future)
    abandoned: bool = False

    def abandon(self) -> None:
        """Nobody waits any more."""
        self.abandoned = True


@dataclass(eq=False)
class _Short(Job[Hypothesis]):
    engine: TimedEngine = field(kw_only=True)
    samples: Samples = field(kw_only=True)
    options: DecodingOptions = field(kw_only=True)
    since_s: float = field(kw_only=True)

    def key(self) -> tuple[int, DecodingOptions]:
        """What those have in common that can be decoded together."""
        return id(self.engine), self.options


@dataclass(eq=False)
class _Long(Job[None]):
    steps: Iterator[Any] = field(kw_only=True)
    emit: Callable[[Any], None] = field(kw_only=True)


class Worker:
    """Threads over one queue."""

    def __init__(self, *, batch: int, wait_s: float, metrics: Metrics, n_threads: int = 1) -> None:
        """Nothing runs before :meth:`start`.

        Args:
            batch: short requests that are decoded together at most.
            wait_s: that a short request waits for others while a thread has nothing else to do.
            metrics: what batches and seconds of work are counted in.
            n_threads: more than one only where engines work in parallel.
        """
        self._batch, self._wait_s, self._metrics, self._n_threads = batch, wait_s, metrics, n_threads
        self._changed = Condition()
        self._short: deque[_Short] = deque()
        self._long: deque[_Long] = deque()
        self._stopping = False
        self._threads: list[Thread] = []
        metrics.watch_queue(self.__len__)

    def __len__(self) -> int:
        """Pieces of work that wait."""
        return len(self._short) + len(self._long)

    def start(self) -> None:
        """Begin to work."""
        self._threads = [Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(self._n_threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Give up what waits, finish the step that runs, and come back when that is done."""
        with self._changed:
            self._stopping = True
            waiting: tuple[Job[Any], ...] = (*self._short, *self._long)
            for job in waiting:
                job.abandon()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def short(self, engine: TimedEngine, samples: Samples, options: DecodingOptions) -> Job[Hypothesis]:
        """Decode at most 30 s, together with others."""
        job = _Short(engine=engine, samples=samples, options=options, since_s=time.monotonic())
        with self._changed:
            self._short.append(job)
            self._changed.notify()
        return job

    def long(self, steps: Iterator[T], emit: Callable[[T], None]) -> Job[None]:
        """Take a step after the other, each as its turn comes.

        Args:
            steps: each ``next`` is a piece of work of seconds at most.
            emit: called with what a step gave, in a worker's thread.
        """
        job = _Long(steps=steps, emit=emit)
        with self._changed:
            self._long.append(job)
            self._changed.notify()
        return job

    def _work(self) -> None:
        prefer_long = False
        while (task := self._next(prefer_long)) is not None:
            clock = time.monotonic()
            if isinstance(task, _Long):
                self._step(task)
            else:
                self._decode(task)
            self._metrics.work_s.inc(time.monotonic() - clock)
            prefer_long = not isinstance(task, _Long)

    def _next(self, prefer_long: bool) -> _Long | list[_Short] | None:
        """What to do next; None is the end."""
        with self._changed:
            while True:
                self._leave_out_abandoned()
                if self._stopping and not len(self):
                    return None
                if self._long and (prefer_long or not self._short):
                    return self._long.popleft()
                if self._short:
                    group = self._group()
                    remaining_s = group[0].since_s + self._wait_s - time.monotonic()
                    if len(group) >= self._batch or remaining_s <= 0 or self._stopping:
                        for job in group:
                            self._short.remove(job)
                        return group
                    if self._long:
                        return self._long.popleft()
                    self._changed.wait(remaining_s)
                else:
                    self._changed.wait()

    def _group(self) -> list[_Short]:
        """The one that waits longest, and what can be decoded with it."""
        key = self._short[0].key()
        return [job for job in self._short if job.key() == key][: self._batch]

    def _leave_out_abandoned(self) -> None:
        for queue in (self._short, self._long):
            gone: list[Job[Any]] = [job for job in queue if job.abandoned]
            for job in gone:
                queue.remove(job)  # type: ignore[arg-type]
                job.result.set_exception(AbandonedError())

    def _decode(self, group: list[_Short]) -> None:
        self._metrics.batch_size.observe(len(group))
        clips = [
            Clip(str(place), len(job.samples) / SAMPLE_RATE, lambda samples=job.samples: samples)  # type: ignore[misc]
            for place, job in enumerate(group)
        ]
        try:
            found = group[0].engine.decode(clips, group[0].options)
        except Exception as error:  # whatever it is, those who wait have to hear of it, and the others go on
            for job in group:
                job.result.set_exception(error)
            return
        for job, hypothesis in zip(group, found, strict=True):
            job.result.set_result(hypothesis)

    def _step(self, job: _Long) -> None:
        try:
            job.emit(next(job.steps))
        except StopIteration:
            job.result.set_result(None)
        except Exception as error:
            job.result.set_exception(error)
        else:
            with self._changed:
                if self._stopping:
                    job.abandon()
                self._long.append(job)
                self._changed.notify()
