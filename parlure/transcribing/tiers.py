"""A hypothesis → tiers for Praat and ELAN: one for each speaker, and one of words below it where they have times.

The files are those that :mod:`parlure.corpus.exporters` writes of corpora, and ``prepare`` reads them again: what is
corrected in Praat or ELAN can be trained on. A tier holds no interval of no length: a word or phrase that lasts none is
joined to the one behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import tostring

from parlure.corpus.exporters.elan import elan
from parlure.corpus.exporters.textgrid import textgrid as textgrid_of
from parlure.corpus.exporters.textgrid import tier_name
from parlure.corpus.exporters.tiers import SpeakerTier, speaker_tiers
from parlure.corpus.manifest import Utterance
from parlure.transcribing.hypothesis import Hypothesis, Segment, Word

_STEP_S = 0.001  # s, the least that an interval lasts: ELAN counts whole milliseconds


class Recorded(NamedTuple):
    """What a transcript is of, and the file that it is to be."""

    recording: Path
    duration_s: float
    file: Path


def textgrid(hypothesis: Hypothesis, of: Recorded) -> str:
    """Praat's TextGrid.

    Raises:
        ParlureError: a speaker's name would not be read as one.
    """
    tiers = list(_tiers(hypothesis, of))
    end_s = max([of.duration_s, *(one.end for _, tier in tiers for one in tier.utterances[-1:])])
    return textgrid_of([(name, tier.utterances) for name, tier in tiers], end_s)


def eaf(hypothesis: Hypothesis, of: Recorded) -> str:
    """ELAN's annotation file.

    Raises:
        ParlureError: a text has a character that XML cannot hold.
    """
    names, tiers = [], []
    for name, tier in _tiers(hypothesis, of):
        number = count(2)
        wanted = name
        while name in names:  # ELAN wants all of them different
            name = f"{wanted} {next(number)}"
        names.append(name)
        tiers.append(tier)
    return tostring(elan(of.recording, of.file, tiers, names), encoding="unicode", xml_declaration=True) + "\n"


def _tiers(hypothesis: Hypothesis, of: Recorded) -> Iterator[tuple[str, SpeakerTier]]:
    """Tiers with their names: of each speaker the phrases, then the words."""
    said = hypothesis.segments or ()
    for speaker in dict.fromkeys(one.speaker for one in said) or [None]:
        own = [one for one in said if one.speaker == speaker]
        phrases = speaker_tiers(_utterances(own, hypothesis, of, speaker))
        # Praat opens no file without a tier
        yield from ((tier_name(speaker), tier) for tier in phrases or [SpeakerTier(speaker, [])])
        words = [word for one in own for word in one.words or ()]
        if words:  # as the Montreal Forced Aligner calls them; readers of phrases pass over them
            name = "words" if speaker is None else f"{speaker} - words"
            yield from ((name, tier) for tier in speaker_tiers(_utterances(words, hypothesis, of, speaker)))


def _utterances(
    parts: Iterable[Segment | Word], hypothesis: Hypothesis, of: Recorded, speaker: str | None
) -> list[Utterance]:
    return [
        Utterance(
            id=f"{hypothesis.id}-{number}", recording=str(of.recording), start=one.start, end=one.end, text=one.text,
            language=hypothesis.language, speaker=speaker,
        )
        for number, one in enumerate(_lasting(list(parts)))
    ]  # fmt: skip


def _lasting(parts: Sequence[Segment | Word]) -> Iterator[Segment | Word]:
    """The same texts in intervals that all last some time."""
    waiting: list[str] = []
    for place, one in enumerate(parts):
        text = " ".join([*waiting, one.text])
        if one.end - one.start >= _STEP_S:
            yield replace(one, text=text)
            waiting = []
        elif place + 1 == len(parts) or parts[place + 1].start >= one.start + _STEP_S:
            yield replace(one, end=one.start + _STEP_S, text=text)
            waiting = []
        else:
            waiting.append(one.text)
