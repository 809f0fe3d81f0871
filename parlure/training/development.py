"""The dev split as a judge: decode it, count word errors."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.corpus.manifest import Corpus, Utterance
from parlure.errors import ParlureError
from parlure.recipe import Recipe
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import Counts, count_words
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

    @classmethod
    def of(cls, corpus: Corpus, recipe: Recipe) -> Development:
        """The dev split of a corpus, or the first so many of it by id when the recipe limits them.

        Raises:
            ParlureError: there is no dev split, or no such profile.
        """
        chosen = sorted(corpus.select("dev"), key=lambda utterance: utterance.id)
        if not chosen:
            raise ParlureError(
                f"{corpus.folder} has no dev utterances to choose the best checkpoint by",
                "give dev a share: --ratios 0.8,0.1,0.1",
            )
        if 0 < recipe.evaluation.max_utterances < len(chosen):
            stride = len(chosen) / recipe.evaluation.max_utterances  # evenly, so that every speaker stays in
            chosen = [chosen[int(i * stride)] for i in range(recipe.evaluation.max_utterances)]
        profile = recipe.evaluation.profile or headline_profile(chosen[0].language)
        normalize = get_profile(profile).normalize
        if not any(normalize(utterance.text) for utterance in chosen):
            raise ParlureError(f"no dev utterance of {corpus.folder} holds a word", "dev needs speech with transcripts")
        return cls(
            tuple(chosen), tuple(clips_of(chosen)), profile, recipe.decoding.batch_size, recipe.decoding.max_new_tokens
        )

    def word_error_rate(
        self, whisper: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, team: Team
    ) -> float:
        """Corpus WER in points of per cent, each process decoding its share; the model is left in evaluation mode."""
        whisper.eval()
        normalize = get_profile(self.profile).normalize
        total = Counts.zero()
        for language, task in sorted({(u.language, u.task) for u in self.utterances}):
            pairs = [
                (u, c)
                for u, c in zip(self.utterances, self.clips, strict=True)
                if (u.language, u.task) == (language, task)
            ]
            options = DecodingOptions(language, task, batch_size=self.batch_size, max_new_tokens=self.max_new_tokens)
            pairs = [*team.share(pairs)]
            found = decode(whisper, tokenizer, [clip for _, clip in pairs], options)
            for (utterance, _), hypothesis in zip(pairs, found, strict=True):
                total += count_words(normalize(utterance.text), normalize(hypothesis.text))
        total = Counts(*map(int, team.add([total.S, total.D, total.I, total.N])))
        assert total.rate is not None  # `of` saw to it that dev holds words
        return total.rate
