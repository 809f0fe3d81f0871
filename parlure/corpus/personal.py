"""A text → what may be personal data in it. A placeholder: long numbers and addresses alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w{2,}")
_NUMBER = re.compile(r"(?<!\d)(?:\d[ .-]?){9,18}\d(?!\d)")


@dataclass(frozen=True)
class Personal:
    """Something personal: what kind, and where in the text it is."""

    kind: str
    start: int
    end: int


def find_personal(text: str, language: str) -> list[Personal]:
    """Long numbers and e-mail addresses."""
    found = [Personal("e-mail", *match.span()) for match in _MAIL.finditer(text)] if "@" in text else []
    return found + [Personal("number", *match.span()) for match in _NUMBER.finditer(text)]
