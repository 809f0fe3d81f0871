"""Ways of doing the same work, in turn: each in a process of its own that stays alive and waits to be told to run.

So that each has its own peak of memory, none runs while another does, and what slows the machine down for a while
slows all of them down. A way is a function that takes :class:`Turn` first; it makes ready, and then works

    while turn.next():
        ...one round...
        turn.worked(utterances=32)

Time is the process's own CPU seconds where it computes with one thread (other work on the machine does not change
them much), else seconds by the clock.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import torch

# imported once for all processes, which are copies of one that has done nothing but import
PRELOADED = ["torch", "transformers.trainer_seq2seq", "transformers.models.whisper.modeling_whisper", "peft",
             "parlure.training.trainee", "parlure.transcribing.decode", "ctranslate2"]  # fmt: skip


@dataclass(frozen=True)
class Round:
    """What one way did in one round.

    Attributes:
        seconds: of work, see the module.
        clock_s: by the clock.
        utterances: done.
        audio_s: their recorded seconds.
        facts: whatever else the way says of itself.
    """

    seconds: float
    clock_s: float
    utterances: int
    audio_s: float
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """All rounds of one way, and its memory in bytes.

    Attributes:
        idle: resident once everything is imported, before a model is made; pages of libraries count when they are used.
        peak: the highest resident during the rounds.
        gpu_peak: the highest allocated on the GPU during the rounds; 0 without one.
    """

    rounds: tuple[Round, ...]
    idle: int
    peak: int
    gpu_peak: int

    @property
    def per_s(self) -> float:
        """Utterances a second: the median round."""
        return median(one.utterances / one.seconds for one in self.rounds)

    def ratio(self, other: Outcome) -> float:
        """Utterances a second over another's: the median of the ratios of each round."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return median(a.utterances / a.seconds / (b.utterances / b.seconds) for a, b in pairs)


class Turn:
    """A way's end of the line."""

    def __init__(self, line: Connection, device: str) -> None:
        self.line, self.device = line, device
        self._idle = resident("VmRSS")
        self._started: tuple[float, float] | None = None
        self._done: dict[str, Any] = {}

    def next(self) -> bool:
        """Report the round that is over, if there was one, and wait; whether there is another."""
        if self._started is None:
            forget_peak()
            if self.device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            self.line.send("ready")
        else:
            self._finish()
        again = bool(self.line.recv())
        if again:
            self._started = self._now()
        else:
            gpu = torch.cuda.max_memory_allocated() if self.device == "cuda" else 0
            self.line.send((self._idle, resident("VmHWM"), gpu))
        return again

    def worked(self, utterances: int, audio_s: float, **facts: Any) -> None:
        """Say what this round did."""
        self._done = {"utterances": utterances, "audio_s": audio_s, "facts": facts}

    def _now(self) -> tuple[float, float]:
        if self.device == "cuda":
            torch.cuda.synchronize()
        clock = time.perf_counter()
        alone = self.device == "cpu" and torch.get_num_threads() == 1
        return (time.process_time() if alone else clock), clock

    def _finish(self) -> None:
        work, clock = self._now()
        assert self._started is not None
        self.line.send(Round(seconds=work - self._started[0], clock_s=clock - self._started[1], **self._done))
        if self.device == "cuda":
            torch.cuda.empty_cache()  # the others need room too


Way = Callable[[Turn], None]


def in_turn(
    ways: Mapping[str, Way], repeats: int, device: str, say: Callable[[str], None] = lambda _: None
) -> dict[str, Outcome]:
    """Run every way ``repeats`` times, one after the other, again and again.

    Args:
        ways: the one that all are compared with first; functions that another process can import, with their
            arguments bound by ``functools.partial``.
        repeats: rounds of each.
        device: ``cpu`` or ``cuda``.
        say: told how each round went.

    Returns:
        Way → outcome, of those that did not fail (for want of memory, say).

    Raises:
        RuntimeError: the first way failed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    lines: dict[str, Connection] = {}
    processes = []
    rounds: dict[str, list[Round]] = {name: [] for name in ways}

    def heard(name: str) -> Any:
        """What a way answers; None, and it is out, if it has died."""
        try:
            return lines[name].recv()
        except EOFError:
            say(f"{name}: failed, and is left out")
            lines.pop(name).close()
            return None

    try:
        for name, way in ways.items():
            lines[name], theirs = context.Pipe()
            processes.append(context.Process(target=_serve, args=(way, theirs, device), name=name, daemon=True))
            processes[-1].start()
            theirs.close()
            if heard(name):  # one at a time: making ready is work too
                say(f"{name}: ready")
        for number in range(repeats):
            for name in list(lines):
                lines[name].send(True)
                if done := heard(name):
                    rounds[name].append(done)
                    say(f"{name}, round {number + 1}: {done.utterances / done.seconds:.2f} utterances/s")
        outcomes = {}
        for name in list(lines):
            lines[name].send(False)
            if sizes := heard(name):
                outcomes[name] = Outcome(tuple(rounds[name]), *sizes)
        if next(iter(ways)) not in outcomes:
            raise RuntimeError(f"{next(iter(ways))}, with which all are compared, failed: see above")
        return outcomes
    finally:
        for line in lines.values():
            with contextlib.suppress(OSError):
                line.close()
        for process in processes:
            process.join(5)
            process.kill()


def _serve(way: Way, line: Connection, device: str) -> None:
    sys.stdout = sys.stderr  # a trainer talks; what is printed is the results
    way(Turn(line, device))


def resident(field: str) -> int:
    """Bytes of memory that this process has (``VmRSS``) or had at most (``VmHWM``)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith(field))


def forget_peak() -> None:
    """Start the highest resident memory anew, where the system lets a process do it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
