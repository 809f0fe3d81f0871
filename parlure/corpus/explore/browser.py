"""An address that holds a secret → the person's browser, without any other program seeing it.

What a program is started with, every user of the machine can read. So the browser is started with a file that only its
owner can read, which sends it on.
"""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path


@contextmanager
def shown_in_browser(url: str) -> Iterator[None]:
    """Open the browser, if this machine has a screen; the file lives as long as the block."""
    if not has_screen():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="parlure-", ignore_cleanup_errors=True) as folder:
        webbrowser.open(forwarding_page(url, Path(folder)).as_uri())
        yield


def forwarding_page(url: str, folder: Path) -> Path:
    """Write a page, readable by its owner alone, that leads to an address."""
    page = folder / "explore.html"
    target = escape(url)
    with os.fdopen(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(
            f'<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">The corpus</a>\n'
        )
    return page


def has_screen() -> bool:
    """Whether a browser would have a window; on a machine without, Python would start one that takes the terminal."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
