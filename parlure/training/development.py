"""The dev split as a judge: decode it, count word errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.pseudo import refuse_pseudo
from parlure.errors import ParlureError
from parlure.recipe import DecodingSection, Recipe
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import Counts, count_words
from parlure.training.items import refuse_long
from parlure.training.team import Team
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import Clip, DecodingOptions, decode


@dataclass(frozen=True)
class Development:
    """Dev utterances by language and task, each decoded in its own."""

    utterances: tuple[Utterance, ...]
    clips: tuple[Clip, ...]
    profile: str
    batch_size: int
    max_new_tokens: int
    beam_size: int

    @classmethod
    def of(cls, corpus: Corpus, recipe: Recipe) -> Development:
        """The dev split of a corpus, or the first so many of it by id when the recipe limits them.

        Raises:
            ParlureError: there is no dev split, one of it is over 30 s or a pseudo-label, and see :meth:`choose`.
        """
        chosen = sorted(corpus.select("dev"), key=lambda utterance: utterance.id)
        if not chosen:
            raise ParlureError(
                f"{corpus.folder} has no dev utterances to choose the best checkpoint by",
                "give dev a share: --ratios 0.8,0.1,0.1",
            )
        refuse_long(chosen)
        refuse_pseudo(chosen, "dev", corpus.folder)
        profile = recipe.evaluation.profile or headline_profile(chosen[0].language)
        return cls.choose(str(corpus.folder), chosen, profile, recipe.evaluation.max_utterances, recipe.decoding)

    @classmethod
    def choose(
        cls, corpus: str, utterances: Sequence[Utterance], profile: str, at_most: int, how: DecodingSection
    ) -> Development:
        """So many of a corpus's utterances, 0 for all, evenly by their ids so that every speaker stays in.

        Raises:
            ParlureError: none of them holds a word, or there is no such profile.
        """
        chosen = sorted(utterances, key=lambda utterance: utterance.id)
        if 0 < at_most < len(chosen):
            stride = len(chosen) / at_most
            chosen = [chosen[int(i * stride)] for i in range(at_most)]
        normalize = get_profile(profile).normalize
        if not any(normalize(utterance.text) for utterance in chosen):
            raise ParlureError(f"no dev utterance of {corpus} holds a word", "dev needs speech with transcripts")
        return cls(tuple(chosen), tuple(clips_of(chosen)), profile, how.batch_size, how.max_new_tokens, how.beam_size)

    def word_error_rate(
        self,
        whisper: WhisperForConditionalGeneration,
        tokenizer: WhisperTokenizer,
        team: Team,
        stopped: Callable[[], bool],
    ) -> float | None:
        """Corpus WER in points of per cent, each process decoding its share; the model is left in evaluation mode.

        Args:
            whisper: the model, adapters inside.
            tokenizer: its own.
            team: the processes, all of which call this.
            stopped: asked after every batch whether to leave it at that.

        Returns:
            None if any process was stopped before its share was done.
        """
        whisper.eval()
        normalize = get_profile(self.profile).normalize
        total, left = Counts.zero(), False
        for language, task in sorted({(u.language, u.task) for u in self.utterances}):
            pairs = [
                (u, c)
                for u, c in zip(self.utterances, self.clips, strict=True)
                if (u.language, u.task) == (language, task)
            ]
            options = DecodingOptions(
                language,
                task,
                batch_size=self.batch_size,
                max_new_tokens=self.max_new_tokens,
                beam_size=self.beam_size,
            )
            pairs = [*team.share(pairs)]
            try:
                with team.accelerator.autocast():
                    found = decode(whisper, tokenizer, [c for _, c in pairs], options, partial(_leave_if, stopped))
            except _LeftError:
                left = True
                break
            for (utterance, _), hypothesis in zip(pairs, found, strict=True):
                total += count_words(normalize(utterance.text), normalize(hypothesis.text))
        # whether it was left travels with the counts, for all have to learn of it at the same moment
        *counts, n_left = map(int, team.add([total.S, total.D, total.I, total.N, float(left)]))
        if n_left:
            return None
        rate = Counts(*counts).rate
        assert rate is not None  # `of` saw to it that dev holds words
        return rate


class _LeftError(Exception):
    """Out of the middle of decoding."""


def _leave_if(stopped: Callable[[], bool], n_done: int) -> None:
    if stopped():
        raise _LeftError
