"""Lhotse's recording and channels → the file that holds them and the channel in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parlure.corpus.readers.elsewhere import found_from

_HARMLESS = ("Resample",)  # of a recording's transforms: times stay, and parlure resamples anyway
_ONCE = "write the sound to a file once (lhotse's save_audios does) and name that"


def located(recording: Any, channels: Any, folder: Path) -> tuple[Path, int | None] | str:
    """Path and channel; or a sentence that says why there is none.

    Args:
        recording: as Lhotse writes it: ``sources``, ``sampling_rate``, ``transforms`` and so on. Times beside it are
            in seconds, whatever its rate.
        channels: a number, a list of them, or None for all.
        folder: of the manifest, for paths that are not absolute.

    Returns:
        The channel counts within the file, as Lhotse says which file has which; None where the file has one alone,
        or where all are wanted (their mean).
    """
    if not isinstance(recording, Mapping) or not isinstance(recording.get("sources"), list):
        return "no recording goes with it, features alone at most, and parlure needs the sound"
    changed = [name for name in map(_transform, recording.get("transforms") or ()) if name not in _HARMLESS]
    if changed:
        return f"its sound is the file's after {changed[0]}, which parlure does not do: {_ONCE}"
    wanted = channels if isinstance(channels, list) else None if channels is None else [channels]
    holding = [source for source in recording["sources"] if isinstance(source, Mapping) and _has(source, wanted)]
    if len(holding) != 1:
        where = f"its channels {wanted} lie in {len(holding) or 'no'} files"
        return f"{where}: parlure takes one channel, or the mean of all of one file"
    (source,) = holding
    if source.get("type") != "file":
        return f"its sound is of type {source.get('type')}, and parlure reads files alone: {_ONCE}"
    inside = source["channels"]
    path = found_from(str(source.get("source")), folder)
    if len(inside) == 1 or wanted is None or len(wanted) == len(inside):
        return path, None
    if len(wanted) > 1:
        return f"it takes the channels {wanted} of {inside}: parlure takes one channel, or the mean of all"
    return path, inside.index(wanted[0])


def _has(source: Mapping[str, Any], wanted: list[Any] | None) -> bool:
    inside = source.get("channels")
    return isinstance(inside, list) and (wanted is None or any(channel in inside for channel in wanted))


def _transform(transform: Any) -> str:
    return str(transform.get("name")) if isinstance(transform, Mapping) else str(transform)
