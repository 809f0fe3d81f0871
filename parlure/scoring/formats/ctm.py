"""NIST's ``ctm``: recognised words with times, one a line: ``call1 A 0.35 0.20 allô 0.98``; and whose words they are.

Recording, channel, begin and duration in seconds, the word, maybe a confidence. Which segment of an ``stm`` a word
belongs to is sclite's rule (``segment_hyp_for_utt`` in SCTK): within a recording and channel, words are taken in the
order of their beginnings, and each goes to the first segment that ends after the word's middle; words after the last
segment go to that one. So no word is lost, and what is recognised in a pause counts in the segment that follows it.
Format: as in ``trn``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from parlure.errors import ParlureError
from parlure.scoring.formats.table import SEVERAL_REFERENCES, Row, Table, marked_lines, seconds

EXAMPLE = "such as call1 A 0.35 0.20 allô: recording, channel, begin and duration in seconds, word"

_CHOICE = ("<ALT_BEGIN>", "<ALT>", "<ALT_END>")
_SHOWN_PLACES = 5


@dataclass(frozen=True)
class Word:
    """A recognised word.

    Attributes:
        place: its recording and channel.
        start: seconds from the recording's beginning.
        middle: the same.
        text: the word.
    """

    place: tuple[str, str]
    start: float
    middle: float
    text: str


def read_ctm(path: Path) -> list[Word]:
    """The words in the file's order.

    Raises:
        ParlureError: the file is unreadable, or a line is no word, or leaves a choice of wordings.
    """
    table = Table(path)
    words = []
    for number, line in marked_lines(path):
        fields = line.split()
        if len(fields) > 4 and fields[4].upper() in _CHOICE:
            table.refuse(number, f"leaves a choice of wordings: {fields[4]}", SEVERAL_REFERENCES)
            continue
        start, duration = (seconds(fields[place]) if len(fields) > 4 else None for place in (2, 3))
        if start is None or duration is None:
            table.refuse(number, "is no word with its times", EXAMPLE)
        else:
            words.append(Word((fields[0], fields[1]), start, start + duration / 2, fields[4]))
    table.finished()
    return words


def words_of_segments(words: Sequence[Word], segments: Mapping[str, Row]) -> dict[str, str]:
    """What was recognised in each segment of an ``stm``, by its id; "" where nothing was.

    Args:
        words: of a ``ctm``.
        segments: of an ``stm``, by id.

    Raises:
        ParlureError: words are of a recording or channel that no segment is of.
    """
    by_place = _in_order(segments)
    strange = [word.place for word in words if _folded(word.place) not in by_place]
    if strange:
        places = list(dict.fromkeys(" ".join(place) for place in strange))
        shown = ", ".join(places[:_SHOWN_PLACES]) + (", …" if len(places) > _SHOWN_PLACES else "")
        raise ParlureError(
            f"{len(strange)} recognised words are of recordings or channels without a segment: {shown}",
            "recordings and channels must have one name on both sides",
        )
    texts: dict[str, list[str]] = {key: [] for key in segments}
    place_in: dict[tuple[str, str], int] = dict.fromkeys(by_place, 0)
    for word in sorted(words, key=lambda word: word.start):
        place = _folded(word.place)
        there, number = by_place[place], place_in[place]
        while number < len(there) - 1 and word.middle >= segments[there[number]]["end"]:
            number += 1
        place_in[place] = number
        texts[there[number]].append(word.text)
    return {key: " ".join(parts) for key, parts in texts.items()}


def _in_order(segments: Mapping[str, Row]) -> dict[tuple[str, str], list[str]]:
    """Recording and channel → the ids of its segments by their beginning."""
    by_place: dict[tuple[str, str], list[str]] = {}
    for key in sorted(segments, key=lambda key: segments[key]["start"]):
        by_place.setdefault(_folded((segments[key]["session"], segments[key]["channel"])), []).append(key)
    return by_place


def _folded(place: tuple[str, str]) -> tuple[str, str]:
    """Recording and channel are the same in capitals: NIST's own files have channel ``a`` here and ``A`` there."""
    return place[0].casefold(), place[1].casefold()


def segment_cautions(segments: Mapping[str, Row], texts: Mapping[str, str]) -> list[str]:
    """What makes words with times hard to give to segments: overlapping speakers, recordings without a word."""
    by_place = _in_order(segments)
    overlapping = sum(
        segments[after]["start"] < segments[before]["end"]
        for keys in by_place.values()
        for before, after in pairwise(keys)
    )
    cautions = []
    if overlapping:
        cautions.append(
            f"{overlapping} of {len(segments)} segments begin before the one before them in their channel has ended: "
            "times cannot tell whose words were recognised there. For speech of several at once see cpWER (--meeting)."
        )
    silent = ["/".join(place) for place, keys in by_place.items() if not any(texts[key] for key in keys)]
    if silent:
        shown = ", ".join(silent[:_SHOWN_PLACES]) + (", …" if len(silent) > _SHOWN_PLACES else "")
        cautions.append(
            f"Nothing was recognised in {len(silent)} recordings' channels ({shown}): all is deleted there."
        )
    return cautions
