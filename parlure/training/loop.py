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
from transformers import WhisperConfig, WhisperTokenizer

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.machine import has_bf16
from parlure.recipe import Recipe, TrainingSection, resolved
from parlure.training import checkpoint
from parlure.training.augmentation import Augmentation
from parlure.training.development import Development
from parlure.training.guards import Guards
from parlure.training.interrupt import StopRequest
from parlure.training.items import narrowed, permuted, training_items
from parlure.training.memory import as_begun, fitted
from parlure.training.plan import Plan
from parlure.training.replay import Replay
from parlure.training.team import Team
from parlure.training.termlists import TermLists
from parlure.training.trainee import Trainee, optimisation_step
from parlure.whisper.languages import NewLanguage, give_token, teach
from parlure.whisper.load import load_base, load_tokenizer, locate
from parlure.whisper.prompt import SpecialTokens

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
            hold a ``text`` that a person should read.

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
    corpus = _corpus(recipe, on_event if team.is_main else None)
    source, adapter = locate(recipe.model.base)
    if adapter is not None:
        raise ParlureError(f"{recipe.model.base} is a run with an adapter", "start from its base")
    tokenizer = load_tokenizer(source)
    language = _new_language(recipe, corpus, tokenizer, on_event if team.is_main else None)
    items = training_items(corpus, tokenizer)
    augmentation, replay = Augmentation.of(recipe, corpus), Replay.of(recipe, tokenizer)
    terms = TermLists.of(recipe, tokenizer)
    development, guards = Development.of(corpus, recipe), Guards.of(recipe)
    _can_be_done(recipe, team)
    if resume and (begun := checkpoint.begun_with(out)) is not None:
        recipe = as_begun(recipe, begun)
    checkpoint.check_run(out, recipe, corpus, resume=resume)
    team.wait()  # nobody writes before everybody has looked
    is_open = not recipe.training.batch_seconds
    recipe, fit = fitted(
        recipe,
        WhisperConfig.from_pretrained(source),
        [*items, *(replay.items if replay else ())],
        team,
        n_before=terms.n_most if terms else 0,
    )
    if fit and (is_open or fit.checkpointing) and on_event and team.is_main:
        on_event({"kind": "notice", "text": fit.sentence})
    plan = Plan(items, recipe.training, SpecialTokens.of(tokenizer), augmentation, recipe.targets, replay, terms)

    # 2. The model, the optimiser, and where we stand
    torch.manual_seed(recipe.training.seed)
    n_steps = plan.count_steps()
    whisper = load_base(source)
    trainee = Trainee.of(
        recipe, whisper, tokenizer, team.accelerator.device, out, bf16=team.is_bf16, n_steps=n_steps,
        tokens=() if language is None else (give_token(whisper, tokenizer, language),),
    )  # fmt: skip
    progress = Progress()
    if resume and (last := checkpoint.last(out)) is not None:
        progress = Progress(**checkpoint.restore(last, trainee.saveable, trainee.optimizer, trainee.states))
    if dry_run or progress.finished:
        return _summary(progress, n_steps, was_finished=progress.finished)
    if team.is_main:
        checkpoint.open_run(out, recipe, corpus)

    # 3. Step after step; once in a while, decode the dev split and keep the best
    log = checkpoint.MetricsLog(out, progress.step, on_event) if team.is_main else checkpoint.NoLog()
    steps = plan.steps(progress.epoch, progress.step_in_epoch)
    coming = next(steps)
    saved = progress.step
    progress.to_judge |= progress.step == 0
    advice = "finishing the step, then a checkpoint; once more stops at once"
    with closing(trainee.feeder), StopRequest(lambda: log.notice(advice)) as stop:
        while True:
            if progress.to_judge and _evaluate(trainee, development, guards, progress, out, log, team, stop):
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


# ------------------------------------------------------------------------------------------ setting up, judging


def _precision(training: TrainingSection) -> str:
    if training.precision == "auto":
        return "bf16" if has_bf16() else "no"
    return {"fp32": "no", "bf16": "bf16"}[training.precision]


def _corpus(recipe: Recipe, on_event: OnEvent | None) -> Corpus:
    """What the recipe asks for of its corpus; says how much is left out."""
    whole = Corpus.load(Path(recipe.data.corpus))
    corpus = narrowed(whole, recipe.data.language, recipe.data.task)
    n_all, n_kept = len(whole.utterances), len(corpus.utterances)
    if on_event and n_kept < n_all:
        text = f"{n_all - n_kept} of {n_all} utterances are in another language or task than the recipe's: left out"
        on_event({"kind": "notice", "text": text})
    if recipe.data.permute_labels:
        corpus = permuted(corpus, recipe.training.seed)
        if on_event:
            on_event({"kind": "notice", "text": "a control: every transcript of train is another utterance's"})
    return corpus


def _new_language(
    recipe: Recipe, corpus: Corpus, tokenizer: WhisperTokenizer, on_event: OnEvent | None
) -> NewLanguage | None:
    """The language that Whisper lacks, if there is one, of which the tokenizer then knows; says how it is asked for."""
    language = NewLanguage.of(recipe.language)
    if language is None:
        return None
    teach(tokenizer, language)
    code = language.code
    if not any(u.language == code for u in corpus.select("train")):
        raise ParlureError(
            f"language.code is {code}, and no training utterance of {corpus.folder} is in it",
            f"prepare it with --language {code}, or leave out [language]",
        )
    if on_event:
        how = "gets a token of its own: runtimes but Hugging Face cannot load the model"
        if not language.is_inserted:
            how = f"takes over the token of {language.token}: other runtimes are asked for {language.token}"
        on_event({"kind": "notice", "text": f"{code} {how}"})
    return language


def _can_be_done(recipe: Recipe, team: Team) -> None:
    """A step's forward passes are shared out, so that the recipe and not the machine decides what a step is; and only
    an encoder that stays as it is can have its outputs kept."""
    training = recipe.training
    if training.encoder_cache_gb and recipe.adapter.parts != "decoder":
        raise ParlureError(
            "training.encoder_cache_gb keeps what an encoder gives, and here the encoder is tuned too",
            "--set adapter.parts=decoder, or --set training.encoder_cache_gb=0",
        )
    if training.accumulation < team.size:
        raise ParlureError(
            f"{team.size} processes would share a step of {training.accumulation}: some would have nothing to do",
            f"--set training.accumulation={team.size}, and batch_seconds so much lower that a step stays what it was",
        )


def _save(trainee: Trainee, progress: Progress, out: Path, team: Team) -> int:
    """Write a checkpoint; returns its step."""
    if team.is_main:
        checkpoint.save(out, progress.step, trainee.saveable, trainee.optimizer, vars(progress), trainee.states)
    team.wait()
    return progress.step


def _evaluate(
    trainee: Trainee,
    development: Development,
    guards: Guards,
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
    clock = time.monotonic()
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
