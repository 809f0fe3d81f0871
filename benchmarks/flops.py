"""Floating-point operations of training a Whisper on one utterance, and of decoding one: what cannot be avoided.

    python benchmarks/flops.py                         # all shapes: padded, and 3.96 s for 3.33 s of speech
    python benchmarks/flops.py --window 5.8 --tokens 26

Only matrix products and convolutions are counted, a multiplication and an addition as two operations; what is done
element by element (GELU, softmax, layer norms, dropout, log-mels) adds less than 1 % of operations, though not of time.

Backward, a product ``y = x W`` costs once more as much for the gradient of W where W is trained, and once more for the
gradient of x where something below is: both are followed from the first layer up. A fused attention that computes its
scores a second time in the backward pass does more than is counted here.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import Literal

from shapes import SHAPES, Shape

POSITIONS_PER_S = 50  # of the encoder
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
Q_V = ("q_proj", "v_proj")


@dataclass(frozen=True)
class Tuning:
    """What is trained.

    Attributes:
        method: every weight, or LoRA's adapters.
        rank: of the adapters.
        targets: the linear layers that have one.
        parts: adapters in encoder and decoder, or in the decoder alone.
        cached: encoder outputs are there already.
    """

    method: Literal["full", "lora"] = "lora"
    rank: int = 32
    targets: tuple[str, ...] = Q_V
    parts: Literal["all", "decoder"] = "all"
    cached: bool = False

    @property
    def decoder_only(self) -> bool:
        """Whether no gradient enters the encoder."""
        return self.cached or self.parts == "decoder"


@dataclass
class Count:
    """Operations so far, of the forward and of the backward pass."""

    forward: int = 0
    backward: int = 0

    @property
    def total(self) -> int:
        """Both passes."""
        return self.forward + self.backward

    def product(self, rows: int, inner: int, columns: int, *, n_gradients: int) -> None:
        """``(rows, inner) @ (inner, columns)``, and the gradients of so many of its two factors."""
        self.forward += 2 * rows * inner * columns
        self.backward += n_gradients * 2 * rows * inner * columns


class Layers:
    """The kinds of layers of one half of Whisper; each method says whether its output needs a gradient."""

    def __init__(self, count: Count, tuning: Tuning, width: int, *, trained: bool) -> None:
        self.count, self.tuning, self.width = count, tuning, width
        self.full = trained and tuning.method == "full"
        self.targets = tuning.targets if trained and tuning.method == "lora" else ()

    def linear(self, name: str, rows: int, n_in: int, n_out: int, needs: bool) -> bool:
        """A linear layer on an input that ``needs`` a gradient or not."""
        self.count.product(rows, n_in, n_out, n_gradients=needs + self.full)
        if name in self.targets:
            self.count.product(rows, n_in, self.tuning.rank, n_gradients=needs + 1)
            self.count.product(rows, self.tuning.rank, n_out, n_gradients=2)
        return needs or self.full or name in self.targets

    def attention(self, rows: int, sources: int, needs: bool, source_needs: bool) -> bool:
        """Attention of ``rows`` positions to ``sources`` ones, projections included."""
        width, count = self.width, self.count
        q = self.linear("q_proj", rows, width, width, needs)
        k = self.linear("k_proj", sources, width, width, source_needs)
        v = self.linear("v_proj", sources, width, width, source_needs)
        scores = q or k
        count.product(rows, width, sources, n_gradients=q + k)
        count.product(rows, sources, width, n_gradients=scores + v)
        return self.linear("out_proj", rows, width, width, scores or v)

    def feed_forward(self, rows: int, needs: bool) -> bool:
        """The two layers after an attention."""
        inner = self.linear("fc1", rows, self.width, 4 * self.width, needs)
        return self.linear("fc2", rows, 4 * self.width, self.width, inner)


def encode(count: Count, shape: Shape, positions: int, tuning: Tuning) -> bool:
    """Count the encoder; says whether its output needs a gradient."""
    layers = Layers(count, tuning, shape.width, trained=not tuning.decoder_only)
    count.product(2 * positions, 3 * shape.n_mels, shape.width, n_gradients=layers.full)
    count.product(positions, 3 * shape.width, shape.width, n_gradients=2 * layers.full)
    needs = layers.full
    for _ in range(shape.n_encoder):
        needs = layers.attention(positions, positions, needs, needs) or needs
        needs = layers.feed_forward(positions, needs) or needs
    return needs


def training_flops(shape: Shape, window_s: float, n_tokens: int, tuning: Tuning, n_scored: int | None = None) -> Count:
    """Operations of one utterance, forward and backward.

    Args:
        shape: of the Whisper.
        window_s: what the encoder is given, in seconds.
        n_tokens: what the decoder reads.
        tuning: what is trained.
        n_scored: positions whose logits are computed; all unless given.
    """
    count, positions, width = Count(), round(window_s * POSITIONS_PER_S), shape.width
    encoded = False if tuning.cached else encode(count, shape, positions, tuning)
    layers = Layers(count, tuning, width, trained=True)
    needs = layers.full
    for _ in range(shape.n_decoder):
        needs = layers.attention(n_tokens, n_tokens, needs, needs) or needs
        needs = layers.attention(n_tokens, positions, needs, encoded) or needs
        needs = layers.feed_forward(n_tokens, needs) or needs
    scored = n_tokens if n_scored is None else n_scored
    count.product(scored, width, shape.n_vocabulary, n_gradients=needs + layers.full)
    return count


def decoding_flops(shape: Shape, window_s: float, n_new: int, n_prompt: int = 4) -> int:
    """Operations of decoding one utterance greedily, keys and values kept.

    Args:
        shape: of the Whisper.
        window_s: what the encoder is given, in seconds.
        n_new: tokens that come out; the last is not read again.
        n_prompt: tokens that are given.
    """
    count, positions, width = Count(), round(window_s * POSITIONS_PER_S), shape.width
    encode(count, shape, positions, Tuning(parts="decoder"))
    read = n_prompt + n_new - 1
    for _ in range(shape.n_decoder):
        count.product(positions, width, 2 * width, n_gradients=0)  # cross-attention's keys and values
        count.product(read, width, 6 * width, n_gradients=0)  # its queries and output; self-attention's four
        count.product(read, width, 2 * positions, n_gradients=0)
        count.product(read * (read + 1) // 2, width, 2, n_gradients=0)  # each position sees those up to itself
        count.product(read, width, 8 * width, n_gradients=0)
    count.product(n_new, width, shape.n_vocabulary, n_gradients=0)
    return count.forward


WAYS = {
    "full": Tuning("full"),
    "LoRA, all linear": Tuning(targets=ALL_LINEAR),
    "LoRA q, v": Tuning(),
    "decoder only": Tuning(parts="decoder"),
    "and cached": Tuning(parts="decoder", cached=True),
}


def main() -> None:
    """Print GFLOP an utterance, by shape and by what is trained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", type=float, default=3.96, help="seconds of encoder input, beside 30")
    parser.add_argument("--tokens", type=int, default=17, help="decoder tokens")
    parser.add_argument("--rank", type=int, default=32)
    arguments = parser.parse_args()
    print(f"GFLOP an utterance in 30 s / {arguments.window:g} s, {arguments.tokens} tokens; rank {arguments.rank}")
    print(f"{'':9}" + "".join(f"{name:>18}" for name in [*WAYS, "decoding"]))
    for name, shape in SHAPES.items():
        columns = []
        for way in WAYS.values():
            tuning = replace(way, rank=arguments.rank)
            both = [training_flops(shape, window, arguments.tokens, tuning) for window in (30.0, arguments.window)]
            columns.append(" / ".join(f"{count.total / 1e9:.3g}" for count in both))
        both = [decoding_flops(shape, window, arguments.tokens) / 1e9 for window in (30.0, arguments.window)]
        columns.append(" / ".join(f"{flops:.3g}" for flops in both))
        print(f"{name:9}" + "".join(f"{column:>18}" for column in columns))


if __name__ == "__main__":
    main()
