"""What an engine is: a model that turns sound into hypotheses, by whatever library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from transformers import WhisperTokenizer

from parlure.speech.audio import Samples
from parlure.transcribing.decode import Clip, DecodingOptions
from parlure.transcribing.hypothesis import Hypothesis
from parlure.transcribing.reading import Reading
from parlure.transcribing.windows import HeardWindow

EngineName = Literal["torch", "ctranslate2", "onnx"]


class Engine(Protocol):
    """A model that is ready to decode; the same options mean the same to every engine.

    Attributes:
        model: what the person called it.
        sha256: hash of the weights it was read from.
        compute_type: the numbers it multiplies: float32, float16, int8_float32, …
        n_bytes: of the weights on disk, adapters included.
        n_parameters: how many weights it has; None where the library does not tell.
        tokenizer: the model's own, which knows its languages; None of what is no Whisper.
    """

    @property
    def model(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def compute_type(self) -> str: ...

    @property
    def n_bytes(self) -> int: ...

    @property
    def n_parameters(self) -> int | None: ...

    @property
    def tokenizer(self) -> WhisperTokenizer | None: ...

    def decode(
        self, clips: Sequence[Clip], options: DecodingOptions, progress: Callable[[int], None] | None = None
    ) -> list[Hypothesis]:
        """Decode clips of at most 30 s, see :func:`parlure.transcribing.decode.decode`."""
        ...

    def decode_long(self, name: str, samples: Samples, options: DecodingOptions) -> Hypothesis:
        """Decode a recording of any length with phrase times, see :mod:`parlure.transcribing.longform`."""
        ...

    def description(self) -> dict[str, Any]:
        """Engine, numbers, device and versions, as a report's ``decode`` names them."""
        ...


@runtime_checkable
class TimedEngine(Engine, Protocol):
    """A Whisper that also says what it hears while it goes on, and when each token is said."""

    @property
    def tokenizer(self) -> WhisperTokenizer: ...

    def windows(self, samples: Samples, options: DecodingOptions) -> Iterator[HeardWindow]:
        """Decode a recording of any length greedily, window after window, see :mod:`parlure.transcribing.windows`."""
        ...

    def read(self, sound: Samples, tokens: Sequence[int], language: str, task: str) -> Reading:
        """When each token of a text is said, and how probable it is, see :mod:`parlure.transcribing.reading`."""
        ...
