"""Why one utterance is not taken."""

from __future__ import annotations


class RefusalError(Exception):
    """Ends the reading of one utterance; the reader makes a ``Rejected`` of it.

    Args:
        reason: reason code.
        sentence: what is wrong, in words.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def malformed(sentence: str) -> RefusalError:
    """The refusal of what is not proper CHAT."""
    return RefusalError("malformed_row", sentence)
