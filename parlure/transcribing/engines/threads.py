"""How many threads a library besides torch may use."""

from __future__ import annotations

import os

import torch


def n_threads() -> int:
    """As many as torch has, but no more than cores: such libraries' threads wait for each other in a busy loop."""
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return min(torch.get_num_threads(), len(mine))
