"""Ctrl-C and SIGTERM as a request that the loop meets between two steps."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

SAME_S = 1.0  # signals this close are one: torchrun passes on what the terminal has already sent to all


class StopRequest:
    """While entered, the first SIGINT or SIGTERM sets ``requested``; a second one interrupts at once."""

    def __init__(self, on_request: Callable[[], None]) -> None:
        """``on_request`` is called at the first signal: to say so."""
        self.requested = False
        self._on_request = on_request
        self._asked_at = 0.0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # signals reach no other thread
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            if time.monotonic() - self._asked_at > SAME_S:
                raise KeyboardInterrupt
            return
        self.requested, self._asked_at = True, time.monotonic()
        with suppress(RuntimeError):  # the signal came in the middle of a line on stderr
            self._on_request()
