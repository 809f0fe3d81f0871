"""Captions that roll, as YouTube's automatic ones do: each cue shows the line before again → only what is new in each.

Such captions alternate a cue of two lines, the line before and a new one, with one of 10 ms that only repeats the new
one. Read as they stand, everything would be said twice or thrice, and most of it at a wrong time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from parlure.corpus.readers.cues import spoken
from parlure.corpus.readers.timed import Phrase, Problem, short

_MIN_ROLLING = 2  # cues
_MIN_SHARE = 0.25  # of the cues: where captions roll it is every other one
_TIMED_WORD = re.compile(r"<[\d:.]+>")


def unrolled(found: Sequence[Phrase | Problem]) -> list[Phrase | Problem]:
    """The cues of a file, each without the line that the one before has said; one that says nothing else is a problem.

    Args:
        found: the cues of one file, in its order; they come back as they are unless they roll.
    """
    lines = [_lines(one) for one in found]
    n_rolling = sum(len(shown) > 1 and _repeats(shown, before) for before, shown in pairwise(lines))
    if n_rolling < _MIN_ROLLING or n_rolling < _MIN_SHARE * len(found):
        return list(found)
    return [_new(one, shown, before) for one, shown, before in zip(found, lines, [[], *lines], strict=False)]


def _lines(one: Phrase | Problem) -> list[str]:
    """The lines of a cue in which something is said, as they are written."""
    written = str(one.raw.get("text", "")) if isinstance(one, Phrase) else ""
    return [line for line in written.split("\n") if spoken(line)[1]]


def _repeats(shown: Sequence[str], before: Sequence[str]) -> bool:
    """Whether a cue begins with the line that the one before ends with; a line whose words are timed is always new."""
    return bool(shown and before and not _TIMED_WORD.search(shown[0])) and spoken(shown[0])[1] == spoken(before[-1])[1]


def _new(one: Phrase | Problem, shown: Sequence[str], before: Sequence[str]) -> Phrase | Problem:
    if isinstance(one, Problem) or not _repeats(shown, before):
        return one
    if len(shown) == 1:
        sentence = f"{short(spoken(shown[0])[1])!r} only repeats the cue before it, as rolling captions do"
        return Problem(one.line, shown[0], sentence, "repeated")
    return replace(one, text=spoken("\n".join(shown[1:]))[1])
