"""A text that is known and the sound it is of → when each token begins, and how probable the model finds it.

The model reads the text while it hears the sound (teacher forcing), as openai/whisper's ``find_alignment`` does it for
word times. An engine that can do so has a method ``read``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import torch

from parlure.speech.audio import SAMPLE_RATE, Samples
from parlure.speech.features import log_mel
from parlure.transcribing.attention import read_along
from parlure.transcribing.decode import window_waves
from parlure.transcribing.warping import POSITION_S, token_positions
from parlure.whisper.load import LoadedModel
from parlure.whisper.prompt import SpecialTokens, prompt_ids


class Reading(NamedTuple):
    """What reading T tokens gave.

    Attributes:
        begins_s: when each token begins, and when the text is over, from the sound's start; ascending, T + 1 of them.
        probabilities: of each token after the right ones before it, T of them, 0 to 1.
    """

    begins_s: tuple[float, ...]
    probabilities: tuple[float, ...]


@runtime_checkable
class ReadsAlong(Protocol):
    """An engine that can be given a text."""

    def read(self, sound: Samples, tokens: Sequence[int], language: str, task: str) -> Reading:
        """Read tokens (one at least, 440 at most) along a sound of 0.04 to 30 s."""
        ...


def n_positions_of(sound: Samples) -> int:
    """Positions of the encoder's output that hold sound."""
    return max(2, len(sound) // round(POSITION_S * SAMPLE_RATE))


@torch.inference_mode()
def read(loaded: LoadedModel, sound: Samples, tokens: Sequence[int], language: str, task: str) -> Reading:
    """As :meth:`ReadsAlong.read`, in torch."""
    model = loaded.model
    features = log_mel(window_waves([sound]).to(model.device), model.config.num_mel_bins)
    encoded = model.model.encoder(features.to(model.dtype)).last_hidden_state
    prompt, end = prompt_ids(loaded.tokenizer, language, task), SpecialTokens.of(loaded.tokenizer).end
    found = read_along(model, encoded, prompt, list(tokens), end, n_positions_of(sound))
    begins = token_positions(found.weights.numpy())
    return Reading(tuple(float(b) * POSITION_S for b in begins), tuple(found.logprobs.exp().tolist()))
