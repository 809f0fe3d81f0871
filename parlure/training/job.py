"""Corpus + recipe + machine → all that a run takes, before any weight is loaded; what cannot be done is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transformers import WhisperConfig, WhisperTokenizer

from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError
from parlure.learning_rates import warning
from parlure.sections import Recipe
from parlure.training import checkpoint
from parlure.training.augmentation import Augmentation
from parlure.training.development import Development
from parlure.training.guards import Guards
from parlure.training.items import narrowed, permuted, training_items
from parlure.training.memory import Fit, as_begun, fitted
from parlure.training.plan import Plan
from parlure.training.replay import Replay
from parlure.training.team import Team
from parlure.training.termlists import TermLists
from parlure.training.tracking import check_trackers
from parlure.whisper.languages import NewLanguage, teach
from parlure.whisper.load import load_tokenizer, locate
from parlure.whisper.prompt import SpecialTokens

Notice = Callable[[str], None]  # takes a sentence that a person should read


@dataclass(frozen=True)
class Job:
    """What a run is going to do.

    Attributes:
        recipe: with what it leaves to the memory filled in.
        corpus: the utterances that it asks for.
        source: where the base is, a Hugging Face folder or hub id.
        tokenizer: the base's, which knows a new language.
        language: the one that the base is taught, if any.
        plan: every step.
        development: what the best checkpoint is chosen by.
        guards: what it must not harm.
    """

    recipe: Recipe
    corpus: Corpus
    source: str
    tokenizer: WhisperTokenizer
    language: NewLanguage | None
    plan: Plan
    development: Development
    guards: Guards

    @classmethod
    def of(cls, recipe: Recipe, out: Path, team: Team, *, resume: bool, notice: Notice) -> Job:
        """Look at everything, in every process alike; nothing is written.

        Args:
            recipe: resolved.
            out: the run folder.
            team: the processes, all of which call this.
            resume: whether a run may be there already, whose plan is then gone on with.
            notice: told what a person should know beforehand.

        Raises:
            ParlureError: the corpus, the recipe or the folder cannot be used.
        """
        corpus = asked_for(recipe, notice)
        source, adapter = locate(recipe.model.base)
        if adapter is not None:
            raise ParlureError(f"{recipe.model.base} is a run with an adapter", "start from its base")
        tokenizer = load_tokenizer(source)
        language = _new_language(recipe, corpus, tokenizer, notice)
        items, special = training_items(corpus, tokenizer), SpecialTokens.of(tokenizer)
        augmentation, replay = Augmentation.of(recipe, corpus, special), Replay.of(recipe, tokenizer)
        terms = TermLists.of(recipe, tokenizer)
        development, guards = Development.of(corpus, recipe), Guards.of(recipe)
        _can_be_done(recipe, team)
        check_trackers(recipe.tracking)
        if resume and (begun := checkpoint.begun_with(out)) is not None:
            recipe = as_begun(recipe, begun)
        checkpoint.check_run(out, recipe, corpus, resume=resume)
        team.wait()  # nobody writes before everybody has looked
        config = WhisperConfig.from_pretrained(source, **({"dropout": d} if (d := recipe.training.dropout) else {}))
        everything = [*items, *(replay.items if replay else ())]
        chosen, fit = fitted(recipe, config, everything, team, n_before=terms.n_most if terms else 0)
        for text in _forewarned(recipe, config, fit):
            notice(text)
        plan = Plan(items, chosen.training, special, augmentation, chosen.targets, replay, terms)
        return cls(chosen, corpus, source, tokenizer, language, plan, development, guards)


def _forewarned(recipe: Recipe, config: WhisperConfig, fit: Fit | None) -> Iterator[str]:
    """What was decided for the person, and what may not be what they think."""
    if fit and (not recipe.training.batch_seconds or fit.checkpointing):
        yield fit.sentence
    if bits := recipe.adapter.bits:
        yield f"the base is held in {bits} bits, and dev is decoded so; the adapter is kept for the base as it is"
    yield from filter(
        None, [warning(recipe.adapter.method, recipe.training.learning_rate, config.d_model, config.encoder_layers)]
    )


def asked_for(recipe: Recipe, notice: Notice) -> Corpus:
    """What the recipe asks for of its corpus; says how much is left out."""
    whole = Corpus.load(Path(recipe.data.corpus))
    corpus = narrowed(whole, recipe.data.language, recipe.data.task)
    n_all, n_kept = len(whole.utterances), len(corpus.utterances)
    if n_kept < n_all:
        notice(f"{n_all - n_kept} of {n_all} utterances are in another language or task than the recipe's: left out")
    if recipe.data.permute_labels:
        corpus = permuted(corpus, recipe.training.seed)
        notice("a control: every transcript of train is another utterance's")
    return corpus


def _new_language(recipe: Recipe, corpus: Corpus, tokenizer: WhisperTokenizer, notice: Notice) -> NewLanguage | None:
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
    how = "gets a token of its own: runtimes but Hugging Face cannot load the model"
    if not language.is_inserted:
        how = f"takes over the token of {language.token}: other runtimes are asked for {language.token}"
    notice(f"{code} {how}")
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
