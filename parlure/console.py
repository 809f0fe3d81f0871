"""Talk on stderr: progress bars with an estimate of the end, and the lines of a training run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Console:
    """stderr, with a bar on a terminal and plain lines elsewhere; ``silent`` says nothing at all."""

    def __init__(self, silent: bool = False) -> None:
        self._rich = RichConsole(stderr=True, highlight=False, soft_wrap=True, quiet=silent)

    def say(self, message: str) -> None:
        """One line."""
        self._rich.print(message, markup=False)

    @contextmanager
    def bar(self, doing: str) -> Iterator[Callable[[int, int], None]]:
        """A bar; call what it yields with (done, total)."""
        with self._progress("{task.fields[extra]}") as progress:
            task = progress.add_task(doing, total=None, extra="")
            yield lambda done, total: progress.update(task, completed=done, total=total)

    @contextmanager
    def training(self) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """A bar of optimiser steps with loss and speed, a line for every evaluation; takes rows of ``train``."""
        with self._progress("{task.fields[extra]}") as progress:
            task = progress.add_task("training", total=None, extra="")

            def show(row: Mapping[str, Any]) -> None:
                if row["kind"] == "notice":
                    self.say(row["text"])
                    return
                if row["kind"] == "evaluation":
                    said = f"step {row['step']}: dev WER {row['wer']:.1f} % (best {row['best_wer']:.1f} %)"
                    for name, wer in row.get("guards", {}).items():
                        said += f", {name} {wer:.1f} %" + (" (lost too much)" if name in row["harmed"] else "")
                    self.say(said)
                    return
                speed = row["audio_s"] / max(row["work_s"], 1e-9)
                extra = f"loss {row['loss']:.3f}, {speed:.0f} s of audio a second"
                progress.update(task, completed=row["step"], total=row["n_steps"], extra=extra)
                if not self._rich.is_terminal and row["step"] % 20 == 0:
                    self.say(f"step {row['step']} of {row['n_steps']}: {extra}")

            yield show

    def _progress(self, extra: str) -> Progress:
        return Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), TextColumn(extra), console=self._rich, transient=True,
            disable=not self._rich.is_terminal,
        )  # fmt: skip
