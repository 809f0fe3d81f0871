"""Activation checkpointing: layers that keep their input alone and compute the rest again in the backward pass.

It costs one more forward pass, and makes a model trainable where not even one window would fit (Chen et al. 2016).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import WhisperForConditionalGeneration


def checkpoint_layers(model: WhisperForConditionalGeneration) -> None:
    """Let every layer of encoder and decoder forget what it computed, while the model is being trained.

    Loss and gradients stay what they were, dropout included: it is drawn again from the same state. What is evaluated
    is not touched. Call it once, on a model that takes no key-value cache in training.
    """
    # transformers has a switch of its own, under a name that changed within version 5 and is read by its own layers
    for layer in (*model.model.encoder.layers, *model.model.decoder.layers):
        layer.forward = _forgetting(layer, layer.forward)


def _forgetting(layer: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
    def forgetting(*args: Any, **kwargs: Any) -> Any:
        if layer.training and torch.is_grad_enabled():
            return checkpoint(forward, *args, use_reentrant=False, **kwargs)
        return forward(*args, **kwargs)

    return forgetting
