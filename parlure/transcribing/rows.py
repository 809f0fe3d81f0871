"""What both ways of searching share: the rules of a batch, a row of it as it is written, and how it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from parlure.transcribing.stepping import Stepping


@dataclass(frozen=True)
class Rules:
    """What may be written, and when it is over.

    Attributes:
        end, no_speech: ids.
        languages: code → id.
        never: what is added to scores, 0 or -inf, shape ``(n_vocabulary,)``.
        never_first: the same for the first token.
        n_tokens: at most so many are written, the end included.
        no_speech_threshold: above this probability a row that would end at once is silent.
        loop_guard: stop a row that goes round in circles.
        n_before: tokens of a prompt that stand before the start token.
        constrain: what further depends on what a row has written: from the rows' tokens and their scores
            ``(n_rows, n_vocabulary)``, in which nothing is left of what is never written, to scores.
    """

    end: int
    no_speech: int
    languages: Mapping[str, int]
    never: torch.Tensor
    never_first: torch.Tensor
    n_tokens: int
    no_speech_threshold: float
    loop_guard: bool
    n_before: int = 0
    constrain: Callable[[Sequence[Sequence[int]], torch.Tensor], torch.Tensor] | None = None


@dataclass
class Row:
    """An utterance as it is written.

    Attributes:
        no_speech_prob: probability of no speech right after the start token.
        identified: the most probable language there.
        silent: the model takes it for silent and would have ended at once.
        tokens: text so far.
        total_logprob, n_scored: sum over the tokens scored, and their number, the end included.
        ended: the model has ended it, or it is silent.
        looped: it was stopped for going round in circles.
    """

    no_speech_prob: float
    identified: str
    silent: bool
    tokens: list[int]
    total_logprob: float = 0.0
    n_scored: int = 0
    ended: bool = False
    looped: bool = False

    @property
    def avg_logprob(self) -> float:
        """Mean log-probability of a token."""
        return self.total_logprob / max(1, self.n_scored)

    def fall_silent(self) -> None:
        """There is no text, whatever was written."""
        self.tokens, self.ended, self.looped = [], True, False


def suppression(n_vocabulary: int, ids: Sequence[int], device: torch.device) -> torch.Tensor:
    """What to add to scores so that none of the ids is chosen, shape ``(n_vocabulary,)``."""
    bias = torch.zeros(n_vocabulary)
    bias[list(ids)] = -torch.inf
    return bias.to(device)


def most_probable(languages: Mapping[str, int], scores: torch.Tensor) -> list[str]:
    """The language of each row of what may stand right after the start, ``(n_utterances, n_vocabulary)``."""
    codes = list(languages)
    return [codes[index] for index in scores[:, list(languages.values())].argmax(-1).tolist()]


def begin(stepper: Stepping, prompts: torch.Tensor, rules: Rules) -> tuple[list[Row], torch.Tensor]:
    """Read the prompts.

    Args:
        stepper: that has read nothing.
        prompts: ids, ``(n_utterances, n_prompt)``.
        rules: of the batch.

    Returns:
        A row for each, without tokens, and the logits of the first, ``(n_utterances, n_vocabulary)``.
    """
    # what the model would say right after the start token: no speech, or the language that it hears
    at_start, scores = stepper(prompts, (rules.n_before, -1)).unbind(1)
    no_speech = (at_start[:, rules.no_speech] - at_start.logsumexp(-1)).exp().tolist()
    at_once = ((scores + rules.never).argmax(-1) == rules.end).tolist()
    heard = zip(no_speech, most_probable(rules.languages, at_start), at_once, strict=True)
    rows = [
        Row(probability, code, silent=ends and probability > rules.no_speech_threshold, tokens=[])
        for probability, code, ends in heard
    ]
    return rows, scores
