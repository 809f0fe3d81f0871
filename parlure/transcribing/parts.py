"""A recording → what is transcribed of it: all, a channel, each channel by itself, or the channels as speakers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from parlure.errors import ParlureError
from parlure.speech.audio import AudioError, probe, read_channels
from parlure.speech.channels import channel_layout
from parlure.transcribing.dialogue import names_for

Channels = Literal["first", "split", "mix", "dialogue"]


class Part(NamedTuple):
    """What one hypothesis is of.

    Attributes:
        path: the recording.
        channels: each decoded by itself; None is the mean of all.
        is_alone: there is no other part of this recording.
        speakers: of a dialogue, one for each of the channels; else empty.
    """

    path: Path
    channels: tuple[int | None, ...] = (None,)
    is_alone: bool = True
    speakers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``call``, or ``call-c1`` for one of several channels."""
        return self.path.stem if self.is_alone else f"{self.path.stem}-c{self.channels[0]}"


def parts_of(
    path: Path,
    channels: Channels | None,
    speakers: Sequence[str] = (),
    on_single: Callable[[Path], None] | None = None,
) -> list[Part]:
    """What is transcribed of a recording.

    Args:
        path: the recording.
        channels: what to do where channels differ, see :func:`parlure.transcribing.transcribe.transcribe`.
        speakers: of a dialogue.
        on_single: called with a recording that has no two channels for a dialogue.

    Raises:
        ParlureError: channels differ and nothing is said of them, or speakers do not fit the channels.
    """
    try:
        layout = channel_layout(path)
    except AudioError:
        return [Part(path)]  # it breaks off: said when it is read
    n_channels = probe(path).n_channels
    if channels == "dialogue":
        if layout in ("different", "one_sided"):
            names = names_for(path, n_channels, speakers)
            heard = range(n_channels) if layout == "different" else [_loudest(path)]
            return [Part(path, tuple(heard), speakers=tuple(names[channel] for channel in heard))]
        if on_single is not None:
            on_single(path)
    if layout == "inverted":
        return [Part(path, (0,))]
    if layout != "different" or channels == "mix":
        return [Part(path)]
    if channels == "first":
        return [Part(path, (0,))]
    if channels == "split":
        return [Part(path, (channel,), is_alone=False) for channel in range(n_channels)]
    raise ParlureError(
        f"the {n_channels} channels of {path} carry different sound, as two parties of a call do",
        "--channels dialogue (who says what when), split (a text for each), first (the text of the first), "
        "or mix (one text of all)",
    )


def _loudest(path: Path) -> int:
    samples, _ = read_channels(path)
    return int(np.square(samples, dtype=np.float64).sum(axis=1).argmax())
