"""Subtitles that name who speaks before a colon, as Zoom's do (``Marie Tremblay: Bonjour``) → speakers.

The name is not said: left in the text, it would teach a model to write names. One such cue may as well be a sentence
(``Il a dit: viens``), so it takes more than half of a file, and somebody who speaks twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from parlure.corpus.readers.cues import spoken, voiced
from parlure.corpus.readers.timed import Phrase, Problem

_MAX_NAME = 40  # characters
_WORD = r"[\w.'’&@()/-]+"
_NAMED = re.compile(rf"(?:- ?)?(?P<name>(?=[A-ZÀ-ÖØ-Þ]){_WORD}(?: {_WORD}){{0,4}}) ?: +(?P<said>\S.*)")


def speakers_before_colons(found: Sequence[Phrase | Problem]) -> list[Phrase | Problem]:
    """The cues of a file; their names before colons are speakers where more than half have one and a name recurs.

    Args:
        found: the cues of one file; those that name a speaker in another way stay as they are.
    """
    open_to = [one for one in found if isinstance(one, Phrase) and one.text and one.speaker is None and not one.tags]
    names = [name for one in open_to if (name := _named(str(one.text))[0]) is not None]
    known = set(names)
    if len(known) == len(names) or 2 * len(names) <= len(open_to):
        return list(found)
    return [_told(one, known) if isinstance(one, Phrase) else one for one in found]


def _told(one: Phrase, known: Collection[str]) -> Phrase:
    """A cue, of whoever is named in it; a name that begins no cue of the file is left in the text."""
    if one.speaker is not None or one.tags:
        return one
    names: list[str] = []
    said: list[str] = []
    for line in str(one.raw["text"]).split("\n"):
        text = spoken(line)[1]
        name, rest = _named(text)
        if name in known:
            names.append(str(name))
            text = rest
        said.append(text)
    return voiced(one, names, " ".join(filter(None, said))) if names else one


def _named(line: str) -> tuple[str | None, str]:
    """Who speaks in a line, and what is said in it."""
    match = _NAMED.fullmatch(line)
    return (match["name"], match["said"]) if match and len(match["name"]) <= _MAX_NAME else (None, line)
