"""Beam search: several beginnings of every text at once, as Hugging Face's ``generate`` does it.

A finished text is worth its mean log-probability, the end included (``length_penalty=1.0``); the search is over once as
many are finished as there are beams and the best beam's mean is no better than the worst of them
(``early_stopping=False``). Log-probabilities are those among the whole vocabulary, also where some of it is suppressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from parlure.transcribing.loopguard import goes_round
from parlure.transcribing.rows import Row, Rules, begin
from parlure.transcribing.stepping import Stepping


class _Text(NamedTuple):
    """``worth``: mean log-probability; ``n_scored``: tokens that it is the mean of."""

    worth: float
    n_scored: int
    tokens: list[int]
    ended: bool
    looped: bool


@dataclass
class _Search:
    """One utterance's.

    Attributes:
        beams: tokens of each, the best first.
        finished: the best finished texts, as many as beams at most, the best first.
    """

    n_beams: int
    beams: list[list[int]] = field(default_factory=lambda: [[]])
    finished: list[_Text] = field(default_factory=list)
    over: bool = False

    def step(
        self, candidates: Sequence[tuple[float, int, int]], n_written: int, rules: Rules
    ) -> list[tuple[float, int, int]]:
        """Take the best candidates, twice as many as beams: the next beams' log-probability, origin and token."""
        is_last = n_written == rules.n_tokens
        going: list[tuple[float, int, int]] = []
        for rank, (logprob, origin, token) in enumerate(candidates):
            ends = token == rules.end
            if ends or is_last:
                if rank < self.n_beams:
                    tokens = self.beams[origin] if ends else [*self.beams[origin], token]
                    self._finish(_Text(logprob / n_written, n_written, tokens, ends, False))
            elif len(going) < self.n_beams:
                going.append((logprob, origin, token))
        self.beams = [[*self.beams[origin], token] for _, origin, token in going]
        if not going:
            self.over = True
            return going
        best = going[0][0] / n_written
        if rules.loop_guard and goes_round(self.beams[0]):
            self._finish(_Text(best, n_written, self.beams[0], False, True))
            self.over = True
        if len(self.finished) == self.n_beams and best <= self.finished[-1].worth:
            self.over = True
        return going

    def _finish(self, text: _Text) -> None:
        self.finished = sorted([*self.finished, text], key=lambda one: -one.worth)[: self.n_beams]


def beam_search(stepper: Stepping, prompts: torch.Tensor, rules: Rules, n_beams: int) -> list[Row]:
    """The best finished text of each utterance; an utterance whose search is over leaves the batch's work.

    Where the loop guard is on and the best beam goes round in circles, the search is over and the beam counts as
    finished.

    Args:
        stepper: that has read nothing.
        prompts: ids up to where the text begins, ``(n_utterances, n_prompt)``.
        rules: of the batch.
        n_beams: at least 2.
    """
    rows, scores = begin(stepper, prompts, rules)
    searches = [_Search(n_beams) for _ in rows]
    never, alive = rules.never + rules.never_first, list(range(len(rows)))
    so_far = scores.new_zeros(len(rows), 1)  # log-probability of each beam
    for n_written in range(1, rules.n_tokens + 1):
        logprobs = scores.log_softmax(-1).add_(never)
        if rules.constrain:
            logprobs = rules.constrain([beam for index in alive for beam in searches[index].beams], logprobs)
        candidates = _candidates(logprobs, so_far, n_beams)
        steps = [searches[index].step(own, n_written, rules) for index, own in zip(alive, candidates, strict=True)]
        if n_written == 1:
            stepper.spread(n_beams)
            for row, search, own in zip(rows, searches, candidates, strict=True):
                if row.silent:
                    row.total_logprob, row.n_scored, search.over = own[0][0], 1, True
        going = [place for place, index in enumerate(alive) if not searches[index].over]
        if not going:
            break
        order = stepper.keep(going) if len(going) < len(alive) else going
        alive, steps = [alive[place] for place in order], [steps[place] for place in order]
        totals, origins, tokens = torch.tensor(steps, dtype=torch.float64, device=scores.device).unbind(-1)
        so_far = totals.to(so_far.dtype)
        if n_written > 1:  # before, there was one beam to go on from
            first = torch.arange(len(alive), device=scores.device)[:, None] * n_beams
            stepper.follow((first + origins.long()).flatten())
        scores, never = stepper(tokens.long().view(-1, 1))[:, 0], rules.never
    for row, search in zip(rows, searches, strict=True):
        _write(row, search)
    return rows


def _candidates(logprobs: torch.Tensor, so_far: torch.Tensor, n_beams: int) -> list[list[tuple[float, int, int]]]:
    """The best continuations of each utterance's beams, twice as many as beams: so many remain though all may end.

    Args:
        logprobs: of each beam's next token, ``(n_utterances * beams, n_vocabulary)``, used up.
        so_far: log-probability of each beam, ``(n_utterances, beams)``.
        n_beams: of the search; ``beams`` is 1 in its first step.
    """
    n_vocabulary = logprobs.shape[-1]
    best, places = logprobs.view(*so_far.shape, -1).add_(so_far[:, :, None]).flatten(1).topk(2 * n_beams)
    return [
        [(logprob, place // n_vocabulary, place % n_vocabulary) for logprob, place in zip(*own, strict=True)]
        for own in zip(best.tolist(), places.tolist(), strict=True)
    ]


def _write(row: Row, search: _Search) -> None:
    """What the search found, into the row."""
    if row.silent:
        row.fall_silent()
        return
    text = search.finished[0]
    row.tokens, row.ended, row.looped = text.tokens, text.ended, text.looped
    row.total_logprob, row.n_scored = text.worth * text.n_scored, text.n_scored
