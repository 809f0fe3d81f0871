"""Corpus + recipe → run: the training loop, top to bottom.

The loss of an optimiser step is the sum over its label tokens divided by their number, whatever the number of forward
passes: a mean of means would weigh short transcripts more, and Hugging Face's Trainer multiplies Whisper's loss by the
accumulation (transformers pull request 46068). The checkpoint that is kept is the one whose *decoded* dev utterances
have the lowest word error rate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from parlure.exclusive import alone_in
from parlure.machine import has_bf16
from parlure.recipe import resolved
from parlure.sections import Recipe, TrainingSection
from parlure.training import checkpoint
from parlure.training.interrupt import StopRequest
from parlure.training.job import Job
from parlure.training.team import Team
from parlure.training.tracking import NoTracking, Tracking
from parlure.training.trainee import Trainee, optimisation_step
from parlure.whisper.languages import give_token
from parlure.whisper.load import load_base

HEARD = "dev.jsonl"  # in a run folder: errors of what is kept, by dev utterance

OnEvent = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class RunSummary:
    """How a run ended. WERs in points of per cent, on the dev split, in the recipe's profile."""

    n_steps: int
    best_step: int
    best_wer: float
    base_wer: float
    stopped_early: bool
    n_done: int  # steps so far
    was_finished: bool = False  # before this call: nothing was left to do
    harmed: bool = False  # a guard had lost too much at the last evaluation


@dataclass
class Progress:
    """Where a run stands; saved in every checkpoint."""

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    base_wer: float = math.nan
    best_wer: float = math.inf
    best_step: int = 0
    n_worse: int = 0  # evaluations since the best
    n_harmed: int = 0  # evaluations in a row after which a guard had lost too much
    base_guards: dict[str, float] = field(default_factory=dict)  # WER of each before the first step
    to_judge: bool = False  # dev has still to be decoded at this step
    finished: bool = False


def train(
    recipe: Recipe, out: str | Path, *, resume: bool = False, dry_run: bool = False, on_event: OnEvent | None = None
) -> RunSummary:
    """Tune a model on a corpus.

    Args:
        recipe: everything that decides the outcome.
        out: the run folder.
        resume: go on from the last checkpoint in ``out``; start when there is none.
        dry_run: check corpus, labels and model, then stop before the first step.
        on_event: called with every row that goes to ``metrics.jsonl``, and with rows of the kind ``notice``, which
            hold a ``text`` that a person should read. It may raise
            :class:`parlure.training.interrupt.StopTrainingError` from a step or an evaluation.

    Raises:
        ParlureError: the corpus, the recipe or the folder cannot be used.
        KeyboardInterrupt: asked to stop; a checkpoint has been written, unless nothing has been learnt since the last.
    """
    recipe, out = resolved(recipe), Path(out)
    team = Team.assemble(_precision(recipe.training))
    with nullcontext() if dry_run or not team.is_main else alone_in(out):
        return _train(recipe, out, team, resume or dry_run, dry_run, on_event)


def _train(recipe: Recipe, out: Path, team: Team, resume: bool, dry_run: bool, on_event: OnEvent | None) -> RunSummary:
    # 1. What to train on, and what to be judged by: refused here if anything is wrong
    job = Job.of(recipe, out, team, resume=resume, notice=_notice(on_event if team.is_main else None))
    recipe, corpus, tokenizer, plan = job.recipe, job.corpus, job.tokenizer, job.plan

    # 2. The model, the optimiser, and where we stand
    torch.manual_seed(recipe.training.seed)
    n_steps = plan.count_steps()
    whisper = load_base(job.source)
    trainee = Trainee.of(
        recipe, whisper, tokenizer, team.accelerator.device, out, bf16=team.is_bf16, n_steps=n_steps,
        tokens=() if job.language is None else (give_token(whisper, tokenizer, job.language),),
    )  # fmt: skip
    progress = Progress()
    if resume and (last := checkpoint.last(out)) is not None:
        progress = Progress(**checkpoint.restore(last, trainee.saveable, trainee.optimizer, trainee.states))
    if dry_run or progress.finished:
        return _summary(progress, n_steps, was_finished=progress.finished)
    if team.is_main:
        checkpoint.open_run(out, recipe, corpus)

    # 3. Step after step; once in a while, decode the dev split and keep the best
    advice = "finishing the step, then a checkpoint; once more stops at once"
    stop = StopRequest(lambda: log.notice(advice))
    tracking, log = _records(recipe, out, progress.step, stop.heeding(on_event or _ignored), team)
    steps = plan.steps(progress.epoch, progress.step_in_epoch)
    coming = next(steps)
    saved = progress.step
    progress.to_judge |= progress.step == 0
    with closing(trainee.feeder), closing(tracking), stop:
        while True:
            if progress.to_judge and _evaluate(trainee, job, progress, out, log, team, stop):
                harms = 0 < recipe.guard.patience <= progress.n_harmed
                is_stuck = 0 < recipe.evaluation.patience <= progress.n_worse
                progress.finished = progress.step == n_steps or is_stuck or harms
                if progress.step:
                    saved = _save(trainee, progress, out, team)
            if progress.finished:
                break
            if team.anybody(stop.requested):
                if progress.step > saved:
                    _save(trainee, progress, out, team)
                if team.anybody(stop.by_callback):
                    break
                raise KeyboardInterrupt
            clock, (progress.epoch, progress.step_in_epoch, step) = time.monotonic(), coming
            coming = next(steps)
            trainee.begin(team.share(coming[2], [batch.cost for batch in coming[2]]))
            rate = learning_rate(recipe.training, progress.step, n_steps)
            loss, grad_norm = optimisation_step(
                trainee, team, step, rate, recipe.training.max_grad_norm, f"{recipe.training.seed} {progress.step}"
            )
            progress.step += 1
            progress.to_judge = progress.step % recipe.evaluation.every_steps == 0 or progress.step == n_steps
            log.step(progress.step, n_steps, loss=loss, grad_norm=grad_norm, learning_rate=rate,
                     audio_s=sum(batch.audio_s for batch in step), work_s=time.monotonic() - clock)  # fmt: skip
    return _summary(progress, n_steps)


