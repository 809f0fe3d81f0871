"""What a frozen encoder made of each window, kept from epoch to epoch within a bound.

Where only the decoder is tuned, the encoder gives the same output for a window every time, and computing it is most of
a step. It is kept in main memory or in a file; what is beyond the bound is computed again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import torch

from parlure.training.batches import MicroBatch
from parlure.training.windows import Window

Encode = Callable[[MicroBatch], torch.Tensor]  # windows → encoder output, (n_windows, n_positions, d)


@dataclass(frozen=True)
class _InFile:
    """An output's place in the file."""

    start: int
    shape: torch.Size
    dtype: torch.dtype


class EncoderCache:
    """Encoder outputs by window; of a window, its utterances, its length and how it is padded are told apart."""

    def __init__(self, most_bytes: int, folder: Path | None = None) -> None:
        """Begin empty.

        Args:
            most_bytes: to keep.
            folder: in which a file without a name keeps them until the process ends; None for main memory.
        """
        self._most_bytes, self.n_bytes = most_bytes, 0
        self._kept: dict[object, torch.Tensor | _InFile] = {}
        self._folder = folder
        self._file: IO[bytes] | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def outputs(self, batch: MicroBatch, encode: Encode) -> torch.Tensor:
        """The encoder's outputs for a batch, shape ``(n_windows, n_positions, d)``; only what is missing is computed.

        Args:
            batch: windows of one length.
            encode: computes the outputs of a batch, without gradients.
        """
        keys = [_key(window, batch.length_s) for window in batch.windows]
        missing = [place for place, key in enumerate(keys) if key not in self._kept]
        computed: dict[int, torch.Tensor] = {}
        if missing:
            output = encode(MicroBatch(tuple(batch.windows[place] for place in missing), batch.length_s)).detach()
            self._device = output.device
            computed = dict(zip(missing, output, strict=True))
            for place, one in computed.items():
                self._keep(keys[place], one)
        return torch.stack(
            [computed[place] if place in computed else self._read(key) for place, key in enumerate(keys)]
        )

    def _keep(self, key: object, output: torch.Tensor) -> None:
        size = output.numel() * output.element_size()
        if self.n_bytes + size > self._most_bytes:
            return
        self.n_bytes += size
        if self._folder is None:
            self._kept[key] = output.to("cpu", copy=True)  # a view would keep its whole batch
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  lives as long as the cache
        self._kept[key] = _InFile(self._file.seek(0, 2), output.shape, output.dtype)
        self._file.write(output.cpu().contiguous().view(torch.uint8).numpy().data)

    def _read(self, key: object) -> torch.Tensor:
        kept = self._kept[key]
        if isinstance(kept, _InFile):
            assert self._file is not None
            self._file.seek(kept.start)
            data = bytearray(self._file.read(kept.shape.numel() * kept.dtype.itemsize))
            kept = torch.frombuffer(data, dtype=kept.dtype).view(kept.shape)
        return kept.to(self._device)


def _key(window: Window, length_s: float) -> object:
    return (*(item.id for item in window.items), window.padding, length_s)
