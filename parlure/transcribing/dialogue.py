"""The hypotheses of a call's channels → one, whose phrases are in the order in which they were said, with speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parlure.errors import ParlureError
from parlure.transcribing.hypothesis import Hypothesis, Segment


def names_for(path: object, n_channels: int, speakers: Sequence[str]) -> tuple[str, ...]:
    """A name for each channel: those given, or ``speaker 1`` and so on.

    Raises:
        ParlureError: there are more or fewer names than channels, or two are the same.
    """
    if not speakers:
        return tuple(f"speaker {number + 1}" for number in range(n_channels))
    if len(speakers) != n_channels:
        raise ParlureError(
            f"{path} has {n_channels} channels, and --speakers names {len(speakers)}",
            "a name for each channel in their order: --speakers agent,caller",
        )
    if len(set(speakers)) < len(speakers) or not all(speakers):
        raise ParlureError("--speakers names two alike, or one not at all", "for example --speakers agent,caller")
    return tuple(speakers)


def interleaved(name: str, parts: Sequence[tuple[str, Hypothesis]]) -> Hypothesis:
    """One hypothesis of several channels with phrase times, one speaker each.

    Its language is theirs; ``fr,en`` where channels were taken for different ones. Phrases of different speakers may
    overlap, as people do.
    """
    said: list[Segment] = []
    for speaker, part in parts:
        said += [replace(one, speaker=speaker) for one in part.segments or ()]
    said.sort(key=lambda one: (one.start, one.end))
    languages = dict.fromkeys(part.language for _, part in parts if part.text) or {parts[0][1].language: None}
    return Hypothesis(
        id=name,
        text=" ".join(one.text for one in said),
        language=",".join(languages),
        segments=tuple(said),
        no_speech_prob=None,
        avg_logprob=None,
        tokens=tuple(token for _, part in parts for token in part.tokens),
        truncated=any(part.truncated for _, part in parts),
    )
