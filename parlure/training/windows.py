"""Utterances → windows: what the encoder is fed as one row, drawn anew every epoch from seed, epoch and id alone.

Most utterances stand alone in a window of their own length, which costs a tenth of Whisper's 30 s. A share stands in
the full window, as every runtime will feed it: one to a few utterances of one speaker behind each other, and behind
them what runtimes put there, silence in the waveform (Hugging Face, openai-whisper) or zeros after the log-mels
(faster-whisper). A model tuned on its own lengths alone gets worse at 30 s, and one tuned on 30 s alone falls apart on
anything shorter (docs/LOG.md). Several in a window share its price, and teach where phrases begin and end.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from parlure.speech.audio import Samples
from parlure.speech.features import TAIL_S, WINDOW_S, short_window_s
from parlure.whisper.joining import has_words, join_labels
from parlure.whisper.prompt import MAX_TOKENS, Labels, SpecialTokens

Padding = Literal["silence", "zeros"]
_PAUSES_S = (0.2, 1.2)  # s between utterances that share a window: as within a turn, and between two


@dataclass(frozen=True)
class Item:
    """One training utterance: its labels, and its audio when asked for.

    Attributes:
        group: who speaks in which conversation; only utterances of one group share a window.
        plain: its labels without phrase times, where ``labels`` have them.
        text: what is said in it.
    """

    id: str
    duration_s: float
    labels: Labels
    read: Callable[[], Samples]
    group: str = ""
    plain: Labels | None = None
    text: str = ""


@dataclass(frozen=True)
class Window:
    """One row of the encoder's input: utterances, each from its start on, and padding up to ``length_s``."""

    items: tuple[Item, ...]
    labels: Labels
    length_s: float
    starts_s: tuple[float, ...] = (0.0,)
    padding: Padding = "silence"

    @property
    def sound_s(self) -> float:
        """Where the last utterance ends."""
        return self.starts_s[-1] + self.items[-1].duration_s


@dataclass(frozen=True)
class WindowPolicy:
    """How utterances are fed.

    Attributes:
        full_share: of the utterances, in the 30 s window.
        most: utterances in one full window; 1 to that many, equally often, as far as they fit.
        stamped: of full windows with several utterances, in which phrases carry their times.
        fixed: the windows of the first epoch in every epoch, so that what an encoder makes of them can be kept.
    """

    full_share: float
    most: int = 1
    stamped: float = 0.5
    fixed: bool = False


def own_window(item: Item) -> Window:
    """An utterance alone, in the window of its own length."""
    return Window((item,), item.labels, short_window_s(item.duration_s))


def draw_windows(
    items: Sequence[Item], policy: WindowPolicy, special: SpecialTokens, *, seed: int, epoch: int
) -> list[Window]:
    """Every utterance in exactly one window; the same windows whatever the order of the items.

    Args:
        items: of different ids.
        policy: which share, how many together.
        special: ids of the model's vocabulary.
        seed: the recipe's.
        epoch: 0-based.
    """
    drawn = f"{seed} {0 if policy.fixed else epoch}"
    windows: list[Window] = []
    for run in _runs(items, policy.most, drawn):
        rng = random.Random(f"{drawn} {run[0].id}")
        if rng.random() < policy.full_share:
            windows += _full(run, policy.stamped, special, rng)
        else:
            windows += map(own_window, run)
    return windows


def _runs(items: Sequence[Item], most: int, drawn: str) -> Iterator[list[Item]]:
    """Utterances of one group that stand behind each other by id, one to ``most`` of them."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.id):
        groups[f"{item.group} {item.labels.inputs[:3]}"].append(item)  # one language, one task
    for name, members in sorted(groups.items()):
        rng, start = random.Random(f"{drawn} {name}"), 0
        while start < len(members):
            n = rng.randint(1, most)
            yield members[start : start + n]
            start += n


def _full(run: Sequence[Item], stamped: float, special: SpecialTokens, rng: random.Random) -> Iterator[Window]:
    """As few full windows as hold a run, in its order."""
    rest = list(run)
    while rest:
        items, starts_s = [rest.pop(0)], [0.0]
        n_tokens = len(items[0].labels.inputs)
        while rest and has_words(items[0].labels, special) and has_words(rest[0].labels, special):
            start_s = round(starts_s[-1] + items[-1].duration_s + rng.uniform(*_PAUSES_S), 2)
            n_tokens += len(rest[0].labels.inputs) + 2  # with two stamps
            if start_s + rest[0].duration_s + TAIL_S > WINDOW_S or n_tokens > MAX_TOKENS - 2:
                break
            items.append(rest.pop(0))
            starts_s.append(start_s)
        labels = items[0].labels
        if len(items) > 1:
            spans_s = [(start_s, start_s + item.duration_s) for start_s, item in zip(starts_s, items, strict=True)]
            labels = join_labels([item.labels for item in items], spans_s, special, stamped=rng.random() < stamped)
        yield Window(tuple(items), labels, WINDOW_S, tuple(starts_s), rng.choice(("silence", "zeros")))
