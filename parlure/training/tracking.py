"""A run's rows → experiment trackers, through accelerate's classes: TensorBoard, MLflow, Weights & Biases, trackio.

``metrics.jsonl`` is the record; a tracker is a copy of it for looking at. A tracker that fails is left out with a
notice and training goes on. ``tracking.json`` in the run folder says which run of each tracker is ours and up to where
it has our rows, so that a resumed run goes on in it: what it lacks is sent from ``metrics.jsonl``, what it has of steps
that are done again is not sent twice.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from accelerate.tracking import GeneralTracker, MLflowTracker, TensorBoardTracker, TrackioTracker, WandBTracker

from parlure.errors import missing_extra
from parlure.sections import Recipe, TrackingSection

STATE = "tracking.json"
_KINDS = ("step", "evaluation")  # of rows that are tracked
_SECRET = re.compile(r"key|token|secret|password", re.IGNORECASE)  # in the name of an environment variable

Marks = dict[str, int]  # kind of row → the last step of which it was sent


def check_trackers(tracking: TrackingSection) -> None:
    """See to it that the libraries are there.

    Raises:
        ParlureError: one is not installed.
    """
    for name in tracking.trackers:
        if find_spec(name) is None:
            raise missing_extra("mlflow-skinny" if name == "mlflow" else name, name, f"the tracker {name}")


class Tracking:
    """The trackers of a run, in its first process. None may keep the run from going on."""

    def __init__(self, recipe: Recipe, out: Path, step: int, notice: Callable[[str], None]) -> None:
        """Open the run of each tracker, and send what it lacks.

        Args:
            recipe: names the trackers, and is what they get as hyper-parameters.
            out: the run folder; its ``metrics.jsonl`` must still hold what is beyond ``step``.
            step: the one that the run goes on from; later rows will come again.
            notice: gets a sentence for every tracker that fails.
        """
        self._out, self._notice = out, notice
        self._trackers: dict[str, GeneralTracker] = {}
        self._state: dict[str, dict[str, Any]] = _read_state(out / STATE)
        rows = [*_rows(out / "metrics.jsonl")]
        written = _last(rows)
        for own in self._state.values():
            if own["open"]:  # until the process ended, it got every row that was written
                own["sent"] = {kind: max(own["sent"][kind], written[kind]) for kind in _KINDS}
            own["open"] = False
        for name in dict.fromkeys(recipe.tracking.trackers):
            self._open(name, recipe)
        for row in rows:
            if row["step"] <= step:
                self.row(row)
        if self._state or (out / STATE).exists():
            self._write_state()

    def row(self, row: Mapping[str, Any]) -> None:
        """Send one row of ``metrics.jsonl`` to those that lack it."""
        kind, step = row["kind"], row["step"]
        for name, tracker in list(self._trackers.items()):
            sent = self._state[name]["sent"]
            if step > sent[kind] and self._guarded(name, partial(tracker.log, _numbers(row), step=step)):
                sent[kind] = step

    def close(self) -> None:
        """End the trackers' runs."""
        for name, tracker in list(self._trackers.items()):
            self._guarded(name, partial(_finish, name, tracker))
        if self._state:
            self._write_state()
        self._trackers = {}

    def _open(self, name: str, recipe: Recipe) -> None:
        is_new = name not in self._state
        own = self._state.setdefault(name, {"id": secrets.token_hex(4), "sent": dict.fromkeys(_KINDS, -1)})
        own["open"] = True

        def begin() -> None:
            tracker = _tracker(name, recipe.tracking, self._out, own["id"], is_new=is_new)
            tracker.start()
            if name == "mlflow":
                own["id"] = tracker.tracker.info.run_id
            self._trackers[name] = tracker
            if is_new:
                tracker.store_init_configuration(_hyperparameters(recipe))

        if not self._guarded(name, begin) and is_new:
            del self._state[name]  # nothing of ours is there: the next attempt begins anew

    def _guarded(self, name: str, call: Callable[[], None]) -> bool:
        """Call a library; what it raises ends its tracking and no more. Says whether it went well."""
        try:
            with redirect_stdout(sys.stderr):  # some print greetings, and stdout is data
                call()
        except Exception as error:
            failed = self._trackers.pop(name, None)
            self._state[name]["open"] = False
            said = without_secrets(f"{type(error).__name__}: {error}")
            self._notice(f"the tracker {name} failed and is left out, training goes on ({said})")
            self._write_state()
            if failed is not None:
                with suppress(Exception), redirect_stdout(sys.stderr):
                    _finish(name, failed)  # MLflow begins no other run in a process that has one open
            return False
        return True

    def _write_state(self) -> None:
        part = self._out / (STATE + ".part")
        part.write_text(json.dumps(self._state, indent=2) + "\n", encoding="utf-8")
        part.replace(self._out / STATE)


class NoTracking(Tracking):
    """For the processes that are not the first."""

    def __init__(self) -> None:
        self._trackers, self._state = {}, {}


def without_secrets(text: str) -> str:
    """One line of a library's message, without passwords in addresses and what the environment calls a secret."""
    for name, value in os.environ.items():
        if len(value) >= 6 and _SECRET.search(name):
            text = text.replace(value, "…")
    text = re.sub(r"(://)[^/@\s]+@", r"\1…@", text)
    return text.strip().split("\n", 1)[0]


def _tracker(name: str, tracking: TrackingSection, out: Path, run_id: str, *, is_new: bool) -> GeneralTracker:
    """accelerate's tracker, which has still to be started; ``run_id`` is ours to give but for MLflow's."""
    called = tracking.run_name or out.resolve().name
    if name == "tensorboard":
        return TensorBoardTracker(called, logging_dir=out / "tensorboard")
    if name == "mlflow":
        return MLflowTracker(tracking.project, run_name=called, run_id=None if is_new else run_id)
    if name == "wandb":
        # it would copy what is written to stderr, progress bars and all
        settings = {"console": "off"}
        return WandBTracker(tracking.project, name=called, id=run_id, resume="allow", dir=str(out), settings=settings)
    # trackio finds a run again by its name alone
    return TrackioTracker(tracking.project, name=f"{called}-{run_id}", resume="allow", embed=False)


def _finish(name: str, tracker: GeneralTracker) -> None:
    if name == "trackio":  # through trackio, which would otherwise do it again, and say so on stdout, when Python ends
        import trackio

        trackio.finish()
    else:
        tracker.finish()


def _hyperparameters(recipe: Recipe) -> dict[str, str | float | bool]:
    """``section.field`` → value, lists as JSON: trackers take plain values."""
    return {
        f"{section}.{field}": json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
        for section, fields in recipe.model_dump(mode="json").items()
        for field, value in fields.items()
    }


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """What of a row is tracked, under the names that the tracker shows."""
    if row["kind"] == "step":
        return {f"train/{key}": row[key] for key in ("loss", "grad_norm", "learning_rate", "audio_s", "work_s")}
    numbers = {f"dev/{key}": row[key] for key in ("wer", "best_wer", "work_s")}
    if row["guards"]:
        numbers |= {f"guard/{name}": wer for name, wer in row["guards"].items()}
        numbers["dev/n_guards_harmed"] = len(row["harmed"])
    return numbers


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of ``metrics.jsonl``."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines(True):
            if line.endswith("\n"):
                yield json.loads(line)


def _last(rows: list[dict[str, Any]]) -> Marks:
    return {kind: max((row["step"] for row in rows if row["kind"] == kind), default=-1) for kind in _KINDS}


def _read_state(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    state: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return state
