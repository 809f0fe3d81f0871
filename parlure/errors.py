"""The one exception a user should ever see: what is wrong, and what to do about it."""


class ParlureError(Exception):
    """Something that the user can mend.

    The command line prints it as ``error: …`` and ``hint: …`` and exits with 2; anything else that is
    raised is our bug and exits with 1.

    Args:
        message: one sentence that names the file, line, key or id concerned; no full stop.
        hint: what would work instead; may be empty when the message already says it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def missing_extra(package: str, extra: str, purpose: str) -> ParlureError:
    """The error for an optional library that is not installed, with the command that installs it."""
    return ParlureError(
        f"{purpose} needs the package {package}, which is not installed",
        f'pip install "parlure[{extra}]"',
    )
