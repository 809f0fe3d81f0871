"""Corpus → TextGrid files that Praat reads, one for each recording, with the recording beside it.

A tier is a speaker; ``transcript`` is one who is not known. A speaker who overlaps themself has two tiers of one name,
which Praat allows. The recording is linked, not copied (copied where the disk has no links).

A TextGrid holds texts, times and speakers. It cannot hold language, task, session, split, channel, phrases inside an
utterance, prompt, tags and id; a line break in a text becomes a space; and an utterance in which nobody speaks is a
pause like any other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from parlure.corpus.exporters.tiers import recordings_to_write
from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.readers.tiers import speaker_of
from parlure.errors import ParlureError
from parlure.speech.audio import probe

_UNKNOWN = "transcript"


def export_textgrid(corpus: Corpus, out: Path) -> None:
    """Write ``out/call.TextGrid`` and a link ``out/call.wav`` for each recording.

    Raises:
        ParlureError: ``out`` is not empty, a recording is missing, or a speaker's name would not be read as one.
    """
    for recording, path, tiers in recordings_to_write(corpus, out, ".TextGrid"):
        duration_s = max(probe(recording).duration_s, *(tier.utterances[-1].end for tier in tiers))
        content = textgrid([(tier_name(tier.speaker), tier.utterances) for tier in tiers], duration_s)
        path.write_text(content, encoding="utf-8", newline="\n")
        _place(recording, path.with_name(path.stem + recording.suffix))


def textgrid(tiers: Sequence[tuple[str, Sequence[Utterance]]], duration_s: float) -> str:
    """The content of a file.

    Args:
        tiers: names, and utterances in order, none overlapping another of its tier.
        duration_s: of the recording.
    """
    return "\n".join(_lines(tiers, duration_s)) + "\n"


def _lines(tiers: Sequence[tuple[str, Sequence[Utterance]]], duration_s: float) -> Iterator[str]:
    yield from ('File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {duration_s!r}")
    yield from ("tiers? <exists>", f"size = {len(tiers)}", "item []:")
    for number, (name, utterances) in enumerate(tiers, start=1):
        intervals = _intervals(utterances, duration_s)
        yield from (f"    item [{number}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}")
        yield from ("        xmin = 0", f"        xmax = {duration_s!r}", f"        intervals: size = {len(intervals)}")
        for index, (start, end, text) in enumerate(intervals, start=1):
            yield from (f"        intervals [{index}]:", f"            xmin = {start!r}", f"            xmax = {end!r}")
            yield f"            text = {_quoted(text)}"


def _intervals(utterances: Sequence[Utterance], duration_s: float) -> list[tuple[float, float, str]]:
    """The whole recording in intervals, pauses between utterances with an empty text."""
    intervals = []
    reached_s = 0.0
    for utterance in utterances:
        if utterance.start > reached_s:
            intervals.append((reached_s, utterance.start, ""))
        intervals.append((utterance.start, utterance.end, utterance.text))
        reached_s = utterance.end
    if reached_s < duration_s:
        intervals.append((reached_s, duration_s, ""))
    return intervals


def tier_name(speaker: str | None) -> str:
    """What the tier of a speaker is called.

    Raises:
        ParlureError: the name would not be read as that speaker's.
    """
    if speaker is None:
        return _UNKNOWN
    if speaker_of(speaker) != speaker:
        raise ParlureError(
            f"a tier called {speaker} is not read as a speaker of this name", "export to ELAN, or rename them"
        )
    return speaker


def _quoted(text: str) -> str:
    return '"' + " ".join(text.splitlines()).replace('"', '""') + '"'


def _place(recording: Path, link: Path) -> None:
    try:
        link.symlink_to(recording.resolve())
    except OSError:
        shutil.copyfile(recording, link)
