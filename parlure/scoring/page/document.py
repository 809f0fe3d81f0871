"""The frame of a page: one file, its style and its only script inside, closed to everything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from parlure.scoring.page.script import SCRIPT, script_hash
from parlure.scoring.page.style import STYLE

# Nothing from elsewhere is loaded, and no script but the page's own runs, whatever a transcript says
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; media-src data:; img-src data:; "
    f"script-src '{script_hash()}'; base-uri 'none'; form-action 'none'"
)


def document(title: str, description: str, sections: Iterable[str], footer: str) -> str:
    """The page around its sections, which are HTML; the other texts are not, and are escaped."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} – parlure report</title>"
        f'<meta name="description" content="{escape(description)}"><style>{STYLE}</style></head>\n<body><main>'
        + "\n".join(section for section in sections if section)
        + f"\n<footer>Made by parlure. {escape(footer)}</footer></main><script>{SCRIPT}</script></body></html>\n"
    )
