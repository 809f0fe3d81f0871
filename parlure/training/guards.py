"""Corpora of other domains, which tuning must not make worse: each a folder, or NAME=FOLDER.

In training their dev splits are decoded with every evaluation. A checkpoint after which one of them has lost more than
it may is not kept, however well it does on dev, so a run that harms ends with the last one that did not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.pseudo import refuse_pseudo
from parlure.errors import ParlureError
from parlure.recipe import split_guard
from parlure.scoring.normalize import headline_profile
from parlure.sections import Recipe
from parlure.training.development import Development
from parlure.training.items import refuse_long
from parlure.training.team import Team
from parlure.training.trainee import Trainee

_NAME = re.compile(r"[\w-]+")


def load_guards(guards: Sequence[str], split: str) -> dict[str, tuple[Utterance, ...]]:
    """The transcribed utterances of each guard corpus, by name.

    Args:
        guards: ``NAME=CORPUS``, or a corpus folder, whose own name is then taken.
        split: which of its utterances.

    Raises:
        ParlureError: a name is no word or comes twice, a corpus cannot be used, or has nothing to transcribe there.
    """
    found: dict[str, tuple[Utterance, ...]] = {}
    for guard in guards:
        name, folder = split_guard(guard)
        if "=" not in guard:
            name = Path(folder).resolve().name
        if not _NAME.fullmatch(name):
            raise ParlureError(
                f"the guard corpus {guard} has the name {name!r}, which is not one word",
                "give it one of letters, digits, - and _: --guard general=FOLDER",
            )
        if name in found:
            raise ParlureError(f"two guard corpora are called {name}", "name them: --guard general=FOLDER")
        own = tuple(u for u in Corpus.load(folder).select(split) if u.task == "transcribe")
        if not own:
            raise ParlureError(
                f"the guard corpus {folder} has nothing to transcribe in its {split} split",
                "prepare it for testing alone: --ratios 0,0,1",
            )
        refuse_long(own)
        refuse_pseudo(own, split, folder)
        found[name] = own
    return found


@dataclass(frozen=True)
class Guards:
    """The guards of a run.

    Attributes:
        judges: by name.
        max_loss: points of WER that each may lose against the base.
    """

    judges: Mapping[str, Development]
    max_loss: float

    @classmethod
    def of(cls, recipe: Recipe) -> Guards:
        """Those that a recipe names, with their dev splits.

        Raises:
            ParlureError: a guard cannot be used, see :func:`load_guards`.
        """
        asked = recipe.guard
        judges = {
            name: Development.choose(
                f"the guard corpus {name}",
                own,
                headline_profile(own[0].language),
                asked.max_utterances,
                recipe.decoding,
            )
            for name, own in load_guards(asked.corpora, "dev").items()
        }
        return cls(judges, asked.max_loss)

    def rates(self, trainee: Trainee, team: Team, stopped: Callable[[], bool]) -> dict[str, float] | None:
        """WER of each in points of per cent; None if it was stopped, see :meth:`Development.word_error_rate`."""
        found = {}
        for name, judge in self.judges.items():
            wer = judge.word_error_rate(trainee.whisper, trainee.tokenizer, team, stopped)
            if wer is None:
                return None
            found[name] = wer
        return found

    def harmed(self, rates: Mapping[str, float], base: Mapping[str, float]) -> list[str]:
        """Names of those that have lost more than they may."""
        return [name for name, rate in rates.items() if rate > base[name] + self.max_loss]
