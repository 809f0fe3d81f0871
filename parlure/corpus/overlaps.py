"""Phrases that may overlap → phrases in a row, and for how long two people talk at once. Times in seconds."""

from __future__ import annotations

from collections.abc import Sequence

from parlure.corpus.manifest import Segment, Utterance

OVERLAP_S = 0.2  # s, about what boundaries set by hand are off by: less is no talking at once


def phrases_of(group: Sequence[Utterance]) -> list[Segment]:
    """The phrases of utterances of one channel, in order of start, none overlapping another.

    An overlap of up to 0.2 s is parted in its middle; phrases that overlap by more become one, see :mod:`.joining`.

    Args:
        group: in order of start.

    Returns:
        Phrases with times in the recording; joined, their texts are the utterances' texts.
    """
    blocks: list[list[Segment]] = []
    for one in group:
        own = _own_phrases(one)
        overlap_s = round(blocks[-1][-1].end - own[0].start, 6) if blocks else 0.0
        if overlap_s <= 0:
            blocks.append(own)
        elif overlap_s <= OVERLAP_S and min(_length_s(blocks[-1][-1]), _length_s(own[0])) > overlap_s:
            middle_s = round(own[0].start + overlap_s / 2, 6)
            blocks[-1][-1] = blocks[-1][-1]._replace(end=middle_s)
            blocks.append([own[0]._replace(start=middle_s), *own[1:]])
        else:
            blocks[-1] = [_merged([*blocks[-1], *own])]
    return [phrase for block in blocks for phrase in block]


def talked_over_s(group: Sequence[Utterance], around: Sequence[Utterance]) -> float:
    """For how long, in the time of a window, a phrase of it and one of another person, or two of others, coincide.

    Speech of others in a pause of the window counts too: it is heard there, and not in the window's text.

    Args:
        group: the phrases of the window.
        around: all phrases that may be heard in its span, the window's own included.
    """
    start_s, end_s = group[0].start, max(one.end for one in group)
    own = {one.id for one in group}
    total_s = 0.0
    for place, one in enumerate(around):
        if one.id not in own and (one.speaker is None or any(one.speaker != other.speaker for other in group)):
            total_s += max(0.0, min(one.end, end_s) - max(one.start, start_s))
        elif one.id in own:
            total_s += sum(_coincide_s(one, other) for other in around[place + 1 :] if other.id in own)
    return total_s


def _coincide_s(one: Utterance, other: Utterance) -> float:
    if one.speaker is not None and one.speaker == other.speaker:
        return 0.0
    return max(0.0, min(one.end, other.end) - max(one.start, other.start))


def _own_phrases(one: Utterance) -> list[Segment]:
    """An utterance's own phrases, or itself as one, with times in the recording."""
    own = one.segments or (Segment(0.0, one.duration_s, one.text.strip()),)
    return [
        Segment(round(s.start + one.start, 6), round(s.end + one.start, 6), s.text, s.speaker or one.speaker)
        for s in own
    ]


def _length_s(phrase: Segment) -> float:
    return phrase.end - phrase.start


def _merged(phrases: Sequence[Segment]) -> Segment:
    speakers = {phrase.speaker for phrase in phrases}
    return Segment(
        phrases[0].start,
        max(phrase.end for phrase in phrases),
        " ".join(phrase.text.strip() for phrase in phrases),
        phrases[0].speaker if len(speakers) == 1 else None,
    )
