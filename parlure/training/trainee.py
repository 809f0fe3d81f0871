"""What is being trained, and one step of it: the loss of all its tokens, the gradient, the update."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from peft import PeftModel
from torch import nn
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.sections import Recipe
from parlure.speech.features import log_mel
from parlure.training.averaging import WeightAverage
from parlure.training.batches import MicroBatch, Tensors, collate_labels
from parlure.training.checkpoint import Stateful
from parlure.training.encoder_cache import EncoderCache
from parlure.training.feeding import Feeder
from parlure.training.layer_rates import parameter_groups
from parlure.training.masking import Masking
from parlure.training.team import Team
from parlure.training.trainable import made_trainable, set_dropout
from parlure.whisper.adalora import RankSchedule
from parlure.whisper.checkpointing import checkpoint_layers
from parlure.whisper.prompt import IGNORED, SpecialTokens


class SummedLoss(nn.Module):
    """Whisper with its loss: cross-entropy summed over the scored tokens, computed only where they are."""

    def __init__(
        self,
        whisper: WhisperForConditionalGeneration,
        masking: Masking | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        """
        Args:
            whisper: the model.
            masking: of the log-mels, if any.
            label_smoothing: share of a label's probability that all tokens get alike (Szegedy et al. 2016).
        """
        super().__init__()
        self.whisper = whisper
        self._masking = masking
        self._label_smoothing = label_smoothing

    def encode(self, tensors: Tensors) -> torch.Tensor:
        """Encoder output, ``(n_windows, n_positions, d)``."""
        waves = tensors.waves.to(self.whisper.device)
        features = log_mel(waves, self.whisper.config.num_mel_bins)
        if self._masking is not None:
            features = self._masking.masked(features, tensors.sound_frames)
        if tensors.n_frames is not None:
            n_frames = tensors.n_frames.to(waves.device)
            features = features * (torch.arange(features.shape[-1], device=waves.device) < n_frames[:, None])[:, None]
        return cast(torch.Tensor, self.whisper.model.encoder(features.to(self.whisper.dtype)).last_hidden_state)

    def forward(self, encoded: torch.Tensor, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss, a scalar, of what the decoder makes of :meth:`encode`'s output."""
        hidden = self.whisper.model.decoder(
            input_ids=inputs, encoder_hidden_states=encoded, use_cache=False
        ).last_hidden_state
        scored = targets != IGNORED
        logits = self.whisper.proj_out(hidden[scored]).float()
        return nn.functional.cross_entropy(
            logits, targets[scored], reduction="sum", label_smoothing=self._label_smoothing
        )


