"""Sound as it comes in → phrases that end with a pause, and what of a phrase's text is settled already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parlure.speech.audio import SAMPLE_RATE, Samples

PAUSE_S = 0.8  # of silence, after which a phrase is over
LONGEST_S = 28.0  # of a phrase: it has to fit into Whisper's window
_CUT_WITHIN_S = 5.0  # of the longest phrase's end: where the quietest place for a cut is looked for
_BEFORE_S = 0.3  # that stay before the first loud frame
_FRAME = 320  # samples, 20 ms
_SILENT_DB = -55.0  # dB under full scale: what is quieter is no speech
_QUIET_DB = 25.0  # dB under the loudest frame of the phrase: a pause in it


@dataclass(frozen=True)
class Piece:
    """A phrase's sound: ``start`` and ``end`` in seconds from the first sample of the session."""

    samples: Samples
    start: float
    end: float


class Phrase:
    """The phrase that is being spoken: at most 28 s are kept, of silence 0.3 s."""

    def __init__(self) -> None:
        self._sound: Samples = np.zeros(0, np.float32)
        self._n_before = 0  # samples of the session before it

    @property
    def reached_s(self) -> float:
        """Seconds from the session's first sample to the end of what has come in."""
        return (self._n_before + len(self._sound)) / SAMPLE_RATE

    def add(self, samples: Samples) -> None:
        """Take in what follows: half a second at most, so that a phrase's end is not missed."""
        self._sound = np.concatenate([self._sound, samples])
        if not self.is_spoken():
            self._drop(len(self._sound) - round(_BEFORE_S * SAMPLE_RATE))

    def is_spoken(self) -> bool:
        """Whether anything loud is in it."""
        return bool(len(self._loud()))

    def is_over(self) -> bool:
        """Whether a pause ends it, or it is as long as it may be."""
        loud = self._loud()
        if not len(loud):
            return False
        pause_s = len(self._sound) / SAMPLE_RATE - (loud[-1] + 1) * _FRAME / SAMPLE_RATE
        return pause_s >= PAUSE_S or len(self._sound) >= LONGEST_S * SAMPLE_RATE

    def so_far(self) -> Piece:
        """All of it; its ends are the first and the last loud frame."""
        return self._piece(self._sound)

    def take(self) -> Piece:
        """The phrase that is over; what follows it stays. One that no pause ends is cut where it is quietest."""
        n_taken = len(self._sound)
        if n_taken >= LONGEST_S * SAMPLE_RATE:
            levels = _levels_db(self._sound[-round(_CUT_WITHIN_S * SAMPLE_RATE) :])
            smooth = np.convolve(levels, np.ones(5) / 5, "same")  # 0.1 s
            n_taken -= round(_CUT_WITHIN_S * SAMPLE_RATE) - int(smooth.argmin()) * _FRAME
        piece = self._piece(self._sound[:n_taken])
        self._drop(n_taken)
        return piece

    def _piece(self, samples: Samples) -> Piece:
        loud = _loud(samples)
        first, last = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(samples) // _FRAME)
        start, end = (round((self._n_before + frame * _FRAME) / SAMPLE_RATE, 2) for frame in (first, last))
        return Piece(samples, start, end)

    def _drop(self, n_samples: int) -> None:
        n_dropped = max(0, n_samples)
        self._sound, self._n_before = self._sound[n_dropped:].copy(), self._n_before + n_dropped

    def _loud(self) -> npt.NDArray[np.int64]:
        return _loud(self._sound)


def _loud(samples: Samples) -> npt.NDArray[np.int64]:
    """The frames that may be speech."""
    levels = _levels_db(samples)
    threshold = max(_SILENT_DB, float(levels.max()) - _QUIET_DB) if len(levels) else 0.0
    return np.flatnonzero(levels > threshold)


def _levels_db(samples: Samples) -> npt.NDArray[np.float64]:
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    return np.asarray(10.0 * np.log10(np.square(frames).mean(axis=1) + 1e-12))


class Agreement:
    """What two passes in a row agree on, and what may still change.

    LocalAgreement-2 of Liu, Spanakis and Niehues 2020 ("Low-latency sequence-to-sequence speech recognition and
    translation by partial hypothesis selection"), which whisper_streaming uses (Macháček, Dabre and Bojar 2023): the
    words that two hypotheses in a row begin with are settled. They stay for the phrase; its final text is a pass of its
    own over all of it, and may differ.
    """

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._before: list[str] = []

    def update(self, text: str) -> tuple[str, str]:
        """The settled words and the others, after one more pass."""
        words = text.split()
        n_agreed = 0
        for one, other in zip(words, self._before, strict=False):
            if one != other:
                break
            n_agreed += 1
        if n_agreed > len(self._stable):
            self._stable += words[len(self._stable) : n_agreed]
        self._before = words
        return " ".join(self._stable), " ".join(words[len(self._stable) :])
