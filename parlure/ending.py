"""How a command ends: what is said of it on stderr, and its exit code.

0 done, 1 our bug, 2 the user can mend it, 3 a gate the person asked for failed, 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer

from parlure.errors import ParlureError, from_environment

# what is kept of a command that was interrupted, and how to go on
_WHEN_INTERRUPTED = {
    "prepare": "the corpus is not whole yet: the same command goes on",
    "check": "what was measured is kept: the same command goes on",
    "baseline": "what is decoded is kept: the same command goes on",
    "correct": "what is heard and what is saved is kept: the same command goes on",
    "evaluate": "what is decoded is kept: the same command goes on",
    "export": "an export that is there is whole, and parlure parity goes on with judging it; else begin again",
    "label": "what is heard is kept: the same command goes on",
    "parity": "what is heard is kept: the same command goes on",
    "transcribe": "with --out what it has written is whole and kept: the same command goes on",
    "curve": "what is trained and decoded is kept: the same command goes on",
    "tune": "every trial is kept, and the one that was running has a checkpoint: the same command goes on",
    "demo": "the same command begins it anew",
}


class GateFailedError(Exception):
    """A gate that the person asked for failed: exit code 3."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class StoppedError(Exception):
    """Interrupted; the message says what is kept and how to go on: exit code 130."""


def say(message: str) -> None:
    """Talk, on stderr."""
    print(message, file=sys.stderr)  # noqa: T201


def is_first() -> bool:
    """Whether this is the process that talks; torchrun says which one it is."""
    return os.environ.get("RANK", "0") == "0"


def exit_code(command: str, run: Callable[[], Any]) -> int:
    """Run a command; what it raises is said, and becomes a code.

    Args:
        command: its name.
        run: the command.
    """
    from typer import TyperException

    try:
        with _sigterm_is_ctrl_c():
            code = run()
        # typer turns a KeyboardInterrupt into this code
        return _interrupted(command) if code == 130 else code if isinstance(code, int) else 0
    except ParlureError as error:
        return _refused(error.message, error.hint)
    except GateFailedError as error:
        _refused(str(error), error.hint)
        return 3
    except StoppedError as error:
        return _interrupted(command, str(error))
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(command)
    except TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _refused(message, "parlure COMMAND --help lists what a command takes")
    except BrokenPipeError:
        return 0  # the reader of our output has seen enough
    except Exception as error:
        if mendable := from_environment(error):
            return _refused(mendable.message, mendable.hint)
        traceback.print_exc()
        say("error: this is a bug in parlure; please report it with the lines above")
        return 1


def _refused(message: str, hint: str) -> int:
    say(f"error: {message}")
    if hint:
        say(f"hint: {hint}")
    return 2


def _interrupted(command: str, kept: str = "") -> int:
    if is_first():
        say(f"interrupted; {kept or _WHEN_INTERRUPTED.get(command, 'the same command begins again')}")
    return 130


@contextmanager
def _sigterm_is_ctrl_c() -> Iterator[None]:
    """What batch systems and containers send to end a process interrupts as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # signals reach no other thread
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
