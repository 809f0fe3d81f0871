"""A page: one file, its style and its only script inside, closed to everything from elsewhere.

It holds nothing of a corpus: the script asks for that, and writes it by ``textContent`` alone, so that no transcript
becomes markup.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from parlure.scoring.page.style import STYLE


@dataclass(frozen=True)
class Document:
    """What a page is made of, as files in the ``page`` folders of packages of parlure, ``package/name``.

    Attributes:
        html: with places for style and script.
        styles: behind the reports' own style.
        scripts: one script in several files, in this order; they share one scope, and the last one begins it all.
        local: further content security policy, for what a page makes itself or loads from where it came from.
    """

    html: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    local: str = "media-src 'self'"

    @cached_property
    def page(self) -> bytes:
        """The page, in UTF-8."""
        html = _part(self.html).replace("/* style */", self._style).replace("/* script */", self._script)
        return html.encode("utf-8")

    @cached_property
    def policy(self) -> str:
        """Its content security policy: no script and no style but its own run, nothing from elsewhere is loaded."""
        return (
            f"default-src 'none'; style-src '{_hash(self._style)}'; script-src '{_hash(self._script)}'; "
            f"connect-src 'self'; {self.local}; img-src data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )

    @cached_property
    def _style(self) -> str:
        return STYLE + "".join(map(_part, self.styles))

    @cached_property
    def _script(self) -> str:
        parts = "\n".join(map(_part, self.scripts))
        return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _part(name: str) -> str:
    package, _, file = name.partition("/")
    return (files(f"parlure.{package}") / "page" / file).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


EXPLORE = Document(
    "corpus.explore/page.html",
    ("corpus.explore/page.css",),
    tuple(f"corpus.explore/{name}.js" for name in ("basics", "overview", "table", "player", "rejected", "keys")),
)
