"""Untranscribed recordings → a manifest of spans in which somebody speaks: what ``parlure segment`` does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from parlure.errors import ParlureError
from parlure.speech.audio import probe
from parlure.speech.channels import channel_layout
from parlure.speech.voice import SpanPolicy, speech_spans

Channels = Literal["split", "mix", "first"]
Progress = Callable[[int, int], None]
DRAFT_TAG = "draft"  # the text is a model's, and nobody has read it


@dataclass(frozen=True)
class SpokenSpan:
    """Where somebody speaks; seconds from the recording's start."""

    recording: Path
    start: float
    end: float
    channel: int | None


@dataclass(frozen=True)
class SegmentSummary:
    """What was found.

    Attributes:
        spans: of all recordings, one recording and channel after the other, in order of start.
        speech_s: length of all spans, padding included.
        silence_s: what is in no span, channel by channel.
        n_cut: spans that begin where the one before ends: nobody paused for as long as a span may be.
    """

    spans: tuple[SpokenSpan, ...]
    speech_s: float
    silence_s: float
    n_cut: int

    def lines(self) -> list[str]:
        """What a person reads when it is done."""
        found = (
            f"{len(self.spans)} spans: {self.speech_s / 3600:.3f} h of speech, {self.silence_s / 3600:.3f} h without"
        )
        cut = f"{self.n_cut} spans begin in the middle of speech: there was no pause before they were full"
        return [found, cut] if self.n_cut else [found]


def segment(
    audio: Sequence[Path],
    out: Path,
    *,
    channels: Channels | None = None,
    policy: SpanPolicy | None = None,
    language: str | None = None,
    hear: Callable[[Sequence[SpokenSpan]], Sequence[str]] | None = None,
    progress: Progress | None = None,
) -> SegmentSummary:
    """Write a JSONL manifest with a line for each span, its text null or what ``hear`` makes of it.

    Args:
        audio: recordings of any length.
        out: the manifest, new; recordings are named relative to it where they lie under its folder.
        channels: ``split`` takes every channel by itself, ``first`` the first alone, ``mix`` the mean of all; None is
            ``split`` for a recording whose channels differ, ``first`` where one is the other inverted, else ``mix``.
        policy: how speech becomes spans.
        language: for the lines, if it is known.
        hear: gives the spans' texts: drafts, which the lines are tagged as.
        progress: called with (channels done, channels).

    Raises:
        ParlureError: a recording cannot be read, ``out`` cannot be written, or nobody speaks.
    """
    refuse_existing(out)
    found = spoken_spans(audio, channels=channels, policy=policy, progress=progress)
    _write(out, found.spans, language, hear(found.spans) if hear else None)
    return found


def spoken_spans(
    audio: Sequence[Path],
    *,
    channels: Channels | None = None,
    policy: SpanPolicy | None = None,
    progress: Progress | None = None,
) -> SegmentSummary:
    """Where somebody speaks; arguments as in :func:`segment`.

    Raises:
        ParlureError: a recording cannot be read, or nobody speaks.
    """
    policy = policy or SpanPolicy()
    jobs = [(path, channel) for path in audio for channel in _channels(path, channels)]
    spans: list[SpokenSpan] = []
    total_s, n_cut = 0.0, 0
    for done, (path, channel) in enumerate(jobs, start=1):
        found = speech_spans(path, channel, policy)
        n_cut += sum(one.end == other.start for one, other in pairwise(found))
        total_s += probe(path).duration_s
        spans += (SpokenSpan(path, one.start, one.end, channel) for one in found)
        if progress:
            progress(done, len(jobs))
    if not spans:
        raise ParlureError("nobody speaks in these recordings", "listen to one: is it silent, or music?")
    speech_s = sum(one.end - one.start for one in spans)
    return SegmentSummary(tuple(spans), speech_s, total_s - speech_s, n_cut)


def refuse_existing(out: Path) -> None:
    """See that a manifest can be made.

    Raises:
        ParlureError: its name does not say that it is one, or it is there.
    """
    if out.suffix != ".jsonl":
        raise ParlureError(f"{out} does not end in .jsonl", "name the manifest to make: --out spans.jsonl")
    if out.exists():
        raise ParlureError(f"{out} is there already", "name another --out, or delete it")


def _channels(path: Path, channels: Channels | None) -> list[int | None]:
    n_channels = probe(path).n_channels
    if n_channels == 1 or channels == "mix":
        return [None]
    if channels is None:
        layout = channel_layout(path)
        if layout != "different":
            return [0] if layout == "inverted" else [None]  # the mean of inverted channels is silence
    return [0] if channels == "first" else list(range(n_channels))


def _write(out: Path, spans: Sequence[SpokenSpan], language: str | None, texts: Sequence[str] | None) -> None:
    lines = []
    for place, span in enumerate(spans):
        row: dict[str, Any] = {
            "audio": audio_name(span.recording, out.parent), "start": span.start, "end": span.end,
            "channel": span.channel, "text": None if texts is None else texts[place],
        }  # fmt: skip
        row |= {} if language is None else {"language": language}
        row |= {} if texts is None else {"tags": [DRAFT_TAG]}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(lines), encoding="utf-8")


def audio_name(recording: Path, folder: Path) -> str:
    """How a manifest in ``folder`` names a recording: relative if it lies under it, else absolute."""
    path, home = recording.resolve(), folder.resolve()
    return Path(os.path.relpath(path, home)).as_posix() if path.is_relative_to(home) else path.as_posix()
