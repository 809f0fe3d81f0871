"""Which learning rate what is trained gets: the same, or less the further a layer is from the output."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

_LAYER = re.compile(r"(?:^|\.)(encoder|decoder)\.(?:layers\.(\d+)\.|(layer_norm)\.|)")


def parameter_groups(
    named: Iterable[tuple[str, nn.Parameter]], decay: float, n_layers: Mapping[str, int]
) -> list[dict[str, Any]]:
    """What an optimiser takes: groups of parameters, ``scale`` being each one's share of the learning rate.

    Args:
        named: what is trained.
        decay: rate of a layer over that of the next one, in encoder and decoder each (Howard and Ruder 2018); what
            comes before the first layer is one further.
        n_layers: of ``encoder`` and ``decoder``.
    """
    groups: dict[float, list[nn.Parameter]] = defaultdict(list)
    for name, parameter in named:
        groups[decay ** _distance(name, n_layers)].append(parameter)
    return [{"params": groups[scale], "scale": scale} for scale in sorted(groups, reverse=True)]


def _distance(name: str, n_layers: Mapping[str, int]) -> int:
    """How many layers of its part come after a parameter."""
    place = _LAYER.search(name)
    assert place is not None, name  # all of Whisper is in one of the two, the output layer being the embeddings
    part, layer, norm = place.groups()
    if norm:
        return 0
    return n_layers[part] - 1 - int(layer) if layer else n_layers[part]
