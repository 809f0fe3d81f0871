"""The model in openai-whisper, unmodified: its own log-mels and its own search, 30 s at a time.

Its vocabulary is OpenAI's; its tokens are read by the tokenizer in the folder. What differs from torch's engine by
nature:

- it hears 30 s windows only;
- a window that the model takes for silent and is unsure of has no text; it does not ask what would have come first;
- in float16 on a GPU, where torch's engine is in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from parlure.errors import ParlureError
from parlure.speech.audio import Samples
from parlure.transcribing.decode import (
    LOGPROB_THRESHOLD,
    Clip,
    DecodingOptions,
    batches_of,
    ids_before,
    text_of,
    window_waves,
)
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.longform import of_phrases
from parlure.transcribing.loopguard import without_rounds
from parlure.whisper.languages import language_of
from parlure.whisper.load import hash_files, read_tokenizer
from parlure.whisper.prompt import MAX_TOKENS, language_token, prompt_ids

OPENAI_MODEL = "model.pt"


class OpenAIEngine:
    """A folder with ``model.pt`` as an :class:`parlure.transcribing.engines.interface.Engine`."""

    def __init__(self, folder: Path, compute_type: str) -> None:
        """Load it, on the GPU where there is one.

        Args:
            folder: with the model and its tokenizer.
            compute_type: the numbers it is stored in; on a CPU it multiplies float32.

        Raises:
            ParlureError: openai-whisper is not installed, or cannot load the model.
        """
        self._library = _import_library()
        self.model, self.compute_type = str(folder), compute_type
        self._file = folder / OPENAI_MODEL
        self.tokenizer = read_tokenizer(str(folder))
        try:
            self._whisper = self._library.load_model(str(self._file))
        except (RuntimeError, OSError, KeyError, TypeError) as error:
            raise ParlureError(
                f"openai-whisper cannot load {self._file}: {str(error).splitlines()[0]}", "export the model again"
            ) from error
        self._on_gpu = self._whisper.device.type == "cuda"

    @cached_property
    def sha256(self) -> str:
        """Hash of the file."""
        return hash_files([self._file])

    @property
    def n_bytes(self) -> int:
        """Of the file."""
        return self._file.stat().st_size

    @property
    def n_parameters(self) -> int:
        """Of the model."""
        return sum(parameter.numel() for parameter in self._whisper.parameters())

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions."""
        about = {"engine": "openai-whisper", "compute_type": self.compute_type, "device": self._whisper.device.type}
        return about | {name: version(name) for name in ("parlure", "openai-whisper", "torch")}

    @torch.inference_mode()
    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, see :func:`parlure.transcribing.decode.decode`.

        Raises:
            ParlureError: short windows are asked for, an unknown language or task, more terms than a prompt holds, or
                audio that cannot be read.
        """
        if options.window != "full":
            raise ParlureError("openai-whisper hears 30 s windows only", "leave out the short ones")
        found: dict[int, Hypothesis] = {}
        for _, chosen in batches_of(clips, options):
            waves = window_waves([clips[index].read() for index in chosen]).to(self._whisper.device)
            features = self._library.log_mel_spectrogram(waves, self._whisper.dims.n_mels)
            identified = self._identified(features) if options.identifies else [None] * len(chosen)
            rows = self._decode_batch(features, options)
            for index, row, code in zip(chosen, rows, identified, strict=True):
                found[index] = self._hypothesis(clips[index].id, row, code, options)
            if progress:
                progress(len(chosen))
        return [found[index] for index in range(len(clips))]

    def _decode_batch(self, features: torch.Tensor, options: DecodingOptions) -> list[Any]:
        before = list(ids_before(self.tokenizer, options))[1:]  # <|startofprev|> is put there by itself
        prompt_ids(self.tokenizer, options.language or "en", options.task)  # refuses what the model does not know
        asked = self._library.DecodingOptions(
            task=options.task,
            language=self._code(options.language),
            beam_size=options.beam_size if options.beam_size > 1 else None,
            sample_len=min(options.max_new_tokens, MAX_TOKENS - len(before) - 5),
            prompt=before or None,
            without_timestamps=True,
            fp16=self._on_gpu,
        )
        return list(self._library.decode(self._whisper, features, asked))

    def _identified(self, features: torch.Tensor) -> list[str | None]:
        """The most probable language of each row; none of a Whisper that knows English alone."""
        if not self._whisper.is_multilingual:
            return [None] * len(features)
        _, probs = self._library.detect_language(self._whisper, features)
        return [language_of(self.tokenizer, f"<|{max(row, key=row.get)}|>") for row in probs]

    def _code(self, language: str | None) -> str | None:
        """OpenAI's code of a language, whose token another one may have taken over."""
        return None if language is None else (language_token(self.tokenizer, language) or "")[2:-2]

    def _hypothesis(self, name: str, row: Any, identified: str | None, options: DecodingOptions) -> Hypothesis:
        doubtful = row.no_speech_prob > options.no_speech_threshold and row.avg_logprob < LOGPROB_THRESHOLD
        tokens = [] if doubtful else list(row.tokens)
        kept = without_rounds(tokens) if options.loop_guard else tokens
        return Hypothesis(
            id=name,
            text=text_of(self.tokenizer, kept),
            language=options.language or language_of(self.tokenizer, f"<|{row.language}|>"),
            segments=None,
            no_speech_prob=row.no_speech_prob,
            avg_logprob=row.avg_logprob,
            tokens=tuple(kept),
            truncated=len(tokens) >= options.max_new_tokens and len(kept) == len(tokens),
            identified=identified,
            looped=len(kept) < len(tokens),
        )

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode a recording of any length with phrase times, by openai-whisper's own windows, without fallback."""
        found = self._whisper.transcribe(
            samples,
            task=options.task,
            language=self._code(options.language),
            beam_size=options.beam_size if options.beam_size > 1 else None,
            temperature=0.0,
            no_speech_threshold=options.no_speech_threshold,
            condition_on_previous_text=False,
            fp16=self._on_gpu,
        )
        phrases = [(one["start"], one["end"], one["tokens"]) for one in found["segments"]]
        language = options.language or language_of(self.tokenizer, f"<|{found['language']}|>")
        return of_phrases(self.tokenizer, name, language, phrases)


def _import_library() -> ModuleType:
    try:
        import whisper
    except ImportError as error:
        raise ParlureError(
            "the engine openai-whisper needs the package openai-whisper, which is not installed",
            "pip install openai-whisper",
        ) from error
    return whisper  # type: ignore[no-any-return]
