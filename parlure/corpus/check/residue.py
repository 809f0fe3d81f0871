"""A text → the first mark in it that a transcript has and writing does not.

Marks are those of CHAT and of conversation analysis, LDC's, Kaldi's, of subtitles and of web pages, stage directions
and labels of speakers. What people write must pass: ``0h30``, ``25 °C``, ``Canal+,``, ``(2019)``, ``www.exemple.ca``.
"""

from __future__ import annotations

import re

_STAGE = (
    r"rires?|laughs?|laughter|laughing|inaudible|unintelligible|incompréhensible|indistinct|crosstalk|noise|bruits?"
    r"|applause|applaudissements|music|musique|silence|pause|cough(?:s|ing)?|toux|sighs?|soupirs?|breath|respiration"
    r"|sonnerie|overlap|foreign|background noise|risas?|ruido|inaudível|lachen|gelächter|unverständlich"
)
_MORE = r"(?:\s+(?:de|of|in)\s+\w+|\s+d['’]\w+|[\s,:]+[\d:.,]+)?"  # bruit de fond, inaudible 00:12
_SPEAKER = (
    r"speaker|spk|locut(?:eur|rice)|intervenante?|agente?|cliente?|customer|caller|interviewer|interviewee?"
    r"|modérat(?:eur|rice)"
)
_HESITATION = r"hesitation|u[hm]+|[hm]+m|ah|eh|oh|euh|heu|huh"
_MARK = re.compile(
    "|".join(
        (
            r"\[[^\]]*\]",  # CHAT, LDC, subtitles: [laughs] [//] [=! whispers]
            r"<(?!\s)[^<>]*(?<!\s)>",  # CHAT's scopes, Kaldi's <unk>, tags
            r"\{[^{}]*\}",  # Switchboard: {laugh}
            r"\(\(",  # Fisher: ((unclear))
            rf"\(\s*(?:{_STAGE}){_MORE}\s*\)",  # (rires)
            rf"\*(?:{_STAGE}){_MORE}\*",  # *rires*
            r"\(\.{1,3}\)|\(\d*\.\d*\)|\(\d+:\d+(?:\.\d*)?\)",  # CHAT's pauses: (.) (1.5) (1:02.5)
            r"&[=+\-~*]\w*",  # CHAT's events, fragments, fillers: &=laughs &+fr &-uh
            r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]{1,7});",  # HTML: &#39; &eacute;
            r"(?<!\S)&[^\W\d_]\w*(?!\S)",  # CHAT's fragments as they were, LDC's names: &uh &Marie
            rf"(?<!\w)%(?:{_HESITATION})(?!\w)",  # LDC: %um, (%hesitation)
            r"(?<!\S)\^[^\W\d_]+",  # LDC's names: ^Montréal
            r"(?<!\w)(?:xxx|yyy|www)(?!\w|\.\w)",  # CHAT: unintelligible, phonetic, untranscribed
            r"(?<!\S)\+(?:\.\.\.|/{1,2}[.?!]?|[.!?,<^\"]+)",  # CHAT's terminators and linkers: +... +/. +//. +"
            r"(?<=\w)@(?:fp|fs|si|sl|sas|wp|[bcdfgiklnopqstuxz])(?::\w+)*(?![\w.])",  # CHAT: word@s:eng
            r"(?m:^[*%][A-Za-z0-9]{2,7}:)",  # CHAT's tiers: *CHI: %com:
            rf"(?m:^(?:{_SPEAKER})[ _]?\d{{0,2}}\s?:)",  # SPEAKER_00: Agent 1 :
            r"-->",  # subtitles' times
            "\u0015|[⌈⌉⌊⌋‡↑↓↗↘⇗⇘→∆∇↫≠∬]",  # CHAT's bullets, CA's marks
            r"(?<!\S)„(?!\S)",  # CHAT's tag, which stands alone; a German quotation begins with one that does not
            r"(?<![\w°])(?<!\d )°(?=[^\W\d_]{2})",  # CA: °softly said°, and not 25 °C
            r"(?-i:(?<!\w)(?:!SIL|SIL|SPN|NSN)(?!\w))",  # Kaldi; its LAU is a name too
            r"(?<!\S)(?:=\S+|//?|#+)(?!\S)",  # linking, breaks, pauses
            r"(?<!\S)0(?!km|cm|mm|kg|mg|ml)[^\W\d_]{2,}(?!\S)",  # CHAT's omitted words, and not 0h or 05
        )
    ),
    re.IGNORECASE,
)
# one of these is in every mark: most texts need no more than this look
_HINT = re.compile(r"[\[<{(&+@*%\x15⌈⌉⌊⌋‡„↑↓↗↘⇗⇘→∆∇°↫≠∬=/#!0^:>]|xxx|yyy|www|SIL|SPN|NSN", re.IGNORECASE)


def residue(text: str, language: str) -> str:
    """The first mark, or an empty string."""
    if not _HINT.search(text):
        return ""
    found = _MARK.search(text)
    return found[0].strip() if found else ""
