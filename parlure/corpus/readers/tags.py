"""Metadata that parlure has no field for ⇄ tags such as ``age=twenties``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any


def tags_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """A tag for each text, number or truth value; null, empty texts, lists and objects (alignments) are left out."""
    return tuple(
        f"{name}={_written(value)}"
        for name, value in metadata.items()
        if isinstance(value, (str, int, float)) and value != ""
    )


def metadata_of(tags: Iterable[str], reserved: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """The tags that are a name and a value, and the others.

    Args:
        tags: of one utterance.
        reserved: names that mean something else in the format; a tag of such a name stays among the others.
    """
    named: dict[str, str] = {}
    others = []
    for tag in tags:
        name, equals, value = tag.partition("=")
        if name and equals and value and name not in reserved and name not in named:
            named[name] = value
        else:
            others.append(tag)
    return named, others


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
