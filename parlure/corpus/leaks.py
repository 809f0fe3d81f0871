"""Utterances in their splits → what is on two sides though it should not be: the same sound, the same time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from parlure.corpus.examine import Taken
from parlure.corpus.manifest import Utterance


def said_of_leaks(utterances: Sequence[Utterance], by_id: Mapping[str, Taken]) -> list[str]:
    """Warnings about sound in more than one split, whoever made the split; silence of zeros is nobody's.

    Args:
        utterances: with their splits.
        by_id: what was found of each: the hash of its samples.
    """
    return [*_same_sound(utterances, by_id), *_same_time(utterances)]


def _same_sound(utterances: Sequence[Utterance], by_id: Mapping[str, Taken]) -> list[str]:
    first: dict[int, Utterance] = {}
    pairs = []
    for utterance in utterances:
        sound = by_id[utterance.id].sound
        if sound is not None and first.setdefault(sound, utterance).split != utterance.split:
            pairs.append((first[sound], utterance))
    return _said(pairs, "hold the very same sound as one of another split", "leave out one of each")


def _same_time(utterances: Sequence[Utterance]) -> list[str]:
    """Spans of one recording that overlap: in one channel, or where one of the two is the mean of all."""
    by_recording: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        by_recording[utterance.recording].append(utterance)
    pairs = [pair for spans in by_recording.values() for pair in _overlaps(spans)]
    return _said(
        pairs, "share seconds of a recording with one of another split", "divide by session, or mend the times"
    )


def _overlaps(spans: list[Utterance]) -> list[tuple[Utterance, Utterance]]:
    """Each span that overlaps an earlier one of another split, with the one of those that reaches furthest."""
    if len({span.split for span in spans}) == 1:
        return []
    furthest: dict[tuple[str, int | None], Utterance] = {}
    pairs = []
    for span in sorted(spans, key=lambda span: span.start):
        met = [
            other
            for (split, channel), other in furthest.items()
            if split != span.split and (channel == span.channel or None in (channel, span.channel))
        ]
        other = max(met, key=lambda other: other.end, default=None)
        if other is not None and other.end > span.start:
            pairs.append((other, span))
        key = (span.split, span.channel)
        if key not in furthest or furthest[key].end < span.end:
            furthest[key] = span
    return pairs


def _said(pairs: list[tuple[Utterance, Utterance]], what: str, hint: str) -> list[str]:
    if not pairs:
        return []
    one, other = pairs[0]
    first = f"{other.id} in {other.split} and {one.id} in {one.split}"
    if len(pairs) == 1:
        return [f"an utterance {what.replace('hold', 'holds').replace('share', 'shares')} ({first}): {hint}"]
    return [f"{len(pairs)} utterances {what} (the first: {first}): {hint}"]
