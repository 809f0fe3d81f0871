"""The model in whisper.cpp, by pywhispercpp, unmodified: its own log-mels, its own search, its own rules.

Options are handed over as far as they have a counterpart. Set so that it does what torch's engine does: no fallback to
higher temperatures, no timestamps and one segment for a clip, the same symbols suppressed, and **no flash attention**,
which is whisper.cpp's default: with it the encoder's 1,500 positions are filled up to a multiple of 256 and nothing
masks the empty ones (1.8.5; ``whisper_build_graph_encoder``), which a text shows now and then, and in short windows
nearly always. What differs by nature:

- weights are in float16 or fewer bits, and so are keys and values; now and then a token is another one;
- it looks for ``<|nospeech|>`` after the whole prompt, where models hardly ever put it, so that silence gets words;
- a text ends after 220 tokens at the latest;
- with beams, the best hypothesis is chosen by its mean log-probability;
- in a long recording, times are read and windows are moved by whisper.cpp's own rules.

A damaged file may end the whole process: what the library says while it loads is read before anything else is asked.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from parlure.errors import ParlureError, missing_extra
from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import WINDOW_S, short_window_s
from parlure.transcribing.decode import LOGPROB_THRESHOLD, Clip, DecodingOptions, ids_before, text_of
from parlure.transcribing.engines.threads import n_threads
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.longform import of_phrases
from parlure.transcribing.loopguard import without_rounds
from parlure.whisper.languages import language_of
from parlure.whisper.load import hash_files, read_tokenizer
from parlure.whisper.prompt import SpecialTokens, language_token, prompt_ids

GGML_MODEL = "ggml-model.bin"

_POSITIONS_PER_S = 50
_MIN_SAMPLES = SAMPLE_RATE // 2  # it leaves out what is shorter than 0.1 s; silence behind it changes nothing
_MAX_TOKENS = 220  # half of the decoder's positions, less four
_ERROR = 4  # GGML_LOG_LEVEL_ERROR
_NEVER = -1.0  # an entropy that no text is below


class WhisperCppEngine:
    """A folder with ``ggml-model.bin`` as an :class:`parlure.transcribing.engines.interface.Engine`."""

    def __init__(self, folder: Path, compute_type: str) -> None:
        """Load it, on the GPU where pywhispercpp was built for one.

        Args:
            folder: with the model and its tokenizer.
            compute_type: the numbers it is stored in, which the library does not tell.

        Raises:
            ParlureError: there is no model, whisper.cpp cannot load it, or pywhispercpp is not installed.
        """
        self._library = _import_library()
        self.model, self.compute_type = str(folder), compute_type
        self._file = folder / GGML_MODEL
        self.tokenizer = read_tokenizer(str(folder))
        self._special = SpecialTokens.of(self.tokenizer)
        self._context = self._load()

    def _load(self) -> Any:
        if not self._file.is_file():
            raise ParlureError(f"there is no {self._file}", "name a folder that parlure export --to ggml has made")
        library, said = self._library, []
        library.whisper_log_set(lambda level, text, *_: said.append((level, text)))
        settings = library.whisper_context_default_params()
        settings.flash_attn = False
        try:
            context = library.whisper_init_from_file_with_params(str(self._file), settings)
        finally:
            library.whisper_log_set(None)
        if wrong := [text for level, text in said if level >= _ERROR or "no tensors" in text]:
            raise ParlureError(
                f"whisper.cpp cannot load {self._file}: {wrong[0].partition(': ')[2].strip()}", "export the model again"
            )
        weakref.finalize(self, library.whisper_free, context)
        return context

    @cached_property
    def sha256(self) -> str:
        """Hash of the file."""
        return hash_files([self._file])

    @property
    def n_bytes(self) -> int:
        """Of the file."""
        return self._file.stat().st_size

    @property
    def n_parameters(self) -> None:
        """whisper.cpp does not tell."""
        return None

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions."""
        about = {"engine": "whisper.cpp", "compute_type": self.compute_type, "device": "cpu"}
        return about | {name: version(name) for name in ("parlure", "pywhispercpp")}

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, one after the other; in the short window by ``audio_ctx``.

        Raises:
            ValueError: a clip is longer than 30 s.
            ParlureError: an unknown language or task, more terms than a prompt holds, or audio that cannot be read.
        """
        found = []
        for clip in clips:
            found.append(self._decode_one(clip, options))
            if progress:
                progress(1)
        return found

    def _decode_one(self, clip: Clip, options: DecodingOptions) -> Hypothesis:
        samples = clip.read()
        if len(samples) > WINDOW_S * SAMPLE_RATE:
            raise ValueError(f"a clip of {len(samples) / SAMPLE_RATE:.1f} s does not fit a window of {WINDOW_S:g} s")
        limit = min(options.max_new_tokens, _MAX_TOKENS)
        settings = self._settings(options) | {
            "no_timestamps": True,
            "single_segment": True,
            "max_tokens": limit - 1,  # it stops at the token after these
            "audio_ctx": 0 if options.window == "full" else self._n_positions(clip.duration_s),
        }
        identified = self._identified(samples) if options.identifies else None
        language = options.language or identified or "en"
        tokens, log_probs = [], []
        for _, _, ids, probs in self._run(samples, settings, self._before(options), language, options):
            tokens += ids
            log_probs += [math.log(max(prob, 1e-30)) for prob in probs]
        ended = not tokens or tokens[-1] == self._special.end
        text_tokens = [id_ for id_ in tokens if id_ < self._special.end]
        kept = without_rounds(text_tokens) if options.loop_guard else text_tokens
        looped = len(kept) < len(text_tokens)
        return Hypothesis(
            id=clip.id,
            text=text_of(self.tokenizer, kept),
            language=language,
            segments=None,
            no_speech_prob=None,
            avg_logprob=sum(log_probs) / len(log_probs) if log_probs else None,
            tokens=tuple(kept),
            truncated=not ended and not looped,
            identified=identified,
            looped=looped,
        )

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode a recording of any length with phrase times, by whisper.cpp's own windows."""
        settings = self._settings(options) | {"no_timestamps": False, "single_segment": False, "max_tokens": 0}
        language = options.language or self._identified(samples) or "en"
        found = self._run(samples, settings | {"audio_ctx": 0}, self._before(options), language, options)
        return of_phrases(self.tokenizer, name, language, [(start, end, ids) for start, end, ids, _ in found])

    def _settings(self, options: DecodingOptions) -> dict[str, Any]:
        return {
            "translate": options.task == "translate",
            "temperature": 0.0,
            "temperature_inc": 0.0,
            "entropy_thold": _NEVER,
            "logprob_thold": LOGPROB_THRESHOLD,
            "no_speech_thold": options.no_speech_threshold,
            "suppress_blank": True,
            "suppress_nst": True,
            "no_context": True,
            "print_progress": False,
            "n_threads": n_threads(),
        }

    def _n_positions(self, duration_s: float) -> int:
        return round(short_window_s(duration_s) * _POSITIONS_PER_S)

    def _before(self, options: DecodingOptions) -> list[int]:
        """What stands before the start token; whisper.cpp puts ``<|startofprev|>`` itself."""
        return list(ids_before(self.tokenizer, options))[1:]

    def _run(
        self,
        samples: Samples,
        settings: dict[str, Any],
        before: list[int],
        language: str,
        options: DecodingOptions,
    ) -> list[tuple[float, float, list[int], list[float]]]:
        """Start and end in seconds, token ids and their probabilities of each segment."""
        prompt_ids(self.tokenizer, language, options.task)  # refuses what the model does not know
        library = self._library
        kinds = library.whisper_sampling_strategy
        beams = options.beam_size > 1
        asked = library.whisper_full_default_params(
            kinds.WHISPER_SAMPLING_BEAM_SEARCH if beams else kinds.WHISPER_SAMPLING_GREEDY
        )
        if beams:
            settings = settings | {"beam_search": {"beam_size": options.beam_size, "patience": -1.0}}
        token = language_token(self.tokenizer, language) or ""
        for key, value in (settings | {"language": token[2:-2]}).items():
            setattr(asked, key, value)
        if before:
            asked.set_prompt_tokens(before)
        wave = _long_enough(samples)
        if library.whisper_full(self._context, asked, wave, len(wave)) != 0:
            raise RuntimeError("whisper.cpp failed to decode")
        context = self._context
        found = []
        for segment in range(library.whisper_full_n_segments(context)):
            places = range(library.whisper_full_n_tokens(context, segment))
            found.append(
                (
                    library.whisper_full_get_segment_t0(context, segment) / 100,
                    library.whisper_full_get_segment_t1(context, segment) / 100,
                    [library.whisper_full_get_token_id(context, segment, place) for place in places],
                    [library.whisper_full_get_token_p(context, segment, place) for place in places],
                )
            )
        return found

    def _identified(self, samples: Samples) -> str | None:
        """The most probable language of the first 30 s; None of a Whisper that knows English alone."""
        library = self._library
        if not library.whisper_is_multilingual(self._context):
            return None
        wave = _long_enough(samples)
        library.whisper_pcm_to_mel(self._context, wave, len(wave), n_threads())
        probs = np.zeros(library.whisper_lang_max_id() + 1, dtype=np.float32)
        best = library.whisper_lang_auto_detect(self._context, 0, n_threads(), probs)
        return language_of(self.tokenizer, f"<|{library.whisper_lang_str(best)}|>")


def _long_enough(samples: Samples) -> Samples:
    return np.ascontiguousarray(np.pad(samples, (0, max(0, _MIN_SAMPLES - len(samples)))), dtype=np.float32)


def _import_library() -> ModuleType:
    """pywhispercpp's direct bindings of whisper.h, which tell token ids where its Model class tells texts."""
    try:
        import _pywhispercpp
    except ImportError as error:
        raise missing_extra("pywhispercpp", "ggml", "the engine whisper.cpp") from error
    return _pywhispercpp  # type: ignore[no-any-return]
