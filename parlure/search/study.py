"""Optuna's study of a search, in a file that several processes may write: which trial is next, and which may end early.

A trial belongs to the process that holds its lock, which the operating system lets go of when the process ends,
however it ends; so a trial that is said to run and whose lock is free was killed, and is gone on with. Every draw is
seeded by its own number: it does not matter to it who draws, nor after how many interruptions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from parlure.errors import missing_extra
from parlure.search.space import Choice, Space, Value

if TYPE_CHECKING:
    from optuna.study import Study as OptunaStudy
    from optuna.trial import FrozenTrial, Trial

JOURNAL = "study.log"
FACTS = "outcome"  # a trial's attribute
_LOCKS = ".locks"
N_RANDOM = 8  # trials before the draws follow what was found; half of them before any is pruned
_N_UNPRUNED = 4


@dataclass(frozen=True)
class Claim:
    """A trial that is this process's to run.

    Attributes:
        number: from 0.
        draw: its values.
    """

    number: int
    draw: dict[str, Any]
    trial: Trial

    def report(self, wer: float, step: int) -> bool:
        """Note the dev WER after ``step``; returns whether the trial is not worth going on with."""
        if step not in self.trial.study.trials[self.number].intermediate_values:
            self.trial.report(wer, step)
        return self.trial.should_prune()


class Study:
    """The trials of a folder."""

    def __init__(self, folder: Path, space: Space, seed: int, *, first: Mapping[str, Value] | None, grace: int) -> None:
        """Open the study, or begin it.

        Args:
            folder: which is there.
            space: what is drawn.
            seed: of the draws.
            first: what trial 0 is, if not drawn.
            grace: optimiser steps before which no trial is pruned.

        Raises:
            ParlureError: Optuna is not installed.
        """
        try:
            import optuna
        except ImportError as error:
            raise missing_extra("optuna", "tune", "searching") from error
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._folder, self._space, self._seed = folder, space, seed
        path = folder / JOURNAL
        with alone_with(self._folder):
            lock = JournalFileOpenLock(str(path))
            _mend(path, lock)
            is_new = not path.exists()
            self._study: OptunaStudy = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(path), lock_obj=lock)),
                pruner=optuna.pruners.MedianPruner(_N_UNPRUNED, n_warmup_steps=grace),
                study_name="parlure", load_if_exists=True,
            )  # fmt: skip
            if is_new and first is not None:
                self._study.enqueue_trial(dict(first))

    @property
    def trials(self) -> list[FrozenTrial]:
        """All that there are, as Optuna keeps them."""
        return self._study.trials

    @contextmanager
    def claimed(self, n_trials: int) -> Iterator[Claim | None]:
        """A trial to run while this is entered: one that a killed process left, else a new one; None after so many."""
        from optuna.trial import Trial

        with alone_with(self._folder):
            trial, lock = None, None
            for one in self._unfinished():
                if (lock := self._held(one.number)) is not None:
                    trial = Trial(self._study, one._trial_id)  # the only way to go on with one of another process
                    break
            if trial is None and (number := len(self._begun())) < n_trials:
                self._study.sampler = self._sampler(number)
                trial = self._study.ask()
                lock = self._held(trial.number)
            claim = None if trial is None else Claim(trial.number, self._drawn(trial), trial)
        try:
            yield claim
        finally:
            if lock is not None:
                lock.release()

    def tell(self, claim: Claim, state: str, wer: float | None, harm: float, facts: Mapping[str, Any]) -> None:
        """End a trial.

        Args:
            claim: the trial.
            state: complete, pruned or failed.
            wer: on dev, of one that is complete.
            harm: points of WER that a guard lost beyond what it may; above 0 the trial can be no best one.
            facts: what is to be kept of it, plain values.
        """
        from optuna.trial import TrialState

        claim.trial.set_user_attr(FACTS, dict(facts))
        if state == "complete":
            claim.trial.set_constraint("guards", harm)
        states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        self._study.tell(claim.trial, wer if state == "complete" else None, state=states[state])

    def _begun(self) -> list[FrozenTrial]:
        return [one for one in self.trials if one.state.name != "WAITING"]

    def _unfinished(self) -> list[FrozenTrial]:
        return [one for one in self.trials if one.state.name == "RUNNING"]

    def _held(self, number: int) -> FileLock | None:
        """A trial's lock, or None where another process holds it."""
        lock = FileLock(self._folder / _LOCKS / f"trial-{number:03d}", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return None
        return lock

    def _sampler(self, number: int) -> Any:
        from optuna.samplers import TPESampler

        digest = hashlib.sha256(f"{self._seed} {number}".encode()).digest()
        return TPESampler(n_startup_trials=N_RANDOM, seed=int.from_bytes(digest[:4], "big"))

    def _drawn(self, trial: Trial) -> dict[str, Any]:
        """The trial's values, drawn now unless it has them."""
        draw: dict[str, Any] = {}
        for key, one in self._space.items():
            if isinstance(one, Choice):
                draw[key] = trial.suggest_categorical(key, one.values)
            elif one.whole:
                draw[key] = trial.suggest_int(key, int(one.low), int(one.high), log=one.log)
            else:
                draw[key] = trial.suggest_float(key, one.low, one.high, log=one.log)
        return draw


def alone_with(folder: Path) -> FileLock:
    """Entered by one process of a search at a time, for moments."""
    (folder / _LOCKS).mkdir(parents=True, exist_ok=True)
    return FileLock(folder / _LOCKS / "claiming")


def _mend(path: Path, lock: Any) -> None:
    """Take away a last line without an end, from a machine that went down, over which Optuna stumbles for ever."""
    if not path.exists():
        return
    lock.acquire()
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            with path.open("r+b") as stream:
                stream.truncate(content.rfind(b"\n") + 1)
    finally:
        lock.release()
