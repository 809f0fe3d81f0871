"""Sentences that sound the same whatever was synthesised before them in this process."""

import multiprocessing

from parlure.speech.synth import Voice, synthesize


def spoken(sentences, voice=Voice("fr+belinda", 160)):  # noqa: B008  frozen
    """Mono at 16 kHz, one after the other in a fresh process: espeak-ng keeps a state (parlure/speech/synth.py)."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.starmap(synthesize, [(sentence, voice) for sentence in sentences], chunksize=len(sentences))
