"""Sentences with the times at which espeak-ng begins each word, as its own events tell."""

import ctypes
import multiprocessing

import numpy as np

from parlure.speech import synth
from parlure.speech.synth import Voice

_WORD = 1  # espeakEVENT_WORD, speak_lib.h of espeak-ng 1.52


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


def _timed(sentence, voice):
    """Samples, and when each word begins, in seconds from their start."""
    engine, begins_ms = synth._engine(), []

    def receive(samples, n_samples, events):
        if samples and n_samples > 0:
            engine.chunks.append(np.ctypeslib.as_array(samples, shape=(n_samples,)).copy())
        at = 0
        while events and events[at].type:  # a list that a 0 ends
            if events[at].type == _WORD:
                begins_ms.append(events[at].audio_position_ms)
            at += 1
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
    engine.callback = kind(receive)
    engine.library.espeak_SetSynthCallback(engine.callback)
    sound = synth.synthesize(sentence, voice)
    raw = np.concatenate(engine.chunks).astype(np.int32)
    cut_s = np.flatnonzero(np.abs(raw) > 64)[0] / engine.rate_hz  # silence that synthesize takes away
    return sound, [max(0.0, ms / 1000 - cut_s) for ms in begins_ms]


def timed(sentences, voice=Voice("fr+belinda", 160)):  # noqa: B008  frozen
    """Samples at 16 kHz and when each word begins in seconds, of sentences synthesised in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.starmap(_timed, [(sentence, voice) for sentence in sentences], chunksize=len(sentences))
