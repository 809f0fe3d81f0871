"""How much a server takes on: each limit has a status, and a request that breaks it harms no other."""

from __future__ import annotations

from dataclasses import dataclass, fields

from parlure.errors import ParlureError


@dataclass(frozen=True)
class Limits:
    """What is refused, and how short requests are decoded together.

    Memory is bounded: uploads lie on disk, decoded recordings take 64 kB a second, of at most ``held_s`` seconds.

    Raises:
        ParlureError: one is not above 0.
    """

    upload_mb: float = 25.0  # of a request's body, OpenAI's own limit: 413
    upload_s: float = 60.0  # that the body may take to arrive: 408
    duration_s: float = 7200.0  # of one recording: 413
    held_s: float = 14400.0  # of all recordings that are decoded at once or wait: 429
    queue: int = 128  # requests at once, the ones being uploaded too: 429
    request_s: float = 600.0  # from the whole body to the answer: 504
    live: int = 8  # live sessions at once
    live_idle_s: float = 30.0  # without a message, after which a live session is closed
    batch: int = 16  # short requests that are decoded together at most
    wait_s: float = 0.01  # that a short request waits for others while nothing else is to be done

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value < 0 or (value == 0 and one.name not in ("wait_s", "live")):
                raise ParlureError(f"a server with {one.name} = {value:g} answers nothing", "give a number above 0")
