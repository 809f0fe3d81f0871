"""The most probable token at every step."""

from __future__ import annotations

import torch

from parlure.transcribing.loopguard import goes_round
from parlure.transcribing.rows import Row, Rules, begin
from parlure.transcribing.stepping import Stepping


def greedy(stepper: Stepping, prompts: torch.Tensor, rules: Rules) -> list[Row]:
    """Write until every row has ended or the limit is hit; a row that has ended leaves the batch's work.

    Probabilities are those among what may be written (openai/whisper decoding.py).

    Args:
        stepper: that has read nothing.
        prompts: ids up to where the text begins, ``(n_utterances, n_prompt)``.
        rules: of the batch.
    """
    rows, scores = begin(stepper, prompts, rules)
    never, alive, scored = rules.never + rules.never_first, list(range(len(rows))), []
    for n_written in range(1, rules.n_tokens + 1):
        if rules.constrain:
            scores = rules.constrain([rows[index].tokens for index in alive], scores + never)
        logprobs, best = _best(scores, never)
        scored.append((alive, logprobs))
        going = [
            place
            for place, (index, token) in enumerate(zip(alive, best.tolist(), strict=True))
            if _goes_on(rows[index], token, rules)
        ]
        if not going or n_written == rules.n_tokens:
            break
        if len(going) < len(alive):
            order = stepper.keep(going)
            alive, best = [alive[place] for place in order], best[order]
        scores, never = stepper(best[:, None])[:, 0], rules.never
    for indices, logprobs in scored:  # read only now: a GPU is waited for once a step, not twice
        for index, logprob in zip(indices, logprobs.tolist(), strict=True):
            rows[index].total_logprob += logprob
            rows[index].n_scored += 1
    return rows


def _best(scores: torch.Tensor, never: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability and id of the best of logits ``(n_rows, n_vocabulary)``, which are used up."""
    top, best = scores.add_(never).max(-1)
    return -scores.sub_(top[:, None]).exp_().sum(-1).log(), best


def _goes_on(row: Row, token: int, rules: Rules) -> bool:
    """Whether a row does after this token, which it takes unless that ends it."""
    if row.silent:
        row.fall_silent()
    elif token == rules.end:
        row.ended = True
    else:
        row.tokens.append(token)
        row.looped = rules.loop_guard and goes_round(row.tokens)
    return not (row.ended or row.looped)
