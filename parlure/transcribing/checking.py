"""A MODEL → what ``parlure check`` asks of it: how it writes a text in tokens, what it hears, in which language.

What was heard is kept in ``heard.jsonl``, a line an utterance, and holds for the same weights, span and file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from parlure.corpus.check.judging import MIN_LANGUAGE_S, Heard
from parlure.corpus.journal import adding_to, kept_rows
from parlure.corpus.manifest import Utterance
from parlure.speech.audio import AudioError, Samples, read_audio
from parlure.speech.features import WINDOW_S, log_mel
from parlure.transcribing.decode import Clip, DecodingOptions, decode, window_waves
from parlure.transcribing.stepping import Stepper
from parlure.whisper.languages import language_ids
from parlure.whisper.load import LoadedModel, load
from parlure.whisper.prompt import MAX_TOKENS, SpecialTokens, encode_text

_BATCH = 16  # utterances at a time
_FRAME_TOKENS = 5  # start, language, task, <|notimestamps|>; the end


class ModelEars:
    """A model as :class:`parlure.corpus.check.judging.Ears`."""

    def __init__(self, model: str) -> None:
        self._loaded: LoadedModel = load(model)
        self._tokenizer = self._loaded.tokenizer
        self._known = language_ids(self._tokenizer)
        self._never = set(self._loaded.model.generation_config.suppress_tokens or [])

    def n_tokens(self, utterance: Utterance) -> int:
        """Label tokens, prompt and end included, as :func:`parlure.whisper.prompt.encode_labels` makes them."""
        before = 0
        if utterance.prompt:
            before = 1 + min(MAX_TOKENS // 2 - 1, len(encode_text(self._tokenizer, utterance.prompt)))
        if utterance.segments:
            body = sum(len(encode_text(self._tokenizer, phrase.text)) + 2 for phrase in utterance.segments)
            return before + body + _FRAME_TOKENS - 1
        return before + (len(encode_text(self._tokenizer, utterance.text)) if utterance.text else 0) + _FRAME_TOKENS

    def suppressed(self, text: str) -> list[str]:
        """The tokens of a text that the model is told never to write."""
        ids = dict.fromkeys(encode_text(self._tokenizer, text)) if self._never else {}
        return [self._tokenizer.backend_tokenizer.decode([id_]) for id_ in ids if id_ in self._never]

    def hear(
        self, utterances: Sequence[Utterance], cache: Path, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[Heard]:
        """Each utterance of at most 30 s, the longest first; what was heard before comes from ``heard.jsonl``.

        Args:
            utterances: of a corpus.
            cache: folder of ``heard.jsonl``, made if need be.
            progress: called with (utterances done, utterances).
        """
        keys = {index: self._key(one) for index, one in enumerate(utterances) if one.duration_s <= WINDOW_S}
        kept = {row["key"]: row["heard"] for row in kept_rows(cache / "heard.jsonl")}
        rest = sorted((i for i, key in keys.items() if key not in kept), key=lambda i: -utterances[i].duration_s)
        done = len(keys) - len(rest)
        for index in keys.keys() - set(rest):
            yield Heard(index, *kept[keys[index]])
        with adding_to(cache / "heard.jsonl") as add:
            for start in range(0, len(rest), _BATCH):
                for heard in self._batch(utterances, rest[start : start + _BATCH]):
                    add({"key": keys[heard.index], "heard": [heard.text, heard.language, heard.probability]})
                    yield heard
                done += len(rest[start : start + _BATCH])
                if progress:
                    progress(done, len(keys))

    def _key(self, one: Utterance) -> str:
        try:
            found = os.stat(one.recording)  # noqa: PTH116 - a name may be too long for a path
            file = f"{found.st_size} {found.st_mtime_ns}"
        except OSError:
            file = ""
        span = f"{one.start:.6f} {one.end:.6f} {one.channel} {one.language} {one.task}"
        return f"{self._loaded.sha256[:16]} {one.recording} {file} {span}"

    def _batch(self, utterances: Sequence[Utterance], indices: Sequence[int]) -> Iterator[Heard]:
        """A few utterances; one that cannot be read is heard as None."""
        sounds: dict[int, Samples] = {}
        for index in indices:
            one = utterances[index]
            try:
                sounds[index] = read_audio(one.recording, one.start, one.end, one.channel)
            except AudioError:
                yield Heard(index, None)
        languages = self._languages({i: s for i, s in sounds.items() if utterances[i].duration_s >= MIN_LANGUAGE_S})
        for language, task in sorted({(utterances[i].language, utterances[i].task) for i in sounds}):
            chosen = [i for i in sounds if (utterances[i].language, utterances[i].task) == (language, task)]
            clips = [Clip(str(i), utterances[i].duration_s, lambda i=i: sounds[i]) for i in chosen]  # type: ignore[misc]
            texts: list[str | None] = [None] * len(chosen)
            if language in self._known:
                options = DecodingOptions(language=language, task=task, loop_guard=True)
                texts = [one.text for one in decode(self._loaded.model, self._tokenizer, clips, options)]
            for index, text in zip(chosen, texts, strict=True):
                yield Heard(index, text, *languages.get(index, (None, None)))

    @torch.inference_mode()
    def _languages(self, sounds: dict[int, Samples]) -> dict[int, tuple[str, float]]:
        """The most probable language of each and its probability among all languages (openai/whisper decoding.py)."""
        if not sounds:
            return {}
        model = self._loaded.model
        waves = window_waves(sounds.values()).to(model.device)
        features = log_mel(waves, model.config.num_mel_bins).to(model.dtype)
        stepper = Stepper(model, model.model.encoder(features).last_hidden_state)
        start = torch.full((len(sounds), 1), SpecialTokens.of(self._tokenizer).start, device=model.device)
        ids = self._known
        shares = stepper(start)[:, 0][:, list(ids.values())].float().softmax(dim=-1)
        best, which = shares.max(dim=-1)
        codes = list(ids)
        return {
            index: (codes[int(place)], round(float(share), 4))
            for index, share, place in zip(sounds, best, which, strict=True)
        }
