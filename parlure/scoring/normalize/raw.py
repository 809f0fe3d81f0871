"""Profile ``raw``: what was written, mark by mark; only composition (NFC) and white space are unified."""

from __future__ import annotations

import unicodedata


def normalize_raw(text: str) -> str:
    """Compose to NFC and put one space between words: case, punctuation and digits all count."""
    return " ".join(unicodedata.normalize("NFC", text).split())
