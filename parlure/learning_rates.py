"""Which learning rate suits which Whisper: by its size, and by whether adapters are trained or the weights themselves.

Whisper was pre-trained with the peak rates that the last table of its paper gives by size (Radford et al. 2022,
appendix F). Tuning all weights takes about a fortieth of that: what one of its authors is reported, second-hand, to
have tuned with (6.25e-6), and about where a grid search ended (5e-6 for large: WingZLeung/TTDS issue 2). LoRA takes
about ten times the rate of full fine-tuning (Schulman et al. 2025, LoRA Without Regret; found on language models, not
on Whisper). Where to begin, no more: dev decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FULL_SHARE = 1 / 40  # of the pre-training rate
ADAPTER_FACTOR = 10  # times the rate of full fine-tuning
FULL_OF_ANY_SIZE = 1e-5  # between small's and medium's; what most recipes on the web take, whatever the size
TOO_HIGH = 4  # times what suits: then a run says so

# (width, layers of the encoder) → size, peak rate of its pre-training. That of large-v3 and turbo is not published:
# large-v2's stands for both; large itself had 1.75e-4
_PRETRAINED: Mapping[tuple[int, int], tuple[str, float]] = {
    (384, 4): ("tiny", 1.5e-3),
    (512, 6): ("base", 1e-3),
    (768, 12): ("small", 5e-4),
    (1024, 24): ("medium", 2.5e-4),
    (1280, 32): ("large-v2", 2e-4),
}


@dataclass(frozen=True)
class Suited:
    """A learning rate to begin with, and where it comes from."""

    rate: float
    source: str


def suited(method: str, width: int, n_layers: int) -> Suited | None:
    """What suits a Whisper of this shape; None where nobody has pre-trained one of it.

    Args:
        method: of the recipe's ``adapter.method``.
        width: of its layers (``d_model``).
        n_layers: of its encoder.
    """
    if (width, n_layers) not in _PRETRAINED:
        return None
    size, pretrained = _PRETRAINED[width, n_layers]
    source = f"a fortieth of the {pretrained:g} that {size} was pre-trained with"
    if method == "full":
        return Suited(_rounded(pretrained * FULL_SHARE), source)
    return Suited(_rounded(pretrained * FULL_SHARE * ADAPTER_FACTOR), f"ten times {source}")


def warning(method: str, rate: float, width: int, n_layers: int) -> str:
    """What to say of a rate for full fine-tuning that is far above what suits; nothing otherwise."""
    usual = suited(method, width, n_layers)
    if method != "full" or usual is None or rate <= TOO_HIGH * usual.rate:
        return ""
    return (
        f"training.learning_rate is {rate:g}, which may suit adapters: for all weights of this size begin at "
        f"{usual.rate:g}, {usual.source} (--set training.learning_rate={usual.rate:g})"
    )


def _rounded(rate: float) -> float:
    """To three figures."""
    return float(f"{rate:.3g}")
