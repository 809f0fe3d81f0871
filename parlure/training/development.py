"""The dev split as a judge: decode it, count word errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.pseudo import refuse_pseudo
from parlure.errors import ParlureError
from parlure.scoring.normalize import get_profile, headline_profile
from parlure.scoring.rates import count_words
from parlure.sections import DecodingSection, Recipe
from parlure.training.items import refuse_long
from parlure.training.team import Team
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import Clip, DecodingOptions, decode


@dataclass(frozen=True)
class Development:
    """Dev utterances by language and task, each decoded in its own.

    Attributes:
        heard: word errors and reference words of each utterance when they were last decoded; empty before that.
    """

    utterances: tuple[Utterance, ...]
    clips: tuple[Clip, ...]
    profile: str
    batch_size: int
    max_new_tokens: int
    beam_size: int
    heard: list[tuple[int, int]] = field(default_factory=list, compare=False)

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
        errors, words, left = [0] * len(self.clips), [0] * len(self.clips), False
        for language, task in sorted({(u.language, u.task) for u in self.utterances}):
            own = [i for i, u in enumerate(self.utterances) if (u.language, u.task) == (language, task)]
            options = DecodingOptions(
                language,
                task,
                batch_size=self.batch_size,
                max_new_tokens=self.max_new_tokens,
                beam_size=self.beam_size,
            )
            own = [*team.share(own)]
            try:
                with team.accelerator.autocast():
                    found = decode(
                        whisper, tokenizer, [self.clips[i] for i in own], options, partial(_leave_if, stopped)
                    )
            except _LeftError:
                left = True
                break
            for i, hypothesis in zip(own, found, strict=True):
                counts = count_words(normalize(self.utterances[i].text), normalize(hypothesis.text))
                errors[i], words[i] = counts.edits, counts.N
        # whether it was left travels with the counts, for all have to learn of it at the same moment
        *summed, n_left = map(int, team.add([*errors, *words, float(left)]))
        if n_left:
            return None
        errors, words = summed[: len(errors)], summed[len(errors) :]
        self.heard[:] = zip(errors, words, strict=True)
        return 100.0 * sum(errors) / sum(words)  # `of` saw to it that dev holds words

    def write(self, path: Path) -> None:
        """A line for each utterance that was decoded last: ``id, speaker, session, errors, words``."""
        lines = [
            json.dumps({"id": u.id, "speaker": u.speaker, "session": u.session, "errors": errors, "words": words})
            for u, (errors, words) in zip(self.utterances, self.heard, strict=False)
        ]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


class _LeftError(Exception):
    """Out of the middle of decoding."""


def _leave_if(stopped: Callable[[], bool], n_done: int) -> None:
    if stopped():
        raise _LeftError
