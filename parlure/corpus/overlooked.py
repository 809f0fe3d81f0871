"""Rows → what whoever wrote the table probably overlooked: times under other names, languages unknown to Whisper."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from parlure.corpus.examine import Taken
from parlure.corpus.readers.columns import PROVENANCE
from parlure.corpus.readers.elsewhere import is_whispers
from parlure.corpus.readers.row import Row

_UNIT = r"([-_ ]?(time|s|secs?|seconds?|ms|msecs?|millis|milliseconds?|frames?|samples?|ts|timestamp))?"
_PART = r"((seg|segment|utt|utterance|phrase|clip|audio)[-_ ])?"
_BEGINS = re.compile(rf"{_PART}(start|begin|beginning|onset|offset|tmin|xmin|from|debut|début){_UNIT}", re.IGNORECASE)
_ENDS = re.compile(rf"{_PART}(end|stop|tmax|xmax|to|fin|duration|dur|length){_UNIT}", re.IGNORECASE)


def said_of_times(rows: Iterable[Row]) -> list[str]:
    """A warning for each source of whose rows no times were read though columns look as if they held some.

    What says where a clip was cut from, in a data set of clips, is no such column.
    """
    found: dict[tuple[str, str, str], int] = Counter()
    for row in rows:
        if row.start is None and row.end is None and row.content is None:
            names = [name for name in row.metadata if name not in PROVENANCE]
            begins, ends = (next(filter(shape.fullmatch, names), None) for shape in (_BEGINS, _ENDS))
            if begins is not None and ends is not None:
                found[row.source, begins, ends] += 1
    return [
        f"{n} row{'s' * (n != 1)} of {source} stand{'s' * (n == 1)} for a whole recording though there are columns "
        f"{begins} and {ends}: times are read from columns called start and end, in seconds"
        for (source, begins, ends), n in found.items()
    ]


def said_of_languages(taken: Iterable[Taken]) -> list[str]:
    """A warning about languages that Whisper does not know, if there are any."""
    others = sorted({one.language for one in taken if not is_whispers(one.language)})
    if not others:
        return []
    return [
        f"Whisper does not know the language{'s' * (len(others) != 1)} {', '.join(others)}: utterances in it can be "
        "checked and scored, and learnt from if the recipe gives a [language] a token; if the code is another's, "
        "such as jp for ja, say Whisper's"
    ]
