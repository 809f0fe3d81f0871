"""The model in torch: the reference that other engines are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

from parlure.speech.audio import Samples
from parlure.transcribing import timestamps
from parlure.transcribing.decode import Clip, DecodingOptions, decode
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.longform import decode_long
from parlure.transcribing.reading import Reading, read
from parlure.transcribing.windows import HeardWindow
from parlure.whisper.load import LoadedModel


class TorchEngine:
    """A loaded model as an :class:`parlure.transcribing.engines.interface.Engine`."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self.model = loaded.name
        self.tokenizer = loaded.tokenizer
        self.compute_type = str(loaded.model.dtype).removeprefix("torch.")

    @property
    def sha256(self) -> str:
        """Hash of the weights on disk."""
        return self._loaded.sha256

    @property
    def n_bytes(self) -> int:
        """Of the weights on disk, the adapter's beside the base's."""
        return sum(path.stat().st_size for path in self._loaded.weights)

    @property
    def n_parameters(self) -> int:
        """Of the model, adapters merged."""
        return sum(parameter.numel() for parameter in self._loaded.model.parameters())

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, see :func:`parlure.transcribing.decode.decode`."""
        return decode(self._loaded.model, self._loaded.tokenizer, clips, options, progress)

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode a recording of any length, see :func:`parlure.transcribing.longform.decode_long`."""
        return decode_long(self._loaded.model, self._loaded.tokenizer, name, samples, options)

    def windows(self, samples: Samples, options: DecodingOptions) -> Iterator[HeardWindow]:
        """Decode a recording window after window, see :func:`parlure.transcribing.timestamps.windows`."""
        return timestamps.windows(self._loaded.model, self._loaded.tokenizer, samples, options)

    def read(self, sound: Samples, tokens: Sequence[int], language: str, task: str) -> Reading:
        """Read a text along its sound, see :mod:`parlure.transcribing.reading`."""
        return read(self._loaded, sound, tokens, language, task)

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions."""
        about = {"engine": "torch", "compute_type": self.compute_type, "device": self._loaded.model.device.type}
        return about | {name: version(name) for name in ("parlure", "torch", "transformers")}
