"""How fast it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Pace:
    """Seconds of sound and the seconds of work they took, adding up."""

    audio_s: float = 0.0
    work_s: float = 0.0

    def add(self, audio_s: float, work_s: float) -> None:
        """Count a part of the work."""
        self.audio_s += audio_s
        self.work_s += work_s

    def line(self) -> str:
        """RTFx, the inverse real-time factor: seconds of sound for one second of work."""
        rtfx = self.audio_s / max(self.work_s, 1e-9)
        return f"RTFx {rtfx:.1f}: {self.audio_s:.1f} s of audio in {self.work_s:.1f} s"


def pace_lines(report: Mapping[str, Any]) -> list[str]:
    """For each system of a report how fast it decoded the utterances."""
    decoded = {system: about["decode"] for system, about in report["systems"].items()}
    return [f"{system}: {Pace(how['audio_s'], how['work_s']).line()}" for system, how in decoded.items()]
