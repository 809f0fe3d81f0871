"""Rows that can be used → what their recordings' channels are, for warnings and ``corpus.json``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from parlure.corpus.examine import Taken
from parlure.corpus.manifest import stored

_NAMED_AT_MOST = 3
_SAID = {
    "identical": ("with the same sound in all channels", "no channel tells who speaks there"),
    "one_sided": ("with sound in one channel alone", "a row of another channel has a text without sound"),
    "inverted": (
        "with one sound twice, once with its polarity inverted",
        "a mean would cancel the speech, so channel 0 was taken where a row names none",
    ),
}


def channels_found(taken: Iterable[Taken], folder: Path) -> dict[str, list[str]]:
    """Recordings by how their channels relate (:func:`parlure.speech.channels.channel_layout`), as a manifest has them.

    Recordings of one channel, and those of two different ones, are as they should be and left out.
    """
    found: dict[str, set[Path]] = defaultdict(set)
    for one in taken:
        if one.layout in _SAID:
            found[one.layout].add(one.row.audio)
    return {layout: sorted(stored(str(path), folder) for path in found[layout]) for layout in _SAID if layout in found}


def said_of_channels(found: dict[str, list[str]]) -> list[str]:
    """A warning for each kind of channels that should be looked at."""
    warnings = []
    for layout, files in found.items():
        more = f" and {len(files) - _NAMED_AT_MOST} more" if len(files) > _NAMED_AT_MOST else ""
        named = f"{', '.join(files[:_NAMED_AT_MOST])}{more}"
        counted = f"{len(files)} recording{'s' * (len(files) != 1)}"
        what, so = _SAID[layout]
        warnings.append(f"{counted} {what} ({named}; corpus.json lists all): {so}")
    return warnings


def said_of_chosen(taken: Iterable[Taken], policy: str | None) -> list[str]:
    """A warning about rows whose channel was found by who speaks though nobody asked for it."""
    n_chosen = sum(one.layout == "different" and one.row.channel is None for one in taken) if policy is None else 0
    if not n_chosen:
        return []
    return [
        f"{n_chosen} rows name a speaker and no channel, and their recordings' channels differ: the channel that "
        "speaks in the span was taken, as with --channels split"
    ]


def channels_info(found: dict[str, list[str]]) -> dict[str, Any]:
    """The part of ``corpus.json``."""
    return {layout: {"recordings": len(files), "files": files} for layout, files in found.items()}
