"""Scored utterances → error rates of parts of them: by speaker, call, channel, length, level, noise, pace, tag…

An average hides whom a system fails. Every part comes with its counts, so that parts add up to the whole (but tags,
of which an utterance may have several), and with an interval where it holds enough independent speakers to have one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

from parlure.scoring.rates import Counts
from parlure.scoring.significance import block_numbers, rate_interval
from parlure.scoring.utterances import ScoredUtterance, counts_to_json

NO_SPEAKER = "(no speaker)"
UNKNOWN = "(unknown)"  # where the utterance does not say
NO_WORDS = "(no words)"
MIN_BLOCKS_OF_A_SLICE = 6  # independent speakers or sessions below which no interval is finite
WORST_SHARE = 10  # the worst decile: one value in ten, rounded up

DURATION_EDGES_S = (1.0, 2.0, 5.0, 10.0, 30.0)  # a value on an edge belongs to the bin above it
LEVEL_EDGES_DB = (-50.0, -40.0, -30.0, -20.0)  # of full scale
SNR_EDGES_DB = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0)
PACE_EDGES = (1.0, 2.0, 3.0, 4.0, 5.0)  # reference words a second


@dataclass(frozen=True)
class Dimension:
    """One way of cutting a test set.

    Attributes:
        name: its key in the report.
        values: utterance → the slices it belongs to; a value in round brackets says that there is none.
        order: of the slices where it is not the alphabet's.
        always: kept even where no utterance has a value.
    """

    name: str
    values: Callable[[ScoredUtterance], Iterable[str]]
    order: tuple[str, ...] = ()
    always: bool = False


def bin_of(value: float | None, edges: tuple[float, ...]) -> str:
    """The bin of a value, lower edge included: ``<1``, ``1-2``, ``>=30``; ``-50..-40`` where an edge is negative."""
    if value is None:
        return UNKNOWN
    above = sum(value >= edge for edge in edges)
    return _bins(edges)[above]


@cache
def _bins(edges: tuple[float, ...]) -> tuple[str, ...]:
    joint = ".." if edges[0] < 0 else "-"
    inner = [f"{low:g}{joint}{high:g}" for low, high in pairwise(edges)]
    return (f"<{edges[0]:g}", *inner, f">={edges[-1]:g}")


def duration_bin(duration_s: float | None) -> str:
    """The slice of a duration: ``<1``, ``1-2``, ``2-5``, ``5-10``, ``10-30``, ``>=30`` seconds, or ``(unknown)``."""
    return bin_of(duration_s, DURATION_EDGES_S)


def pace_bin(n_words: int, duration_s: float | None) -> str:
    """The slice of a speech rate in reference words a second; ``(no words)`` where nothing was said."""
    if not n_words:
        return NO_WORDS
    return bin_of(n_words / duration_s if duration_s else None, PACE_EDGES)


def _number(utterance: ScoredUtterance, key: str) -> float | None:
    value = utterance.extra.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)


def _channel(utterance: ScoredUtterance) -> str:
    channel = utterance.extra.get("channel")
    return UNKNOWN if channel is None else str(channel)


def _binned(name: str, value: Callable[[ScoredUtterance], str], edges: tuple[float, ...], **more: Any) -> Dimension:
    return Dimension(name, lambda one: [value(one)], (*_bins(edges), NO_WORDS, UNKNOWN), **more)


def dimensions(profile: str) -> tuple[Dimension, ...]:
    """Every dimension of a report; speech rates count the words of ``profile``.

    ``channel``, ``level_db`` and ``snr_db`` come from the fields of those names in the utterance's line.
    """

    def pace(utterance: ScoredUtterance) -> str:
        counts = next(iter(utterance.counts[profile].values()))  # N is the reference's: the same for every system
        return pace_bin(counts.words.N, utterance.duration_s)

    return (
        Dimension("speaker", lambda one: [one.speaker or NO_SPEAKER], always=True),
        Dimension("session", lambda one: [one.session or "(no session)"]),
        Dimension("channel", lambda one: [_channel(one)]),
        _binned("duration_s", lambda one: duration_bin(one.duration_s), DURATION_EDGES_S, always=True),
        _binned("level_db", lambda one: bin_of(_number(one, "level_db"), LEVEL_EDGES_DB), LEVEL_EDGES_DB),
        _binned("snr_db", lambda one: bin_of(_number(one, "snr_db"), SNR_EDGES_DB), SNR_EDGES_DB),
        _binned("speech_rate", pace, PACE_EDGES),
        Dimension("tags", lambda one: _free_tags(one) or ["(no tag)"]),
        Dimension("language", lambda one: [one.language or UNKNOWN]),
    )


def _free_tags(utterance: ScoredUtterance) -> list[str]:
    return [tag for tag in dict.fromkeys(utterance.tags) if not _name_of(tag)]


def _name_of(tag: str) -> str:
    """``age`` of ``age=twenties``; nothing of a tag that is not ``name=value``."""
    name, _, value = tag.partition("=")
    return name if value else ""


def tag_dimensions(utterances: Iterable[ScoredUtterance]) -> tuple[Dimension, ...]:
    """A dimension ``tag:age`` for the tags ``age=twenties``, ``age=thirties`` and so on; by name."""
    names = {name for one in utterances for tag in one.tags if (name := _name_of(tag))}
    return tuple(Dimension(f"tag:{name}", partial(_tag_values, name)) for name in sorted(names))


def _tag_values(name: str, utterance: ScoredUtterance) -> list[str]:
    tags = [tag for tag in dict.fromkeys(utterance.tags) if _name_of(tag) == name]
    return [tag.removeprefix(f"{name}=") for tag in tags] or [UNKNOWN]


def _slice(
    members: Sequence[ScoredUtterance], blocks: Sequence[int], profile: str, systems: Sequence[str]
) -> dict[str, Any]:
    renumbered: dict[int, int] = {}
    own = [renumbered.setdefault(block, len(renumbered)) for block in blocks]
    wer = {}
    for system in systems:
        counts = [utterance.counts[profile][system].words for utterance in members]
        total = Counts.total(counts)
        interval = rate_interval(counts, own)  # None of too few blocks, as one speaker's slice always is
        ci95 = None if interval is None else list(interval)
        wer[system] = counts_to_json(total) | {"rate": total.rate, "ci95": ci95}
    seconds = math.fsum(utterance.duration_s or 0.0 for utterance in members)  # exact, so in any order the same
    return {"n": len(members), "seconds": seconds, "n_blocks": len(renumbered), "wer": wer}


def slices(utterances: Sequence[ScoredUtterance], profile: str, systems: Sequence[str]) -> dict[str, Any]:
    """``{DIMENSION: {VALUE: {"n", "seconds", "n_blocks", "wer": {SYSTEM: {"S", "D", "I", "N", "rate", "ci95"}}}}}``.

    Blocks are those of the whole test set: two speakers who share a call outside a slice are one block within it. A
    dimension of which no utterance has a value is left out, but speaker and duration are always there.
    """
    blocks = block_numbers([one.speaker for one in utterances], [one.session for one in utterances])
    found: dict[str, Any] = {}
    for dimension in (*dimensions(profile), *tag_dimensions(utterances)):
        members: dict[str, list[int]] = {}
        for index, utterance in enumerate(utterances):
            for value in dimension.values(utterance):
                members.setdefault(value, []).append(index)
        if not dimension.always and not any(is_value(value) for value in members):
            continue
        found[dimension.name] = {
            value: _slice(
                [utterances[index] for index in members[value]],
                [blocks[index] for index in members[value]],
                profile,
                systems,
            )
            for value in dimension.order or sorted(members)
            if value in members
        }
    return found


def is_value(value: str) -> bool:
    """Whether a slice's name is a value, not the bracketed word for none."""
    return not (value.startswith("(") and value.endswith(")"))


