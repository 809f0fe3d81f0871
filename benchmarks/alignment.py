"""How far ``parlure align`` is from the times of sentences, on synthetic recordings whose times are known.

    PYTHONPATH=.:scripts python benchmarks/alignment.py

Sentences of nano's French grammar that it never met, in voices that it never met, stand behind each other with pauses
of 0.3 to 1.2 s. ``faithful`` gives the transcript as it is said; ``careless`` replaces one sentence in ten, adds one
that nobody says, and leaves out one that somebody does. Errors are of the lines that were found, the margin of 0.1 s
taken off.
"""

from __future__ import annotations

import random
import time

import numpy as np
from nano.french import GRAMMAR
from nano.grammar import draw_sentence

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.synth import Voice, synthesize
from parlure.transcribing.alignment import Aligner, is_well_aligned
from parlure.whisper.load import load

VOICES = ("fr+Alex", "fr+belinda", "fr+adam", "fr+Hugo")
N_SENTENCES = 20
MARGIN_S = 0.1

Line = tuple[float, float, str]


def recording(voice: str, seed: int) -> tuple[Samples, list[Line]]:
    """Samples, and (start s, end s, text) of each sentence."""
    rng = random.Random(seed)
    parts, lines = [np.zeros(SAMPLE_RATE // 2, np.float32)], []
    speaker = Voice(voice, rng.randint(155, 185), rng.randint(35, 65))
    for _ in range(N_SENTENCES):
        text = draw_sentence(GRAMMAR, rng, True)
        sound = synthesize(text, speaker)
        loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
        sound = (0.3 * sound / np.abs(sound).max())[loud[0] : loud[-1] + 1]
        start = sum(map(len, parts))
        lines.append((start / SAMPLE_RATE, (start + len(sound)) / SAMPLE_RATE, text))
        parts += [sound, np.zeros(round(SAMPLE_RATE * rng.uniform(0.3, 1.2)), np.float32)]
    samples = np.concatenate(parts)
    samples += np.random.default_rng(seed).normal(0, 5e-4, len(samples)).astype(np.float32)
    return samples, lines


def careless(lines: list[Line], seed: int) -> list[Line | tuple[None, None, str]]:
    """What a careless person writes down; sentences that are not said have no times."""
    rng = random.Random(seed)
    written: list[Line | tuple[None, None, str]] = list(lines)
    for place in range(5, N_SENTENCES, 10):
        written[place] = (None, None, draw_sentence(GRAMMAR, rng, False))
    del written[12]
    written.insert(8, (None, None, draw_sentence(GRAMMAR, rng, False)))
    return written


def main() -> None:
    """Print a line for each kind of transcript."""
    nano = load("nano")
    for kind in ("faithful", "careless"):
        starts, ends, n_said, n_found, n_false, n_unsaid, total_s, clock = [], [], 0, 0, 0, 0, 0.0, time.monotonic()
        for seed, voice in enumerate(VOICES):
            samples, lines = recording(voice, seed)
            written = lines if kind == "faithful" else careless(lines, seed)
            total_s += len(samples) / SAMPLE_RATE
            found = Aligner(nano, samples, [text for *_, text in written], "fr").align()
            for (start, end, _), line in zip(written, found, strict=True):
                good = is_well_aligned(line)
                if start is None or end is None:
                    n_unsaid += 1
                    n_false += good
                    continue
                n_said, n_found = n_said + 1, n_found + good
                if good:
                    starts.append(abs(line.start + MARGIN_S - start))
                    ends.append(abs(line.end - MARGIN_S - end))
        errors = ", ".join(
            f"{name} mean {np.mean(e):.3f} s, median {np.median(e):.3f} s, 95 % within {np.quantile(e, 0.95):.3f} s, "
            f"{np.mean(np.array(e) > 0.5):.0%} beyond 0.5 s"
            for name, e in (("start", starts), ("end", ends))
        )
        speed = total_s / (time.monotonic() - clock)
        counts = f"{n_found} of {n_said} said were found, {n_false} of {n_unsaid} not said"
        print(f"{kind}: {counts}; {errors}; RTFx {speed:.1f}")


if __name__ == "__main__":
    main()
