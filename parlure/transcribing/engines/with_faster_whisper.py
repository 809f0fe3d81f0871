"""faster-whisper as its users call it, sound in and text out: it prepares log-mels itself and pads them with 0.0.

For holding a CTranslate2 folder against the model it was made from. Decoding is pinned to what the options say: one
temperature, no fallback, no voice-activity detection, no text of the window before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from parlure.errors import missing_extra
from parlure.speech.audio import Samples
from parlure.transcribing.decode import LOGPROB_THRESHOLD, Clip, DecodingOptions, ids_before
from parlure.transcribing.engines.threads import n_threads
from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.transcribing.loopguard import without_rounds
from parlure.whisper.load import hash_files, read_tokenizer
from parlure.whisper.prompt import MAX_TOKENS, language_token


class FasterWhisperEngine:
    """A CTranslate2 folder as an :class:`parlure.transcribing.engines.interface.Engine`."""

    n_parameters = None  # it does not tell

    def __init__(self, model: str) -> None:
        """Load a CTranslate2 folder.

        Raises:
            ParlureError: faster-whisper is not installed.
        """
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise missing_extra("faster-whisper", "export", "to hear an export as faster-whisper does") from error
        self.model, self._folder = model, Path(model)
        self.tokenizer = read_tokenizer(model)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._whisper = WhisperModel(model, device=device, compute_type="default", cpu_threads=n_threads())
        self.compute_type = str(self._whisper.model.compute_type)

    @cached_property
    def sha256(self) -> str:
        """Hash of the folder's weights."""
        return hash_files([self._folder / "model.bin"])

    @property
    def n_bytes(self) -> int:
        """Of the folder's weights."""
        return (self._folder / "model.bin").stat().st_size

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions."""
        about = {"engine": "faster-whisper", "compute_type": self.compute_type, "device": self._whisper.model.device}
        return about | {name: version(name) for name in ("parlure", "faster-whisper", "ctranslate2")}

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, one after the other, each in a window of 30 s.

        Raises:
            ValueError: another window is asked for, which it does not have.
        """
        if options.window != "full":
            raise ValueError("faster-whisper decodes in windows of 30 s alone")
        before = list(ids_before(self.tokenizer, options))[1:]  # it writes <|startofprev|> itself
        found = []
        for clip in clips:
            found.append(self._hear(clip.id, clip.read(), options, before, timestamps=False))
            if progress:
                progress(1)
        return found

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode a recording of any length with phrase times."""
        return self._hear(name, samples, options, list(ids_before(self.tokenizer, options))[1:], timestamps=True)

    def _hear(
        self, name: str, samples: Samples, options: DecodingOptions, before: list[int], *, timestamps: bool
    ) -> Hypothesis:
        n_prompt = 4 + len(before) + bool(before)
        # of a limit on new tokens, CTranslate2 takes half of prompt and tokens together
        room = min(2 * options.max_new_tokens, MAX_TOKENS) - n_prompt
        segments, info = self._whisper.transcribe(
            samples, language=self._token_of(options.language), task=options.task, beam_size=options.beam_size,
            temperature=0.0, without_timestamps=not timestamps, condition_on_previous_text=False, vad_filter=False,
            no_speech_threshold=options.no_speech_threshold, log_prob_threshold=LOGPROB_THRESHOLD,
            compression_ratio_threshold=None, max_new_tokens=None if timestamps else max(1, room),
            initial_prompt=before or None, length_penalty=1.0,
        )  # fmt: skip
        heard = list(segments)
        tokens = [id_ for segment in heard for id_ in segment.tokens]
        kept = without_rounds(tokens) if options.loop_guard and not timestamps else tokens
        text = " ".join(segment.text.strip() for segment in heard)
        if len(kept) < len(tokens):
            text = str(self.tokenizer.backend_tokenizer.decode(list(kept))).strip()
        return Hypothesis(
            id=name,
            text=text,
            language=options.language or info.language,
            segments=tuple(Segment(round(s.start, 2), round(s.end, 2), s.text.strip()) for s in heard)
            if timestamps
            else None,
            no_speech_prob=heard[0].no_speech_prob if heard else None,
            avg_logprob=heard[0].avg_logprob if heard else None,
            tokens=tuple(kept),
            truncated=not timestamps and len(tokens) >= options.max_new_tokens,
            identified=info.language if options.identifies else None,
            looped=len(kept) < len(tokens),
        )

    def _token_of(self, language: str | None) -> str | None:
        """The code that faster-whisper asks for: of a language with another's token, the other's."""
        token = None if language is None else language_token(self.tokenizer, language)
        return language if token is None else token[2:-2]
