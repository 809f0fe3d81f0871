"""A recording and its transcript without times → a manifest of timed lines: what ``parlure align`` does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from parlure.corpus.readers.row import Rejected
from parlure.corpus.segment import audio_name, refuse_existing
from parlure.errors import ParlureError
from parlure.speech.audio import read_audio
from parlure.transcribing.alignment import MIN_PROBABILITY, AlignedLine, Aligner, is_well_aligned
from parlure.transcribing.longform import first_language
from parlure.transcribing.script import Piece, read_script
from parlure.whisper.load import load


@dataclass(frozen=True)
class AlignSummary:
    """What was found.

    Attributes:
        n_pieces: sentences of the transcript; ``n_aligned`` of them are in the manifest.
        aligned_s: their length in seconds.
        rejected: the file that lists the others, or None if there are none.
    """

    n_pieces: int
    n_aligned: int
    aligned_s: float
    rejected: Path | None

    def lines(self) -> list[str]:
        """What a person reads when it is done."""
        found = f"{self.n_aligned} of {self.n_pieces} sentences found in the recording: {self.aligned_s / 3600:.3f} h"
        n_others = self.n_pieces - self.n_aligned
        return [found, f"{n_others} badly_aligned: {self.rejected} says why"] if self.rejected else [found]


def align(
    recording: Path,
    transcript: Path,
    out: Path,
    *,
    model: str,
    language: str | None = None,
    channel: int | None = None,
    min_probability: float = MIN_PROBABILITY,
    progress: Callable[[int, int], None] | None = None,
) -> AlignSummary:
    """Find the sentences of a transcript in its recording and write a JSONL manifest of them.

    Sentences that cannot be trusted go to ``NAME.rejected.jsonl`` beside the manifest.

    Args:
        recording: of any length that fits into memory (230 MB an hour).
        transcript: a text file, in the order in which it is spoken.
        out: the manifest, new.
        model: a MODEL that torch runs.
        language: Whisper's code, or None to identify it from the first 30 s.
        channel: of the recording, from 0; None is the mean of all.
        min_probability: mean probability of a sentence's tokens below which it is rejected, 0 to 1.
        progress: called with (sentences done, sentences).

    Raises:
        ParlureError: recording, transcript or model cannot be used, ``out`` cannot be written, or nothing was found.
    """
    if not 0 <= min_probability <= 1:
        raise ParlureError(f"--min-confidence cannot be {min_probability:g}", "a probability, 0 to 1, such as 0.5")
    refuse_existing(out)
    pieces = read_script(transcript)
    samples = read_audio(recording, channel=channel)
    loaded = load(model)
    language = language or first_language(loaded.model, loaded.tokenizer, samples)
    found = Aligner(loaded, samples, [piece.text for piece in pieces], language, min_probability).align(progress)
    rows = [
        json.dumps(
            {
                "audio": audio_name(recording, out.parent), "start": line.start, "end": line.end, "channel": channel,
                "text": piece.text, "language": language, "tags": [f"confidence={line.probability:.2f}"],
            }, ensure_ascii=False,
        )
        for piece, line in zip(pieces, found, strict=True) if is_well_aligned(line, min_probability)
    ]  # fmt: skip
    bad = _rejected(transcript, pieces, found, min_probability)
    if not rows:
        raise ParlureError(
            f"none of the {len(pieces)} sentences of {transcript} was found in {recording}",
            "is it the transcript of this recording, and does the model know the language? name it: --language fr",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    listed = out.with_suffix(".rejected.jsonl")
    listed.unlink(missing_ok=True)
    if bad:
        lines = (json.dumps(one.to_json(), ensure_ascii=False) + "\n" for one in bad)
        listed.write_text("".join(lines), encoding="utf-8")
    aligned_s = sum(line.end - line.start for line in found if is_well_aligned(line, min_probability))
    return AlignSummary(len(pieces), len(rows), aligned_s, listed if bad else None)


def _rejected(
    transcript: Path, pieces: Sequence[Piece], found: Sequence[AlignedLine], min_probability: float
) -> list[Rejected]:
    bad = []
    for piece, line in zip(pieces, found, strict=True):
        if is_well_aligned(line, min_probability):
            continue
        sentence = (
            f"the model finds its words {line.probability:.0%} probable, and {min_probability:.0%} is asked for: it is "
            "not what is said, or the model does not know these words"
        )
        if line.end <= line.start:
            sentence = "it was not found after the sentence before it: it is not said, or said elsewhere"
        raw = {
            "text": piece.text, "start": line.start, "end": line.end, "confidence": round(line.probability, 3),
            "share": round(line.share, 3),
        }  # fmt: skip
        bad.append(Rejected(str(transcript), piece.line, raw, "badly_aligned", sentence))
    return bad
