"""A long recording and its lines of text, without times → where each line is spoken, and how sure that is.

The model reads the lines to itself while it hears a window of 30 s (teacher forcing). What it listens to meanwhile
gives the times (:mod:`.attention`, :mod:`.warping`), how probable it finds each token the confidence. The window moves
forward:

1. The lines that follow are read in a window that begins where the last line ended, and taken as long as they are
   probable. If a very probable one stands behind one or two that are not, the place is right: they are taken too, after
   each was read again in a window that begins where the last probable one ended, for it may follow a line that is not
   spoken.
2. If the window's first line is improbable, it is read again in one with the line before it.
3. If it is still improbable, and so are the next two, the place is lost: the line may not be spoken, or something is
   spoken that nobody wrote down. The next lines are tried in its stead, then windows up to 25 s later. If nothing fits,
   the line stays improbable.

Times are seconds from the recording's start; silence at the edges of a line is trimmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import N_WINDOW_SAMPLES, log_mel
from parlure.transcribing.attention import read_along
from parlure.transcribing.decode import window_waves
from parlure.transcribing.edges import trimmed
from parlure.transcribing.warping import POSITION_S, token_positions
from parlure.whisper.load import LoadedModel
from parlure.whisper.prompt import SpecialTokens, encode_text, prompt_ids

MIN_PROBABILITY = 0.5  # mean over a line's tokens: docs/long-recordings.md says what was measured
_SURE = MIN_PROBABILITY  # at which a line shows where the text goes on
_VERY_SURE = 0.75  # at which it shows that the place was not lost at one or two improbable lines before it
_LOOK_AHEAD = 2
_SKIPPED = 3  # lines that may be missing from the sound at once
_SHIFTS_S = (5.0, 10.0, 15.0, 20.0, 25.0)  # of the window, where the place was lost
_MAX_TOKENS = 220  # read in one window: 30 s of fast speech; what is not heard is left out again
_SAMPLES_PER_POSITION = round(POSITION_S * SAMPLE_RATE)


@dataclass(frozen=True)
class AlignedLine:
    """Where a line is spoken.

    Attributes:
        start, end: s; for a line that was not found, the place where it was looked for last.
        probability: mean over its tokens, each read after the right ones before it; 0 to 1.
        share: of the attention of its tokens, how much falls between start and end; 0 to 1.
    """

    start: float
    end: float
    probability: float
    share: float


@dataclass(frozen=True)
class _Reading:
    """Lines read in one window, from ``first`` on: those that end within it, one at least."""

    first: int
    lines: tuple[AlignedLine, ...]

    def is_sure(self, place: int) -> bool:
        return place < len(self.lines) and self.lines[place].probability >= _SURE

    def last_sure(self) -> int:
        """The last line of those whose place is sure; -1 if there is none."""
        last = -1
        for place, line in enumerate(self.lines):
            vouches = line.probability >= _VERY_SURE and place - last <= 1 + _LOOK_AHEAD
            if vouches or (self.is_sure(place) and place == last + 1):
                last = place
        return last


class Aligner:
    """A model, a recording and the lines to be found in it."""

    def __init__(
        self,
        loaded: LoadedModel,
        samples: Samples,
        lines: Sequence[str],
        language: str,
        min_probability: float = MIN_PROBABILITY,
    ) -> None:
        """Tokenize the lines.

        Args:
            loaded: the model.
            samples: the recording, mono, 16 kHz.
            lines: each a few seconds of speech, in the order in which they are spoken.
            language: Whisper's code.
            min_probability: of a line that is to be trusted; nothing is looked for before the end of such a line.

        Raises:
            ParlureError: the model does not know the language.
        """
        self._model, self._samples = loaded.model, samples
        self._prompt = prompt_ids(loaded.tokenizer, language, "transcribe")
        self._end = SpecialTokens.of(loaded.tokenizer).end
        self._ids = [encode_text(loaded.tokenizer, line) for line in lines]
        self._duration_s = len(samples) / SAMPLE_RATE
        self._min_probability = min(min_probability, MIN_PROBABILITY)
        self._window: tuple[float, Samples, torch.Tensor] | None = None  # the last: start, sound, encoder output

    def align(self, progress: Callable[[int, int], None] | None = None) -> list[AlignedLine]:
        """Find every line, in order.

        Args:
            progress: called with (lines done, lines).
        """
        found: list[AlignedLine] = []
        at_s = 0.0
        while len(found) < len(self._ids):
            new = list(self._next(found, at_s))
            found += new
            at_s = max([at_s, *(one.end for one in new if is_well_aligned(one, self._min_probability))])
            if progress:
                progress(len(found), len(self._ids))
        return list(self._in_order(found))

    def _in_order(self, found: Sequence[AlignedLine]) -> Iterator[AlignedLine]:
        """The lines; one that is to be trusted and begins before the last such ended was not found after all."""
        reached_s = 0.0
        for line in found:
            if not is_well_aligned(line, self._min_probability):
                yield line
            elif line.start < reached_s:
                yield replace(line, end=line.start)
            else:
                reached_s = line.end
                yield line

    def _next(self, found: list[AlignedLine], at_s: float) -> Iterator[AlignedLine]:
        """One line or more, from a window that begins at ``at_s``; the last that was found may be mended."""
        first = len(found)
        reading = self._read(first, at_s)
        if not reading.is_sure(0) and (before := self._read_with_the_last(found)) is not None:
            found[-1], reading = before.lines[0], _Reading(first, before.lines[1:])
        if reading.last_sure() < 0:
            reading = self._found_again(first, at_s) or _Reading(first, reading.lines[:1])
            for _ in range(reading.first - first):
                yield AlignedLine(at_s, at_s, 0.0, 0.0)
        yield from self._settled(reading, at_s)

    def _settled(self, reading: _Reading, at_s: float) -> Iterator[AlignedLine]:
        """The lines of a reading up to the last that is sure, improbable ones between them read again; one at least."""
        reached_s = at_s
        for place in range(1 + max(0, reading.last_sure())):
            line = reading.lines[place]
            if not reading.is_sure(place) and reached_s > at_s:
                line = self._by_itself(reading, place, reached_s) or line
            if line.probability >= _SURE:
                reached_s = line.end
            yield line

    def _by_itself(self, reading: _Reading, place: int, after_s: float) -> AlignedLine | None:
        """An improbable line, read without the one before it, which may not be spoken; None if that is no surer."""
        before_s = next(line.start for line in reading.lines[place + 1 :] if line.probability >= _SURE)
        if self._probability(reading.first + place, after_s) < _SURE:
            return None
        line = self._read(reading.first + place, after_s).lines[0]
        return line if line.end <= before_s else None

    def _read_with_the_last(self, found: Sequence[AlignedLine]) -> _Reading | None:
        """The last line that was found, read again with what follows: its end may have been set too late."""
        if not found or not is_well_aligned(found[-1]):
            return None
        reading = self._read(len(found) - 1, found[-1].start)
        return reading if reading.is_sure(0) and reading.is_sure(1) else None

    def _found_again(self, first: int, at_s: float) -> _Reading | None:
        """A reading whose first line is sure, with some lines left out or some of the sound."""
        skips = range(first + 1, min(first + 1 + _SKIPPED, len(self._ids)))
        tries = [(number, 0.0) for number in skips] + [(first, shift_s) for shift_s in _SHIFTS_S]
        for number, shift_s in tries:
            if at_s + shift_s < self._duration_s and self._probability(number, at_s + shift_s) >= _SURE:
                return self._read(number, at_s + shift_s)
        return None

    def _hear(self, at_s: float) -> tuple[Samples, torch.Tensor]:
        """The window that begins at ``at_s``: its sound, and what the encoder makes of it."""
        if self._window is None or self._window[0] != at_s:
            sound = self._samples[round(at_s * SAMPLE_RATE) :][:N_WINDOW_SAMPLES]
            features = log_mel(window_waves([sound]).to(self._model.device), self._model.config.num_mel_bins)
            with torch.inference_mode():
                encoded = self._model.model.encoder(features.to(self._model.dtype)).last_hidden_state
            self._window = at_s, sound, encoded
        return self._window[1:]

    def _probability(self, number: int, at_s: float) -> float:
        """How probable a line is at the start of a window."""
        _, encoded = self._hear(at_s)
        ids = self._ids[number]
        return float(read_along(self._model, encoded, self._prompt, ids, self._end, 1).logprobs.exp().mean())

    def _read(self, first: int, at_s: float) -> _Reading:
        """Read the lines from ``first`` on in the window that begins at ``at_s``."""
        sound, encoded = self._hear(at_s)
        n_positions = len(sound) // _SAMPLES_PER_POSITION
        if n_positions < 2:
            return _Reading(first, (AlignedLine(at_s, at_s, 0.0, 0.0),))
        ids, bounds = self._fed(first)
        read = read_along(self._model, encoded, self._prompt, ids, self._end, n_positions)
        weights = read.weights.numpy()
        begins = token_positions(weights, open_end=True)
        mean_weights = weights.mean(axis=0)
        lines: list[AlignedLine] = []
        for start, end in bounds:
            if end >= len(begins) and lines:  # it is not over when the window is
                break
            reach = int(begins[min(end, len(begins) - 1)]) if start < len(begins) else n_positions
            span = int(begins[min(start, len(begins) - 1)]), max(reach, 1)
            probability = float(read.logprobs[start:end].exp().mean())
            share = float(mean_weights[start:end, span[0] : span[1]].sum(axis=1).mean())
            start_s, end_s = trimmed(sound, span[0] * POSITION_S, span[1] * POSITION_S)
            lines.append(AlignedLine(round(at_s + start_s, 3), round(at_s + end_s, 3), probability, share))
        return _Reading(first, tuple(lines))

    def _fed(self, first: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Tokens of as many lines as may be spoken in a window, one at least, and where each begins and ends."""
        ids: list[int] = []
        bounds: list[tuple[int, int]] = []
        for line in self._ids[first:]:
            if ids and len(ids) + len(line) > _MAX_TOKENS:
                break
            bounds.append((len(ids), len(ids) + len(line)))
            ids += line
        return ids, bounds


def is_well_aligned(line: AlignedLine, min_probability: float = MIN_PROBABILITY) -> bool:
    """Whether a line can be trusted."""
    return line.probability >= min_probability and 0.0 < line.end - line.start <= 30.0
