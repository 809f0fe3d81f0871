"""What a row of EXPORTERS says of a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from parlure.errors import ParlureError


@dataclass(frozen=True)
class Target:
    """A runtime that a MODEL can be written for.

    Attributes:
        called: its name, for messages.
        write: MODEL, folder that is not there yet, and one of the numbers → the folder, and what a person should
            know of it.
        numbers: how it stores weights; the first where nothing is asked for.
        any_vocabulary: whether it reads the model's own vocabulary, languages with tokens of their own included.
    """

    called: str
    write: Callable[[str, Path, str], Sequence[str] | None]
    numbers: tuple[str, ...]
    any_vocabulary: bool = False

    def choose(self, quantize: str | None) -> str:
        """The numbers asked for.

        Raises:
            ParlureError: the target stores none such.
        """
        if quantize is None:
            return self.numbers[0]
        if quantize not in self.numbers:
            raise ParlureError(f"{self.called} stores no {quantize}", f"choose --quantize {' or '.join(self.numbers)}")
        return quantize