# ------------------------------------------------------------------------------------------ the plan


def learning_rate(training: TrainingSection, step: int, n_steps: int) -> float:
    """Linear warm-up to the peak, then linear to 0 at the end; ``step`` is 0-based."""
    warmup = min(training.warmup_steps, n_steps // 2)
    if step < warmup:
        return training.learning_rate * (step + 1) / warmup
    return training.learning_rate * (n_steps - step) / max(1, n_steps - warmup)


# ------------------------------------------------------------------------------------------ keeping, judging


def _precision(training: TrainingSection) -> str:
    if training.precision == "auto":
        return "bf16" if has_bf16() else "no"
    return {"fp32": "no", "bf16": "bf16"}[training.precision]


def _notice(on_event: OnEvent | None) -> Callable[[str], None]:
    return lambda text: on_event({"kind": "notice", "text": text}) if on_event else None


def _ignored(row: Mapping[str, Any]) -> None:
    """Nobody listens."""


def _records(
    recipe: Recipe, out: Path, step: int, on_event: OnEvent, team: Team
) -> tuple[Tracking, checkpoint.MetricsLog]:
    """Where rows go: to ``metrics.jsonl``, then to the trackers, then to the caller."""
    if not team.is_main:
        return NoTracking(), checkpoint.NoLog()
    # first what trackers have is held against metrics.jsonl, which then loses the steps that come again
    tracking = Tracking(recipe, out, step, lambda text: on_event({"kind": "notice", "text": text}))

    def heard(row: Mapping[str, Any]) -> None:
        if row["kind"] != "notice":
            tracking.row(row)
        on_event(row)

    return tracking, checkpoint.MetricsLog(out, step, heard)


def _save(trainee: Trainee, progress: Progress, out: Path, team: Team) -> int:
    """Write a checkpoint; returns its step."""
    if team.is_main:
        checkpoint.save(out, progress.step, trainee.saveable, trainee.optimizer, vars(progress), trainee.states)
    team.wait()
    return progress.step


def _evaluate(
    trainee: Trainee,
    job: Job,
    progress: Progress,
    out: Path,
    log: checkpoint.MetricsLog,
    team: Team,
    stop: StopRequest,
) -> bool:
    """Decode dev and guards; keep what is best so far, by WER, of what harms no guard. At step 0 that is the base.

    Returns:
        Whether it was done, and not left for a request to stop.
    """
    clock, development, guards = time.monotonic(), job.development, job.guards
    with trainee.as_kept():
        wer = development.word_error_rate(trainee.whisper, trainee.tokenizer, team, lambda: stop.requested)
        guarded = None if wer is None else guards.rates(trainee, team, lambda: stop.requested)
        if wer is None or guarded is None:
            return False
        progress.to_judge = False
        if progress.step == 0:
            progress.base_wer, progress.base_guards = wer, guarded
        harmed = guards.harmed(guarded, progress.base_guards)
        progress.n_harmed = progress.n_harmed + 1 if harmed else 0
        if wer < progress.best_wer and not harmed:
            progress.best_wer, progress.best_step, progress.n_worse = wer, progress.step, 0
            if team.is_main:
                checkpoint.keep_best(out, trainee.saveable, trainee.tokenizer)
                development.write(out / HEARD)
        else:
            progress.n_worse += 1
    log.evaluation(
        progress.step, wer=wer, best_wer=progress.best_wer, best_step=progress.best_step,
        n_utterances=len(development.clips), profile=development.profile, guards=guarded, harmed=harmed,
        work_s=time.monotonic() - clock,
    )  # fmt: skip
    return True


def _summary(progress: Progress, n_steps: int, *, was_finished: bool = False) -> RunSummary:
    return RunSummary(
        n_steps=n_steps,
        n_done=progress.step,
        best_step=progress.best_step,
        best_wer=progress.best_wer,
        base_wer=progress.base_wer,
        stopped_early=progress.finished and progress.step < n_steps,
        harmed=progress.n_harmed > 0,
        was_finished=was_finished,
    )
