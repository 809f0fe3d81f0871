"""Who said what, and when, is unknown to a recogniser of meetings → cpWER, the error rate of its best reading.

Concatenated minimum-permutation word error rate: what each speaker of a recording says is joined in the order of
time, the same is done with each speaker that was recognised, and those are matched with these in the way that leaves
the fewest errors; what has no match is all deleted, or all inserted. From Watanabe et al., "CHiME-6 Challenge",
CHiME 2020; computed by MeetEval (von Neumann et al., CHiME 2023), an extra: ``pip install "parlure[meeting]"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parlure.errors import ParlureError, missing_extra
from parlure.scoring.formats import BOTH_SIDES, CTM, FORMATS, check_format, guess_format
from parlure.scoring.formats.table import Row
from parlure.scoring.normalize import get_profile, profiles_for
from parlure.scoring.rates import Counts
from parlure.scoring.utterances import counts_to_json

Recording = Mapping[str, str]
"""Speaker → all that the speaker says in a recording."""


@dataclass(frozen=True, slots=True)
class MeetingCounts:
    """The errors of recordings, and the speakers that were matched; they add.

    Attributes:
        words: word errors after the best matching.
        n_speakers: speakers of the references, once for each recording.
        n_missed: those of them without a match.
        n_extra: recognised speakers without a match.
    """

    words: Counts
    n_speakers: int
    n_missed: int
    n_extra: int

    def __add__(self, other: MeetingCounts) -> MeetingCounts:
        return MeetingCounts(
            self.words + other.words,
            self.n_speakers + other.n_speakers,
            self.n_missed + other.n_missed,
            self.n_extra + other.n_extra,
        )


def count_meeting(reference: Recording, hypothesis: Recording) -> MeetingCounts:
    """The errors of one recording; normalise every text first.

    Raises:
        ParlureError: MeetEval is not installed.
    """
    try:
        from meeteval.wer import cp_word_error_rate
    except ImportError as error:
        raise missing_extra("meeteval", "meeting", "cpWER") from error
    # unsorted: the texts are joined in the order of time already
    found = cp_word_error_rate(dict(reference), dict(hypothesis), reference_sort=False, hypothesis_sort=False)
    words = Counts(found.substitutions, found.deletions, found.insertions, found.length)
    return MeetingCounts(words, len(reference), found.missed_speaker, found.falarm_speaker)


def read_recordings(path: Path, format_name: str | None = None) -> dict[str, Recording]:
    """The recordings of a file that names recording (or session) and speaker with every text.

    Raises:
        ParlureError: the file cannot be read, or a text has no recording or speaker, or is marked to be ignored.
    """
    if format_name is not None:
        check_format(format_name)
    kind = format_name or guess_format(path)
    rows = {} if kind in (CTM, *BOTH_SIDES) else FORMATS[kind](path)
    if not rows:
        raise ParlureError(f"{path} names no speakers of recordings", "give an stm on both sides")
    by_speaker: dict[str, dict[str, list[Row]]] = {}
    for key, row in rows.items():
        if not row.get("session") or not row.get("speaker"):
            raise ParlureError(
                f"{path}: the utterance {key} names no recording or no speaker",
                "give an stm on both sides, or JSON lines with session, speaker, start and text",
            )
        if row.get("ignored"):
            raise ParlureError(
                f"{path}: the segment {key} is marked to be ignored", "cpWER cannot leave out a stretch: remove it"
            )
        by_speaker.setdefault(row["session"], {}).setdefault(row["speaker"], []).append(row)
    return {
        recording: {
            speaker: " ".join(row["text"] for row in sorted(said, key=lambda row: row.get("start") or 0.0))
            for speaker, said in speakers.items()
        }
        for recording, speakers in by_speaker.items()
    }


def score_meeting(
    ref: Path,
    hyp: Path | None,
    *,
    against: Path | None = None,
    profiles: Sequence[str] = (),
    language: str | None = None,
    format_name: str | None = None,
) -> dict[str, Any]:
    """``{PROFILE: {SYSTEM: {"cpwer": counts and rate, "speakers": {"n", "missed", "extra"}}}}``.

    Args:
        ref: references with recordings and speakers.
        hyp: hypotheses of ``tuned``; their speakers may have any names.
        against: hypotheses of ``base``, if any.
        profiles: by default ``raw``, ``basic`` and the language's own.
        language: which one; decides on the profiles alone.
        format_name: what the files are, where that should not be guessed.

    Raises:
        ParlureError: see :func:`read_recordings` and :func:`count_meeting`; or the recordings differ; or there are no
            hypotheses.
    """
    if hyp is None:
        raise ParlureError("cpWER needs a file of hypotheses", f"name it after {ref}")
    references = read_recordings(ref, format_name)
    systems = {}
    for system, path in (("base", against), ("tuned", hyp)):
        if path is not None:
            systems[system] = read_recordings(path, format_name)
            _check_same_recordings(ref, path, references, systems[system])
    chosen = list(dict.fromkeys(profiles)) or list(profiles_for([language]))
    return {
        profile: {system: _of_profile(profile, references, texts) for system, texts in systems.items()}
        for profile in chosen
    }


def _of_profile(profile: str, references: Mapping[str, Recording], texts: Mapping[str, Recording]) -> dict[str, Any]:
    normalize = get_profile(profile).normalize
    total = MeetingCounts(Counts.zero(), 0, 0, 0)
    for recording, said in references.items():
        sides = [{speaker: normalize(text) for speaker, text in side.items()} for side in (said, texts[recording])]
        total += count_meeting(*sides)
    return {
        "cpwer": counts_to_json(total.words) | {"rate": total.words.rate},
        "speakers": {"n": total.n_speakers, "missed": total.n_missed, "extra": total.n_extra},
    }


def _check_same_recordings(ref: Path, hyp: Path, references: Mapping[str, Any], texts: Mapping[str, Any]) -> None:
    if strange := sorted(set(references) ^ set(texts)):
        raise ParlureError(
            f"the recording {strange[0]} is in one of {ref} and {hyp} alone ({len(strange)} such recordings)",
            "both sides must have the same recordings",
        )
