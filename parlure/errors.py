"""The one exception a user should ever see: what is wrong, and what to do about it."""

from __future__ import annotations

import errno
import os
import re
import sys

_HINTS = {
    errno.ENOSPC: "free some space on that disk, or name another place",
    errno.EACCES: "see who may read and write there, or name another place",
    errno.EPERM: "see who may read and write there, or name another place",
    errno.EROFS: "name another place, on a disk that can be written",
    errno.ENOTDIR: "a file stands where a folder has to be: name another place",
    errno.EEXIST: "a file stands where a folder has to be: name another place",
    errno.EISDIR: "a folder stands where a file has to be: name another place",
    errno.ENOENT: "see whether its name is right, and whether it was moved meanwhile",
}


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


def from_environment(error: BaseException) -> ParlureError | None:
    """What the disk, its permissions or the memory refused, as something that the user can mend; None for a bug."""
    torch = sys.modules.get("torch")  # whoever has not loaded it has not used up a GPU's memory
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        said = ". ".join(str(error).split(". ")[:2]).rstrip(".")
        return ParlureError(
            f"there is not enough memory{': ' if said else ''}{said}",
            "in training, halve training.batch_seconds and double training.accumulation; "
            "elsewhere, end what else uses the memory, or take a smaller model",
        )
    number, place = None, ""
    if isinstance(error, OSError):
        number, place = error.errno, f"{error.filename}: " if error.filename else ""
    elif found := re.search(r"\(os error (\d+)\)", str(error)):  # as libraries written in Rust say it
        number = int(found[1])
    if number is None:
        return None
    return ParlureError(
        place + os.strerror(number), _HINTS.get(number, "see whether the disk and the network are there")
    )
