"""A corpus → for each recording the tiers of one speaker each, in which no two utterances overlap.

What Praat's and ELAN's files share: both hold phrases in tiers, and a tier holds one at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from parlure.corpus.manifest import Corpus, Utterance
from parlure.corpus.naming import recording_names
from parlure.errors import ParlureError
from parlure.exclusive import is_empty


class SpeakerTier(NamedTuple):
    """Utterances of one speaker (None is not known), one after the other."""

    speaker: str | None
    utterances: list[Utterance]


def recordings_to_write(corpus: Corpus, out: Path, suffix: str) -> Iterator[tuple[Path, Path, list[SpeakerTier]]]:
    """Each recording with the file that is to hold its utterances (``call.eaf``), and its tiers.

    Raises:
        ParlureError: the folder is not empty.
    """
    if out.exists() and not (out.is_dir() and is_empty(out)):
        raise ParlureError(f"{out} is there already and not an empty folder", "name a new one")
    out.mkdir(parents=True, exist_ok=True)
    by_recording: dict[Path, list[Utterance]] = defaultdict(list)
    for utterance in corpus.utterances:
        by_recording[Path(utterance.recording)].append(utterance)
    names = recording_names(by_recording, corpus.folder)
    for recording, utterances in by_recording.items():
        yield recording, out / f"{names[recording]}{suffix}", speaker_tiers(utterances)


def speaker_tiers(utterances: Sequence[Utterance]) -> list[SpeakerTier]:
    """Tiers in the order of their first utterance; what overlaps another of the same speaker goes to a further tier."""
    tiers: list[SpeakerTier] = []
    for utterance in sorted(utterances, key=lambda one: (one.start, one.end)):
        for tier in tiers:
            if tier.speaker == utterance.speaker and tier.utterances[-1].end <= utterance.start:
                tier.utterances.append(utterance)
                break
        else:
            tiers.append(SpeakerTier(utterance.speaker, [utterance]))
    return tiers
