"""Spans and their texts → what is too long, too short, too fast or too slow to be true."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from parlure.corpus.check.findings import Ledger
from parlure.corpus.check.text import holds_word
from parlure.corpus.manifest import Utterance

_MIN_RATE_S = 1.0  # s, below which a rate is mostly rounding
_MIN_RATES = 50  # utterances of a language, below which nothing is usual
_MAD_TO_SD = 1.4826  # of a normal distribution


def check_timing(ledger: Ledger) -> None:
    """Durations, phrases and rates of speech."""
    rates: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for index, utterance in enumerate(ledger.utterances):
        length_s = round(utterance.duration_s, 6)  # 40.1 - 10.1 is a little more than 30
        _check_length(ledger, index, length_s)
        if utterance.segments and (over_s := _phrases_over_s(utterance)) > ledger.threshold("bad_phrases"):
            ledger.add("bad_phrases", index, f"by {over_s:.2f} s", over_s)
        if holds_word(utterance.text):
            rate = characters_per_s(utterance)
            _check_rate(ledger, index, rate)
            if length_s >= _MIN_RATE_S:
                rates[utterance.language].append((index, rate))
    if ledger.runs("odd_rate"):
        for of_language in rates.values():
            _check_odd(ledger, of_language)


def characters_per_s(utterance: Utterance) -> float:
    """Characters of the text, spaces included, over the span's length."""
    return len(utterance.text.strip()) / utterance.duration_s


def _check_length(ledger: Ledger, index: int, length_s: float) -> None:
    value = f"{length_s:.2f} s"
    if length_s > ledger.threshold("too_long"):
        ledger.add("too_long", index, value, length_s)
    if length_s < ledger.threshold("too_short"):
        ledger.add("too_short", index, value, -length_s)
    elif length_s < ledger.threshold("short"):
        ledger.add("short", index, value, -length_s)


def _phrases_over_s(utterance: Utterance) -> float:
    """By how much phrases overlap, or reach past the utterance's end."""
    reached_s = worst_s = 0.0
    for phrase in utterance.segments or ():
        worst_s = max(worst_s, reached_s - phrase.start, phrase.end - utterance.duration_s)
        reached_s = phrase.end
    return worst_s


def _check_rate(ledger: Ledger, index: int, rate: float) -> None:
    utterance = ledger.utterances[index]
    if rate > ledger.threshold("fast_characters"):
        ledger.add("fast_characters", index, f"{rate:.1f} characters/s", rate)
    if rate < ledger.threshold("slow_speech"):
        ledger.add("slow_speech", index, f"{rate:.2f} characters/s", -rate)
    words = len(utterance.text.split()) / utterance.duration_s
    if words > ledger.threshold("fast_words"):
        ledger.add("fast_words", index, f"{words:.1f} words/s", words)


def _check_odd(ledger: Ledger, rates: list[tuple[int, float]]) -> None:
    """Robust z scores: distance from the median in median absolute deviations, scaled to a standard deviation."""
    if len(rates) < _MIN_RATES:
        return
    values: npt.NDArray[np.float64] = np.array([rate for _, rate in rates])
    deviation = np.abs(values - np.median(values))
    spread = _MAD_TO_SD * float(np.median(deviation))
    if spread <= 0:
        return
    for place in np.flatnonzero(deviation > ledger.threshold("odd_rate") * spread):
        index, rate = rates[place]
        z = deviation[place] / spread
        ledger.add("odd_rate", index, f"{rate:.1f} characters/s, z {z:.1f}", float(z))
