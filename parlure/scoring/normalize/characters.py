"""What stands for a character, decided once for each character rather than at each of its occurrences."""

from __future__ import annotations

from collections.abc import Callable


class CharacterTable(dict[int, str]):
    """A table for ``str.translate`` that fills itself: ``decide`` is asked when a character first turns up."""

    def __init__(self, decide: Callable[[str], str]) -> None:
        super().__init__()
        self._decide = decide

    def __missing__(self, code: int) -> str:
        self[code] = replacement = self._decide(chr(code))
        return replacement
