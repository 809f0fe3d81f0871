"""The model in CTranslate2: the same log-mels, prompts and rules as torch's engine.

In float32 the tokens are torch's (tested, in both windows), probabilities agree to 1e-3. What differs by nature:

- in float16 and int8 the numbers are rounder, and now and then a token is another one;
- the loop guard looks at what was written to the end, so it saves no time, and ``avg_logprob`` is of all of it;
- with beams, ``avg_logprob`` is the best hypothesis's, whose tokens need not be greedy's;
- with phrase times, CTranslate2 allows a phrase to end where it begins, which transformers does not;
- an English-only Whisper is not asked for its language.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from parlure.errors import ParlureError
from parlure.speech.audio import Samples
from parlure.speech.features import N_WINDOW_FRAMES, N_WINDOW_SAMPLES, log_mel
from parlure.transcribing.decode import (
    LOGPROB_THRESHOLD,
    Clip,
    DecodingOptions,
    batches_of,
    ids_before,
    text_of,
    window_waves,
)
from parlure.transcribing.engines.threads import n_threads
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.loopguard import without_rounds
from parlure.transcribing.reading import Reading, n_positions_of
from parlure.transcribing.warping import POSITION_S
from parlure.transcribing.windows import HeardWindow, TimedRow, heard_window, joined, padded, prompts, walk, window_at
from parlure.whisper.conversion import QUANTIZATIONS, Quantization, converted, import_ctranslate2
from parlure.whisper.languages import language_of
from parlure.whisper.load import hash_files, is_ctranslate2, read_tokenizer
from parlure.whisper.prompt import MAX_TOKENS, SpecialTokens, prompt_ids

_MAX_INITIAL_TIMESTAMP = 50  # steps of 0.02 s: where the first phrase begins at the latest, in every public Whisper
_N_TIMESTAMPS = 1501


@dataclass(frozen=True)
class _Row:
    tokens: tuple[int, ...]
    no_speech_prob: float
    avg_logprob: float
    ended: bool

    def is_doubtful(self, options: DecodingOptions) -> bool:
        """OpenAI's rule: what the model takes for silent and is unsure of is not said."""
        return self.no_speech_prob > options.no_speech_threshold and self.avg_logprob < LOGPROB_THRESHOLD


