"""Placed utterances of long recordings → windows of up to 30 s: neighbouring phrases joined, none ever cut.

One recording and channel at a time, in order of start:

1. *Clusters.* Phrases that overlap in time stand or fall together: a window between them would cut one of them.
2. *Windows.* Clusters are joined as long as the window stays within its length, the pause within ``gap_s``, language,
   task, split and session stay the same, and no rejected row begins between them. In ``speaker`` mode only phrases of
   one known speaker are joined, and not over a pause in which another person speaks for more than 0.2 s; in
   ``dialogue`` mode whoever speaks. A row that means silence is joined to nothing.
3. *Phrases.* Each keeps its text and its times in ``segments``. Two that overlap by at most 0.2 s are parted in the
   middle of the overlap; two that overlap by more become one phrase with both texts in order of start, for a model
   that writes one line cannot place the words of two people who talk at once. It names a speaker only if both are one.
4. *Overlap.* A window in which two talk at once for more than 0.2 s is tagged ``overlap``.
5. *Prompt.* The text said before it on the same channel, the last ``prompt_chars`` characters, from whole words.

Speakers and splits were given before, phrase by phrase: who is in which split does not depend on the joining.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from parlure.corpus.hearing import MAX_UTTERANCE_S
from parlure.corpus.manifest import Segment, Utterance
from parlure.corpus.naming import span_name
from parlure.corpus.overlaps import OVERLAP_S, phrases_of, talked_over_s
from parlure.corpus.placing import Placed
from parlure.corpus.readers.row import Rejected, Row
from parlure.errors import ParlureError

JoinMode = Literal["none", "speaker", "dialogue"]
JOIN_MODES: tuple[JoinMode, ...] = ("none", "speaker", "dialogue")
OVERLAP_TAG = "overlap"
_Key = tuple[str, int | None]  # recording and channel


@dataclass(frozen=True)
class JoinPolicy:
    """How phrases are joined.

    Attributes:
        mode: ``none``, ``speaker`` or ``dialogue``.
        gap_s: the longest pause inside a window; a longer one may hold speech that nobody wrote down.
        to_s: the longest window.
        prompt_chars: how much of the text before a window is kept as its prompt; 0 is none. 240 characters are some 60
            tokens of French, a quarter of what Whisper reads at most.

    Raises:
        ParlureError: a value makes no sense.
    """

    mode: JoinMode = "none"
    gap_s: float = 2.0
    to_s: float = MAX_UTTERANCE_S
    prompt_chars: int = 240

    def __post_init__(self) -> None:
        if self.mode not in JOIN_MODES:
            raise ParlureError(f"--join cannot be {self.mode}", f"--join {'|'.join(JOIN_MODES)}")
        if not 0 <= self.gap_s < float("inf"):
            raise ParlureError(f"--join-gap cannot be {self.gap_s:g}", "seconds of pause, such as --join-gap 2")
        if not 0 < self.to_s <= MAX_UTTERANCE_S:
            raise ParlureError(f"--join-to cannot be {self.to_s:g}", "seconds, at most Whisper's 30")
        if self.prompt_chars < 0:
            raise ParlureError(f"--join-prompt cannot be {self.prompt_chars}", "characters; 0 keeps no text before")


@dataclass(frozen=True)
class Window:
    """An utterance and the phrases that it was joined of, in order of start."""

    utterance: Utterance
    phrases: tuple[Utterance, ...]
    overlap_s: float

    def line(self, rows: Mapping[str, Row]) -> dict[str, Any]:
        """Its line in ``joined.jsonl``: where its rows stand, for ``rows`` by the ids of the phrases."""
        lines = [row.line for one in self.phrases if (row := rows[one.id]).line is not None]
        sources = list(dict.fromkeys(rows[one.id].source for one in self.phrases))
        return {
            "id": self.utterance.id,
            "sources": sources,
            "first_line": min(lines, default=None),
            "last_line": max(lines, default=None),
            "phrases": [one.id for one in self.phrases],
            "overlap_s": round(self.overlap_s, 3),
        }


@dataclass(frozen=True)
class Joined:
    """Every phrase in exactly one window.

    Attributes:
        utterances: the windows.
        lines: for ``joined.jsonl``, one a window.
        info: for ``corpus.json``: how it was joined; ``n_held_apart`` neighbours would have been, had no rejected row
            begun between them.
        warnings: what a person should know, one sentence each.
    """

    utterances: list[Utterance]
    lines: list[dict[str, Any]]
    info: dict[str, Any]
    warnings: tuple[str, ...]


@dataclass
class _Channel:
    """One channel of one recording: its phrases and the starts of rejected rows, both in order of start."""

    phrases: list[Utterance] = field(default_factory=list)
    holes: list[float] = field(default_factory=list)

    def hole_between(self, first: Utterance, second: Utterance) -> bool:
        return bisect_left(self.holes, first.start) < bisect_right(self.holes, second.start)


def join(
    utterances: Sequence[Utterance],
    rows: Mapping[str, Row],
    rejected: Iterable[Rejected],
    policy: JoinPolicy,
    names: Mapping[Path, str],
) -> Joined:
    """Join what can be joined.

    Args:
        utterances: placed, none longer than 30 s.
        rows: the row of each, by its id.
        rejected: the rows that were not taken. One that begins between two phrases holds them apart, since something
            was said there; of one whose times are not known, the row before it in its source is joined to nothing
            that follows.
        policy: how.
        names: of recordings; a window is named by recording, span and channel.
    """
    channels = _channels(utterances, rows, rejected)
    windows: list[Window] = []
    taken = {one.id for one in utterances}
    n_held_apart = 0
    for channel in channels.values():
        groups, held_apart = _groups(channel, policy)
        n_held_apart += held_apart
        for group in groups:
            name = _name(names[rows[group[0].id].audio], group, taken) if len(group) > 1 else group[0].id
            windows.append(_window(name, group, channel, policy))
    order = {one.id: place for place, one in enumerate(utterances)}
    windows.sort(key=lambda window: order[window.phrases[0].id])
    n_overlap = sum(window.overlap_s > OVERLAP_S for window in windows)
    return Joined(
        utterances=[window.utterance for window in windows],
        lines=[window.line(rows) for window in windows],
        info=asdict(policy) | {"n_phrases": len(utterances), "n_overlap": n_overlap, "n_held_apart": n_held_apart},
        warnings=tuple(_said(windows, n_overlap, n_held_apart, policy)),
    )


def _channels(
    utterances: Sequence[Utterance], rows: Mapping[str, Row], rejected: Iterable[Rejected]
) -> dict[_Key, _Channel]:
    channels: dict[_Key, _Channel] = defaultdict(_Channel)
    of_recording: dict[Path, set[_Key]] = defaultdict(set)
    for one in sorted(utterances, key=lambda one: (one.start, one.end, one.id)):
        key = (one.recording, one.channel)
        channels[key].phrases.append(one)
        of_recording[rows[one.id].audio].add(key)
    by_line = _by_line(utterances, rows)
    for row in rejected:
        if row.understood is not None:
            for key in of_recording.get(row.understood.audio, ()):
                if row.understood.channel in (None, key[1]):
                    channels[key].holes.append(row.understood.start or 0.0)
        elif (before := _before(by_line.get(row.source, ()), row.line)) is not None:
            channels[before.recording, before.channel].holes.append(before.start)
    for found in channels.values():
        found.holes.sort()
    return channels


def _by_line(utterances: Iterable[Utterance], rows: Mapping[str, Row]) -> dict[str, list[tuple[int, Utterance]]]:
    """The utterances of each source with their lines, in order of line."""
    by_line: dict[str, list[tuple[int, Utterance]]] = defaultdict(list)
    for one in utterances:
        if (line := rows[one.id].line) is not None:
            by_line[rows[one.id].source].append((line, one))
    for lines in by_line.values():
        lines.sort(key=lambda pair: pair[0])
    return by_line


def _before(lines: Sequence[tuple[int, Utterance]], line: int | None) -> Utterance | None:
    place = 0 if line is None else bisect_left(lines, line, key=lambda pair: pair[0])
    return lines[place - 1][1] if place else None


def _groups(channel: _Channel, policy: JoinPolicy) -> tuple[list[list[Utterance]], int]:
    """The phrases of each window, and how many neighbours a rejected row held apart."""
    voices: dict[str | None, list[Utterance]] = defaultdict(list)
    for one in channel.phrases:
        voices[one.speaker if policy.mode == "speaker" else None].append(one)
    groups: list[list[Utterance]] = []
    n_held_apart = 0
    for speaker, phrases in voices.items():
        if policy.mode == "speaker" and speaker is None:
            groups += ([one] for one in phrases)  # nobody knows whether two of them are one person's
            continue
        for number, cluster in enumerate(_clusters(phrases, policy.to_s)):
            joins = number > 0 and _may_join(groups[-1], cluster, channel, policy)
            held_apart = joins and channel.hole_between(groups[-1][-1], cluster[0])
            n_held_apart += held_apart
            if joins and not held_apart:
                groups[-1] += cluster
            else:
                groups.append(list(cluster))
    return groups, n_held_apart


def _clusters(phrases: Sequence[Utterance], to_s: float) -> Iterator[list[Utterance]]:
    """Phrases that overlap each other, as far as they fit into a window together."""
    cluster: list[Utterance] = []
    for one in phrases:
        if cluster and one.start < _reach(cluster) and _kind(one) == _kind(cluster[0]) and _fits([*cluster, one], to_s):
            cluster.append(one)
            continue
        if cluster:
            yield cluster
        cluster = [one]
    if cluster:
        yield cluster


def _may_join(group: Sequence[Utterance], cluster: Sequence[Utterance], channel: _Channel, policy: JoinPolicy) -> bool:
    """Whether a window may go on with the next cluster, rejected rows aside."""
    reach_s, next_s = _reach(group), cluster[0].start
    if not reach_s <= next_s <= reach_s + policy.gap_s or _kind(group[0]) != _kind(cluster[0]):
        return False
    if not _fits([group[0], *cluster], policy.to_s) or not all(one.text for one in (*group, *cluster)):
        return False
    if policy.mode == "dialogue":
        return True
    others = [one for one in _around(channel, reach_s, next_s) if one.speaker != group[0].speaker]
    return all(min(one.end, next_s) - max(one.start, reach_s) <= OVERLAP_S for one in others)


def _kind(one: Utterance) -> tuple[str, str, str, str | None]:
    return one.language, one.task, one.split, one.session


def _reach(group: Iterable[Utterance]) -> float:
    return max(one.end for one in group)


def _fits(group: Iterable[Utterance], to_s: float) -> bool:
    members = list(group)
    return round(_reach(members) - min(one.start for one in members), 6) <= to_s


def _around(channel: _Channel, start_s: float, end_s: float) -> list[Utterance]:
    """The phrases that may be heard in a span."""
    first = bisect_left(channel.phrases, start_s - MAX_UTTERANCE_S, key=lambda one: one.start)
    last = bisect_left(channel.phrases, end_s, key=lambda one: one.start)
    return [one for one in channel.phrases[first:last] if one.end > start_s]


def _window(name: str, group: list[Utterance], channel: _Channel, policy: JoinPolicy) -> Window:
    first, end_s = group[0], _reach(group)
    overlap_s = talked_over_s(group, _around(channel, first.start, end_s))
    tags = dict.fromkeys(tag for one in group for tag in one.tags)
    if overlap_s > OVERLAP_S:
        tags[OVERLAP_TAG] = None
    speakers = {one.speaker for one in group}
    one = replace(first, tags=tuple(tags), prompt=first.prompt or _prompt(group, channel, policy.prompt_chars))
    if len(group) > 1:
        one = replace(
            one,
            id=name,
            end=end_s,
            text=" ".join(phrase.text.strip() for phrase in group),
            speaker=first.speaker if len(speakers) == 1 else None,
            segments=_shifted(phrases_of(group), first.start),
        )
    return Window(one, tuple(group), overlap_s)


def _shifted(phrases: Iterable[Segment], start_s: float) -> tuple[Segment, ...]:
    """Phrases of a recording as those of an utterance that starts there."""
    return tuple(one._replace(start=round(one.start - start_s, 6), end=round(one.end - start_s, 6)) for one in phrases)


def _prompt(group: Sequence[Utterance], channel: _Channel, n_chars: int) -> str | None:
    """The end of what was said before, back to a rejected row at most."""
    place = bisect_left(channel.phrases, group[0].start, key=lambda one: one.start)
    hole = bisect_right(channel.holes, group[0].start)
    since_s = channel.holes[hole - 1] if hole else -1.0
    said, n_said = [], 0
    while place and n_said < n_chars and channel.phrases[place - 1].start > since_s:
        place -= 1
        said.append(channel.phrases[place].text.strip())
        n_said += len(said[-1]) + 1
    return _tail(" ".join(filter(None, reversed(said))), n_chars) or None


def _tail(text: str, n_chars: int) -> str:
    if len(text) <= n_chars:
        return text
    if n_chars == 0:
        return ""
    tail = text[-n_chars:]
    begins_a_word = text[-n_chars - 1].isspace()
    return (tail if begins_a_word or " " not in tail else tail.partition(" ")[2]).strip()


def _name(recording: str, group: Sequence[Utterance], taken: set[str]) -> str:
    """Recording, span in ms and channel; with a number where two windows, of two speakers, have all in common."""
    span = span_name(recording, group[0].start, _reach(group), group[0].channel)
    name, number = span, 1
    while name in taken:
        number += 1
        name = f"{span}-{number}"
    taken.add(name)
    return name


def _said(windows: Sequence[Window], n_overlap: int, n_held_apart: int, policy: JoinPolicy) -> Iterator[str]:
    """What a person should know of the joining, one sentence each."""
    if n_held_apart:
        yield f"{n_held_apart} times two phrases were not joined, for a rejected row lies between them"
    if n_overlap:
        said = f"two talk at once for more than {OVERLAP_S} s: tagged {OVERLAP_TAG}"
        yield f"in {n_overlap} of {len(windows)} windows {said}"
    n_unknown = sum(window.utterance.speaker is None for window in windows)
    if policy.mode == "speaker" and n_unknown:
        yield f"{n_unknown} rows name no speaker and were not joined: --join dialogue joins whoever speaks"
    if all(len(window.phrases) == 1 for window in windows):
        within = f"within {policy.gap_s:g} s (--join-gap) and {policy.to_s:g} s in all"
        yield f"no two phrases could be joined: on no channel of a recording does one follow another {within}"


def join_placed(
    placed: Placed,
    rows: Mapping[str, Row],
    rejected: Sequence[Rejected],
    policy: JoinPolicy,
    names: Mapping[Path, str],
) -> tuple[Placed, Joined]:
    """As :func:`join`, of utterances in their splits, in every fold to the same windows.

    Raises:
        ParlureError: a fold has the phrases of a window in different splits.
    """
    joined = join(placed.utterances, rows, rejected, policy, names)
    folds = [replace(fold, utterances=join(fold.utterances, rows, rejected, policy, names).utterances)
             for fold in placed.folds]  # fmt: skip
    ids = [utterance.id for utterance in joined.utterances]
    if any([utterance.id for utterance in fold.utterances] != ids for fold in folds):
        raise ParlureError(
            "the phrases of a window are in different splits in one of the folds", "--group-by speaker,session"
        )
    warnings = (*placed.warnings, *joined.warnings)
    return replace(placed, utterances=joined.utterances, warnings=warnings, folds=tuple(folds)), joined
