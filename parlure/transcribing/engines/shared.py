"""One base in memory, several adapters beside it, and for every call the one that it names.

What an adapter adds is computed beside the base's weights and not folded into them: up to rounding the run's own
output, for a little more arithmetic. With none chosen the base is what it was, bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import torch

from parlure.errors import ParlureError
from parlure.speech.audio import Samples
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.engines.with_torch import TorchEngine
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.reading import Reading
from parlure.transcribing.windows import HeardWindow
from parlure.whisper.adapters import Beside
from parlure.whisper.load import LoadedModel, load, load_tokenizer, locate, weight_files
from parlure.whisper.prompt import language_tokens


class SharedBase:
    """A base model for many adapters.

    Args:
        base: a MODEL, whose own adapter, if it has one, is merged and cannot be taken away.
        device: where to put it; None is the GPU where there is one.
        dtype: of the weights.

    Raises:
        ParlureError: the model cannot be loaded.
    """

    def __init__(self, base: str, device: torch.device | str | None = None, dtype: torch.dtype = torch.float32) -> None:
        self._base = load(base, device, dtype)
        self._source, self._merged = locate(base)
        self._beside = Beside(self._base.model)
        self._loaded: dict[str, LoadedModel] = {}
        self._lock = RLock()

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters that are there, in the order in which they came."""
        return tuple(self._loaded)

    def add_adapter(self, name: str, run: str) -> None:
        """Load the adapter of a run beside the base.

        Args:
            name: what calls name it by.
            run: a run folder, or the folder of an adapter that PEFT saved.

        Raises:
            ParlureError: the name is taken, the run has no adapter or one of another base, or it is of a kind that
                cannot stand beside others.
        """
        if name in self._loaded:
            raise ParlureError(f"there is an adapter called {name} already", "give another name")
        source, folder = locate(run)
        if folder is None:
            raise ParlureError(f"{run} is a whole model: it has no adapter", "load it by itself")
        if source != self._source or self._merged is not None:
            raise ParlureError(
                f"the adapter of {run} is for {source}, and the base here is {self._base.name}",
                "share a base among adapters that were trained over it",
            )
        if language_tokens(load_tokenizer(source, folder)):
            raise ParlureError(f"{run} was taught a language, which its base has no word for", "load it by itself")
        kind = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["peft_type"]
        if kind != "LORA":
            raise ParlureError(f"the adapter of {run} is {kind}, which cannot stand beside others", "load it by itself")
        with self._lock:
            self._beside.add(name, folder)
            self._loaded[name] = LoadedModel(self._base.model, self._base.tokenizer, run, weight_files(source, folder))

    @contextmanager
    def using(self, name: str | None) -> Iterator[LoadedModel]:
        """The model with one adapter, or with none; within, other threads wait.

        Raises:
            ParlureError: there is none of this name.
        """
        if name is not None and name not in self._loaded:
            raise ParlureError(
                f"there is no adapter called {name}", f"there are {', '.join(self._loaded)}" if self._loaded else ""
            )
        with self._lock:
            self._beside.choose(name)
            yield self._base if name is None else self._loaded[name]

    def engine(self, name: str | None = None) -> SharedEngine:
        """An engine, for `transcribe` for example, that puts its adapter in place for every call.

        Raises:
            ParlureError: there is none of this name.
        """
        with self.using(name):
            return SharedEngine(self, name)


class SharedEngine:
    """One adapter of a shared base as an :class:`parlure.transcribing.engines.interface.Engine`."""

    def __init__(self, shared: SharedBase, name: str | None) -> None:
        self._shared, self._name = shared, name
        with shared.using(name) as loaded:
            self._torch = TorchEngine(loaded)
        self.model, self.compute_type = self._torch.model, self._torch.compute_type
        self.tokenizer = self._torch.tokenizer

    @property
    def sha256(self) -> str:
        """Hash of the weights on disk."""
        return self._torch.sha256

    @property
    def n_bytes(self) -> int:
        """Of the weights on disk, the adapter included."""
        return self._torch.n_bytes

    @property
    def n_parameters(self) -> int:
        """Of the model, with the adapters that stand beside it."""
        return self._torch.n_parameters

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, see :func:`parlure.transcribing.decode.decode`."""
        with self._shared.using(self._name):
            return self._torch.decode(clips, options, progress)

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode a recording of any length, see :func:`parlure.transcribing.longform.decode_long`."""
        with self._shared.using(self._name):
            return self._torch.decode_long(name, samples, options)

    def windows(self, samples: Samples, options: DecodingOptions) -> Iterator[HeardWindow]:
        """Decode a recording window after window; between two of them other adapters have their turn."""
        found = self._torch.windows(samples, options)
        while True:
            with self._shared.using(self._name):
                window = next(found, None)
            if window is None:
                return
            yield window

    def read(self, sound: Samples, tokens: Sequence[int], language: str, task: str) -> Reading:
        """Read a text along its sound, see :mod:`parlure.transcribing.reading`."""
        with self._shared.using(self._name):
            return self._torch.read(sound, tokens, language, task)

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions."""
        return self._torch.description()
