"""Recordings → their measures, on all cores, each recording once: what was measured before is read from disk.

``recordings.jsonl`` has a line for each recording measured, written as it comes. A line holds for a file of the same
path, size and time of change. Who stops a check loses what was being measured, no more.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from parlure.corpus.check.sound import VERSION, Span, measure_recording
from parlure.corpus.journal import adding_to, kept_rows
from parlure.corpus.manifest import Utterance
from parlure.corpus.processes import AHEAD, processes, usable_cores

CACHE = "recordings.jsonl"
Progress = Callable[[int, int], None]
Job = tuple[str, list[Span]]
_WORTH_A_POOL = 16  # recordings; a process takes half a second to start


def span_of(utterance: Utterance) -> Span:
    """The span that an utterance is."""
    return Span(utterance.start, utterance.end, utterance.channel)


def listen(
    utterances: Sequence[Utterance], cache: Path, progress: Progress | None = None, n_processes: int | None = None
) -> dict[str, dict[str, Any]]:
    """Measures by recording, as :func:`parlure.corpus.check.sound.measure_recording` returns them.

    Args:
        utterances: whose spans are measured.
        cache: folder of ``recordings.jsonl``, made if need be.
        progress: called with (recordings done, recordings).
        n_processes: None is one for each core that this process may use.
    """
    spans: dict[str, list[Span]] = defaultdict(list)
    for utterance in utterances:
        spans[utterance.recording].append(span_of(utterance))
    done = _kept(cache / CACHE, spans)
    jobs = [(recording, sorted(set(wanted), key=str)) for recording, wanted in spans.items() if recording not in done]
    if progress:
        progress(len(done), len(spans))
    with adding_to(cache / CACHE) as add:
        for recording, measured in _all(jobs, n_processes or usable_cores()):
            add({"recording": recording, "version": VERSION, **_stamp(recording), "measured": measured})
            done[recording] = measured
            if progress:
                progress(len(done), len(spans))
    return done


def _stamp(recording: str) -> dict[str, int]:
    """What changes when a file does; nothing for one that is not there, which is looked for anew each time."""
    try:
        found = os.stat(recording)  # noqa: PTH116 - a name may be too long for a path
    except OSError:
        return {}
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _kept(path: Path, spans: Mapping[str, Sequence[Span]]) -> dict[str, dict[str, Any]]:
    """What was measured before of these spans of these very files."""
    kept: dict[str, dict[str, Any]] = {}
    for row in kept_rows(path):
        recording, measured = row["recording"], row["measured"]
        stamp = _stamp(recording) if recording in spans and row["version"] == VERSION else {}
        if stamp and all(row.get(name) == value for name, value in stamp.items()):
            known = measured.get("spans", {})
            if "error" in measured or all(span.key in known for span in spans[recording]):
                kept[recording] = measured
    return kept


def _all(jobs: Sequence[Job], n_processes: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each job's result, as it comes."""
    if n_processes == 1 or len(jobs) < _WORTH_A_POOL:
        for recording, spans in jobs:
            yield recording, measure_recording(recording, spans)
        return
    with processes(n_processes) as pool:
        waiting: dict[Future[dict[str, Any]], str] = {}
        rest = iter(jobs)
        while True:
            while len(waiting) < AHEAD * n_processes and (job := next(rest, None)) is not None:
                waiting[pool.submit(measure_recording, *job)] = job[0]
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
