"""Recordings that nobody has transcribed → a train-only corpus of what a model is sure of: ``parlure label``."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from parlure.corpus.manifest import (
    INFO,
    Utterance,
    begin_corpus,
    finish_corpus,
    refuse_foreign_folder,
    stored,
    write_lines,
)
from parlure.corpus.naming import recording_names
from parlure.corpus.pseudo import CONFIDENCE, PSEUDO_TAG, Bounds, Heard, fault
from parlure.corpus.segment import Channels, SpokenSpan, spoken_spans
from parlure.corpus.tallies import hours, tallies
from parlure.errors import ParlureError
from parlure.exclusive import alone_in
from parlure.speech.audio import SAMPLE_RATE, Samples, read_audio
from parlure.speech.voice import SpanPolicy
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.choice import open_engine
from parlure.transcribing.engines.interface import Engine, EngineName
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.journal import Journal
from parlure.whisper.load import tuned_for_short

FIGURES = "pseudo.jsonl"  # the figures of what was kept
FASTER = 1.05  # the second hearing of one model: played so much faster, pitch too
_AT_ONCE = 8  # batches between two entries of the journal
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LabelSummary:
    """What became of the recordings.

    Attributes:
        folder: the corpus.
        n_spans: spans in which somebody speaks.
        n_kept: those that are in the corpus.
        hours_spans, hours_kept: hours of them.
        rejected_by_reason: how many were not kept, by reason code, most frequent first.
    """

    folder: Path
    n_spans: int
    n_kept: int
    hours_spans: float
    hours_kept: float
    rejected_by_reason: dict[str, int]

    def lines(self) -> list[str]:
        """What a person reads when it is done."""
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.rejected_by_reason.items())
        left = f"; not kept: {reasons}: rejected.jsonl says why" if reasons else ""
        share = f"{self.hours_kept:.3f} of {self.hours_spans:.3f} h"
        return [
            f"{self.folder}: {self.n_kept} of {self.n_spans} spans, {share}{left}",
            f"all are in train and tagged {PSEUDO_TAG}: no reference, whatever they are scored with",
        ]


def label(
    audio: Sequence[Path],
    model: str,
    out: str | Path,
    *,
    second: str | None = None,
    language: str | None = None,
    channels: Channels | None = None,
    policy: SpanPolicy | None = None,
    bounds: Bounds | None = None,
    batch_size: int = 16,
    engine: EngineName | None = None,
    progress: Progress | None = None,
) -> LabelSummary:
    """Make a corpus of pseudo-labels; interrupted or killed, the next call goes on, with other bounds too.

    A model that was tuned on short windows is fed the spans' own lengths, any other 30 s.

    Args:
        audio: recordings of any length.
        model: the MODEL whose texts are kept.
        out: the corpus folder, new.
        second: the MODEL that has to hear the same; None is ``model`` again, of the sound played 5 % faster.
        language: Whisper's code; None lets ``model`` identify it span by span.
        channels, policy: as in :func:`parlure.corpus.segment.segment`.
        bounds: what a text has to keep to.
        batch_size: spans decoded together.
        engine: which library decodes; None is torch, or CTranslate2 for its own folder.
        progress: called with (hearings done, hearings to do).

    Raises:
        ParlureError: a recording or a model cannot be used, the folder is not free, nobody speaks, or nothing is kept.
    """
    out, bounds = Path(out), bounds or Bounds()
    _refuse_corpus(out)
    spans = spoken_spans(audio, channels=channels, policy=policy).spans
    options = DecodingOptions(language, batch_size=batch_size, identify=True, loop_guard=True)
    with alone_in(out):
        begin_corpus(out)
        n_done = 0

        def tick(n: int) -> None:
            nonlocal n_done
            n_done += n
            if progress:
                progress(n_done, 2 * len(spans))

        first = _Ears(open_engine(model, engine), out / "label-first.jsonl", 1.0)
        heard = first.hear(spans, options, [None] * len(spans), tick)
        opened = first.engine if second is None else open_engine(second, engine)
        again = _Ears(opened, out / "label-second.jsonl", FASTER if second is None else 1.0)
        others = again.hear(spans, options, [one.language for one in heard], tick)
        summary = _write(out, spans, heard, others, bounds, _origin(first, again, options, bounds, policy))
        first.journal.remove()
        again.journal.remove()
    return summary


class _Ears:
    """A model that hears spans, and the journal of what it has heard."""

    journal: Journal

    def __init__(self, engine: Engine, path: Path, speed: float) -> None:
        self.engine, self._path, self.speed = engine, path, speed

    def hear(
        self,
        spans: Sequence[SpokenSpan],
        options: DecodingOptions,
        languages: Sequence[str | None],
        tick: Callable[[int], None],
    ) -> list[Hypothesis]:
        """What it makes of each span, in the language that is pinned for it, or in the options'."""
        clips = [_clip(place, one, self.speed) for place, one in enumerate(spans)]
        asked = [[str(one.recording), one.start, one.end, one.channel] for one in spans]
        options = replace(options, window="short" if tuned_for_short(self.engine.model) else "full")
        job = {"hash": self.engine.sha256, "speed": self.speed, **asdict(options), "languages": list(languages)}
        job["spans"] = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        self.journal = Journal(self._path, job)
        tick(len(self.journal.found))
        size = _AT_ONCE * options.batch_size
        for language in sorted(set(languages), key=str):
            mine = [clip for clip, pinned in zip(clips, languages, strict=True) if pinned == language]
            left = [clip for clip in mine if clip.id not in self.journal.found]
            how = options if language is None else replace(options, language=language)
            for start in range(0, len(left), size):
                clock = time.monotonic()
                found = self.engine.decode(left[start : start + size], how)
                self.journal.add(found, time.monotonic() - clock)
                tick(len(found))
        return [self.journal.found[clip.id] for clip in clips]


