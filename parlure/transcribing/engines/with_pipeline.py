"""A speech-recognition model that is no Whisper, run by transformers' pipeline: wav2vec2, Parakeet, Moonshine, …

They stand beside Whisper in a table of untuned models; nothing here trains them.

The pipeline reads what a CTC model writes over the padding of a batch as if it had been said, and wav2vec2 normalises
over the padding too: the texts of a batch depend on who else is in it (seen in transformers 5.23). So every clip is
followed by silence up to a length that is its own alone, that of :func:`parlure.speech.features.short_window_s`, and
only clips of one such length share a batch: nothing is padded, and a text does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from transformers import pipeline

from parlure.errors import ParlureError
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.voice import SpanPolicy, spans_in
from parlure.transcribing.decode import Clip, DecodingOptions, batches_of, window_waves
from parlure.transcribing.hypothesis import Hypothesis, Segment
from parlure.whisper.load import first_sentence, hash_files, locate, model_type, weight_files
from parlure.whisper.quiet import quiet

# by what a model's config calls itself: what writes a text from sound alone, which is all that the pipeline gives it
CTC: Final = frozenset({
    "data2vec-audio", "hubert", "lasr_ctc", "parakeet_ctc", "sew", "sew-d", "unispeech", "unispeech-sat", "wav2vec2",
    "wav2vec2-bert", "wav2vec2-conformer", "wavlm",
})  # fmt: skip
TRANSDUCERS: Final = frozenset({"parakeet_tdt", "parakeet_rnnt", "nemotron_asr_streaming"})
WRITERS: Final = frozenset({"moonshine", "speech_to_text", "speech-encoder-decoder"})
# what has to be told in tokens what to do; the pipeline of 5.23 loads these, and tells them nothing
TOLD: Final = frozenset({
    "canary", "cohere_asr", "fun_asr_nano", "granite_speech", "granite_speech_plus", "glmasr", "kyutai_speech_to_text",
    "nemotron3_5_asr", "qwen3_asr", "seamless_m4t", "seamless_m4t_v2", "vibevoice_asr", "voxtral", "voxtral_realtime",
})  # fmt: skip


def is_for_pipeline(model: str) -> bool:
    """Whether a name is of a speech-recognition model that is no Whisper; False where nothing can be told.

    Raises:
        ParlureError: it is one that the pipeline cannot run.
    """
    try:
        source, adapter = locate(model)
        kind = "whisper" if model == "nano" or adapter is not None else model_type(source)
    except ParlureError:
        return False  # whoever loads it says why
    if kind in TOLD:
        raise ParlureError(
            f"{model} is a {kind} model, which is told in a prompt what to do, and transformers' pipeline gives none",
            "transcribe the same utterances with its own tools: baseline compares such texts, --texts NAME=FILE",
        )
    return kind in CTC | TRANSDUCERS | WRITERS


class PipelineEngine:
    """Such a model as an :class:`parlure.transcribing.engines.interface.Engine`, on the GPU where there is one.

    It transcribes what is said in the languages that it knows: what a prompt would tell Whisper, it is not told.
    """

    compute_type = "float32"
    tokenizer = None  # none of Whisper's

    def __init__(self, model: str, device: str | None = None) -> None:
        """Load a Hugging Face folder or hub id; onto the GPU where there is one, if no device is named.

        Raises:
            ParlureError: it cannot be loaded, or does not hear 16 kHz.
        """
        from transformers.utils import logging

        logging.disable_progress_bar()  # stderr is for our own progress
        self.model = model
        self._source, _ = locate(model)
        self._kind = model_type(self._source)
        try:
            with quiet():
                self._pipeline = pipeline(
                    "automatic-speech-recognition",
                    model=self._source,
                    dtype=torch.float32,
                    device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
                )
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, TypeError, AttributeError) as error:
            raise ParlureError(
                f"transformers' pipeline cannot load {model}: {first_sentence(error)}",
                "fetch the model again, whole: its config, weights, tokenizer and preprocessor_config.json",
            ) from error
        if (rate := self._pipeline.feature_extractor.sampling_rate) != SAMPLE_RATE:
            raise ParlureError(f"{model} hears {rate} Hz, and all here is at {SAMPLE_RATE}", "choose another model")

    @cached_property
    def _weights(self) -> tuple[Path, ...]:
        return weight_files(self._source, None)

    @cached_property
    def sha256(self) -> str:
        """Hash of the weights on disk."""
        return hash_files(self._weights)

    @property
    def n_bytes(self) -> int:
        """Of the weights on disk."""
        return sum(path.stat().st_size for path in self._weights)

    @property
    def n_parameters(self) -> int:
        """Of the model."""
        return sum(parameter.numel() for parameter in self._pipeline.model.parameters())

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Transcribe clips of at most 30 s, each with silence behind it up to a length of its own.

        Raises:
            ParlureError: the options ask for what only Whisper has, or audio cannot be read.
        """
        self._refuse(options)
        found: dict[int, Hypothesis] = {}
        for window_s, chosen in batches_of(clips, replace(options, window="short")):
            waves = window_waves([clips[index].read() for index in chosen], window_s).numpy()
            for index, text in zip(chosen, self._texts(waves, options), strict=True):
                found[index] = self._hypothesis(clips[index].id, text, None, options)
            if progress:
                progress(len(chosen))
        return [found[index] for index in range(len(clips))]

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Transcribe a recording of any length, one span of speech after the other; their times are the phrases'.

        Raises:
            ParlureError: the options ask for what only Whisper has, or faster-whisper is missing.
        """
        spans = spans_in(samples, SpanPolicy())
        parts = [samples[round(one.start * SAMPLE_RATE) : round(one.end * SAMPLE_RATE)] for one in spans]
        clips = [
            Clip(str(place), len(part) / SAMPLE_RATE, lambda part=part: part)  # type: ignore[misc]
            for place, part in enumerate(parts)
        ]
        texts = [one.text for one in self.decode(clips, options)]
        segments = [Segment(one.start, one.end, text) for one, text in zip(spans, texts, strict=True) if text]
        return self._hypothesis(name, " ".join(one.text for one in segments), tuple(segments), options)

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions; and in which window, for it is none of Whisper's."""
        about = {"engine": "pipeline", "architecture": self._kind, "compute_type": self.compute_type}
        about |= {"device": self._pipeline.device.type, "window": "its own length and up to 1 s of silence"}
        return about | {name: version(name) for name in ("parlure", "torch", "transformers")}

    def _refuse(self, options: DecodingOptions) -> None:
        wants = {
            "translates": options.task != "transcribe",
            "searches with beams": options.beam_size > 1 and self._kind not in WRITERS,
            "has a loop guard": options.loop_guard,
            "reads a prompt": bool(options.prompt),
        }
        if wrong := [what for what, wanted in wants.items() if wanted]:
            raise ParlureError(f"{self.model}, a {self._kind} model, never {wrong[0]}", "ask a Whisper for that")

    def _texts(self, waves: np.ndarray, options: DecodingOptions) -> list[str]:
        settings: dict[str, Any] = {}
        if self._kind in WRITERS:  # else the pipeline searches with five beams, where Whisper was given one
            settings = {"num_beams": options.beam_size, "max_new_tokens": options.max_new_tokens}
        try:
            with quiet(), torch.inference_mode():
                found = self._pipeline(list(waves), batch_size=len(waves), generate_kwargs=settings)
        except (ValueError, RuntimeError, TypeError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise ParlureError(
                f"transformers' pipeline cannot run {self.model}: {first_sentence(error)}",
                "baseline compares texts made elsewhere too: --texts NAME=FILE",
            ) from error
        return [str(one["text"]).strip() for one in found]

    def _hypothesis(
        self, name: str, text: str, segments: tuple[Segment, ...] | None, options: DecodingOptions
    ) -> Hypothesis:
        return Hypothesis(
            id=name,
            text=text,
            language=options.language or "",
            segments=segments,
            no_speech_prob=None,
            avg_logprob=None,
            tokens=(),
            truncated=False,
        )
