"""A span of a recording → what can be heard of it: the recording's length, which channel speaks, a hash of the sound.

This is all that examining a row reads of its recording. It depends on the recording and on the few numbers of a
:class:`Request`, not on the text, so that other processes can do it, and what was found can be kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from parlure.speech.audio import END_TOLERANCE_S, AudioError, Samples, pick_channel
from parlure.speech.channels import Layout, channel_layout
from parlure.speech.recordings import N_KNOWN, Recordings

MAX_UTTERANCE_S = 30.0  # s, Whisper's window: what lies beyond it would be text without sound
LOUDER_DB = 6.0  # dB by which one channel has to be louder in a span to be the one that speaks
_BLOCK = 1 << 16  # samples hashed at a time: their factors, 0.5 MB, stay in the cache


class Request(NamedTuple):
    """What is wanted to be heard.

    Attributes:
        recording: its path, as the disk spells it.
        start, end: seconds; None is that of the recording.
        choice: the channel; or, for channels that differ, ``first``, ``mix``, ``split`` or ``ask``.
        may_be_long: whether more than 30 s are of use, since there are phrases to cut between.
    """

    recording: str
    start: float | None
    end: float | None
    choice: int | str
    may_be_long: bool


class Heard(NamedTuple):
    """What was found.

    Attributes:
        recording_s: how long the recording is; None if it cannot be opened.
        n_channels: of the recording, 0 if the span was not read.
        layout: how the channels of the recording relate; None is not known.
        channel: the one to take; None is the mean of all.
        sound: a hash of the samples, 64 bits; None where all are 0.
        refusal: a reason code and a sentence, if the span cannot be used.
    """

    recording_s: float | None
    n_channels: int = 0
    layout: Layout | None = None
    channel: int | None = None
    sound: int | None = None
    refusal: tuple[str, str] | None = None


class RefusalError(Exception):
    """Ends the examination of one row: a reason code and a sentence."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def span_within(request: Request, recording_s: float) -> tuple[float, float]:
    """Start and end in seconds, checked against the recording's length.

    Raises:
        RefusalError: the recording is empty, or does not hold the span.
    """
    if recording_s <= 0:
        raise RefusalError("empty_audio", f"{request.recording} holds no sound")
    start = request.start or 0.0
    end = recording_s if request.end is None else request.end
    if not start < end <= recording_s + END_TOLERANCE_S:
        at = f"from {start:g} to {end:g} s"
        in_ms = start >= 0 and 1000 <= end <= 1000 * (recording_s + END_TOLERANCE_S)
        said = " (if these are milliseconds: times are in seconds)" if in_ms else ""
        raise RefusalError("bad_span", f"{request.recording} lasts {recording_s:.3f} s and the row says {at}{said}")
    return round(start, 6), round(min(end, recording_s), 6)


class Hearer:
    """Hears spans one after the other; remembers what it learnt of their recordings.

    In another process there is one for all work that this one is sent with, which has its own memory.
    """

    _numbers = count()

    def __init__(self) -> None:
        self._number = next(self._numbers)
        self._recordings = Recordings()
        self._layouts: OrderedDict[str, Layout | None] = OrderedDict()

    def __reduce__(self) -> tuple[Callable[[int], Hearer], tuple[int]]:
        return _hearer_here, (self._number,)

    def forget(self, recording: str) -> None:
        """Let go of a recording that will not come again."""
        self._recordings.forget(recording)
        self._layouts.pop(recording, None)

    def hear(self, request: Request) -> Heard:
        """What is to be said of a span; nothing of its sound if its times alone speak against it."""
        heard = Heard(None)
        try:
            heard = Heard(self._recordings.info(request.recording).duration_s)
            start, end = span_within(request, heard.recording_s or 0.0)
            if round(end - start, 6) > MAX_UTTERANCE_S and not request.may_be_long:
                return heard
            frames, _ = self._recordings.read(request.recording, start, end)
            layout = self._layout(request) if len(frames) > 1 else "one"
            heard = heard._replace(n_channels=len(frames), layout=layout)
            if request.choice == "ask" and layout == "different":
                return heard
            channel = _channel(request.choice, frames, layout)
            samples = pick_channel(frames, channel, request.recording)
            return heard._replace(channel=channel, sound=sound_hash(samples))
        except AudioError as error:
            return heard._replace(refusal=(error.reason, error.message))
        except RefusalError as refusal:
            return heard._replace(refusal=(refusal.reason, refusal.sentence))

    def _layout(self, request: Request) -> Layout | None:
        """How the channels of a recording relate; not known if it breaks off where the request does not look."""
        path, is_named = request.recording, isinstance(request.choice, int)
        known = self._layouts.get(path)
        if known is None and not (is_named and path in self._layouts):
            try:
                known = channel_layout(path)
            except AudioError:
                if not is_named:
                    raise
            self._layouts[path] = known
            if len(self._layouts) > N_KNOWN:
                self._layouts.popitem(last=False)
        return known


def _channel(choice: int | str, frames: Samples, layout: Layout | None) -> int | None:
    """The channel that was named, or what the choice makes of a recording whose channels differ.

    Args:
        choice: as in :class:`Request`.
        frames: the span, shape ``(n_channels, n_samples)``.
        layout: of the recording.
    """
    if isinstance(choice, int):
        return choice
    if layout == "inverted":
        return 0  # whatever was asked for: the mean would cancel the speech, and neither is louder
    if layout != "different" or choice == "mix":
        return None
    return 0 if choice == "first" else _speaking_channel(frames)


def _speaking_channel(frames: Samples) -> int:
    power = np.nan_to_num(np.square(frames, dtype=np.float64).mean(axis=1), nan=0.0, posinf=0.0)
    first, second = np.argsort(power)[::-1][:2]
    if power[first] <= power[second] * 10 ** (LOUDER_DB / 10):
        sentence = "no channel is clearly the one that speaks in this span: say which in a column channel"
        raise RefusalError("ambiguous_channel", sentence)
    return int(first)


_factors: npt.NDArray[np.uint64] | None = None


def sound_hash(samples: Samples) -> int | None:
    """64 bits, the same for the same samples whatever file they lie in; None where all are 0.

    The bits of each sample times a random factor of its place, added up. Two sounds have the same hash with a chance of
    2^-(64 - k), where their samples' bits differ by multiples of 2^k: 2^-56 for samples of 16 bits, 2^-33 for a sound
    and its negative. It is no defence against somebody who looks for such two, and takes a fourth of BLAKE2's time.

    Args:
        samples: shape ``(n_samples,)``.
    """
    if not samples.any():
        return None
    global _factors
    if _factors is None:
        _factors = np.random.PCG64(20_000).random_raw(_BLOCK)  # the same on every machine
    bits, total = np.ascontiguousarray(samples).view(np.uint32), len(samples)
    for first in range(0, len(bits), _BLOCK):
        block = bits[first : first + _BLOCK].astype(np.uint64)
        total = (total * 0x9E3779B97F4A7C15 + int(block @ _factors[: len(block)])) % (1 << 64)
    return total


def hear_all(hearer: Hearer, requests: Sequence[Request]) -> list[Heard]:
    """As :meth:`Hearer.hear`, one after the other: work for another process."""
    return [hearer.hear(request) for request in requests]


@lru_cache(maxsize=1)
def _hearer_here(number: int) -> Hearer:
    return Hearer()
