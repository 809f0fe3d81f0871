"""What is being trained, and one step of it: the loss of all its tokens, the gradient, the update."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration, WhisperTokenizer

from parlure.recipe import Recipe
from parlure.speech.features import log_mel
from parlure.training.batches import MicroBatch, collate
from parlure.training.team import Team
from parlure.whisper.adapters import attach_lora
from parlure.whisper.prompt import IGNORED, SpecialTokens


class SummedLoss(nn.Module):
    """Whisper with its loss: cross-entropy summed over the scored tokens, computed only where they are."""

    def __init__(self, whisper: WhisperForConditionalGeneration) -> None:
        super().__init__()
        self.whisper = whisper

    def forward(self, waves: torch.Tensor, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Shapes as in :class:`parlure.training.batches.Tensors`; returns a scalar."""
        features = log_mel(waves, self.whisper.config.num_mel_bins).to(self.whisper.dtype)
        hidden = self.whisper.model(
            input_features=features, decoder_input_ids=inputs, use_cache=False
        ).last_hidden_state
        scored = targets != IGNORED
        logits = self.whisper.proj_out(hidden[scored]).float()
        return nn.functional.cross_entropy(logits, targets[scored], reduction="sum")


@dataclass
class Trainee:
    """A Whisper, and with what it is trained."""

    whisper: WhisperForConditionalGeneration  # adapters inside, if there are any
    tokenizer: WhisperTokenizer
    saveable: nn.Module  # the PEFT model, or the Whisper itself
    loss: nn.Module = field(init=False)
    optimizer: torch.optim.Optimizer = field(init=False)

    @classmethod
    def of(
        cls, recipe: Recipe, whisper: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, device: torch.device
    ) -> Trainee:
        """A base model made ready: adapters attached or weights freed, on its device, with its optimiser."""
        saveable: nn.Module = whisper
        if recipe.adapter.method == "full":
            whisper.requires_grad_(True)
            whisper.model.encoder.embed_positions.requires_grad_(False)  # sinusoids
        else:
            adapter = recipe.adapter
            saveable = adapted = attach_lora(
                whisper, base_name=recipe.model.base, r=adapter.r, alpha=adapter.alpha, dropout=adapter.dropout,
                targets=adapter.targets,
            )  # fmt: skip
            whisper = cast(WhisperForConditionalGeneration, adapted.get_base_model())
        made = cls(whisper, tokenizer, saveable)
        made.loss = SummedLoss(whisper).to(device)
        trainable = [parameter for parameter in whisper.parameters() if parameter.requires_grad]
        training = recipe.training
        made.optimizer = torch.optim.AdamW(trainable, lr=training.learning_rate, weight_decay=training.weight_decay)
        return made


def optimisation_step(
    trainee: Trainee, team: Team, step: Sequence[MicroBatch], rate: float, max_grad_norm: float, seed: str = ""
) -> tuple[float, float]:
    """One update of the weights.

    Args:
        team: the processes, which share the step's forward passes.
        step: the forward passes whose gradients add up.
        rate: learning rate of this step.
        max_grad_norm: where gradients are clipped.
        seed: decides dropout, by step and forward pass: whichever process does it, after a resume or not.

    Returns:
        Mean loss per scored token of the step, and the gradient's norm before clipping.
    """
    for group in trainee.optimizer.param_groups:
        group["lr"] = rate
    trainee.whisper.train()
    n_scored = sum(batch.n_scored for batch in step)
    end_id = SpecialTokens.of(trainee.tokenizer).end
    device = team.accelerator.device
    total = 0.0
    for place, batch in team.share(list(enumerate(step))):
        torch.manual_seed(int.from_bytes(hashlib.sha256(f"{seed} {place}".encode()).digest()[:7], "big"))
        tensors = collate(batch, end_id)
        with team.accelerator.autocast():
            summed = trainee.loss(tensors.waves.to(device), tensors.inputs.to(device), tensors.targets.to(device))
        (summed / n_scored).backward()
        total += float(summed.detach())
    team.add_gradients(trainee.loss.parameters())
    grad_norm = nn.utils.clip_grad_norm_(trainee.loss.parameters(), max_grad_norm)
    trainee.optimizer.step()
    trainee.optimizer.zero_grad()
    return team.add([total])[0] / n_scored, float(grad_norm)
