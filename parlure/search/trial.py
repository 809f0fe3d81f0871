"""One trial: a run with one draw's values, watched at every evaluation, and what became of it."""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from parlure.errors import ParlureError, from_environment
from parlure.search.space import applied
from parlure.search.study import Claim
from parlure.sections import Recipe
from parlure.training.interrupt import StopTrainingError
from parlure.training.loop import train

State = Literal["complete", "pruned", "failed", "running"]


@dataclass(frozen=True)
class Outcome:
    """What became of a trial. WERs in points of per cent, on dev.

    Attributes:
        number: from 0.
        draw: its values.
        state: failed: it could not be run, ``why`` says so; running: now, or until it was interrupted.
        wer: the lowest after the first step at which no guard had lost too much; if there is none, the lowest.
        step: of that.
        base_wer: before the first step.
        harm: points that the guard worst off had lost there beyond what it may; above 0 it can be no best trial.
        n_steps: that it was to have.
        work_s: seconds of its steps and evaluations.
        why: it failed.
    """

    number: int
    draw: dict[str, Any]
    state: State
    wer: float | None = None
    step: int | None = None
    base_wer: float | None = None
    harm: float = 0.0
    n_steps: int | None = None
    work_s: float = 0.0
    why: str = ""

    @property
    def can_be_best(self) -> bool:
        """Whether it went to its end, and no guard lost too much."""
        return self.state == "complete" and self.harm <= 0

    @property
    def harmed(self) -> bool:
        """Whether it went to its end and could be no best trial."""
        return self.state == "complete" and self.harm > 0

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def folder_of(out: Path, number: int) -> Path:
    """A trial's run folder."""
    return out / f"trial-{number:03d}"


def run_trial(
    claim: Claim, recipe: Recipe, out: Path, on_event: Callable[[Mapping[str, Any]], None], *, may_fail: bool
) -> Outcome:
    """Train with a draw's values, on from where the trial stands.

    Args:
        claim: the trial.
        recipe: of all trials.
        out: the folder of the search.
        on_event: gets the rows of the run; what stops it there prunes the trial.
        may_fail: whether a trial that cannot be run is an outcome, and not an error: as soon as another one could.

    Raises:
        ParlureError: the trial cannot be run, and may not fail.
        KeyboardInterrupt: asked to stop; the trial can be gone on with.
    """
    run, clock = folder_of(out, claim.number), time.monotonic()

    def watch(row: Mapping[str, Any]) -> None:
        on_event(row)
        # an evaluation that harms a guard does not count, so it is nothing that others are measured by either
        if row["kind"] == "evaluation" and row["step"] and not row["harmed"] and claim.report(row["wer"], row["step"]):
            raise StopTrainingError

    own = applied(recipe, claim.draw)
    called = f"{recipe.tracking.run_name or out.resolve().name}-{run.name}"
    own = own.model_copy(update={"tracking": own.tracking.model_copy(update={"run_name": called})})
    try:
        summary = train(own, run, resume=True, on_event=watch)
    except Exception as error:
        told = error if isinstance(error, ParlureError) else from_environment(error)
        if told is None or not may_fail:
            raise
        return Outcome(claim.number, claim.draw, "failed", work_s=time.monotonic() - clock, why=told.message)
    finally:
        gc.collect()  # PEFT's models are cycles, and the next trial needs the room
    is_whole = summary.n_done == summary.n_steps or summary.stopped_early
    return _judged(claim, run, own.guard.max_loss, "complete" if is_whole else "pruned", summary.n_steps)


def tidy(out: Path, outcomes: list[Outcome], best: Outcome | None) -> None:
    """Delete what ended trials need no more: checkpoints, and but for the best one what they learnt."""
    for one in outcomes:
        if one.state != "running":
            run = folder_of(out, one.number)
            for name in ("checkpoints", *(() if one == best else ("adapter", "model"))):
                shutil.rmtree(run / name, ignore_errors=True)


def _judged(claim: Claim, run: Path, max_loss: float, state: State, n_steps: int) -> Outcome:
    """From ``metrics.jsonl``, which holds what was before an interruption too."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    base, *judged = [row for row in rows if row["kind"] == "evaluation"]

    def harm(row: Mapping[str, Any]) -> float:
        return max((wer - base["guards"][name] - max_loss for name, wer in row["guards"].items()), default=0.0)

    fine = [row for row in judged if harm(row) <= 0]
    best = min(fine or judged, key=lambda row: row["wer"], default=None)
    known = Outcome(
        claim.number, claim.draw, state, base_wer=base["wer"], n_steps=n_steps,
        work_s=sum(row["work_s"] for row in rows),
    )  # fmt: skip
    return known if best is None else replace(known, wer=best["wer"], step=best["step"], harm=max(0.0, harm(best)))
