"""One window's tokens → its phrases, and where the next window begins (Radford et al. 2022, §4.5).

A phrase stands between two timestamps. Two timestamps side by side end one phrase and begin the next; what follows the
last such pair was cut by the window's end, so the next window begins there. A lone timestamp at the end says that
nothing follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parlure.speech.features import FRAMES_PER_S
from parlure.whisper.prompt import TIMESTAMP_STEP_S

_FRAMES_PER_STEP = round(TIMESTAMP_STEP_S * FRAMES_PER_S)


@dataclass(frozen=True)
class Phrase:
    """Tokens, the timestamps around them included, and seconds from the window's start."""

    start: float
    end: float
    tokens: tuple[int, ...]


def cut(tokens: Sequence[int], timestamp_begin: int, n_frames: int) -> tuple[list[Phrase], int]:
    """Phrases of a window, and how many frames further the next one begins: at least one step, ``n_frames`` at most.

    Args:
        tokens: of one window, without prompt and end.
        timestamp_begin: the id of ``<|0.00|>``.
        n_frames: of sound that the window holds.
    """
    is_time = [token >= timestamp_begin for token in tokens]
    ends = [index + 1 for index in range(len(tokens) - 1) if is_time[index] and is_time[index + 1]]
    steps = [token - timestamp_begin for token in tokens]
    if not ends:  # one phrase from the window's start to its last timestamp
        times = [step for step, time in zip(steps, is_time, strict=True) if time]
        last = times[-1] if times and times[-1] else n_frames // _FRAMES_PER_STEP
        return [Phrase(0.0, last * TIMESTAMP_STEP_S, tuple(tokens))], n_frames
    if is_time[-2:] == [False, True]:
        ends, further = [*ends, len(tokens)], n_frames
    else:
        further = min(n_frames, max(1, steps[ends[-1] - 1]) * _FRAMES_PER_STEP)
    starts = [0, *ends[:-1]]
    spans = zip(starts, ends, strict=True)
    return [
        Phrase(steps[first] * TIMESTAMP_STEP_S, steps[end - 1] * TIMESTAMP_STEP_S, tuple(tokens[first:end]))
        for first, end in spans
    ], further
