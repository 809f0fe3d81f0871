"""How many bytes a training step needs, found by rehearsing it with tensors that have shapes and no numbers.

PyTorch's fake tensors go through the very operations of a forward pass and take up no memory, so a step that would not
fit can be tried, and what autograd keeps for the backward pass is counted on whatever device. Whisper's layers are
alike: a model of two shows what each further one keeps, and large takes no longer to rehearse than tiny.

What comes and goes within the passes (logits, log-mels, one layer's inner results) is computed from shapes. What
kernels need within one operation and what an allocator loses between its blocks is not known here: it is for a margin.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft.tuners.lycoris_utils import LycorisLayer
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import WhisperConfig, WhisperForConditionalGeneration

from parlure.sections import AdapterSection
from parlure.speech.features import FRAMES_PER_S, N_FFT, N_WINDOW_FRAMES, WINDOW_S
from parlure.training.trainable import made_trainable
from parlure.whisper.checkpointing import checkpoint_layers
from parlure.whisper.encoder import allow_short_input
from parlure.whisper.quantizing import quantized_bytes

_FP32 = 4  # bytes of a number
_N_TOKENS = 32  # label tokens of a window rehearsed; what is kept grows linearly with them
_N_LAYERS = 2  # of encoder and decoder each: the first keeps what it shares with the others, so the second is counted


@dataclass(frozen=True)
class Need:
    """Memory of a training step, in bytes.

    Attributes:
        weights: of the model, adapters included.
        gradients: of what is trained.
        states: AdamW's two moments of what is trained.
        fixed: of a forward and backward pass, whatever it holds: weights cast to bf16, for example.
        per_second: of encoder input.
        per_token: of labels, padding included: the logits above all.
    """

    weights: int
    gradients: int
    states: int
    fixed: float
    per_second: float
    per_token: float

    @property
    def standing(self) -> float:
        """What is there whatever a forward pass holds."""
        return self.weights + self.gradients + self.states + self.fixed

    def total(self, seconds: float, n_tokens: float) -> float:
        """Bytes of a step whose largest forward pass holds so many seconds of input and label tokens."""
        return self.standing + self.per_second * seconds + self.per_token * n_tokens


@dataclass(frozen=True)
class _Kept:
    """Bytes that autograd keeps of a pass: in one layer of either kind, and outside of layers."""

    outside: float
    encoder_layer: float
    decoder_layer: float

    def whole(self, config: WhisperConfig) -> float:
        """Of the model with all its layers."""
        n_encoder, n_decoder = int(config.encoder_layers), int(config.decoder_layers)
        return self.outside + n_encoder * self.encoder_layer + n_decoder * self.decoder_layer


def rehearse(config: WhisperConfig, adapter: AdapterSection, *, bf16: bool, checkpointing: bool) -> Need:
    """Find out what training a Whisper of this shape needs, without making it.

    Args:
        config: the model's.
        adapter: what of it is trained.
        bf16: whether the passes are computed in bf16.
        checkpointing: whether layers keep their input alone.
    """
    n_weights, trained, largest = _sizes(config, adapter, bf16)
    adapter = adapter.model_copy(update={"bits": 0})  # bitsandbytes has no shapes without numbers: computed instead
    shallow = copy.deepcopy(config)
    shallow.encoder_layers = shallow.decoder_layers = _N_LAYERS
    with FakeTensorMode():
        # PEFT copies modules that are saved whole, which fake tensors cannot stand
        whisper = prepared(shallow, adapter.model_copy(update={"modules_to_save": ()}), bf16=bf16)
        _materialise(whisper)
        whisper.train()
        for module in whisper.modules():
            if isinstance(module, LycorisLayer):  # LoHa and LoKr draw whether they take part, without dropout too
                module.training = False
        passes, recomputed = _passes(whisper, bf16), (0.0, 0.0, 0.0)
        if checkpointing:  # in the backward pass all of one layer is there again, and of one at a time
            encoder = _linear([kept.encoder_layer for kept in passes])
            decoder = _linear([kept.decoder_layer for kept in passes])
            recomputed = max(encoder[0], decoder[0]), max(encoder[1], decoder[1]), max(encoder[2], decoder[2])
            checkpoint_layers(whisper)
            passes = _passes(whisper, bf16)
    kept = _linear([one.whole(config) for one in passes])
    fixed, per_second, per_token = (one + other for one, other in zip(kept, recomputed, strict=True))
    # a tied matrix gets two gradients, of the input and of the output, before they are added up
    has_embeddings = adapter.method == "full" and adapter.parts != "encoder" and not adapter.last_layers
    n_scratch = 2 * config.vocab_size * config.d_model * _FP32 if has_embeddings else 0
    return Need(
        n_weights, trained, 2 * trained, fixed + n_scratch + largest, per_second + _passing_per_second(config),
        per_token + _passing_per_token(config),
    )  # fmt: skip


def _passing_per_second(config: WhisperConfig) -> float:
    """Log-mels while they are made, or one encoder layer's inner results and their gradients, whichever is more."""
    spectrum = 2 * 2 + 3  # of each bin, complex ones count twice: the transform and its copy; magnitude, power, copy
    log_mel = FRAMES_PER_S * ((N_FFT // 2 + 1) * spectrum + 4 * config.num_mel_bins) * _FP32
    layer = config.max_source_positions / WINDOW_S * (2 * config.encoder_ffn_dim + 4 * config.d_model) * _FP32
    return float(max(log_mel, layer))


def _passing_per_token(config: WhisperConfig) -> float:
    """Gradients of logits and of their logarithmic softmax, in fp32; those themselves are among what is kept."""
    return 2.0 * int(config.vocab_size) * _FP32


def _sizes(config: WhisperConfig, adapter: AdapterSection, bf16: bool) -> tuple[int, int, int]:
    """Bytes of all weights, of those that are trained, and of the largest that is held in few bits, when it is not."""
    whisper = prepared(config, adapter.model_copy(update={"bits": 0}), bf16=bf16)
    weights = list(whisper.parameters())
    n_all = float(sum(weight.nbytes for weight in weights))
    largest = 0
    if adapter.bits:
        linears = [module.weight for module in whisper.model.modules() if isinstance(module, nn.Linear)]
        for weight in (one for one in linears if not one.requires_grad):
            n_out, n_in = weight.shape
            n_all += quantized_bytes(n_out, n_in, adapter.bits) - weight.nbytes
            largest = max(largest, weight.nbytes)
    return math.ceil(n_all), sum(weight.nbytes for weight in weights if weight.requires_grad), largest


def prepared(config: WhisperConfig, adapter: AdapterSection, *, bf16: bool) -> WhisperForConditionalGeneration:
    """A model of this shape with what is trained of it set free, on the meta device, where it takes no memory."""
    with torch.device("meta"):
        whisper = WhisperForConditionalGeneration(config)
        allow_short_input(whisper)
        return made_trainable(whisper, adapter, bf16=bf16)[0]


def _materialise(module: nn.Module) -> None:
    """Put a fake tensor of the CPU in the place of each on the meta device, whose attention is another one.

    Tied weights stay tied. Module.to would do it, were it not for the weak references that fake tensors have.
    """
    made: dict[torch.Tensor, torch.Tensor] = {}
    for part in module.modules():
        for tensors in (part._parameters, part._buffers):
            for name, tensor in tensors.items():
                if tensor is None:
                    continue
                if tensor not in made:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype)
                    is_parameter = isinstance(tensor, nn.Parameter)
                    made[tensor] = nn.Parameter(empty, tensor.requires_grad) if is_parameter else empty
                tensors[name] = made[tensor]  # type: ignore[assignment]


def _passes(whisper: WhisperForConditionalGeneration, bf16: bool) -> Sequence[_Kept]:
    """What is kept of one window, of two, and of one with twice the tokens."""
    return [_kept(whisper, n, n_tokens, bf16) for n, n_tokens in ((1, _N_TOKENS), (2, _N_TOKENS), (1, 2 * _N_TOKENS))]


def _linear(of_passes: Sequence[float]) -> tuple[float, float, float]:
    """Bytes of the three passes → bytes whatever they hold, by the second of input and by the label token."""
    one, two, long = of_passes
    per_token = (long - one) / _N_TOKENS
    per_second = (two - one - per_token * _N_TOKENS) / WINDOW_S
    return one - per_second * WINDOW_S - per_token * _N_TOKENS, per_second, per_token


def _kept(whisper: WhisperForConditionalGeneration, n: int, n_tokens: int, bf16: bool) -> _Kept:
    """What autograd keeps of a forward pass of n windows of 30 s: storages, each once, parameters not counted."""
    own = {parameter.untyped_storage()._cdata for parameter in whisper.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}  # alive, so that no address comes twice
    marks: dict[nn.Module, int] = {}

    def size() -> int:
        return sum(storage.nbytes() for address, storage in kept.items() if address not in own)

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    def enter(module: nn.Module, _: object) -> None:
        marks[module] = size()

    def leave(module: nn.Module, _: object, __: object) -> None:
        marks[module] = size() - marks[module]

    seconds = whisper.model.encoder.layers[-1], whisper.model.decoder.layers[-1]
    handles = [layer.register_forward_pre_hook(enter) for layer in seconds]
    handles += [layer.register_forward_hook(leave) for layer in seconds]
    keeping = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with keeping, torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = _loss(whisper, n, n_tokens)
    for handle in handles:
        handle.remove()
    del loss
    encoder_layer, decoder_layer = (marks[layer] for layer in seconds)
    return _Kept(size() - _N_LAYERS * (encoder_layer + decoder_layer), encoder_layer, decoder_layer)


def _loss(whisper: WhisperForConditionalGeneration, n: int, n_tokens: int) -> torch.Tensor:
    """The loss as in training, of full windows all of whose label tokens bear loss."""
    tokens = torch.zeros(n, n_tokens, dtype=torch.long)
    features = torch.zeros(n, whisper.config.num_mel_bins, N_WINDOW_FRAMES, dtype=whisper.dtype)
    with torch.set_grad_enabled(any(parameter.requires_grad for parameter in whisper.model.encoder.parameters())):
        encoded = whisper.model.encoder(features).last_hidden_state
    hidden = whisper.model.decoder(input_ids=tokens, encoder_hidden_states=encoded, use_cache=False).last_hidden_state
    # which tokens bear loss is a matter of numbers, and these tensors have none
    logits = whisper.proj_out(hidden.flatten(0, 1)).float()
    return nn.functional.cross_entropy(logits, tokens.flatten(), reduction="sum")
