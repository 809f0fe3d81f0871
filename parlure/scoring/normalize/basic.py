"""Profile ``basic``: the same words as OpenAI's ``BasicTextNormalizer(remove_diacritics=False)``.

Written from its definition (Radford et al. 2022, appendix C) and tested word for word against the copy in
transformers, so that figures published with it can be set beside ours. Its flaws are kept on purpose: text in
brackets is deleted, and combining marks become spaces, which shatters Hindi, Tamil or vowelled Arabic.
"""

from __future__ import annotations

import re
import unicodedata

from parlure.scoring.normalize.characters import CharacterTable

_SQUARE_OR_ANGLE = re.compile(r"[<\[][^>\]]*[>\]]")
_ROUND = re.compile(r"\(([^)]+?)\)")
_NO_MARKS_SYMBOLS_PUNCTUATION = CharacterTable(lambda char: " " if unicodedata.category(char)[0] in "MSP" else char)


def normalize_basic(text: str) -> str:
    """Lower case, bracketed text removed, NFKC, every mark, symbol and punctuation character a space."""
    text = _ROUND.sub("", _SQUARE_OR_ANGLE.sub("", text.lower()))
    spaced = unicodedata.normalize("NFKC", text).translate(_NO_MARKS_SYMBOLS_PUNCTUATION)
    return " ".join(spaced.lower().split())
