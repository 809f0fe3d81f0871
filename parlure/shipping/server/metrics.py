"""What Prometheus reads at ``/metrics``: counts and times, never a text."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 300.0)
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """One server's; several in one process have nothing in common."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("parlure_requests", "Requests answered.", ("route", "status"), registry=registry)
        self.latency_s = Histogram(
            "parlure_request_seconds", "From a request's first byte to its answer's last.", ("route",),
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.audio_s = Counter("parlure_audio_seconds", "Seconds of sound that were taken in.", registry=registry)
        self.batch_size = Histogram(
            "parlure_batch_size", "Short requests decoded together.", buckets=_BATCH_SIZES, registry=registry
        )
        self.work_s = Counter("parlure_work_seconds", "Seconds that models were at work.", registry=registry)
        self.live = Gauge("parlure_live_sessions", "Live sessions that are open.", registry=registry)
        self._queue = Gauge("parlure_queue_length", "Pieces of work that wait for a model.", registry=registry)

    def watch_queue(self, length: Callable[[], int]) -> None:
        """Ask for the queue's length whenever somebody reads."""
        self._queue.set_function(length)

    def text(self) -> bytes:
        """All of them, in Prometheus's text format."""
        return generate_latest(self._registry)