def _clip(place: int, one: SpokenSpan, speed: float) -> Clip:
    read = partial(_played, one, speed)
    return Clip(str(place), (one.end - one.start) / speed, read)


def _played(one: SpokenSpan, speed: float) -> Samples:
    samples = read_audio(one.recording, one.start, one.end, one.channel)
    if speed == 1.0:
        return samples
    import soxr

    faster: Samples = soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE).astype("float32")
    return faster


def _write(
    out: Path,
    spans: Sequence[SpokenSpan],
    heard: Sequence[Hypothesis],
    others: Sequence[Hypothesis],
    bounds: Bounds,
    origin: dict[str, Any],
) -> LabelSummary:
    names = recording_names([one.recording.resolve() for one in spans], out)
    kept: list[Utterance] = []
    figures: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for place, (span, first, second) in enumerate(zip(spans, heard, others, strict=True), start=1):
        both = Heard(
            span.end - span.start, first.text, second.text, first.language, first.identified, first.avg_logprob,
            first.looped or first.truncated or second.looped or second.truncated,
        )  # fmt: skip
        utterance = _utterance(span, names[span.recording.resolve()], both)
        wrong = fault(both, bounds)
        if wrong is None:
            kept.append(utterance)
            figures.append({"id": utterance.id, **both.figures()})
        else:
            row = {**utterance.to_json(), "recording": stored(utterance.recording, out), **both.figures()}
            rejected.append(
                {"source": str(span.recording), "line": place, "reason": wrong[0], "sentence": wrong[1], "row": row}
            )
    reasons = dict(Counter(row["reason"] for row in rejected).most_common())
    if not kept:
        counts = ", ".join(f"{n} {reason}" for reason, n in reasons.items())
        raise ParlureError(
            f"none of the {len(spans)} spans is kept: {counts}",
            "loosen --min-confidence or --max-disagreement, or take a model that hears this speech better",
        )
    write_lines(out, kept, rejected)
    with (out / FIGURES).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in figures)
    facts = {
        "sources": [{"path": str(path)} for path in dict.fromkeys(one.recording for one in spans)],
        "licence": None,
        "split": {"method": "all in train: pseudo-labels are no reference"},
        "pseudo": origin | {"spans": len(spans), "kept": len(kept)},
        "n_read": len(spans),
        "n_used": len(kept),
        "n_utterances": len(kept),
        "rejected": {"total": len(rejected), **reasons},
        **tallies(kept),
        "warnings": [f"all {len(kept)} texts are a model's, and nobody has heard them"],
    }
    finish_corpus(out, facts)
    total_s = sum(one.end - one.start for one in spans)
    return LabelSummary(out, len(spans), len(kept), round(total_s / 3600, 6), hours(kept), reasons)


def _utterance(span: SpokenSpan, name: str, heard: Heard) -> Utterance:
    start_ms, end_ms = (round(1000 * time_s) for time_s in (span.start, span.end))
    channel = "" if span.channel is None else f"-c{span.channel}"
    return Utterance(
        id=f"{name}-{start_ms:06d}-{end_ms:06d}{channel}", recording=str(span.recording.resolve()), start=span.start,
        end=span.end, channel=span.channel, text=heard.text, language=heard.language, session=name, split="train",
        tags=(PSEUDO_TAG, f"{CONFIDENCE}{heard.confidence:.1f}"),
    )  # fmt: skip


def _origin(
    first: _Ears, second: _Ears, options: DecodingOptions, bounds: Bounds, policy: SpanPolicy | None
) -> dict[str, Any]:
    """Which models, and how they were asked: for ``corpus.json``."""

    def about(ears: _Ears) -> dict[str, Any]:
        window = "short" if tuned_for_short(ears.engine.model) else "full"
        return {"model": ears.engine.model, "sha256": ears.engine.sha256, "speed": ears.speed, "window": window}

    return {
        "first": about(first),
        "second": about(second),
        "decode": {key: value for key, value in asdict(options).items() if key != "window"}
        | first.engine.description(),
        "bounds": asdict(bounds),
        "segments": asdict(policy or SpanPolicy()),
    }


def _refuse_corpus(out: Path) -> None:
    refuse_foreign_folder(out)
    if (out / INFO).exists():
        raise ParlureError(
            f"{out} is a corpus already, and pseudo-labels make a new one", "name a new folder, and merge the two"
        )
