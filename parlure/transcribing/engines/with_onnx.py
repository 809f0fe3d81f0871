"""The model in onnxruntime: the same log-mels, searches and rules as torch's engine, over two graphs.

In float32 the tokens are torch's (tested, in both windows, with beams and prompts too), probabilities agree to 1e-3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig
from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor

from parlure.errors import ParlureError, missing_extra
from parlure.speech.audio import Samples
from parlure.speech.features import N_WINDOW_FRAMES, N_WINDOW_SAMPLES, log_mel
from parlure.transcribing.decode import (
    Clip,
    DecodingOptions,
    decode_by,
    identified_by,
    search,
    window_waves,
)
from parlure.transcribing.engines.onnx_steps import OnnxStepper
from parlure.transcribing.engines.threads import n_threads
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.rows import Rules, suppression
from parlure.transcribing.windows import HeardWindow, TimedRow, heard_window, joined, padded, prompts, walk, window_at
from parlure.whisper.languages import language_ids
from parlure.whisper.load import DECODER, ENCODER, hash_files, is_onnx, read_tokenizer
from parlure.whisper.prompt import MAX_TOKENS, SpecialTokens, prompt_ids

_QUANTIZER = "onnx.quantize"  # onnxruntime/quantization signs its graphs so
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")  # the first of these that are there


class OnnxEngine:
    """An ONNX folder as an :class:`parlure.transcribing.engines.interface.Engine`, on the GPU where onnxruntime can."""

    n_parameters = None  # a graph that was rounded does not tell
    device = torch.device("cpu")  # of what goes in and comes out, wherever it is computed

    def __init__(self, model: str, device: str | None = None) -> None:
        """Load a folder that ``parlure export --to onnx`` made.

        Args:
            model: the folder.
            device: cpu, or None for what onnxruntime was built for.

        Raises:
            ParlureError: it is none, cannot be read, or onnxruntime is not installed.
        """
        if not is_onnx(model):
            raise ParlureError(
                f"the engine onnx runs ONNX folders, and {model} is none",
                f"make one: parlure export {model} --to onnx --out FOLDER",
            )
        try:
            import onnxruntime
        except ImportError as error:
            raise missing_extra("onnxruntime", "onnx", "the engine onnx") from error
        self.model, self._folder = model, Path(model)
        self.tokenizer = read_tokenizer(model)
        self.settings = GenerationConfig.from_pretrained(model)
        self.n_vocabulary, self._n_mels = _sizes(self._folder)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = n_threads()
        # threads that wait in a busy loop take each other's cores where others work too
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = [one for one in _PROVIDERS if one in onnxruntime.get_available_providers()]
        if device == "cpu":
            providers = ["CPUExecutionProvider"]
        try:
            self._encoder, self._decoder = (
                onnxruntime.InferenceSession(str(self._folder / name), settings, providers=providers)
                for name in (ENCODER, DECODER)
            )
        except Exception as error:  # onnxruntime has a class of its own for each kind, below no common one
            raise ParlureError(
                f"onnxruntime cannot load {model}: {str(error).strip().splitlines()[0]}", "export the model again"
            ) from error

    @property
    def compute_type(self) -> str:
        """int8 where onnxruntime's quantiser has rounded the matrices, which the graph says, else float32."""
        return "int8" if self._decoder.get_modelmeta().producer_name == _QUANTIZER else "float32"

    @cached_property
    def sha256(self) -> str:
        """Hash of both graphs, weights included."""
        return hash_files(self._files)

    @property
    def n_bytes(self) -> int:
        """Of both graphs, weights included."""
        return sum(path.stat().st_size for path in self._files)

    @property
    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if path.name.startswith((ENCODER, DECODER)))

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions; torch makes the log-mels."""
        device = self._encoder.get_providers()[0].removesuffix("ExecutionProvider").lower()
        about = {"engine": "onnx", "compute_type": self.compute_type, "device": device}
        runtime = {"onnxruntime": _runtime_version()}
        return about | runtime | {name: version(name) for name in ("parlure", "torch", "transformers")}

    def hear(self, waves: torch.Tensor) -> OnnxStepper:
        """As a :class:`parlure.transcribing.decode.Listener`."""
        return self._hear_features(log_mel(waves, self._n_mels))

    def _hear_features(self, features: torch.Tensor) -> OnnxStepper:
        """Of log-mels ``(n, n_mels, n_frames)``; each by itself: attention of more falls out of a CPU's cache."""
        rows = [self._encoder.run(None, {"input_features": one[None]}) for one in features.numpy()]
        return OnnxStepper(self._decoder, [np.concatenate(parts) for parts in zip(*rows, strict=True)])

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, see :func:`parlure.transcribing.decode.decode`."""
        return decode_by(self, clips, options, progress)

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode one recording with phrase times, as :func:`parlure.transcribing.longform.decode_long`."""
        return joined(self.tokenizer, name, self.windows(samples, replace(options, prompt=None)))

    def windows(self, samples: Samples, options: DecodingOptions) -> Iterator[HeardWindow]:
        """Decode a recording window after window, see :mod:`parlure.transcribing.windows`; with beams, if asked for.

        Raises:
            ParlureError: an unknown language or task, or a prompt longer than what Whisper reads.
        """
        features = log_mel(padded(samples), self._n_mels).numpy()
        n_frames, language = features.shape[-1], options.language or self._first_language(samples)
        first, others = prompts(self.tokenizer, language, options)
        limit = options.max_new_tokens if n_frames > N_WINDOW_FRAMES else MAX_TOKENS  # as transformers has it
        n_spoken = len(prompt_ids(self.tokenizer, language, options.task, timestamps=True))

        def hear(place: int, n_heard: int) -> TimedRow:
            asked = others if place else first
            stepper = self._hear_features(torch.from_numpy(window_at(features, place)))
            rules = self._timed_rules(len(asked), len(asked) - n_spoken, limit)
            [row] = search(stepper, torch.tensor([asked]), rules, options.beam_size)
            return TimedRow(tuple(row.tokens), row.no_speech_prob, row.avg_logprob)

        timestamp_begin = SpecialTokens.of(self.tokenizer).timestamp_begin
        for place, row, phrases in walk(n_frames, options, timestamp_begin, hear):
            yield heard_window(self.tokenizer, language, place, row, phrases)

    def _first_language(self, samples: Samples) -> str:
        stepper = self.hear(window_waves([samples[:N_WINDOW_SAMPLES]]))
        return identified_by(stepper, self.tokenizer, 1, self.device)[0]

    def _timed_rules(self, n_prompt: int, n_before: int, max_new_tokens: int) -> Rules:
        """With times: what may follow them is transformers' own rule. Silent windows are judged once they are over."""
        special = SpecialTokens.of(self.tokenizer)
        of_times = WhisperTimeStampLogitsProcessor(self.settings, begin_index=0)
        return Rules(
            end=special.end,
            no_speech=special.no_speech,
            languages=language_ids(self.tokenizer),
            never=suppression(self.n_vocabulary, self.settings.suppress_tokens or [], self.device),
            never_first=suppression(self.n_vocabulary, self.settings.begin_suppress_tokens or [], self.device),
            n_tokens=min(max_new_tokens, MAX_TOKENS - n_prompt),
            no_speech_threshold=1.0,
            loop_guard=False,
            n_before=n_before,
            constrain=lambda written, scores: of_times(torch.tensor(written, dtype=torch.long), scores),
        )


def _runtime_version() -> str:
    """Of the package for CPUs or of the one for GPUs, whichever is installed."""
    try:
        return version("onnxruntime")
    except PackageNotFoundError:
        return version("onnxruntime-gpu")


def _sizes(folder: Path) -> tuple[int, int]:
    """Vocabulary and mel channels of the model that an ONNX folder was made from."""
    told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return int(told["vocab_size"]), int(told["num_mel_bins"])