@dataclass
class Trainee:
    """A Whisper, and with what it is trained.

    Attributes:
        whisper: adapters inside, if there are any.
        tokenizer: the model's.
        saveable: the PEFT model, or the Whisper itself.
        hears: whether the encoder is trained too.
        cache: of its outputs, where it is not.
        ranks: how AdaLoRA deals them out.
        average: of what is trained, if that is to be kept.
    """

    whisper: WhisperForConditionalGeneration
    tokenizer: WhisperTokenizer
    saveable: nn.Module
    hears: bool = True
    cache: EncoderCache | None = None
    ranks: RankSchedule | None = None
    average: WeightAverage | None = None
    loss: SummedLoss = field(init=False)
    optimizer: torch.optim.Optimizer = field(init=False)
    feeder: Feeder = field(init=False)

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        whisper: WhisperForConditionalGeneration,
        tokenizer: WhisperTokenizer,
        device: torch.device,
        cache_folder: Path | None = None,
        *,
        bf16: bool = False,
        n_steps: int = 1,
        tokens: Sequence[int] = (),
    ) -> Trainee:
        """A base model made ready: adapters attached or weights freed, on its device, with its optimiser.

        Args:
            recipe: what is trained, and how.
            whisper: the base, changed in place.
            tokenizer: its own.
            device: where to.
            cache_folder: where the encoder's outputs are kept, if the recipe wants them on disk.
            bf16: whether it is computed in bf16, see :func:`parlure.training.trainable.made_trainable`.
            n_steps: optimiser steps of the run.
            tokens: ids whose embeddings are trained whatever else is.
        """
        adapter, training = recipe.adapter, recipe.training
        if training.dropout:
            set_dropout(whisper, training.dropout)
        if adapter.bits:
            whisper.to(device)  # whose own kernels quantise
        whisper, saveable = made_trainable(
            whisper, adapter, base_name=recipe.model.base, bf16=bf16, n_steps=n_steps, tokens=tokens
        )
        hears = adapter.parts != "decoder"
        made = cls(whisper, tokenizer, saveable, hears)
        if adapter.method == "adalora":
            made.ranks = RankSchedule(cast(PeftModel, saveable))
        if training.checkpointing == "on":
            checkpoint_layers(whisper)
        made.loss = SummedLoss(whisper, Masking.of(recipe.augmentation), training.label_smoothing).to(device)
        trainable = {name: parameter for name, parameter in whisper.named_parameters() if parameter.requires_grad}
        n_layers = {part: len(getattr(whisper.model, part).layers) for part in ("encoder", "decoder")}
        groups = parameter_groups(trainable.items(), training.layer_decay, n_layers)
        made.optimizer = torch.optim.AdamW(
            groups, lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
        )
        if training.average:
            pruned = {name for name in trainable if made.ranks and made.ranks.prunes(name)}
            made.average = WeightAverage(trainable, training.average, pruned)
        made.feeder = Feeder(SpecialTokens.of(tokenizer).end)
        if training.encoder_cache_gb and not hears:
            folder = cache_folder if training.encoder_cache == "disk" else None
            made.cache = EncoderCache(round(training.encoder_cache_gb * 1e9), folder)
        return made

    @property
    def states(self) -> dict[str, Stateful]:
        """What has a state of its own beside weights and optimiser."""
        own = {"ranks": self.ranks, "average": self.average}
        return {name: one for name, one in own.items() if one is not None}

    def as_kept(self) -> AbstractContextManager[None]:
        """Within, the model is the one that would be kept: the average, if there is one."""
        return nullcontext() if self.average is None else self.average.in_place()

    def begin(self, batches: Iterable[MicroBatch]) -> None:
        """Read ahead what these forward passes take; with a cache, nobody knows what that is."""
        if self.cache is None:
            self.feeder.begin(batches)

    def summed_loss(self, batch: MicroBatch) -> torch.Tensor:
        """The loss of a forward pass, a scalar: summed over its scored tokens."""
        device = self.whisper.device
        if self.cache is not None:
            encoded = self.cache.outputs(batch, self._encoded)
            inputs, targets = collate_labels(batch, SpecialTokens.of(self.tokenizer).end)
        else:
            tensors = self.feeder.take(batch)
            inputs, targets = tensors.inputs, tensors.targets
            encoded = self._encode(tensors)
        return cast(torch.Tensor, self.loss(encoded, inputs.to(device), targets.to(device)))

    def _encoded(self, batch: MicroBatch) -> torch.Tensor:
        return self._encode(self.feeder.take(batch))

    def _encode(self, tensors: Tensors) -> torch.Tensor:
        with nullcontext() if self.hears else torch.no_grad():
            return self.loss.encode(tensors)


def optimisation_step(
    trainee: Trainee, team: Team, step: Sequence[MicroBatch], rate: float, max_grad_norm: float, seed: str = ""
) -> tuple[float, float]:
    """One update of the weights.

    Args:
        trainee: what is trained.
        team: the processes, which share the step's forward passes.
        step: the forward passes whose gradients add up.
        rate: learning rate of this step.
        max_grad_norm: where gradients are clipped.
        seed: decides dropout, by step and forward pass: whichever process does it, after a resume or not.

    Returns:
        Mean loss per scored token of the step, and the gradient's norm before clipping.
    """
    for group in trainee.optimizer.param_groups:
        group["lr"] = rate * group["scale"]
    trainee.whisper.train()
    if not trainee.hears:
        trainee.whisper.model.encoder.eval()  # it must say the same every time
    n_scored = sum(batch.n_scored for batch in step)
    total = torch.zeros((), device=trainee.whisper.device)
    for place, batch in team.share(list(enumerate(step)), [batch.cost for batch in step]):
        torch.manual_seed(int.from_bytes(hashlib.sha256(f"{seed} {place}".encode()).digest()[:7], "big"))
        with team.accelerator.autocast():
            summed = trainee.summed_loss(batch)
        torch.autograd.backward(summed / n_scored)
        total += summed.detach()  # read at the end: a GPU need not wait here
    team.add_gradients(trainee.loss.parameters())
    if trainee.ranks:
        torch.autograd.backward(trainee.ranks.penalty())  # the same in every process
    grad_norm = nn.utils.clip_grad_norm_(trainee.loss.parameters(), max_grad_norm)
    trainee.optimizer.step()
    if trainee.ranks:
        trainee.ranks.stepped()
    if trainee.average:
        trainee.average.stepped()
    trainee.optimizer.zero_grad()
    return team.add([float(total)])[0] / n_scored, float(grad_norm)
