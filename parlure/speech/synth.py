"""Text → speech by espeak-ng, for the demo corpus, the tests and nano's training; never a person's voice.

The engine is GPL-3.0-or-later: it is an optional extra (``pip install "parlure[synth]"``), loaded lazily
through ctypes and never vendored. What it returns is plain audio.

The same calls in the same order give the same sound in every process, but a call repeated *inside* one
process can differ (the engine keeps state): whoever needs a reproducible corpus synthesises it in one fixed
order in a fresh process. A second initialisation in one process hangs, hence the module-level engine.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soxr

from parlure.errors import ParlureError, missing_extra
from parlure.speech.audio import SAMPLE_RATE, Samples

# speak_lib.h, espeak-ng 1.52
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_PHONEMES = 0x100  # text inside [[ ]] is read as phoneme mnemonics
_PARAMETER = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}


@dataclass(frozen=True)
class Voice:
    """One way of speaking.

    Attributes:
        name: an espeak-ng voice with an optional variant, such as ``fr+f3`` or ``en-gb+m2``.
        rate_wpm: words a minute, 80 to 450.
        pitch: 0 to 99, 50 is the voice's own.
        pitch_range: 0 (monotone) to 99, 50 is the voice's own.
    """

    name: str
    rate_wpm: int = 165
    pitch: int = 50
    pitch_range: int = 50


class _Engine:
    """libespeak-ng, initialised once in this process."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise missing_extra("espeakng-loader", "synth", "synthetic speech") from error
        self.data = Path(espeakng_loader.get_data_path())
        self.library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        self.rate_hz = self.library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, str(self.data.parent).encode(), _INITIALIZE_DONT_EXIT
        )
        if self.rate_hz <= 0:
            raise ParlureError(
                f"espeak-ng could not start with the data in {self.data}",
                'pip install --force-reinstall "parlure[synth]"',
            )
        # Breathy voices draw noise from a generator that the engine otherwise seeds with the time of day
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.chunks: list[np.ndarray] = []
        callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = callback_type(self._receive)  # kept alive: C holds only a pointer to it
        self.library.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples, n_samples: int, _events) -> int:  # type: ignore[no-untyped-def]
        if samples and n_samples > 0:
            self.chunks.append(np.ctypeslib.as_array(samples, shape=(n_samples,)).copy())
        return 0

    def choose(self, voice: Voice) -> None:
        variant = voice.name.partition("+")[2]
        known = not variant or (self.data / "voices" / "!v" / variant).is_file()
        if not known or self.library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise ParlureError(
                f"espeak-ng has no voice called {voice.name}",
                "a voice is a language such as fr or en-us, optionally with a variant: fr+f3",
            )
        for parameter, value in (
            ("rate", voice.rate_wpm),
            ("volume", 90),
            ("pitch", voice.pitch),
            ("range", voice.pitch_range),
        ):
            self.library.espeak_SetParameter(_PARAMETER[parameter], value, 0)


@cache
def _engine() -> _Engine:
    return _Engine()


def variants() -> list[str]:
    """The names of the engine's voice variants, in alphabetical order."""
    return sorted(path.name for path in (_engine().data / "voices" / "!v").iterdir())


def phonemes(text: str, voice: str) -> str:
    """espeak-ng's phoneme mnemonics for a text, clauses joined by `` _: `` (a pause).

    Args:
        text: what to say.
        voice: an espeak-ng voice name, such as ``fr``.

    Raises:
        ParlureError: the engine or the voice is missing.
    """
    engine = _engine()
    engine.choose(Voice(voice))
    pointer = ctypes.c_char_p(text.encode("utf-8"))
    clauses = []
    while pointer.value:
        clause = engine.library.espeak_TextToPhonemes(ctypes.byref(pointer), _CHARS_UTF8, 0)
        clauses.append((clause or b"").decode("utf-8").strip())
    return " _: ".join(clause for clause in clauses if clause)


def synthesize(text: str, voice: Voice, *, is_phonemes: bool = False) -> Samples:
    """Say a text.

    Args:
        text: what to say, or mnemonics as :func:`phonemes` returns them.
        voice: who says it, and how.
        is_phonemes: whether ``text`` is mnemonics.

    Returns:
        Mono samples at 16 kHz, shape ``(n_samples,)``, within ±1, silence at both ends cut off.

    Raises:
        ParlureError: the engine or the voice is missing, or nothing was said.
    """
    engine = _engine()
    engine.choose(voice)
    engine.chunks.clear()
    spoken = (f"[[{text}]]" if is_phonemes else text).encode("utf-8")
    flags = _CHARS_UTF8 | (_PHONEMES if is_phonemes else 0)
    engine.library.espeak_Synth(spoken, len(spoken) + 1, 0, _POSITION_CHARACTER, 0, flags, None, None)
    engine.library.espeak_Synchronize()
    samples = np.concatenate(engine.chunks) if engine.chunks else np.zeros(0, np.int16)
    audible = np.flatnonzero(np.abs(samples.astype(np.int32)) > 64)
    if not len(audible):
        raise ParlureError(f"espeak-ng said nothing for {text!r}", "give it a text with letters or digits")
    spoken_part = samples[audible[0] : audible[-1] + 1].astype(np.float32) / 32768.0
    resampled: Samples = soxr.resample(spoken_part, engine.rate_hz, SAMPLE_RATE).astype(np.float32)
    return resampled
