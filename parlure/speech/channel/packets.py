"""Lost packets: which ones (Gilbert's model), and what is heard in their place.

Two states, Gilbert 1960 ("Capacity of a burst-noise channel"): a packet arrives or is lost, and each state has a
probability of being left. Set by the share of lost packets r and the mean number b that are lost in a row, these are
1 / b for leaving the lost state, and r / ((1 - r) b) for leaving the other.

Losses are made in the decoded signal. For G.711, whose samples stand for themselves, that is exactly what a lost
packet does. A decoder with a memory (GSM, AMR, Opus) would take some packets more to recover, and would conceal by
means of its own parameters: what is heard here after such a codec is an approximation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from parlure.speech.audio import Samples
from parlure.speech.channel.line import Line, fitted

MAX_RATE: Final = 0.5  # share of lost packets up to which every burst length is possible
PACKET_S: Final = 0.02  # s of sound in a packet, the usual on the internet (RFC 3551 §4.2)

# Concealment after the idea of ITU-T G.711 Appendix I: repeat the last pitch period, and fade.
_PITCH_S = (0.005, 0.015)  # s, periods looked for: 66 to 200 Hz
_COMPARED_S = 0.02  # s of sound that is compared with what was a period ago
_HELD_S, _GONE_S = 0.01, 0.06  # s: until the first the repetition is at full level, from the second on it is silent
_JOINED_S = 0.004  # s in which the repetition gives way to what arrives again


def loss(line: Line, rng: np.random.Generator, *, rate: float, burst: float, conceal: str) -> Line:
    """Packets of 20 ms are lost: silence in their place, or the last pitch period, repeated and fading."""
    size = round(PACKET_S * line.rate)
    lost = lost_packets(-(-len(line.samples) // size), rate, burst, rng)
    gaps = [(first * size, min(end * size, len(line.samples))) for first, end in _runs(lost)]
    heard = line.samples.copy()
    for start, end in gaps:
        heard[start:end] = 0.0
        if conceal == "repeat":
            _conceal(heard, start, end, line.rate)
    return line.of(heard)


def lost_packets(n_packets: int, rate: float, burst: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which packets are lost, shape ``(n_packets,)``.

    Args:
        n_packets: in all.
        rate: share of packets lost in the long run, up to :data:`MAX_RATE`.
        burst: mean number lost in a row, 1 or more; 1: a lost packet is never followed by another.
        rng: one number is drawn for each packet.
    """
    leave_lost, leave_arriving = 1.0 / burst, rate / ((1.0 - rate) * burst)
    drawn = rng.random(n_packets)
    lost = drawn < rate  # holds for the first, as in the middle of a long call
    for place in range(1, n_packets):
        lost[place] = drawn[place] >= leave_lost if lost[place - 1] else drawn[place] < leave_arriving
    return lost


def _runs(lost: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and behind the last packet of each run of lost ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _conceal(heard: Samples, start: int, end: int, rate: int) -> None:
    """Fill a gap in place, and blend into what follows it."""
    period = _period(heard[:start], rate)
    if period == 0:
        return
    joined = min(round(_JOINED_S * rate), len(heard) - end)
    n_samples = end - start + joined
    filling = fitted(np.tile(_cycle(heard, start, period), -(-n_samples // period)), n_samples)
    fade = np.clip((_GONE_S - np.arange(n_samples) / rate) / (_GONE_S - _HELD_S), 0.0, 1.0)  # 20 % every 10 ms
    filling = filling * fade.astype(np.float32)
    heard[start:end] = filling[: end - start]
    arriving = np.linspace(0.0, 1.0, joined, endpoint=False, dtype=np.float32)
    heard[end : end + joined] = arriving * heard[end : end + joined] + (1 - arriving) * filling[end - start :]


def _cycle(heard: Samples, start: int, period: int) -> Samples:
    """The last pitch period before a gap, its last quarter blended so that it can be repeated without a step."""
    cycle = heard[start - period : start].copy()
    n_blended = period // 4
    blend = np.linspace(0.0, 1.0, n_blended, dtype=np.float32)
    before = heard[start - period - n_blended : start - period]
    cycle[period - n_blended :] = (1 - blend) * cycle[period - n_blended :] + blend * before
    return cycle


def _period(past: Samples, rate: int) -> int:
    """The pitch period at the end of what was heard, in samples: the distance at which it resembles itself most.

    0 where too little was heard to tell, or nothing but silence.
    """
    shortest, longest = (round(limit * rate) for limit in _PITCH_S)
    n_compared = round(_COMPARED_S * rate)
    if len(past) < n_compared + longest:
        return 0
    recent = past[-n_compared:].astype(np.float64)
    before = np.lib.stride_tricks.sliding_window_view(past[-n_compared - longest : -shortest], n_compared)
    energy = np.sqrt(np.sum(np.square(before, dtype=np.float64), axis=1))
    if not energy.any():
        return 0
    alike = before.astype(np.float64) @ recent / np.maximum(energy, 1e-9)
    return longest - int(np.argmax(alike))
