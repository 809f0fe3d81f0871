"""Ctrl-C, SIGTERM and what ``on_event`` raises as a request that the loop meets between two steps."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

SAME_S = 1.0  # signals this close are one: torchrun passes on what the terminal has already sent to all


class StopTrainingError(Exception):
    """Raise it in ``on_event`` to stop a run: a checkpoint is written, and ``train`` returns how far it came."""


class StopRequest:
    """While entered, the first SIGINT or SIGTERM sets ``requested``; a second one interrupts at once.

    Attributes:
        requested: by a signal or by ``on_event``.
        by_callback: by ``on_event``.
    """

    def __init__(self, on_request: Callable[[], None]) -> None:
        """``on_request`` is called at the first signal: to say so."""
        self.requested = self.by_callback = False
        self._on_request = on_request
        self._asked_at = 0.0
        self._previous: dict[int, Any] = {}

    def heeding(self, on_event: Callable[[Mapping[str, Any]], None]) -> Callable[[Mapping[str, Any]], None]:
        """The same, but that :class:`StopTrainingError` becomes a request."""

        def call(row: Mapping[str, Any]) -> None:
            try:
                on_event(row)
            except StopTrainingError:
                self.by_callback = not self.requested or self.by_callback  # a signal that came before it counts
                self.requested = True

        return call

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
