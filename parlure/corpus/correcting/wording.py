"""An utterance and what is said in it after all → its row with the new text, and what becomes of its phrase times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from parlure.corpus.pseudo import CONFIDENCE, PSEUDO_TAG
from parlure.corpus.segment import DRAFT_TAG

UNREAD_TAGS = (DRAFT_TAG, PSEUDO_TAG)  # they hold until a person has heard the utterance
Times = Literal["none", "kept", "dropped"]


def reworded(row: Mapping[str, Any], text: str) -> tuple[dict[str, Any], Times]:
    """The row with another text.

    Phrase times stay where the change lies within one phrase, whose text is changed: when it is said has been measured
    and is not contradicted. A change that reaches over the border of two phrases, or empties one, drops them all:
    nobody has measured where the new words begin and end.

    Returns:
        The row, and what became of its phrase times.
    """
    changed = {**row, "text": text}
    phrases = row.get("segments")
    if not phrases or text == row["text"]:
        return changed, "kept" if phrases else "none"
    kept = _phrases_with(phrases, text.split())
    return {**changed, "segments": kept}, "dropped" if kept is None else "kept"


def heard_by_person(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without the tags that say that nobody has heard it."""
    tags = row["tags"]
    if PSEUDO_TAG in tags:  # what the model thought of its text is no matter any more
        tags = [tag for tag in tags if not tag.startswith(CONFIDENCE)]
    return {**row, "tags": [tag for tag in tags if tag not in UNREAD_TAGS]}


def _phrases_with(phrases: list[list[Any]], words: list[str]) -> list[list[Any]] | None:
    """The phrases with one of them changed so that they say these words; None where no single change does."""
    said = [phrase[2].split() for phrase in phrases]
    for place in range(len(phrases)):
        before = [word for phrase in said[:place] for word in phrase]
        after = [word for phrase in said[place + 1 :] for word in phrase]
        end = len(words) - len(after)
        if len(before) < end and words[: len(before)] == before and words[end:] == after:
            changed = [list(phrase) for phrase in phrases]
            changed[place][2] = " ".join(words[len(before) : end])
            return changed
    return None