def slice_summary(cuts: Mapping[str, Any], systems: Sequence[str]) -> dict[str, Any]:
    """``{DIMENSION: {SYSTEM: {"n_values", "macro", "worst_decile", "worst", "worst_words"}}}`` of :func:`slices`.

    ``macro`` is the mean of the values' rates, each value counting once. ``worst_decile`` is the mean rate of the
    tenth of the values (rounded up) with the highest rates, named in ``worst``; ``worst_words`` are their reference
    words, for a rate on few words is mostly chance. Only values that are known and have reference words take part.
    """
    summary: dict[str, Any] = {}
    for name, values in cuts.items():
        summary[name] = {}
        for system in systems:
            spoken = [(one["wer"][system], value) for value, one in values.items() if is_value(value)]
            ranked = sorted(
                ((wer["rate"], value, wer["N"]) for wer, value in spoken if wer["N"]),
                key=lambda one: (-one[0], one[1]),
            )
            worst = ranked[: math.ceil(len(ranked) / WORST_SHARE)]
            summary[name][system] = {
                "n_values": len(ranked),
                "macro": _mean([rate for rate, _, _ in ranked]),
                "worst_decile": _mean([rate for rate, _, _ in worst]),
                "worst": [value for _, value, _ in worst],
                "worst_words": sum(n_words for _, _, n_words in worst),
            }
    return summary


def _mean(rates: Sequence[float]) -> float | None:
    return math.fsum(rates) / len(rates) if rates else None