class CTranslate2Engine:
    """A MODEL as an :class:`parlure.transcribing.engines.interface.Engine`, on the GPU where there is one."""

    def __init__(self, model: str, quantize: Quantization | None = None, device: str | None = None) -> None:
        """Load a CTranslate2 folder, or convert any other MODEL first, once.

        Args:
            model: a MODEL.
            quantize: the numbers it multiplies; None is float32, or what a CTranslate2 folder holds, or the next wider
                ones that the device has. ``compute_type`` says which they are.
            device: cpu or cuda; None is the GPU where there is one.

        Raises:
            ParlureError: it cannot be loaded, the device does not have these numbers, or CTranslate2 is not installed.
        """
        ctranslate2 = import_ctranslate2()
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        can = ctranslate2.get_supported_compute_types(device)
        if quantize is not None and quantize not in can:
            raise ParlureError(
                f"CTranslate2 does not multiply {quantize} on this machine's {'GPU' if device == 'cuda' else 'CPU'}",
                f"choose --quantize {' or '.join(sorted({*QUANTIZATIONS} & {*can}))}",
            )
        self.model = model
        if is_ctranslate2(model):
            folder, numbers = Path(model), quantize or "default"
            self._sha256 = None
        else:
            found = converted(model, quantize or "float32")
            folder, numbers = found.folder, quantize or "float32"
            self._sha256 = found.sha256
        self._folder, self._view = folder, ctranslate2.StorageView
        self.tokenizer = read_tokenizer(str(folder))
        self._special = SpecialTokens.of(self.tokenizer)
        self._settings = _settings(folder)
        try:
            self._whisper = ctranslate2.models.Whisper(
                str(folder), device=device, compute_type=numbers, intra_threads=n_threads()
            )
        except (RuntimeError, ValueError) as error:
            raise ParlureError(
                f"CTranslate2 cannot load {folder}: {str(error).splitlines()[0]}",
                "convert the model again; what parlure has converted itself can be deleted",
            ) from error
        self.compute_type = str(self._whisper.compute_type)

    @cached_property
    def sha256(self) -> str:
        """Hash of the MODEL's weights: those that were converted, or a CTranslate2 folder's own."""
        return self._sha256 or hash_files([self._folder / "model.bin"])

    @property
    def n_bytes(self) -> int:
        """Of the conversion's weights."""
        return (self._folder / "model.bin").stat().st_size

    @property
    def n_parameters(self) -> None:
        """CTranslate2 does not tell."""
        return None

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions; torch makes the log-mels."""
        about = {"engine": "ctranslate2", "compute_type": self.compute_type, "device": self._whisper.device}
        return about | {name: version(name) for name in ("parlure", "ctranslate2", "torch", "transformers")}

    @torch.inference_mode()
    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, see :func:`parlure.transcribing.decode.decode`."""
        found: dict[int, Hypothesis] = {}
        for window_s, chosen in batches_of(clips, options):
            features = self._log_mel(window_waves([clips[index].read() for index in chosen], window_s))
            rows = self._decode_batch(features, [clips[index].id for index in chosen], options)
            found.update(zip(chosen, rows, strict=True))
            if progress:
                progress(len(chosen))
        return [found[index] for index in range(len(clips))]

    def _log_mel(self, waves: torch.Tensor) -> np.ndarray:
        """Shape ``(n, n_mels, n_frames)``, of waves ``(n, n_samples)``."""
        device = "cuda" if self._whisper.device == "cuda" else "cpu"
        return np.ascontiguousarray(log_mel(waves.to(device), self._whisper.n_mels).cpu().numpy())

    def _encode(self, features: np.ndarray) -> Any:
        """The encoder's output; on a CPU of 30 s at a time: the attention of more falls out of its cache."""
        n_rows, n_frames = len(features), features.shape[-1]
        size = max(1, N_WINDOW_FRAMES // n_frames) if self._whisper.device == "cpu" else n_rows
        parts = [
            self._whisper.encode(self._view.from_array(np.ascontiguousarray(features[start : start + size])))
            for start in range(0, n_rows, size)
        ]
        if len(parts) == 1:
            return parts[0]
        return self._view.from_array(np.concatenate([np.asarray(part) for part in parts]))

    def _decode_batch(self, features: np.ndarray, names: Sequence[str], options: DecodingOptions) -> list[Hypothesis]:
        encoded = self._encode(features)
        identified = self._identified(encoded, len(names)) if options.identifies else [None] * len(names)
        languages = [options.language or code or "en" for code in identified]
        before = ids_before(self.tokenizer, options)
        prompts = [[*before, *prompt_ids(self.tokenizer, code, options.task)] for code in languages]
        rows = self._without_silence(self._texts(encoded, prompts, options), features, prompts, options)
        kept = [without_rounds(row.tokens) if options.loop_guard else row.tokens for row in rows]
        return [
            Hypothesis(
                id=name,
                text=text_of(self.tokenizer, tokens),
                language=language,
                segments=None,
                no_speech_prob=row.no_speech_prob,
                avg_logprob=row.avg_logprob,
                tokens=tuple(tokens),
                truncated=not row.ended and len(tokens) == len(row.tokens),
                identified=code,
                looped=len(tokens) < len(row.tokens),
            )
            for name, language, row, tokens, code in zip(names, languages, rows, kept, identified, strict=True)
        ]

    def _identified(self, encoded: Any, n_rows: int) -> list[str | None]:
        """The most probable language of each row; none of a Whisper that knows English alone."""
        if not self._whisper.is_multilingual:
            return [None] * n_rows
        best = [str(ranked[0][0]) for ranked in self._whisper.detect_language(encoded)]
        return [language_of(self.tokenizer, token) for token in best]

    def _texts(
        self, encoded: Any, prompts: list[list[int]], options: DecodingOptions, *, may_end_at_once: bool = False
    ) -> list[_Row]:
        """Rows without timestamps."""
        special = self._special
        times = range(special.no_timestamps, special.timestamp_begin + _N_TIMESTAMPS)
        never = {*self._settings["suppress_ids"], *times} - {special.end}
        return self._generate(
            encoded,
            prompts,
            options.max_new_tokens,
            options.beam_size,
            sorted(never),
            suppress_blank=not may_end_at_once,
        )

    def _generate(
        self,
        encoded: Any,
        prompts: list[list[int]],
        max_new_tokens: int,
        beam_size: int,
        never: list[int],
        **settings: Any,
    ) -> list[_Row]:
        n_prompt = len(prompts[0])
        limit = min(max_new_tokens, MAX_TOKENS - n_prompt)
        # CTranslate2 counts the prompt without its last token, and takes half of the length as a further limit
        max_length = max(2 * limit, limit + n_prompt - 1)
        found = self._whisper.generate(
            encoded, prompts, beam_size=beam_size, max_length=max_length, suppress_tokens=never, return_scores=True,
            return_no_speech_prob=True, length_penalty=float(beam_size > 1), **settings,
        )  # fmt: skip
        rows = []
        for result in found:
            tokens, total = tuple(result.sequences_ids[0]), result.scores[0]
            if beam_size > 1:  # the score is a mean over the tokens without the end, whose share it has all the same
                total *= len(tokens)
            ended = len(tokens) < limit
            rows.append(_Row(tokens, result.no_speech_prob, total / max(1, len(tokens) + ended), ended))
        return rows

    def _without_silence(
        self, rows: list[_Row], features: np.ndarray, prompts: list[list[int]], options: DecodingOptions
    ) -> list[_Row]:
        """No text where the model takes the window for silent and would have ended at once, or doubts what it wrote.

        CTranslate2 does not tell what would have come first if the end had been allowed, so silent rows are asked
        again, for one token.
        """
        suspects = [index for index, row in enumerate(rows) if row.no_speech_prob > options.no_speech_threshold]
        if not suspects:
            return rows
        encoded = self._encode(features[suspects])
        asked, step = [prompts[index] for index in suspects], DecodingOptions(max_new_tokens=1)
        freely = self._texts(encoded, asked, step, may_end_at_once=True)
        first = self._texts(encoded, asked, step)
        rows = list(rows)
        for index, free, forced in zip(suspects, freely, first, strict=True):
            row = rows[index]
            if not free.tokens or free.tokens[0] == self._special.end:
                rows[index] = _Row((), row.no_speech_prob, forced.avg_logprob, True)
            elif row.is_doubtful(options):
                rows[index] = _Row((), row.no_speech_prob, row.avg_logprob, True)
        return rows

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode one recording with phrase times: windows of 30 s, each begins where the last phrase ended.

        As :func:`parlure.transcribing.longform.decode_long`: log-mels of the whole recording, 0.0 after its end, greedy
        unless there are beams, without the previous text, silent windows skipped.
        """
        return joined(self.tokenizer, name, self.windows(samples, replace(options, prompt=None)))

    def windows(self, samples: Samples, options: DecodingOptions) -> Iterator[HeardWindow]:
        """Decode a recording window after window, see :mod:`parlure.transcribing.windows`; with beams, if asked for.

        Raises:
            ParlureError: an unknown language or task, or a prompt longer than what Whisper reads.
        """
        features = self._log_mel(padded(samples))
        n_frames, language = features.shape[-1], options.language or self._first_language(samples)
        first, others = prompts(self.tokenizer, language, options)
        limit = options.max_new_tokens if n_frames > N_WINDOW_FRAMES else MAX_TOKENS  # as transformers has it

        def hear(place: int, n_heard: int) -> TimedRow:
            [row] = self._generate(
                self._encode(window_at(features, place)), [others if place else first], limit, options.beam_size,
                self._settings["suppress_ids"], suppress_blank=True,
                max_initial_timestamp_index=self._settings["max_initial_timestamp_index"],
            )  # fmt: skip
            return TimedRow(row.tokens, row.no_speech_prob, row.avg_logprob)

        for place, row, phrases in walk(n_frames, options, self._special.timestamp_begin, hear):
            yield heard_window(self.tokenizer, language, place, row, phrases)

    @torch.inference_mode()
    def _first_language(self, samples: Samples) -> str:
        """Identified from the first 30 s; English of a Whisper that knows no other."""
        first = self._encode(self._log_mel(window_waves([samples[:N_WINDOW_SAMPLES]])))
        return self._identified(first, 1)[0] or "en"

    @torch.inference_mode()
    def read(self, sound: Samples, tokens: Sequence[int], language: str, task: str) -> Reading:
        """Read a text along its sound by CTranslate2's own ``align``, see :mod:`parlure.transcribing.reading`."""
        encoded = self._encode(self._log_mel(window_waves([sound])))
        prompt = prompt_ids(self.tokenizer, language, task)[:-1]  # it puts <|notimestamps|> there itself
        n_frames = 2 * n_positions_of(sound)  # of the log-mel
        [found] = self._whisper.align(encoded, prompt, [list(tokens)], n_frames)
        rows, positions = np.array(found.alignments).T
        begins = positions[np.flatnonzero(np.diff(rows, prepend=-1))]
        return Reading(tuple((begins * POSITION_S).tolist()), tuple(found.text_token_probs))


def _settings(folder: Path) -> dict[str, Any]:
    """What a conversion says about decoding; the first timestamp's limit is not among what CTranslate2 keeps."""
    told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    path, initial = folder / "generation_config.json", _MAX_INITIAL_TIMESTAMP
    if path.is_file():
        initial = json.loads(path.read_text(encoding="utf-8")).get("max_initial_timestamp_index")
    return {
        "suppress_ids": list(told.get("suppress_ids") or []),
        "max_initial_timestamp_index": _N_TIMESTAMPS - 1 if initial is None else initial,
    }
