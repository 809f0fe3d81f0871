"""The page: one file, its style and its only script inside, closed to everything from elsewhere.

It holds nothing of a corpus: the script asks for that, and writes it by ``textContent`` alone, so that no transcript
becomes markup.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from parlure.scoring.page.style import STYLE

# one script in several files, in this order; they share one scope, and the last one begins it all
_SCRIPT = ("basics", "overview", "table", "player", "rejected", "keys")


@cache
def page_html() -> bytes:
    """The page, in UTF-8."""
    html = _part("page.html").replace("/* style */", _style()).replace("/* script */", _script())
    return html.encode("utf-8")


@cache
def page_policy() -> str:
    """Its content security policy: no script and no style but its own run, nothing from elsewhere is loaded."""
    return (
        f"default-src 'none'; style-src '{_hash(_style())}'; script-src '{_hash(_script())}'; connect-src 'self'; "
        "media-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _style() -> str:
    return STYLE + _part("page.css")


@cache
def _script() -> str:
    parts = "\n".join(_part(f"{name}.js") for name in _SCRIPT)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _part(name: str) -> str:
    return (files("parlure.corpus.explore") / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
