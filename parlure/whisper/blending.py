"""Between a base and what was tuned from it: weights on the straight line from one to the other.

Half-way models often keep most of what was learnt and lose less of what was known (WiSE-FT; Wortsman et al. 2022).
"""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.errors import ParlureError
from parlure.whisper.languages import fit_vocabulary
from parlure.whisper.load import base_of, load, load_base, locate
from parlure.whisper.plainlora import is_plain, scaled


def whole_base(run: str) -> str:
    """Where the base of a run is: a Hugging Face folder or hub id.

    Raises:
        ParlureError: it is no run, or its base has an adapter of its own.
    """
    source, adapter = locate(base_of(run))
    if adapter is not None:
        raise ParlureError(f"{run} was tuned from a run with an adapter", "merge that one first: parlure export")
    return source


class Blend:
    """A run's model that can be put anywhere between its base and itself.

    Attributes:
        whisper: the model; where it stands, :meth:`put` decides.
        tokenizer: its own.
    """

    def __init__(self, run: str) -> None:
        """Load both.

        Raises:
            ParlureError: it is no run, or its base cannot be loaded.
        """
        source, loaded = whole_base(run), load(run)
        self.whisper: WhisperForConditionalGeneration = loaded.model
        self.tokenizer: WhisperTokenizer = loaded.tokenizer
        whisper = load_base(source).to(loaded.model.device)
        fit_vocabulary(whisper, loaded.tokenizer)
        base = dict(whisper.named_parameters())
        self._ends: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        for name, tuned in self.whisper.named_parameters():
            if not torch.equal(tuned, base[name]):
                self._ends[name] = (base[name].detach(), tuned.detach().clone())
        self._run = Path(run)

    @torch.no_grad()
    def put(self, scale: float) -> None:
        """0 is the base, 1 is as tuned, both to the bit."""
        for name, parameter in self.whisper.named_parameters():
            if name in self._ends:
                parameter.copy_(torch.lerp(*self._ends[name], scale))

    def save_adapter(self, scale: float, folder: Path) -> bool:
        """Write the run's adapter with its update scaled, if a scaled adapter is the scaled model.

        It is not where norms were tuned with it (DoRA), where modules or tokens were trained whole, or without any
        adapter.
        """
        kept = self._run / "adapter"
        if not is_plain(kept):
            return False
        scaled(kept, scale, folder)
        return True
